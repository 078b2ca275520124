"""`OwnStatements`: what a load runs on the held connection, under settings of its own and on one session only."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.connection.execution import Request, executions_of
from rds_iam_magic.connection.session_state import AUTOCOMMIT
from rds_iam_magic.errors import ConnectionLostError, RdsIamError, StatementError
from rds_iam_magic.mysql.wire.charsets import UTF8
from rds_iam_magic.results.memory import MemoryBudget
from rds_iam_magic.results.progress import Progress
from rds_iam_magic.results.result import Changed, StreamedResult
from rds_iam_magic.sql.effects import SETTINGS, TEMPORARY_TABLES
from rds_iam_magic.sql.quoting import quote_text
from rds_iam_magic.sql.statement import Statement

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.connection.execution import Execution
    from rds_iam_magic.connection.executor import StatementExecutor
    from rds_iam_magic.connection.reconnecting import ReconnectingSession
    from rds_iam_magic.ingest.rows import Insert

_MODE = (
    "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,"
    "NO_BACKSLASH_ESCAPES"
)
"""What does not fit is an error, 0 is 0 in an AUTO_INCREMENT column, and a backslash in a literal is one."""

_NO_LIMIT = (1 << 64) - 1
"""Rows of a SELECT: all are read back."""

_NO_SUCH_TABLE = 1051


class OwnStatements:
    """Runs a load's statements; nothing is run twice that may write.

    Args:
        session: The connection's, which this thread has the turn of.
        executor: Runs them on it, and tells nobody of the server's warnings: what is stored is compared instead.
    """

    def __init__(self, session: ReconnectingSession, executor: StatementExecutor) -> None:
        self._session = session
        self._executor = executor
        self._within = False
        self._left = session.state.left  # before the load
        self._identity = session.identity

    @property
    def max_packet(self) -> int:
        """The server's max_allowed_packet, in bytes."""
        return self._session.max_packet

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, or each statement begins one: what is done is the user's to commit."""
        return self._session.state.in_transaction or not self._session.last_status & AUTOCOMMIT

    @property
    def session_number(self) -> int:
        """The session's CONNECTION_ID()."""
        return self._session.connection_id

    @property
    def temporary_tables(self) -> frozenset[str]:
        """The session's temporary tables, in lower case."""
        return self._session.state.temporary_tables

    @contextmanager
    def settings(self, *, utc: bool) -> Iterator[None]:
        """The session's settings for a load while the body runs; a session that cannot have its own back is discarded.

        Args:
            utc: Set the time zone to UTC, too.
        """
        session = self._session
        mode, zone, most = self.rows("SELECT @@SESSION.sql_mode, @@SESSION.time_zone, @@SESSION.sql_select_limit")[0]
        self._identity = session.identity
        more = ", time_zone = '+00:00'" if utc else ""
        try:
            self.run(f"SET SESSION sql_mode = '{_MODE}', sql_select_limit = {_NO_LIMIT}{more}")
            self._identity = session.identity  # it may have been opened for this
            self._within = True
            yield
        finally:
            self._within = False
            own = f", time_zone = {quote_text(zone or 'SYSTEM')}" if utc else ""
            self._set_back(f"SET SESSION sql_mode = {quote_text(mode or '')}, sql_select_limit = {most}{own}")

    def _set_back(self, sql: str) -> None:
        """Give a session its own settings back; one that cannot have them is discarded. A new one has its own."""
        session = self._session
        try:
            if not self.lost:
                self.run(sql)
        except RdsIamError:  # the load itself has succeeded, or its own error is on its way
            session.discard()
        except BaseException:
            session.discard()
            raise
        finally:
            session.state = replace(session.state, left=session.state.left - ({SETTINGS} - self._left))

    def run(self, sql: str) -> int:
        """Run a statement; return the number of rows changed.

        Raises:
            StatementError, ConnectionLostError: As `Connection.execute` does.
        """
        return self._run(self._execution(sql))

    @property
    def takes_rows(self) -> bool:
        """Whether rows can go beside an INSERT's text now: to MariaDB, as UTF-8; an RDS Proxy would pin the session."""
        session = self._session.current
        is_proxy = self._session.login.endpoint.kind is Kind.PROXY
        return session.takes_rows and not is_proxy and session.charsets.client.name == UTF8.name

    def insert(self, insert: Insert, head: str) -> int:
        """Run an INSERT of many values, whose text is not looked at; `head` tells what it does."""
        execution = self._execution(f"{head} ()")
        statement = Statement(insert.text, execution.statement.tokens)
        return self._run(replace(execution, statement=statement, rows=insert.beside))

    def rows(self, sql: str) -> list[list[str | None]]:
        """The rows of a short query, as texts."""
        found: list[list[str | None]] = []
        with closing(self.batches(sql)) as batches:
            for batch in batches:
                columns = [_texts(column) for column in batch.columns]
                found += [list(row) for row in zip(*columns, strict=True)]
        return found

    def batches(self, sql: str) -> Generator[pa.RecordBatch, None, None]:
        """The rows of a query as they arrive, each value exact."""
        with closing(self._executor.stream(self._execution(sql))) as outcomes:
            for outcome in outcomes:
                if isinstance(outcome, StreamedResult):
                    yield from outcome.batches

    @contextmanager
    def telling(self, progress: Callable[[], Progress]) -> Iterator[Callable[[], None]]:
        """Tell of the whole load's progress while the body runs, not of each statement's; gives what tells it now."""
        watch = self._session.watch
        self._session.watch = lambda own: watch(replace(progress(), ask_server=own.ask_server))
        try:
            yield lambda: watch(progress())
        finally:
            self._session.watch = watch

    def undo(self, *statements: str) -> bool:
        """Run statements after a failure, each even if another fails; return whether the last one succeeded.

        After a loss they run on a new session: they are such as end or drop what is ours, and may run twice: an
        interrupt among them has them begin again, once.
        """
        within, self._within = self._within, False
        try:
            return self._try_each(statements)
        except BaseException:
            self._try_each(statements)
            raise
        finally:
            self._within = within

    def _try_each(self, statements: Sequence[str]) -> bool:
        done = False
        if self.lost:
            with suppress(RdsIamError):
                self._end_lost_session()
        for sql in statements:
            try:
                self.run(sql)
                done = True
            except RdsIamError:
                done = False
        return done

    def drop_temporary(self, table: str, name: str) -> None:
        """Drop a temporary table of ours: its name as SQL has it, and as it is. One that was lost is gone already."""
        try:
            if not self.lost:
                self.undo(f"DROP TEMPORARY TABLE IF EXISTS {table}")
        finally:
            self._forget_table(name)

    def is_gone(self, table: str) -> bool | None:
        """Whether a table of ours has its new name, once the connection was lost while it was renamed; if not, drop it.

        None if that cannot be known. What the lost session may still do ends first.
        """
        self._within = False
        try:
            self._end_lost_session()
            self.run(f"DROP TABLE {table}")
        except StatementError as error:
            return True if error.code == _NO_SUCH_TABLE else None
        except RdsIamError:
            return None
        return False

    def _end_lost_session(self) -> None:
        """End what the lost session may still do, on a new one: its last statement may be running yet.

        KILL only tells it to end, so it is looked for until it has.
        """
        try:
            self.run("DO 0")  # opens a session
        except ConnectionLostError:  # it tells, once, that our settings went with the old one
            self.run("DO 0")
        if not self._session.kill_other("CONNECTION", self._identity):
            return  # it is gone, or out of reach
        look = f"SELECT ID FROM information_schema.PROCESSLIST WHERE ID = {self._identity.id}"  # noqa: S608
        deadline = time.monotonic() + self._session.login.timeouts.command
        while self.rows(look) and time.monotonic() < deadline:
            time.sleep(0.02)

    @property
    def lost(self) -> bool:
        """Whether the session that the load began on is gone."""
        return self._session.lost or self._session.identity != self._identity

    def _forget_table(self, name: str) -> None:
        """A temporary table of ours is gone."""
        state = self._session.state
        tables = state.temporary_tables - {name.lower()}
        left = state.left if tables else state.left - ({TEMPORARY_TABLES} - self._left)
        self._session.state = replace(state, temporary_tables=tables, left=left)

    def _run(self, execution: Execution) -> int:
        budget = MemoryBudget(None)
        with closing(self._executor.collect(execution, budget)) as results:
            return sum(result.rows for result in results if isinstance(result, Changed))

    def _execution(self, sql: str) -> Execution:
        """Within `settings`, a statement depends on them: it does not run on a new session that lacks them."""
        (execution,) = executions_of(Request(sql, "exact"))
        if not self._within:
            return execution
        effects = execution.effects
        return replace(execution, effects=replace(effects, needs=effects.needs | {SETTINGS}))


def _texts(column: pa.Array) -> list[str | None]:
    values = [value.decode() if isinstance(value, bytes) else value for value in column.to_pylist()]
    return [None if value is None else str(value) for value in values]
