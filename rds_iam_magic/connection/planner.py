"""`Planner`: divides a connection's query into parts, and refuses what other sessions could not see."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from rds_iam_magic.connection.part_session import PartSession
from rds_iam_magic.connection.session_state import AUTOCOMMIT, IN_TRANSACTION
from rds_iam_magic.errors import ConnectError, OptionError
from rds_iam_magic.parallel.divisible import check_divisible, is_ordered, merges_rows, reads_clock, statement_of
from rds_iam_magic.parallel.key import find_key, key_of
from rds_iam_magic.parallel.partition import Partition, Recipe
from rds_iam_magic.parallel.ranges import conditions, find_boundaries
from rds_iam_magic.parallel.reading import Server, StopFlag, read_parts
from rds_iam_magic.parallel.shape import Shape, describe
from rds_iam_magic.parallel.snapshot import Table, read_snapshot, tables_of
from rds_iam_magic.parallel.views import check_views
from rds_iam_magic.results.formats import DecimalMode
from rds_iam_magic.results.memory import MemoryBudget
from rds_iam_magic.results.result import Changed, ResultSet
from rds_iam_magic.sql.effects import ALWAYS_LOST, TEMPORARY_TABLES, TIME_LIMITS, Effects, effects_of, identifiers_in
from rds_iam_magic.sql.statement import Statement, split

if TYPE_CHECKING:
    from rds_iam_magic.connection.exclusive_use import ExclusiveUse
    from rds_iam_magic.connection.reconnecting import ReconnectingSession
    from rds_iam_magic.connection.session_state import SessionState
    from rds_iam_magic.mysql.own_queries import ServerIdentity
    from rds_iam_magic.mysql.session_settings import SessionSettings

MOST_PARTS = 1000
"""The most parts that a query is divided into."""

_NO_BACKSLASH_ESCAPES = 0x0200  # https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html
_LIMITS = frozenset({"too-many-connections", "too-many-user-connections", "user-limit-reached"})
_DESCRIBE_TIMEOUT = 60.0  # seconds: a table may be locked for a while


class _Connection(Protocol):
    """What planning needs of a connection."""

    notify: Callable[[str], None]
    max_memory: int | str | None
    recipe: Recipe | None

    @property
    def database(self) -> str | None: ...

    def run(self, sql: str) -> Iterator[ResultSet | Changed]: ...


@dataclass(frozen=True, slots=True)
class Plan:
    """A divided query.

    Attributes:
        statement: The user's.
        shape: Its columns.
        parts: The statement of each part, in the key's order.
        database: The default schema that it was divided in.
    """

    statement: Statement
    shape: Shape
    parts: list[str]
    database: str | None


class Planner:
    """Divides queries.

    Args:
        connection: Runs the queries that look for boundaries.
        session: The connection's session.
        use: The connection's turns.
    """

    def __init__(self, connection: _Connection, session: ReconnectingSession, use: ExclusiveUse) -> None:
        self._connection = connection
        self._session = session
        self._use = use

    def partitions(self, sql: str, on: str | None, n: int) -> list[Partition]:
        """The parts as tasks.

        Raises:
            OptionError: The query cannot be divided, or the connection cannot be made again elsewhere.
        """
        recipe = self._connection.recipe
        if recipe is None:
            raise OptionError(
                "Another process cannot make this connection again: it was made with a password or a session of your "
                "own, which a task must not hold.",
                cause="connection-not-portable",
            )
        with self._no_transaction_left():
            plan = self.plan(sql, on, n, "n")
        recipe = recipe.with_database(plan.database)
        return [
            Partition(number, len(plan.parts), part, recipe, plan.shape, self._connection.max_memory)
            for number, part in enumerate(plan.parts, 1)
        ]

    def read(self, sql: str, on: str | None, n: int, decimal: DecimalMode, *, consistent: bool = False) -> ResultSet:
        """Read the parts at once, each by a session of its own, and put them together in the key's order.

        Raises:
            OptionError: The query cannot be divided.
            StatementError, ConnectionLostError, ResultError: A part failed; the others were ended.
        """
        tables: list[Table] | None = None
        with self._no_transaction_left(), self._telling_stage("finding the parts"):
            plan = self.plan(sql, on, n, "parallel")
            if consistent and len(plan.parts) > 1:  # a single statement sees one moment anyway
                tables = tables_of(identifiers_in(plan.statement), plan.database, self._ask)
        notes: queue.SimpleQueue[str] = queue.SimpleQueue()
        budget = MemoryBudget(self._connection.max_memory)
        with self._use.exclusive(), self._server(plan, notes.put) as server:
            if tables is None:
                batches, more = read_parts(server, plan.parts, decimal, budget), []
            else:
                snapshot = read_snapshot(server, plan.parts, tables, decimal, budget)
                batches, more = snapshot.batches, snapshot.notes
        for note in dict.fromkeys([*_all(notes), *more]):
            self._connection.notify(note)
        return plan.shape.result(batches, decimal)

    @contextmanager
    def _no_transaction_left(self) -> Iterator[None]:
        """Without autocommit, the queries that look for ranges open a transaction: end it, unless it is the user's."""
        was_open = self._session.state.in_transaction
        try:
            yield
        finally:
            status = self._session.last_status
            is_ours = not was_open and not status & AUTOCOMMIT and not self._session.state.rows_changed
            if is_ours and status & IN_TRANSACTION:
                for _ in self._connection.run("ROLLBACK"):
                    pass

    @contextmanager
    def _telling_stage(self, stage: str) -> Iterator[None]:
        """Whoever watches hears of the stage, and not of the rows of our own queries."""
        watch = self._session.watch
        try:
            self._session.watch = lambda progress: watch(replace(progress, rows=0, size=0, stage=stage))
            yield
        finally:
            self._session.watch = watch

    @contextmanager
    def _server(self, plan: Plan, notify: Callable[[str], None]) -> Iterator[Server]:
        """How the parts' sessions are opened; afterwards the server works for none of them any more.

        The connection's own session runs nothing meanwhile, so it can end them even where no more can be opened.
        """
        stop = StopFlag()
        gone: queue.SimpleQueue[ServerIdentity] = queue.SimpleQueue()
        login = replace(self._session.login, database=plan.database)

        def opened() -> PartSession:
            return PartSession(login, self._settings(), notify, stop, self._session, gone.put)

        try:
            yield Server(opened, stop, self._session.watch)
        except ConnectError as error:
            if error.cause in _LIMITS:
                error.put_before_hint("Each part is a connection beside this one: read fewer parts at once.")
            raise
        finally:
            while not gone.empty():
                self._session.kill_other("CONNECTION", gone.get())

    def plan(self, sql: str, on: str | None, n: int, argument: str) -> Plan:
        """Divide a query into at most `n` parts; `argument` is what the user calls `n`.

        Raises:
            OptionError: It cannot be divided.
            StatementError: The server refused it.
            ConnectionLostError: The connection was lost.
        """
        if not 1 <= n <= MOST_PARTS:
            raise OptionError(f"{argument}={n} is not valid.", f"Give a number from 1 to {MOST_PARTS}.")
        with self._use.exclusive():
            status = 0 if self._session.closed else self._session.last_status
            escapes = not status & _NO_BACKSLASH_ESCAPES
            statements = [(each, effects_of(each)) for each in split(sql, backslash_escapes=escapes)]
            if not statements:
                raise OptionError("There is no SQL to run.", cause="sql-missing")
            statement = check_divisible(statements, backslash_escapes=escapes)
            effects = statements[0][1]
            _check_state(self._session.state, effects, identifiers_in(statement))
            session = self._session.acquire(effects, lambda: identifiers_in(statement))
            columns = describe(
                session,
                statement.text,
                timeout=_DESCRIBE_TIMEOUT,
                hint=lambda event: self._session.nearest_name(event, statement),
            )
            mariadb = "mariadb" in self._session.server_version.lower()
            database = self._connection.database
        column = find_key(columns, on)
        shape = Shape.of(columns, statement.words, mariadb=mariadb)
        views = check_views(statement, database, self._ask)
        evaluated = [statement, *views.values()]
        unstable = any(reads_clock(each) or merges_rows(each, backslash_escapes=escapes) for each in evaluated)
        key = key_of(column, statement.text, self._ask, unstable=unstable, views=views)
        boundaries = find_boundaries(key, statement.text, n, self._ask)
        if is_ordered(statement, backslash_escapes=escapes):
            self._connection.notify(
                f"the query's ORDER BY has no effect in parts: they follow each other by {column.name}, and the rows "
                "within a part come in any order."
            )
        parts = [statement_of(statement.text, where) for where in conditions(key, boundaries)]
        return Plan(statement, shape, parts, database)

    def _settings(self) -> SessionSettings:
        """The user's settings; the parts only read, whatever the connection may do."""
        return replace(self._session.settings, read_only=True)

    def _ask(self, sql: str) -> list[list[Any]]:
        (result,) = self._connection.run(sql)
        assert isinstance(result, ResultSet)  # noqa: S101 - queries of our own return rows
        return [list(row.values()) for row in result.to_arrow().to_pylist()]


def _check_state(state: SessionState, effects: Effects, identifiers: set[str]) -> None:
    """Refuse a query whose rows depend on what other sessions do not see.

    Raises:
        OptionError: It does.
    """
    missing = ((state.left - {TIME_LIMITS}) | ALWAYS_LOST) & effects.needs
    if TEMPORARY_TABLES in state.left and _may_use_temporary(state, identifiers):
        missing |= {TEMPORARY_TABLES}
    if state.in_transaction:
        missing = frozenset({"open transaction"})
    if missing:
        raise OptionError(
            f"Each part is read in a session of its own, which lacks this one's {' and '.join(sorted(missing))}.",
            cause="parts-session-state",
        )


def _may_use_temporary(state: SessionState, identifiers: set[str]) -> bool:
    """Whether a temporary table may be read: one that is named, or any, where a procedure may have made it."""
    return not state.temporary_tables or not state.temporary_tables.isdisjoint(identifiers)


def _all(notes: queue.SimpleQueue[str]) -> Iterator[str]:
    while not notes.empty():
        yield notes.get()
