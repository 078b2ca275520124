"""`StatementExecutor`: runs a statement on a reconnecting session, and retries it once when that is safe."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from rds_iam_magic.connection.duplicate_names import duplicate_names_note
from rds_iam_magic.connection.execution import Execution
from rds_iam_magic.connection.loss import SessionLostError, may_have_run
from rds_iam_magic.connection.reconnecting import ReconnectingSession
from rds_iam_magic.connection.running import Running, run_statement
from rds_iam_magic.errors import ConnectionLostError, ResultError, StatementError
from rds_iam_magic.hints import Note
from rds_iam_magic.mysql.server_errors import LOST, SYNTAX, WRITE_IN_READ_ONLY, is_read_only, statement_error
from rds_iam_magic.mysql.wire.events import MORE_RESULTS, Ok, ResultSetEnd, ResultSetStart, Rows, ServerError
from rds_iam_magic.mysql.wire.nullability import nullable_columns
from rds_iam_magic.results.memory import MemoryBudget
from rds_iam_magic.results.result import Changed, ResultSet, StreamedResult
from rds_iam_magic.sql.parameters import unbound_parameter
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.mysql.reader import ResponseReader

Result = ResultSet | Changed
Outcome = StreamedResult | Changed
Item = TypeVar("Item")


_OF_NOTES = (["SHOW"], ["EXPLAIN"])  # SHOW WARNINGS itself; MySQL's EXPLAIN has the rewritten statement as a note


@dataclass(slots=True)
class _Try:
    """One attempt at running a statement.

    Attributes:
        again: This is the retry.
        may_write: Whether it may write: not if the statement may have run before.
        whole: The statement is known to write, so a limit must not end it early.
        handed_out: Results have left the executor, so a retry would yield them twice.
        read_only: The server refuses writes during this attempt.
    """

    again: bool = False
    may_write: bool = True
    whole: bool = False
    handed_out: bool = False
    read_only: bool = False


class StatementExecutor:
    """Runs statements, one at a time; not thread-safe.

    Args:
        session: Runs them.
        notify: Called with each note for the user.
    """

    def __init__(self, session: ReconnectingSession, notify: Callable[[str], None]) -> None:
        self._session = session
        self._notify = notify
        self._told: set[str] = set()
        self._row_count: int | None = None  # of the previous statement, if reading its warnings reset the server's

    @property
    def is_mariadb(self) -> bool:
        """Whether the server is a MariaDB."""
        return "mariadb" in self._session.server_version.lower()

    def collect(self, execution: Execution, budget: MemoryBudget) -> Generator[Result, None, None]:
        """Run a statement and yield each result when it is complete.

        Raises:
            StatementError: The server refused the statement.
            ConnectionLostError: The connection was lost, and the statement could not be run again.
            ProtocolError: The response is malformed; the session is discarded.
            ResultError: The results exceed the memory budget.
        """

        def collected(attempt: _Try) -> Iterator[Result]:
            budget.refund()
            last: Result | None = None
            with closing(self._outcomes(execution, attempt)) as outcomes:
                for outcome, is_last in outcomes:
                    if isinstance(outcome, StreamedResult):
                        result: Result = outcome.collect(budget, as_frame=execution.as_frame)
                    else:
                        result = outcome
                    last = result
                    if not is_last():
                        attempt.handed_out = True
                        yield result
                        last = None
            if last is not None:
                yield last

        return self._retried(execution, collected, "Its first results had come")

    def stream(self, execution: Execution) -> Generator[Outcome, None, None]:
        """Run a statement and yield each result as it begins; read its rows before asking for the next result.

        Raises:
            StatementError, ConnectionLostError, ProtocolError: As `collect` does; the batches raise them too.
        """

        def streamed(attempt: _Try) -> Iterator[Outcome]:
            with closing(self._outcomes(execution, attempt)) as outcomes:
                for outcome, _ in outcomes:
                    if isinstance(outcome, StreamedResult):
                        first = list(islice(outcome.batches, 1))  # a loss before the first batch can be retried
                        attempt.handed_out = True
                        outcome.batches = self._batches_once(chain(first, outcome.batches), execution, attempt)
                    yield outcome

        return self._retried(execution, streamed, "")

    def _retried(
        self, execution: Execution, run: Callable[[_Try], Iterator[Item]], when_handed_out: str
    ) -> Generator[Item, None, None]:
        """Run a statement, and retry it once when that is safe."""
        attempt: _Try | None = _Try()
        while attempt is not None:
            current, attempt = attempt, None
            try:
                yield from run(current)
            except SessionLostError as loss:
                attempt = self._after_loss(execution, current, loss, when_handed_out)
            except StatementError as error:
                attempt = self._after_write_refused(error, current)

    def _after_loss(self, execution: Execution, attempt: _Try, loss: SessionLostError, when_handed_out: str) -> _Try:
        """The retry after the session was lost during an attempt.

        Raises:
            ConnectionLostError: A retry is not safe.
        """
        error = self._session.error_after_loss(execution.effects, sent=loss.sent)
        if error is None and attempt.again:
            error = ConnectionLostError("The connection was lost twice in a row.", cause="lost-twice")
        if error is None and attempt.handed_out:
            error = may_have_run(when_handed_out) if when_handed_out else _lost_in_the_rows()
        if error is not None:
            error.detail = loss.detail
            raise error from None
        if loss.sent:
            self._notify("the connection was lost; the statement only reads, so it runs again.")
        return _Try(again=True, may_write=not loss.sent, whole=attempt.whole)

    @staticmethod
    def _after_write_refused(error: StatementError, attempt: _Try) -> _Try:
        """The retry after the server refused, in our READ ONLY transaction, a write that the SQL does not show.

        Raises:
            StatementError: The server refused something else.
            ConnectionLostError: This attempt must not write.
        """
        if not attempt.read_only or error.code != WRITE_IN_READ_ONLY:
            raise error
        if not attempt.may_write:
            raise may_have_run("It was not run again, because it writes") from None
        return _Try(again=attempt.again, whole=True)

    def _batches_once(
        self, batches: Iterator[pa.RecordBatch], execution: Execution, attempt: _Try
    ) -> Iterator[pa.RecordBatch]:
        """Pass batches on; a loss among them is an error, since a retry would yield them twice."""
        try:
            yield from batches
        except SessionLostError as loss:
            self._after_loss(execution, attempt, loss, "")  # raises

    def _outcomes(
        self, execution: Execution, attempt: _Try
    ) -> Generator[tuple[Outcome, Callable[[], bool]], None, None]:
        """One attempt's results, each with a function that says, once its rows are read, whether it is the last."""
        self._require_row_count(execution)
        with run_statement(
            self._session,
            execution.statement,
            execution.effects,
            limit=None if attempt.whole else execution.limit,
            may_write=attempt.may_write,
            rows=execution.rows,
        ) as running:
            attempt.read_only = running.read_only
            yield from _Response(self, execution, running).outcomes()
        self._tell_warnings(running.reader, execution)

    def tell(self, builder: _ResultBuilder, reader: ResponseReader, execution: Execution) -> None:
        """Send the notes about a result whose rows have all been read."""
        note = duplicate_names_note(builder.columns)
        if note and note not in self._told:
            self._told.add(note)
            self._notify(note)
        for line in builder.decoder.warnings():
            self._notify(line)
        for name in sorted(builder.with_null):
            self._notify(
                f"column {name}: contains NULL although the server declared it NOT NULL; its dtype allows NULL."
            )
        if builder.result.cut:
            why = "" if reader.cut else " The statement may write, so it ran to its end."
            rows = count_of(execution.limit or 0, "row")
            self._notify(f"the result was cut at the limit of {rows}; there are more.{why}")

    def refused(self, event: ServerError, execution: Execution, running: Running) -> Exception:
        """The error for a statement that the server refused."""
        if event.code in LOST:
            return running.lost(f"{event.code}: {event.message}")
        error = statement_error(event, execution.position, execution.count)
        self._session.after_refusal()
        error.put_before_hint(self._session.nearest_name(event, execution.statement))
        parameter = unbound_parameter(event.message, execution.statement.text) if event.code == SYNTAX else ""
        if parameter:
            error.put_before_hint(Note("If {parameter} is a parameter, {option:params}.", parameter=parameter))
        if is_read_only(event):
            moved = self._session.follow_failover()
            if moved:
                error.hint = moved
        return error

    def _tell_warnings(self, reader: ResponseReader, execution: Execution) -> None:
        """Report the server's warnings, such as a string taken for a number or a truncated value."""
        first_word = execution.statement.words[:1]
        if not reader.warnings or first_word in _OF_NOTES or self._session.lost or not reader.finished:
            return
        text = f"the server reported {count_of(reader.warnings, 'warning')}"
        first = None
        if "ROW_COUNT" not in execution.words_after:  # SHOW WARNINGS resets it
            first = self._session.first_warning()
            self._row_count = reader.changed if reader.has_changed else None
        if first is None:
            self._notify(f"{text}; run SHOW WARNINGS to see {'it' if reader.warnings == 1 else 'them'}.")
        else:
            self._notify(f"{text}: {first}" + ("" if reader.warnings == 1 else "; SHOW WARNINGS lists all."))

    def _require_row_count(self, execution: Execution) -> None:
        """Refuse a statement that would read a ROW_COUNT() that our SHOW WARNINGS has reset."""
        changed, self._row_count = self._row_count, None
        if changed is not None and "ROW_COUNT" in execution.statement.words:
            raise ResultError(
                "ROW_COUNT() was reset by SHOW WARNINGS, which fetched the warnings of the previous statement; that "
                f"one changed {count_of(changed, 'row')}.",
                cause="row-count-lost",
            )


