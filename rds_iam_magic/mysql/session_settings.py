"""`SessionSettings`: what is set in a session at connect, and again after each reconnect."""

from __future__ import annotations

from dataclasses import dataclass

from rds_iam_magic.option import option, require_seconds
from rds_iam_magic.sql.quoting import quote_text

_SERVERS_OWN = "the server's setting"


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Session settings given at connect; None and False keep the server's setting.

    Raises:
        OptionError: `timeout` or `close_idle` is no duration.
    """

    timeout: float | None = option(
        None, "Seconds after which a statement is ended on the server.", metavar="S", default_text=_SERVERS_OWN
    )
    read_only: bool = option(False, "Make every transaction read-only.")
    safe_updates: bool = option(False, "UPDATE and DELETE need a key or a LIMIT (`sql_safe_updates`).")
    time_zone: str | None = option(
        None,
        "Session time zone, which TIMESTAMP values are converted to: an offset such as `+00:00`, or a name.",
        metavar="ZONE",
        default_text=_SERVERS_OWN,
    )
    autocommit: bool | None = option(
        None,
        "Commit after each statement.",
        off_text="Keep a transaction open until COMMIT.",
        default_text=_SERVERS_OWN,
    )

    close_idle: float | None = option(
        None,
        "Minutes without a statement after which the session is closed, so that a database can pause; the next "
        "statement opens a new one. One that holds a transaction, temporary tables, variables or locks stays open.",
        metavar="MINUTES",
        default_text="it stays open",
    )

    def __post_init__(self) -> None:
        for name in ("timeout", "close_idle"):
            if getattr(self, name) is not None:
                require_seconds(name, getattr(self, name))

    def statements(self, *, mariadb: bool) -> dict[str, str]:
        """The statements that apply the settings to a new session, by the setting's name for messages."""
        statements = {}
        if self.timeout is not None and mariadb:
            statements[f"timeout {self.timeout:g}"] = f"SET SESSION max_statement_time = {self.timeout:.3f}"
        elif self.timeout is not None:
            # On MySQL this limits SELECT only; we end other statements, over a second connection.
            milliseconds = max(1, round(self.timeout * 1000))
            statements[f"timeout {self.timeout:g}"] = f"SET SESSION max_execution_time = {milliseconds}"
        if self.time_zone is not None:
            statements[f"time zone {self.time_zone}"] = f"SET SESSION time_zone = {quote_text(self.time_zone)}"
        if self.safe_updates:
            statements["safe updates"] = "SET SESSION sql_safe_updates = 1"
        if self.read_only:
            statements["read-only"] = "SET SESSION TRANSACTION READ ONLY"
        if self.autocommit is not None:
            statements["autocommit"] = f"SET SESSION autocommit = {int(self.autocommit)}"
        return statements
