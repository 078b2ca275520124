"""`Runner`: one statement over the held session, run once, or once more when that is safe; its results as they come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from rds_iam_magic.connection.reconnecting import ReconnectingSession, may_have_run
from rds_iam_magic.errors import (
    ConnectionLostError,
    ProtocolError,
    RdsIamError,
    ResultError,
    StatementError,
)
from rds_iam_magic.mysql.duplicate_names import duplicate_names_note
from rds_iam_magic.mysql.reader import ResponseReader
from rds_iam_magic.mysql.server_errors import LOST, WRITE_IN_READ_ONLY, is_read_only, statement_error
from rds_iam_magic.mysql.wire.charsets import Announced
from rds_iam_magic.mysql.wire.events import MORE_RESULTS, Ok, ResultSetEnd, ResultSetStart, Rows, ServerError
from rds_iam_magic.mysql.wire.nullability import nullable_columns
from rds_iam_magic.results.formats import DecimalMode
from rds_iam_magic.results.result import Changed, ResultSet
from rds_iam_magic.sql.effects import Effects, names
from rds_iam_magic.sql.statement import Statement
from rds_iam_magic.wording import bytes_text, count_of

if TYPE_CHECKING:
    import pyarrow as pa

Item = Union[ResultSet, Changed, "pa.RecordBatch"]
_GRACE = 1.0  # seconds that the server has to end a statement by itself, after --timeout


@dataclass(frozen=True, slots=True)
class Task:
    """A statement that is to run, and how its rows are wanted."""

    statement: Statement
    effects: Effects
    position: int
    count: int
    decimal: DecimalMode
    limit: int | None
    words_after: Sequence[str] = ()  # of the statement that follows in the same text

    @property
    def verb(self) -> str:
        """The statement's first word in upper case; `CREATE TABLE` for that."""
        words = self.statement.words
        return "CREATE TABLE" if words[:1] == ["CREATE"] and "TABLE" in words[:5] else "".join(words[:1])


@dataclass(frozen=True, slots=True)
class _Loss:
    """How the connection was lost: whether the statement was sent whole, and the words for `%tb`."""

    sent: bool
    words: str


_WRITES = _Loss(sent=False, words="")
"""A function that the statement calls writes, and was refused; the statement must run whole."""


class Again:
    """In a stream of results: the connection was lost; what came of the statement so far comes again."""


class Complete:
    """In a stream of results: the result before it is complete, and the statement works on for another one."""