class _Response:
    """The results of one response; result sets and their batches read from the same events."""

    def __init__(self, executor: StatementExecutor, execution: Execution, running: Running) -> None:
        self._executor = executor
        self._execution = execution
        self._running = running
        self._events = running.events()
        self._status = 0  # the status flags of the last result

    def outcomes(self) -> Generator[tuple[Outcome, Callable[[], bool]], None, None]:
        """Yield each result; rows that the caller leaves unread are dropped."""
        execution = self._execution
        for event in self._events:
            if isinstance(event, ResultSetStart):
                builder = _ResultBuilder(event, execution, mariadb=self._executor.is_mariadb)
                batches = builder.result.batches = self._batches(builder)
                with closing(batches):  # suspended, it would keep its rows in a cycle: the builder holds it
                    yield builder.result, self._is_last
                    for _ in batches:
                        pass
            elif isinstance(event, Ok):
                self._status = event.status
                yield _changed(event, execution), self._is_last
            elif isinstance(event, ServerError):
                raise self._executor.refused(event, execution, self._running)

    def _batches(self, builder: _ResultBuilder) -> Generator[pa.RecordBatch, None, None]:
        for event in self._events:
            if isinstance(event, Rows):
                batch = builder.take(event)
                if batch is not None:
                    yield batch
            elif isinstance(event, ResultSetEnd):
                self._status = event.status
                builder.result.warnings = event.warnings
                break
            elif isinstance(event, ServerError):
                raise self._executor.refused(event, self._execution, self._running)
        self._executor.tell(builder, self._running.reader, self._execution)

    def _is_last(self) -> bool:
        return not self._status & MORE_RESULTS


