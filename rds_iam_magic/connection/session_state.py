"""`SessionState`: what a session holds that a new one would not have. Values only: each change gives a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rds_iam_magic.sql.effects import Effects

# https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html
IN_TRANSACTION = 0x0001
AUTOCOMMIT = 0x0002


@dataclass(frozen=True, slots=True)
class SessionState:
    """What statements have left in the current session.

    Attributes:
        database: The default schema: what was asked for at connect, or what USE has made it.
        autocommit: Whether it was on, as the server told last; None before it has told.
        transaction_since: When the open transaction was first seen, on the clock of `time.monotonic`; None without one.
        rows_changed: Rows that statements have changed in the open transaction.
        left: What else was left, in words for the user, such as "user variables".
        temporary_tables: Their names, in lower case.
    """

    database: str | None = None
    autocommit: bool | None = None
    transaction_since: float | None = None
    rows_changed: int = 0
    left: frozenset[str] = frozenset()
    temporary_tables: frozenset[str] = frozenset()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.transaction_since is not None

    def before_send(self, effects: Effects) -> SessionState:
        """What may be left from the moment on at which a statement is sent."""
        tables = self.temporary_tables | ({effects.creates_table} if effects.creates_table else frozenset())
        return replace(self, left=self.left | effects.leaves, temporary_tables=tables)

    def after_success(self, effects: Effects, changed: int, status: int, now: float) -> SessionState:
        """After a statement that has run and has changed so many rows.

        Args:
            effects: The statement's.
            changed: Rows.
            status: The status flags that the server told with the last result.
            now: On the clock of `time.monotonic`.
        """
        return replace(
            self,
            database=self.database if effects.uses_database is None else effects.uses_database,
            autocommit=bool(status & AUTOCOMMIT),
            rows_changed=self.rows_changed + changed,
        ).with_status(status, now)

    def with_status(self, status: int, now: float) -> SessionState:
        """Whether a transaction is open is the server's to say: statements end one implicitly, and so do errors."""
        if not status & IN_TRANSACTION:
            return self.without_transaction()
        return self if self.in_transaction else replace(self, transaction_since=now)

    def without_transaction(self) -> SessionState:
        """The same without an open transaction."""
        return replace(self, transaction_since=None, rows_changed=0)

    def renewed(self) -> SessionState:
        """What a new session has of it, once it is set up."""
        return SessionState(database=self.database, autocommit=self.autocommit)
