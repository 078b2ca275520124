"""`ResponseReader`: sends a statement and reads its response in the background while the caller decodes.

The reader finds the row boundaries, the caller turns whole chunks into columns: sockets and NumPy release the GIL, so
two cores work. An interrupt, which reaches only the caller's thread, leaves a response that can still be drained. The
two threads share only `SimpleQueue`s and plain flags.
"""

from __future__ import annotations

import os
import queue
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from rds_iam_magic.background import TICK, BackgroundCall
from rds_iam_magic.errors import ConnectionLostError, ResultError
from rds_iam_magic.mysql.wire.commands import COM_STMT_EXECUTE, COM_STMT_PREPARE
from rds_iam_magic.mysql.wire.events import Event, Ok, Prepared, PrepareFailed, ResultSetEnd, Rows, ServerError
from rds_iam_magic.mysql.wire.response import ResponseParser
from rds_iam_magic.timeouts import DEFAULT

if TYPE_CHECKING:
    from rds_iam_magic.mysql.session import ServerSession

QUEUE_DEPTH = 3
"""Chunks of rows (2 MiB each) that may wait for the decoder; this bounds the memory besides the result."""

_STRAY = 5  # ticks that a response may take to arrive after the server has finished
_QUERY_INTERRUPTED = 1317
# What text would not do better: KILL QUERY, a time limit of MariaDB or MySQL, the end of waiting for a lock, and a
# deadlock, which may have rolled the transaction back.
_ENDED = (_QUERY_INTERRUPTED, 1969, 3024, 1205, 1213)
_NOT_EXECUTED = (1243, 1615)  # no such prepared statement; its tables were changed too often


class Preparable(NamedTuple):
    """A statement to prepare, its parameters as COM_STMT_EXECUTE sends them, and their number.

    Or many rows of parameters, as COM_STMT_BULK_EXECUTE sends them: then it is never sent as text instead.
    """

    sql: bytes
    parameters: bytes = b""
    values: int = 0
    rows: bytes = b""


