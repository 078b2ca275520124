"""`Connection`: runs statements on one reconnecting session and returns or streams their results."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, get_args, overload

from rds_iam_magic.connection.exclusive_use import ExclusiveUse
from rds_iam_magic.connection.execution import Execution, Request, executions_of
from rds_iam_magic.connection.executor import Outcome, Result, StatementExecutor
from rds_iam_magic.connection.frames.writes import FrameWrites
from rds_iam_magic.connection.lifetime.idle import IdleClosing
from rds_iam_magic.connection.part_reads import PartReads
from rds_iam_magic.connection.reconnecting import ReconnectingSession
from rds_iam_magic.connection.stream_reads import StreamReads
from rds_iam_magic.errors import NotConnectedError, OptionError, RdsIamError, ResultError, warn
from rds_iam_magic.mysql.login import Login
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.results.formats import DecimalMode, DtypeBackend
from rds_iam_magic.results.memory import MemoryBudget
from rds_iam_magic.results.result import Changed, ResultSet, StreamedResult
from rds_iam_magic.schema.reads import SchemaReads
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from rds_iam_magic.connection.frames.own_statements import OwnStatements
    from rds_iam_magic.connection.planner import Planner
    from rds_iam_magic.parallel.partition import Recipe
    from rds_iam_magic.results.progress import Watch
    from rds_iam_magic.sql.statement import Statement

_NO_BACKSLASH_ESCAPES = 0x0200  # https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html


class Connection(FrameWrites, PartReads, SchemaReads, StreamReads):
    """A connection to one endpoint as one user; a lost session is reopened, and nothing that may write runs twice.

    Calls from several threads are serialised: the statements of one call finish before those of the next begin.

    Args:
        login: Opens sessions.
        settings: Applied to each session.
        notify: Called with each note for the user, one line of text. Default: a Python warning.
        max_memory: Maximum memory for one result: a number of bytes, or a string such as `4 GB`. Default: half of the
            available memory.
        recipe: How another process can make the same connection; None if it cannot.

    Attributes:
        watch: Called with the `Progress` of a running statement, several times a second, on the thread that waits.

    Raises:
        ConnectError: The first session could not be opened.
    """

    def __init__(
        self,
        login: Login,
        *,
        settings: SessionSettings | None = None,
        notify: Callable[[str], None] = warn,
        max_memory: int | str | None = None,
        recipe: Recipe | None = None,
    ) -> None:
        self.login = login
        self.recipe = recipe
        self.notify = notify
        self.max_memory = max_memory
        self.watch: Watch = lambda progress: None  # noqa: ARG005 - nobody watches
        self._use = ExclusiveUse()
        self._idle_closing: IdleClosing | None = None
        try:
            self._session = ReconnectingSession(login, settings or SessionSettings(), lambda text: self.notify(text))
            self._session.watch = lambda progress: self.watch(progress)
            self._executor = StatementExecutor(self._session, lambda text: self.notify(text))
            if self._session.settings.close_idle is not None:
                self._idle_closing = IdleClosing(self._use, self._session.settings.close_idle, self._session.close_idle)
                self._session.opened = self._idle_closing.begin
                self._idle_closing.begin()
        except BaseException:  # an interrupt may come after the session was opened: only we can close it
            if hasattr(self, "_session"):
                self._end_session()
            raise

    def __repr__(self) -> str:
        return f"<Connection {self.login.user}@{self.login.endpoint}>"

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def server_version(self) -> str:
        """The server's version, such as `10.11.6-MariaDB`."""
        return self._session.server_version

    @property
    def tls_version(self) -> str:
        """The version of TLS in use, such as `TLSv1.3`."""
        return self._session.tls_version

    @property
    def compression(self) -> str:
        """The algorithm that compresses the traffic, `zlib` or `zstd`; "" if it is not compressed."""
        return self._session.compression

    @property
    def connection_id(self) -> int:
        """The server's id of the current session, as CONNECTION_ID() gives it and SHOW PROCESSLIST lists it.

        While the connection is lost, it is that of the last session.

        Raises:
            NotConnectedError: The connection is closed.
        """
        if self._session.closed:
            raise NotConnectedError("The connection is closed.", cause="connection-closed")
        return self._session.connection_id

    @property
    def settings(self) -> SessionSettings:
        """The settings applied to each session."""
        return self._session.settings

    @property
    def database(self) -> str | None:
        """The default schema: the one given at connect, or the last `USE` that was a statement of its own; or None."""
        return self._session.state.database

    @property
    def closed(self) -> bool:
        """Whether `close` has been called."""
        return self._session.closed

    @property
    def lost(self) -> bool:
        """Whether there is no session now, and `close_idle` is not why; the next statement opens one."""
        return self._session.lost and not self._session.closed and not self._session.idle_closed

    @property
    def idle_closed(self) -> bool:
        """Whether the session was closed for being idle (`close_idle`); the next statement opens one."""
        return self._session.idle_closed and not self._session.closed

    @property
    def transaction_since(self) -> float | None:
        """When the open transaction was first seen, as a `time.monotonic` value; None without a transaction."""
        return self._session.state.transaction_since

    @property
    def rows_changed(self) -> int:
        """Rows changed so far in the open transaction; 0 without a transaction."""
        return self._session.state.rows_changed

    @overload
    def query(
        self,
        sql: str,
        *,
        params: Mapping[str, Any] | None = ...,
        dtype_backend: DtypeBackend | None = ...,
        decimal: DecimalMode = ...,
        limit: int | None = ...,
        parallel: int | None = ...,
        on: str | None = ...,
        consistent: bool = ...,
    ) -> pd.DataFrame: ...
    @overload
    def query(
        self,
        sql: str,
        *,
        params: Mapping[str, Any] | None = ...,
        dtype_backend: DtypeBackend | None = ...,
        decimal: DecimalMode = ...,
        limit: int | None = ...,
        chunksize: int,
    ) -> Iterator[pd.DataFrame]: ...
    def query(
        self,
        sql: str,
        *,
        params: Mapping[str, Any] | None = None,
        dtype_backend: DtypeBackend | None = None,
        decimal: DecimalMode = "float",
        limit: int | None = None,
        chunksize: int | None = None,
        parallel: int | None = None,
        on: str | None = None,
        consistent: bool = False,
    ) -> pd.DataFrame | Iterator[pd.DataFrame]:
        """Run SQL and return its last result set as a DataFrame; its dtypes follow from the column declarations.

        Args:
            sql: One or more statements.
            params: Values of the parameters `:name`, by name; a list expands in `IN :name`. Default: nothing is bound.
            dtype_backend: Dtypes of the DataFrame, as in `pandas.read_sql`: `numpy_nullable` or `pyarrow`.
                Default: the README's table of dtypes.
            decimal: DECIMAL as `float` (float64) or `exact` (decimal.Decimal). Default: `float`.
            limit: Read at most this many rows, then end the query; a note says if there were more.
            chunksize: Return an iterator of DataFrames with this many rows each, in constant memory, as in
                `pandas.read_sql`.
            parallel: Read the query in this many parts at once, each with a connection of its own.
            on: Column that the parts are ranges of, best an indexed one. Default: an integer key of the only table.
            consistent: All parts see one moment: a short LOCK TABLES holds writers back while they begin. Without that
                privilege, a note says how far apart they began.

        Raises:
            OptionError: An argument is not valid, or there is no SQL.
            StatementError: The server refused a statement.
            ResultError: There was no result set, or it exceeds `max_memory`.
            ConnectionLostError: The connection was lost, and the statement could not be run again.
        """
        if dtype_backend is not None and dtype_backend not in get_args(DtypeBackend):
            raise OptionError(
                f"dtype_backend={dtype_backend!r} is not valid.", "Use None, 'numpy_nullable' or 'pyarrow'."
            )
        mode: DecimalMode = "exact" if dtype_backend == "pyarrow" else decimal
        if chunksize is not None and chunksize < 1:
            raise OptionError(
                f"chunksize={chunksize} is not valid; a chunk has at least one row.", "Omit it to get one DataFrame."
            )
        if parallel is not None:
            if limit is not None or chunksize is not None:
                raise OptionError("parallel reads all rows at once; limit and chunksize do not.", "Omit one of them.")
            result = self.run_parallel(sql, parallel, on=on, consistent=consistent, decimal=mode, params=params)
            return result.to_pandas(dtype_backend)
        if on is not None or consistent:
            raise OptionError("on and consistent need parallel=N.", "Add parallel=N, or omit them.")
        if chunksize is not None:
            return self._chunks(Request(sql, mode, limit, params), chunksize, dtype_backend)
        return self._last(Request(sql, mode, limit, params, as_frame=dtype_backend is None)).to_pandas(dtype_backend)

    def query_arrow(self, sql: str, *, params: Mapping[str, Any] | None = None, limit: int | None = None) -> pa.Table:
        """Run SQL and return its last result set as a `pyarrow.Table`; DECIMAL is exact.

        Raises:
            StatementError, ResultError, ConnectionLostError: As `query` does.
        """
        return self._last(Request(sql, "exact", limit, params)).to_arrow()

    def execute(self, sql: str, *, params: Mapping[str, Any] | None = None) -> int:
        """Run SQL and return the number of rows that its statements changed; result sets are dropped.

        Raises:
            StatementError: The server refused a statement; those before it have run.
            ConnectionLostError: The connection was lost, and the statement could not be run again.
        """
        return sum(result.rows for result in self.run(sql, params=params) if isinstance(result, Changed))

    def run(
        self,
        sql: str,
        *,
        params: Mapping[str, Any] | None = None,
        decimal: DecimalMode = "float",
        limit: int | None = None,
        as_frame: bool = False,
    ) -> Generator[Result, None, None]:
        """Run statements in order and yield each result when it is complete; a failing statement ends the run.

        The connection is busy until the generator is exhausted or closed. Closing it early ends the query of a
        statement that only reads; a statement that may write runs to its end first.

        Args:
            sql: One or more statements.
            params: As in `query`.
            decimal: As in `query`.
            limit: As in `query`.
            as_frame: Of a result set, only `to_pandas()` with the default dtypes will be used, which saves memory.

        Raises:
            OptionError: There is no SQL to run.
            StatementError: The server refused a statement; `position` tells which.
            ConnectionLostError: The connection was lost, and the statement could not be run again.
        """
        with self._use.exclusive():
            yield from self._results(Request(sql, decimal, limit, params, as_frame))

    def _results(self, request: Request) -> Iterator[Result]:
        for execution in self._executions(request):
            with self._telling_progress(execution):
                yield from self._executor.collect(execution, MemoryBudget(self.max_memory))

    def statements(self, sql: str, *, params: Mapping[str, Any] | None = None) -> list[str]:
        """The statements of a text as `run` would send them, their parameters bound; nothing is run.

        Raises:
            OptionError: There is no SQL, or a parameter cannot be bound.
        """
        with self._use.exclusive():
            return [execution.statement.text for execution in self._executions(Request(sql, params=params))]

    def close(self) -> None:
        """End the session; a second call does nothing. An open transaction is rolled back, and a note says so."""
        is_own = self._use.is_own  # after a fork the transaction belongs to the parent, and stays open
        if is_own and self._session.state.transaction_since is not None and not self._session.closed:
            changed = count_of(self.rows_changed, "changed row")
            self.notify(f"a transaction with {changed} was open; closing the connection rolled it back.")
        self._end_session()

    def _end_session(self) -> None:
        if self._idle_closing is not None:
            self._idle_closing.stop()  # first: it may be closing the session just now
        self._session.close()

    @contextmanager
    def _telling_progress(self, execution: Execution) -> Iterator[None]:
        """Add to an error's hint, or to a note on Stop, which statements have run and whether a transaction is open."""
        try:
            yield
        except RdsIamError as error:
            error.put_before_hint(*self._progress(execution))
            raise
        except KeyboardInterrupt:
            if execution.position > 1:
                line = " ".join(self._progress(execution))
                self.notify(line[0].lower() + line[1:])
            raise

    def _progress(self, execution: Execution) -> list[str]:
        is_open = self.transaction_since is not None and not self.lost
        return [*execution.progress(), *(["A transaction is open: COMMIT or ROLLBACK it."] if is_open else [])]

    def _executions(self, request: Request) -> list[Execution]:
        for note in self._idle_closing.take_notes() if self._idle_closing is not None else []:
            self.notify(note)
        status = 0 if self._session.closed else self._session.last_status
        return executions_of(request, backslash_escapes=not status & _NO_BACKSLASH_ESCAPES, notify=self.notify)

    def _statements(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Statement]:
        return [execution.statement for execution in self._executions(Request(sql, params=params))]

    def _planner(self) -> Planner:
        from rds_iam_magic.connection.planner import Planner

        return Planner(self, self._session, self._use)

    @contextmanager
    def _loading(self) -> Iterator[OwnStatements]:
        from rds_iam_magic.connection.frames.own_statements import OwnStatements

        with self._use.exclusive():
            yield OwnStatements(self._session, StatementExecutor(self._session, lambda _: None))

    def _last(self, request: Request) -> ResultSet:
        last: ResultSet | None = None
        with self._use.exclusive():
            for result in self._results(request):
                last = result if isinstance(result, ResultSet) else last
        if last is None:
            raise _no_rows()
        return last

    @contextmanager
    def _streaming(self, request: Request) -> Iterator[StreamedResult]:
        """Run the statements before the last one, then stream the last one's result set."""
        with self._use.exclusive():
            *before, last = self._executions(request)
            for execution in before:
                with self._telling_progress(execution):
                    results = list(self._executor.collect(execution, MemoryBudget(self.max_memory)))
                if any(isinstance(result, ResultSet) for result in results):
                    self.notify(
                        f"the rows of statement {execution.position} are dropped; only the last statement's rows are "
                        "returned."
                    )
            with self._telling_progress(last), closing(self._executor.stream(last)) as outcomes:
                result = next((outcome for outcome in outcomes if isinstance(outcome, StreamedResult)), None)
                if result is None:
                    raise _no_rows()
                result.batches = _to_the_end(result.batches, outcomes)
                yield result


def _to_the_end(batches: Iterator[pa.RecordBatch], outcomes: Iterator[Outcome]) -> Iterator[pa.RecordBatch]:
    """Yield the batches, then run the statement to its end; refuse a second result set."""
    yield from batches
    if any(isinstance(outcome, StreamedResult) for outcome in outcomes):
        raise ResultError("The statement returned several result sets; a stream has one.", cause="several-result-sets")


def _no_rows() -> ResultError:
    return ResultError("The SQL ran, but its last statement returned no rows.", cause="no-rows")