def _changed(event: Ok, execution: Execution) -> Changed:
    return Changed(
        event.affected_rows,
        event.insert_id,
        event.warnings,
        event.info,
        execution.position,
        execution.count,
        execution.verb,
    )


def _lost_in_the_rows() -> ConnectionLostError:
    return ConnectionLostError("The connection was lost while the rows were being read.", cause="rows-lost")


class _ResultBuilder:
    """Decodes a result set as it arrives, and cuts it at the statement's limit."""

    def __init__(self, start: ResultSetStart, execution: Execution, *, mariadb: bool) -> None:
        from rds_iam_magic.mysql.decode import DecodeOptions, Decoder

        options = DecodeOptions(
            decimal=execution.decimal,
            mariadb=mariadb,
            words=lambda: execution.statement.words,
            binary=start.binary,
        )
        self.decoder = Decoder(start.columns, options)
        self.columns = start.columns
        self.result = StreamedResult(
            self.decoder.schema,
            nullable_columns(start.columns, execution.statement.words),
            execution.decimal,
            iter(()),
            position=execution.position,
            count=execution.count,
            verb=execution.verb,
        )
        self._left = execution.limit
        self.with_null: set[str] = set()  # columns declared NOT NULL that contain NULL

    def take(self, rows: Rows) -> pa.RecordBatch | None:
        """Decode a chunk of rows; None if the limit has been reached."""
        if self._left == 0:
            self.result.cut = True
            return None
        if self._left is not None:
            self.result.cut = len(rows) > self._left
            rows = Rows(rows.data, rows.starts[: self._left], rows.ends[: self._left])
            self._left -= len(rows)
        batch = self.decoder.decode(rows)
        for index, may_be_null in enumerate(self.result.nullable):
            if not may_be_null and batch.column(index).null_count:
                self.with_null.add(self.result.schema.names[index])
        return batch
