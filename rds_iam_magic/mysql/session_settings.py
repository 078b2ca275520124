"""`SessionSettings`: what a session is set to at connect, and again after each reconnect."""

from __future__ import annotations

from dataclasses import dataclass

from rds_iam_magic.option import option
from rds_iam_magic.sql.quoting import quote_text

_SERVERS_OWN = "the server's setting"


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What the user asked for at connect; None and False leave the server's own setting."""

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

    def statements(self, *, mariadb: bool) -> dict[str, str]:
        """What sets a fresh session so: each setting in words, and its statement."""
        found = {}
        if self.timeout is not None and mariadb:
            found[f"timeout {self.timeout:g}"] = f"SET SESSION max_statement_time = {self.timeout:.3f}"
        elif self.timeout is not None:
            # MySQL has it for SELECT only; other statements are ended from here, over a second connection.
            milliseconds = max(1, round(self.timeout * 1000))
            found[f"timeout {self.timeout:g}"] = f"SET SESSION max_execution_time = {milliseconds}"
        if self.time_zone is not None:
            found[f"time zone {self.time_zone}"] = f"SET SESSION time_zone = {quote_text(self.time_zone)}"
        if self.safe_updates:
            found["safe updates"] = "SET SESSION sql_safe_updates = 1"
        if self.read_only:
            found["read-only"] = "SET SESSION TRANSACTION READ ONLY"
        if self.autocommit is not None:
            found["autocommit"] = f"SET SESSION autocommit = {int(self.autocommit)}"
        return found