class Runner:
    """Runs statements, one at a time; not thread-safe.

    Args:
        held: The session that they run on.
        notify: Is given a line for each thing that the user should know.
    """

    def __init__(self, held: ReconnectingSession, notify: Callable[[str], None]) -> None:
        self._session = held
        self._notify = notify
        self._told: set[str] = set()
        self._row_count: int | None = None  # of the last statement, if reading its warnings has reset the server's

    def items(self, task: Task) -> Generator[Item | Again | Complete, None, None]:
        """What a statement gives, as it comes; run once more when that is safe.

        Each result set is followed by its record batches; after `Again` everything comes again.

        Raises:
            StatementError: The server refused the statement.
            ConnectionLostError: The connection broke, and the statement could not be run again.
            ProtocolError: The server's answer is none; the session is given up.
        """
        for again in (False, True):
            loss = yield from self._attempt(task, again=again)
            if loss is _WRITES:  # nothing of it has run
                loss = yield from self._attempt(task, again=again, whole=True)
            if loss is None:
                return
            error = self._session.loss(task.effects, sent=loss.sent)
            if error is None and again:
                error = ConnectionLostError("The connection was lost twice in a row.", cause="lost-twice")
            if error is not None:
                error.detail = loss.words
                raise error
            yield Again()
            if loss.sent:
                self._notify("the connection was lost; the statement only reads, so it runs once more.")

    def _attempt(
        self, task: Task, *, again: bool, whole: bool = False
    ) -> Generator[Item | Complete, None, _Loss | None]:
        """Run a statement one time; returns how the connection was lost, if it was.

        Args:
            task: The statement.
            again: It runs the second time, so that it must not write.
            whole: It is known to write, so that a limit does not end it early.
        """
        session = self._session.acquire(task.effects, names(task.statement))
        sql = _encoded(task.statement.text, session.charsets)
        self._require_size(len(sql))
        self._require_row_count(task)
        handled = sys.exc_info()[1]
        answer = ResponseReader(
            session,
            sql,
            still_runs=self._session.still_runs,
            deadline=self._deadline(),
        )
        guarded = False
        try:
            may_call = task.limit is not None and not whole and task.effects.reads_unless_functions_write
            guarded = (again or (may_call and not task.effects.only_reads)) and self._session.begin_read_only()
            # What may write runs to its end, for ended early it might do half of its work; `_read` drops its rows.
            if task.effects.only_reads or (may_call and guarded):
                answer.limit = task.limit
            self._session.before_send(task.effects)
            yield from self._read(answer, task)
            self._settle(answer, task)
            self._tell_warnings(answer, task)
        except ConnectionLostError as error:
            self._session.discard()
            return _Loss(answer.sent, error.detail or error.message)
        except ProtocolError:
            self._session.discard()
            raise
        except StatementError as error:
            if guarded and error.code == WRITE_IN_READ_ONLY and not again:
                return _WRITES
            if guarded and error.code == WRITE_IN_READ_ONLY:
                raise may_have_run("It was not run again, for it writes") from None
            raise
        except (RdsIamError, GeneratorExit) as error:
            if not _is_stopped(error, handled):
                self._leave(answer, task)
            raise
        finally:
            self._close(answer)
        return None

    def _close(self, answer: ResponseReader) -> None:
        """A second interrupt, while the first one's work is done, gives the session up at once."""
        try:
            if not answer.is_settled:
                self._session.end_query(answer)
        except BaseException:
            if not answer.is_settled:
                self._session.discard()
            raise
        finally:
            answer.close()

    def _require_size(self, size: int) -> None:
        """Refuse what the server would refuse in the midst of being sent, with the connection."""
        limit = self._session.max_packet
        if size + 1 > limit > 0:  # and the byte of the command
            raise StatementError(
                f"The statement has {bytes_text(size)}, and the server takes {bytes_text(limit)} at most "
                "(max_allowed_packet); nothing was sent.",
                cause="packet-too-large",
                code=1153,
                sqlstate="08S01",
            )

    def _leave(self, answer: ResponseReader, task: Task) -> None:
        """Nobody wants the rest of an answer: what may write runs to its end, or it might do half of its work."""
        if task.effects.only_reads or answer.expired or answer.is_foreign:
            return  # the caller has it ended
        try:
            answer.drain(None)
            self._settle(answer, task)
        except ConnectionLostError:
            self._session.discard()

    def _settle(self, answer: ResponseReader, task: Task) -> None:
        """End the query of an answer that was cut, so that the session is in step."""
        if not answer.is_settled:
            self._session.end_query(answer)
        if not self._session.lost:
            self._session.after_success(task.effects, answer.changed)

    def _deadline(self) -> float | None:
        timeout = self._session.settings.timeout
        return None if timeout is None else timeout + _GRACE

    def _read(self, answer: ResponseReader, task: Task) -> Iterator[Item | Complete]:
        incoming: _Incoming | None = None
        for event in answer:
            if isinstance(event, ResultSetStart):
                incoming = _Incoming(event, task, mariadb="mariadb" in self._session.server_version.lower())
                yield incoming.result
            elif isinstance(event, Rows) and incoming is not None:
                batch = incoming.take(event)
                if batch is not None:
                    yield batch
            elif isinstance(event, ResultSetEnd) and incoming is not None:
                incoming.result.warnings = event.warnings
                self._tell(incoming, answer, task)
                yield from _complete(event)
            elif isinstance(event, Ok):
                yield Changed(
                    event.affected_rows,
                    event.insert_id,
                    event.warnings,
                    event.info,
                    task.position,
                    task.count,
                    task.verb,
                )
                yield from _complete(event)
            elif isinstance(event, ServerError):
                raise self._refused(event, task)
        if answer.cut and incoming is not None:
            self._tell(incoming, answer, task)

    def _tell_warnings(self, answer: ResponseReader, task: Task) -> None:
        """What the server has to say of its own: a text that it took for a number, a value that it cut."""
        first_word = task.statement.words[:1]
        if not answer.warnings or first_word == ["SHOW"] or self._session.lost or not answer.finished:
            return
        text = f"the server reported {count_of(answer.warnings, 'warning')}"
        first = None
        if "ROW_COUNT" not in task.words_after:  # to read the warnings resets it
            first = self._session.first_warning()
            self._row_count = answer.changed if answer.has_changed else None
        if first is None:
            self._notify(f"{text}; run SHOW WARNINGS to see {'it' if answer.warnings == 1 else 'them'}.")
        else:
            self._notify(f"{text}: {first}" + ("" if answer.warnings == 1 else "; SHOW WARNINGS lists all."))

    def _require_row_count(self, task: Task) -> None:
        """Refuse what would read a ROW_COUNT() that is no longer that of the user's last statement."""
        changed, self._row_count = self._row_count, None
        if changed is not None and "ROW_COUNT" in task.statement.words:
            raise ResultError(
                f"ROW_COUNT() is that of SHOW WARNINGS, which quoted the warnings of the statement before; that one "
                f"changed {count_of(changed, 'row')}.",
                cause="row-count-lost",
            )

    def _refused(self, event: ServerError, task: Task) -> StatementError | ConnectionLostError:
        if event.code in LOST:
            return ConnectionLostError("The server ended the connection.", detail=f"{event.code}: {event.message}")
        error = statement_error(event, task.position, task.count)
        self._session.after_refusal()
        error.hint = " ".join(filter(None, [self._session.nearest_name(event, task.statement), error.hint]))
        if is_read_only(event):
            error.hint = self._session.follow_failover() or error.hint
        return error

    def _tell(self, incoming: _Incoming, answer: ResponseReader, task: Task) -> None:
        note = duplicate_names_note(incoming.columns)
        if note and note not in self._told:
            self._told.add(note)
            self._notify(note)
        for line in incoming.decoder.warnings():
            self._notify(line)
        for name in sorted(incoming.with_null):
            self._notify(f"column {name}: it holds NULL though the server called it NOT NULL; its dtype allows NULL.")
        if incoming.result.cut:
            why = "" if answer.cut else " The statement may write, so it ran to its end."
            rows = count_of(task.limit or 0, "row")
            self._notify(f"the result was cut after {rows}, as asked for; there are more.{why}")


