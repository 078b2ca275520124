"""The response to a statement: sent and read in the background while the caller decodes.

The reader finds the rows' boundaries, the caller turns whole chunks into columns: sockets and NumPy let go of the
interpreter lock, so two cores work. And an interrupt, which strikes the caller, finds a response that can still be read
to its end. Both share nothing but `SimpleQueue`s and plain flags.
"""

from __future__ import annotations

import os
import queue
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from rds_iam_magic.background import TICK, BackgroundCall
from rds_iam_magic.errors import ConnectionLostError, ResultError
from rds_iam_magic.mysql.wire.events import Event, Ok, ResultSetEnd, Rows, ServerError
from rds_iam_magic.mysql.wire.text_result import ResponseParser
from rds_iam_magic.timeouts import DEFAULT

if TYPE_CHECKING:
    from rds_iam_magic.mysql.session import ServerSession

QUEUE_DEPTH = 3
"""Chunks of rows (2 MiB each) that may wait for the decoder: what bounds the memory beside the result."""

_STRAY = 5  # ticks that a response may need after the server has ended its work
_QUERY_INTERRUPTED = 1317


class ResponseReader:
    """The events of one response; iterate over it once, and `close` it.

    Args:
        session: Used by this response alone until it is finished.
        sql: Sent as it is, when the first event is asked for.
        still_runs: Called after each `no_data` seconds without a byte either way: whether the server still works on the
            statement. The near end of a tunnel stays open when its far end is dead, so that only the server can tell.
        no_data: See there.
        deadline: Seconds after which the response is discarded with an error; the caller ends the query.

    Attributes:
        limit: Hand out no more rows once more than so many have come; `cut` is true then, and the rest is thrown away
            as it comes, until the caller has the query ended. To be set before the first event is asked for.
        sent: Whether the whole statement was sent, so that the server may have run it.
        finished: Whether the response was read to its end, so that the session is synchronised.
        killed: Whether it ended because the query was ended on the server.
        kills: How many times the server was asked to, and may not have done so yet.
        expired: Whether the deadline has passed.
        cut: Whether there were more rows than `limit`.
        changed: How many rows the statement has changed, as far as the server has told.
        has_changed: Whether it has told so last, rather than given rows.
        warnings: How many warnings the server has, as it told last.
    """

    def __init__(
        self,
        session: ServerSession,
        sql: bytes,
        *,
        still_runs: Callable[[], bool] = lambda: True,
        no_data: float = DEFAULT.no_data,
        deadline: float | None = None,
    ) -> None:
        self.sent = self.finished = self.killed = self.expired = self.cut = False
        self.has_changed = False
        self.changed = self.warnings = self.kills = 0
        self._session = session
        self._sql = sql
        self._still_runs = still_runs
        self._no_data = no_data
        self.limit: int | None = None
        self._deadline = None if deadline is None else time.monotonic() + deadline
        self._seconds = deadline
        self._response = ResponseParser()
        self._heard = time.monotonic()
        self._events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        self._slots: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(QUEUE_DEPTH):
            self._slots.put(None)
        self._discarding = False
        self._call = BackgroundCall(self._send_and_read)
        self._pid = os.getpid()

    def __iter__(self) -> Iterator[Event]:
        self._heard = time.monotonic()
        self._call.start()
        given = 0
        while (event := self._next()) is not None:
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Rows):
                self._slots.put(None)
                given += len(event)
            yield event
            if self.cut and given > (self.limit or 0):
                return

    @property
    def is_settled(self) -> bool:
        """Whether the session may be used for the next statement."""
        return self.finished and not self.kills

    @property
    def is_foreign(self) -> bool:
        """Whether its thread is none of ours: the parent's, after a fork; or stopped, as the interpreter ends."""
        return self._pid != os.getpid() or sys.is_finalizing()

    def call_off(self) -> bool:
        """Whether nothing was sent; nothing is sent any more then."""
        return self._call.cancel()

    def drain(self, timeout: float | None) -> bool:
        """Throw the rest away; returns whether the response came to its end within `timeout` seconds.

        Args:
            timeout: None for as long as the server works on the statement.

        Raises:
            ConnectionLostError: Without a timeout: the server works on it no more.
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
        """End the reader; a response that has not come to its end takes its session with it."""
        if self.is_foreign or self.call_off():
            return
        if not self.finished and not self.drain(0):
            self._session.abort()
        while not self._call.ended:
            self._discard()

    def _next(self) -> Event | BaseException | None:
        while True:
            with suppress(queue.Empty):
                return self._events.get(timeout=TICK)
            self._tick()

    def _tick(self) -> None:
        """Nothing came for a moment."""
        if self.is_foreign:
            raise ResultError(
                "The rows are the parent process's; a child cannot read them on.", cause="connection-busy"
            )
        self._check_silence()
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.expired = True
            raise ResultError(
                f"The statement ran longer than its time limit ({self._seconds:g} s); it was ended.",
                cause="time-limit",
            )

    def _check_silence(self) -> None:
        if not self._is_silent():
            return
        if not self._still_runs():
            for _ in range(_STRAY):
                if self._call.wait(TICK) or not self._is_silent():
                    return  # it has answered meanwhile
            raise ConnectionLostError("The server stopped working on the statement without answering.")
        self._heard = time.monotonic()

    def _hear(self) -> None:
        """Something has passed over the network, either way."""
        self._heard = time.monotonic()

    def _is_silent(self) -> bool:
        return time.monotonic() - self._heard > self._no_data

    def _discard(self) -> None:
        while not self._events.empty():
            if isinstance(self._events.get(), Rows):
                self._slots.put(None)
        self._call.wait(0.02)

    def _send_and_read(self) -> None:
        """The reader, in the background."""
        try:
            sequence = self._session.send(self._sql, self._hear)
            self.sent = True
            self._response = ResponseParser(sequence=sequence, announced=self._session.charsets)
            while not self._response.done:
                self._receive_once()
            self.finished = self._session.synchronised = True
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            self._events.put(error)
        self._events.put(None)

    def _receive_once(self) -> None:
        response = self._response
        count = self._session.read_into(response.get_buffer())
        self._hear()
        for event in response.buffer_updated(count) if count else response.eof_received():
            self._hand_over(event)
        if self.limit is not None and not self.cut and response.rows_seen > self.limit:
            self._cut(response)

    def _cut(self, response: ResponseParser) -> None:
        self.cut = True
        rows = response.take_rows()
        if rows is not None:
            self._hand_over(rows)
        self._discarding = True

    def _hand_over(self, event: Event) -> None:
        if isinstance(event, (Ok, ResultSetEnd)):
            self._session.status = event.status
            self.warnings, self.has_changed = event.warnings, isinstance(event, Ok)
        elif isinstance(event, ServerError):
            self.killed = event.code == _QUERY_INTERRUPTED
        elif isinstance(event, Rows):
            if self._discarding:
                return
            self._slots.get()
        if isinstance(event, Ok):
            self.changed += event.affected_rows
        self._events.put(event)
