"""`SessionState`: what a session holds that a new one would not have. Immutable: each change returns a new value."""

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
        database: The default schema: the one given at connect, or the last one chosen with USE.
        autocommit: The server's last report of autocommit; None before the first one.
        transaction_since: When the open transaction was first seen, as a `time.monotonic` value; None without one.
        rows_changed: Rows changed so far in the open transaction.
        left: Other state of the session, as named to the user, such as "user variables".
        temporary_tables: Names of temporary tables, in lower case.
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

    @property
    def held(self) -> frozenset[str]:
        """What would be lost with the session, as named to the user."""
        return self.left | {"the open transaction"} if self.in_transaction else self.left

    def before_send(self, effects: Effects) -> SessionState:
        """The state from the moment a statement is sent: it includes what the statement may leave behind."""
        if effects.leaves <= self.left and not effects.creates_table:
            return self
        tables = self.temporary_tables | ({effects.creates_table} if effects.creates_table else frozenset())
        return replace(self, left=self.left | effects.leaves, temporary_tables=tables)

    def after_success(self, effects: Effects, changed: int, status: int, now: float) -> SessionState:
        """The state after a statement has succeeded.

        Args:
            effects: The statement's effects.
            changed: The number of rows that it changed.
            status: The status flags of its last result.
            now: The current `time.monotonic` value.
        """
        database = self.database if effects.uses_database is None else effects.uses_database
        autocommit, rows_changed = bool(status & AUTOCOMMIT), self.rows_changed + changed
        after = self
        if (database, autocommit, rows_changed) != (self.database, self.autocommit, self.rows_changed):
            after = replace(self, database=database, autocommit=autocommit, rows_changed=rows_changed)
        return after.with_status(status, now)

    def with_status(self, status: int, now: float) -> SessionState:
        """The state with the transaction that the server reports: statements and errors may end one implicitly."""
        if not status & IN_TRANSACTION:
            return self.without_transaction()
        return self if self.in_transaction else replace(self, transaction_since=now)

    def without_transaction(self) -> SessionState:
        """The same state without an open transaction."""
        if not self.in_transaction and not self.rows_changed:
            return self
        return replace(self, transaction_since=None, rows_changed=0)

    def renewed(self) -> SessionState:
        """The part of the state that a new session restores."""
        return SessionState(database=self.database, autocommit=self.autocommit)