class ResponseReader:
    """The events of one response; iterate over it once, and `close` it.

    Args:
        session: Reserved for this response until it is finished.
        sql: The encoded statement, sent when the first event is requested.
        still_runs: Called after every `no_data` seconds without a byte, either way; returns whether the server is still
            running the statement. The near end of a tunnel stays open when its far end is dead: only the server can
            tell.
        no_data: Seconds without a byte before `still_runs` is called.
        deadline: Seconds after which reading stops with an error; the caller ends the query.
        binary: Ask for rows in the binary protocol, which takes a prepared statement; text if it cannot be prepared.
        prepared: The statement to prepare, if it is not `sql` itself.
        only_reads: The statement may run again, as text, when the server says that it did not execute the prepared one:
            a stored function may raise that error too (SIGNAL), after a write.
        progressed: Called by the caller's thread with each chunk of rows, and after each tick without one: the rows
            handed over and the bytes received so far.

    Attributes:
        limit: After more rows than this, no further rows are yielded: `cut` becomes True and the rest is discarded as
            it arrives, until the caller ends the query. Set it before the first event is requested.
        sent: Whether the whole statement was sent, so that the server may have run it.
        finished: Whether the response was read to its end, so that the session is synchronised.
        killed: Whether the response ended with ER_QUERY_INTERRUPTED.
        kills: The number of KILL QUERY sent that may still arrive.
        expired: Whether the deadline has passed.
        cut: Whether there were more rows than `limit`.
        changed: The number of rows changed, as reported so far.
        has_changed: Whether the last result was an OK packet rather than a result set.
        warnings: The warning count of the last result.
    """

    def __init__(
        self,
        session: ServerSession,
        sql: bytes,
        *,
        still_runs: Callable[[], bool] = lambda: True,
        no_data: float = DEFAULT.no_data,
        deadline: float | None = None,
        binary: bool = False,
        prepared: Preparable | None = None,
        only_reads: bool = False,
        progressed: Callable[[int, int], None] = lambda rows, size: None,  # noqa: ARG005 - nobody is told
    ) -> None:
        self.sent = self.finished = self.killed = self.expired = self.cut = False
        self.has_changed = False
        self.changed = self.warnings = self.kills = 0
        self._session = session
        self._sql = sql
        self._binary = binary
        self._prepared = prepared or Preparable(sql)
        self._not_executed = _NOT_EXECUTED if only_reads else ()
        self._outcome: Prepared | PrepareFailed | None = None  # of preparing; None once the statement runs
        self._warnings_of_preparing = 0
        self._kept_warnings = False  # the server no longer has them
        self._rows_yielded = 0
        self._received_bytes = 0  # the background's
        self._progressed = progressed
        self._still_runs = still_runs
        self._no_data = no_data
        self.limit: int | None = None
        self._deadline = None if deadline is None else time.monotonic() + deadline
        self._seconds = deadline
        self._heard = time.monotonic()
        # In lists, as they arrive: waking the caller takes longer than parsing a small answer.
        self._events: queue.SimpleQueue[list[Event | BaseException | None]] = queue.SimpleQueue()
        self._parsed: list[Event | BaseException | None] = []  # not handed over yet; the background's
        self._received: deque[Event | BaseException | None] = deque()  # not yielded yet; the caller's
        self._slots: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(QUEUE_DEPTH):
            self._slots.put(None)
        self._discarding = False
        self._call = BackgroundCall(self._send_and_read, session.thread)
        self._pid = os.getpid()

    def __iter__(self) -> Iterator[Event]:
        self._heard = time.monotonic()
        self._call.start()
        while (event := self._next()) is not None:
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Rows):
                self._slots.put(None)
                self._rows_yielded += len(event)
                self._progressed(self._rows_yielded, self._received_bytes)
            yield event
            if self.cut and self._rows_yielded > (self.limit or 0):
                return

    @property
    def is_settled(self) -> bool:
        """Whether the session may be used for the next statement."""
        return self.finished and not self.kills

    @property
    def is_foreign(self) -> bool:
        """Whether its thread is not in this process: the parent's, after a fork, or ended with the interpreter."""
        return self._pid != os.getpid() or sys.is_finalizing()

    def call_off(self) -> bool:
        """Cancel before anything is sent; return False if sending has begun."""
        return self._call.cancel()

    def drain(self, timeout: float | None) -> bool:
        """Discard the rest; return whether the response was read to its end within `timeout` seconds.

        Args:
            timeout: None waits for as long as the server runs the statement.

        Raises:
            ConnectionLostError: With `timeout` None: the server stopped running it without answering.
        """
        if self.finished or self.is_foreign or self.call_off():
            return self.finished
        self._discarding = True
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._call.ended and (deadline is None or time.monotonic() < deadline):
            self._discard()
            if deadline is None:
                self._check_silence()
        return self.finished

    def close(self) -> None:
        """End the reader; aborts the session if the response was not read to its end."""
        if self.is_foreign or self.call_off():
            return
        if not self.finished and not self.drain(0):
            self._session.abort()
        while not self._call.ended:
            self._discard()

    def _next(self) -> Event | BaseException | None:
        while not self._received:
            try:
                self._received.extend(self._events.get(timeout=TICK))
            except queue.Empty:
                self._tick()
        return self._received.popleft()

    def _tick(self) -> None:
        """Check the connection and the deadline after a tick without an event."""
        if self.is_foreign:
            raise ResultError(
                "The rows belong to the parent process; a child cannot read them.", cause="connection-busy"
            )
        self._check_silence()
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.expired = True
            raise ResultError(
                f"The statement ran longer than its time limit ({self._seconds:g} s); it was ended.",
                cause="time-limit",
            )
        self._progressed(self._rows_yielded, self._received_bytes)

    def _check_silence(self) -> None:
        if not self._is_silent():
            return
        if not self._still_runs():
            for _ in range(_STRAY):
                if self._call.wait(TICK) or not self._is_silent():
                    return  # it has answered in the meantime
            raise ConnectionLostError("The server stopped working on the statement without answering.")
        self._heard = time.monotonic()

    def _hear(self) -> None:
        """Something has passed over the network, either way."""
        self._heard = time.monotonic()

    def _is_silent(self) -> bool:
        return time.monotonic() - self._heard > self._no_data

    def _discard(self) -> None:
        while self._received or not self._events.empty():
            if not self._received:
                self._received.extend(self._events.get())
            elif isinstance(self._received.popleft(), Rows):
                self._slots.put(None)
        self._call.wait(0.02)

    def _send_and_read(self) -> None:
        """The reader, in the background."""
        try:
            if self._prepared.rows:
                self._insert_rows()
            elif not self._binary or not (self._execute_prepared() or self._execute_with_literals()):
                sequence = self._session.send(self._sql, self._hear)
                self.sent = True
                self._receive(sequence=sequence)
            self.finished = self._session.synchronised = True
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            self._parsed.append(error)
        self._parsed.append(None)
        self._hand_over()

    def _execute_prepared(self) -> bool:
        """Run the statement as a prepared one; return False if that is not possible, so that nothing has run.

        A wrong statement cannot be prepared either: sent as text, it gets the server's own error, and SHOW WARNINGS
        lists it.
        """
        session = self._session
        sequence = session.prepare(
            self._prepared.sql,
            self._hear,
            then_execute=session.executes_last,
            parameters=self._prepared.parameters,
        )
        self.sent = session.executes_last
        self._receive(sequence=sequence, command=COM_STMT_PREPARE, then_execute=session.executes_last)
        if isinstance(self._outcome, Prepared) and not session.executes_last:
            self._execute_or_close(self._outcome)
        outcome, self._outcome = self._outcome, None
        # Whoever called it off in the meantime does not want it to begin.
        is_over = outcome is None or self._discarding
        if isinstance(outcome, PrepareFailed) and (is_over or outcome.error.code in _ENDED):
            self._add(outcome.error)
            is_over = True
        self.sent = self.sent and is_over
        if is_over and self._kept_warnings and not self._discarding:
            self._restore_warnings()
        return is_over

    def _execute_with_literals(self) -> bool:
        """The same for the statement as it is, if its parameters stand where it has to have literals."""
        if not self._prepared.values:
            return False
        self._prepared = Preparable(self._sql)
        return self._execute_prepared()

    def _insert_rows(self) -> None:
        """Run the statement for many rows; if it cannot be prepared, nothing runs, and the reason is the response."""
        self.sent = True  # a part of it may be all of it
        sequence = self._session.insert_rows(self._prepared.sql, self._prepared.rows, self._hear)
        self._receive(sequence=sequence, command=COM_STMT_PREPARE, then_execute=True)
        if isinstance(self._outcome, PrepareFailed):
            self._add(self._outcome.error)

    def _restore_warnings(self) -> None:
        """Prepare the statement once more, for SHOW WARNINGS: executing it discarded the warnings of preparing it."""
        sequence = self._session.prepare(self._prepared.sql, self._hear)
        self._receive(sequence=sequence, command=COM_STMT_PREPARE)
        if isinstance(self._outcome, Prepared):
            self._session.close_statement(self._outcome.statement_id)
        self._outcome = None

    def _execute_or_close(self, prepared: Prepared) -> None:
        """Run the statement of that number, unless it lacks parameters or was called off."""
        if prepared.parameters != self._prepared.values or self._discarding:
            self._session.close_statement(prepared.statement_id)
        else:
            sequence = self._session.execute(prepared.statement_id, self._prepared.parameters)
            self.sent = True
            self._receive(sequence=sequence, command=COM_STMT_EXECUTE)

    def _receive(self, **response: Any) -> None:
        parser = ResponseParser(announced=self._session.charsets, **response)
        while not parser.done:
            self._receive_once(parser)

    def _receive_once(self, parser: ResponseParser) -> None:
        count = self._session.read_into(parser.get_buffer())
        self._received_bytes += count
        self._hear()
        for event in parser.buffer_updated(count) if count else parser.eof_received():
            if self._is_of_the_statement(event):
                self._add(event)
        if self.limit is not None and not self.cut and parser.rows_seen > self.limit:
            self._cut(parser, self.limit)
        if not parser.done:
            self._hand_over()

    def _is_of_the_statement(self, event: Event) -> bool:
        """Whether an event tells of the statement, rather than of preparing it."""
        if isinstance(event, (Prepared, PrepareFailed)):
            self._outcome = event
            self._warnings_of_preparing = event.warnings if isinstance(event, Prepared) else 0
        elif isinstance(self._outcome, Prepared) and (
            self._prepared.rows or self._outcome.parameters == self._prepared.values
        ):
            if isinstance(event, ServerError) and event.code in self._not_executed:
                self._outcome = PrepareFailed(event)
            else:
                self._outcome = None
        return self._outcome is None

    def _cut(self, parser: ResponseParser, limit: int) -> None:
        """Hand over the rows up to the limit, if there are more."""
        events = parser.take_rows()
        self.cut = parser.rows_seen > limit  # known before the last rows are handed over
        for event in events:
            self._add(event)
        self._discarding = self.cut

    def _add(self, event: Event) -> None:
        if isinstance(event, (Ok, ResultSetEnd)) and self._warnings_of_preparing and not event.warnings:
            event = replace(event, warnings=self._warnings_of_preparing)
            self._kept_warnings = True
        if isinstance(event, (Ok, ResultSetEnd)):
            self._session.status = event.status
            self.warnings, self.has_changed = event.warnings, isinstance(event, Ok)
        elif isinstance(event, ServerError):
            self.killed = event.code == _QUERY_INTERRUPTED
        elif isinstance(event, Rows):
            if self._discarding:
                return
            if self._slots.empty():
                self._hand_over()
            self._slots.get()
        if isinstance(event, Ok):
            self.changed += event.affected_rows
        self._parsed.append(event)

    def _hand_over(self) -> None:
        if self._parsed:
            self._events.put(self._parsed)
            self._parsed = []