def _encoded(sql: str, announced: Announced) -> bytes:
    try:
        return announced.encode(sql)
    except UnicodeEncodeError as error:
        raise StatementError(
            f"The statement holds {error.object[error.start]!r}, which the session's character set "
            f"{announced.client.name} does not have; nothing was sent.",
            cause="charset-lacks-character",
        ) from None


def _is_stopped(error: BaseException | None, handled: BaseException | None) -> bool:
    """Whether the user has pressed Stop: an interrupt outside of a generator closes it by a GeneratorExit.

    `handled` is what the code around was dealing with when the statement began; it has no part in this.
    """
    while error is not None and error is not handled and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return isinstance(error, KeyboardInterrupt) and error is not handled


def _complete(event: ResultSetEnd | Ok) -> Iterator[Complete]:
    if event.status & MORE_RESULTS:
        yield Complete()


class _Incoming:
    """A result set as it comes: decoded, and cut at the statement's limit."""

    def __init__(self, head: ResultSetStart, task: Task, *, mariadb: bool) -> None:
        from rds_iam_magic.mysql.decode import DecodeOptions, Decoder

        options = DecodeOptions(decimal=task.decimal, mariadb=mariadb, words=lambda: task.statement.words)
        self.decoder = Decoder(head.columns, options)
        self.columns = head.columns
        self.result = ResultSet(
            self.decoder.schema,
            nullable_columns(head.columns, task.statement.words),
            task.decimal,
            position=task.position,
            count=task.count,
            verb=task.verb,
        )
        self._left = task.limit
        self.with_null: set[str] = set()  # columns that the server called NOT NULL

    def take(self, rows: Rows) -> pa.RecordBatch | None:
        """A chunk of rows, or None if none of it is wanted."""
        if self._left == 0:
            self.result.cut = True
            return None
        if self._left is not None:
            self.result.cut = len(rows) > self._left
            rows = Rows(rows.data, rows.starts[: self._left], rows.ends[: self._left])
            self._left -= len(rows)
        batch = self.decoder.decode(rows)
        for place, may_be_null in enumerate(self.result.nullable):
            if not may_be_null and batch.column(place).null_count:
                self.with_null.add(self.result.schema.names[place])
        return batch
