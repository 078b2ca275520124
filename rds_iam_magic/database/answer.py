"""The answer to a statement: a small one is read at once, a large one on a thread of its own while the caller decodes.

The reader finds the rows' boundaries, the caller turns whole pieces into columns: sockets and NumPy let go of the
interpreter lock, so two cores work. A signal (Ctrl-C) reaches the main thread only; there the caller waits for the
first bytes without having read any, so that an interrupt leaves an answer that can still be read to its end.

Both threads share nothing but `SimpleQueue`s and plain flags. Conditions, semaphores and `Thread.join` are written in
Python or hold a lock of their own, and an interrupt within them leaves that lock held, or released twice.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rds_iam_magic.database.protocol import MAX_PACKET, End, Event, Ok, Response, Rows, ServerError
from rds_iam_magic.errors import ConnectionLostError, ResultError

if TYPE_CHECKING:
    from rds_iam_magic.database.driver import ServerSession

PIECES_AHEAD = 3
"""Pieces of rows (2 MiB each) that may wait for the decoder: what bounds the memory beside the result."""

SILENCE = 30.0
"""Seconds without a byte after which it is asked, over a second connection, whether the server still works."""

_TICK = 0.2  # seconds; a wait without a timeout cannot be interrupted on Windows
_QUERY_INTERRUPTED = 1317


class Answer:
    """The events of one answer; iterate over it once, and `close` it.

    Args:
        session: Used by this answer alone until it is finished.
        sql: Sent as it is, when the first event is asked for.
        still_runs: Asked after each `SILENCE`: whether the server still works on the statement. The near end of a
            tunnel stays open when its far end is dead, so that only the server can tell.
        deadline: Seconds after which the answer is given up with an error; the caller ends the query.

    Attributes:
        limit: Hand out no more rows once more than so many have come; `cut` is true then, and the rest is thrown away
            as it comes, until the caller has the query ended. To be set before the first event is asked for.
        sent: Whether the whole statement was sent, so that the server may have run it.
        finished: Whether the answer was read to its end, so that the session is in step.
        killed: Whether it ended because the query was ended on the server.
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
        deadline: float | None = None,
    ) -> None:
        self.sent = self.finished = self.killed = self.expired = self.cut = False
        self.has_changed = False
        self.changed = self.warnings = 0
        self._session = session
        self._sql = sql
        self._still_runs = still_runs
        self.limit: int | None = None
        self._deadline = None if deadline is None else time.monotonic() + deadline
        self._seconds = deadline
        self._response = Response()
        self._heard = time.monotonic()
        self._perhaps_sent = False  # an interrupt in the middle of sending does not tell
        self._torn = False  # an interrupt came in the middle of sending or reading
        self._events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        self._slots: queue.SimpleQueue[None] = queue.SimpleQueue()
        for _ in range(PIECES_AHEAD):
            self._slots.put(None)
        self._discarding = False
        self._thread: threading.Thread | None = None
        self._ended = False  # the reader has read its last
        self._pid = os.getpid()

    def __iter__(self) -> Iterator[Event]:
        self._begin()
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
    def is_foreign(self) -> bool:
        """Whether it is another process's: of the parent, after a fork."""
        return self._pid != os.getpid()

    def drain(self, timeout: float | None) -> bool:
        """Throw the rest away; returns whether the answer came to its end within `timeout` seconds.

        Args:
            timeout: None for as long as the server works on the statement.

        Raises:
            ConnectionLostError: Without a timeout: the server works on it no more.
        """
        if self.finished or self._torn or not (self.sent or self._perhaps_sent) or self.is_foreign:
            return self.finished
        self._discarding = True
        if self._thread is None:
            self._start_reader()
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._is_reading() and (deadline is None or time.monotonic() < deadline):
            self._discard_one()
            if deadline is None:
                self._check_silence()
        return self.finished

    def close(self) -> None:
        """End the reader; an answer that has not come to its end takes its session with it."""
        if self.is_foreign:
            return
        if not self.finished and not self.drain(0):
            self._session.abort()
        while self._is_reading():
            self._discard_one()

    def _begin(self) -> None:
        """Send, wait, and read what comes first; most answers are complete then."""
        self._response = Response(announced=self._session.charsets)
        # Of one packet the answer's first number is known, so that it can be read wherever an interrupt comes: only
        # this statement waits for one. If nothing was sent, or a part, none comes, and the session is given up.
        is_one_packet = len(self._sql) < MAX_PACKET - 1
        self._perhaps_sent, self._torn = is_one_packet, not is_one_packet
        sequence = self._session.send(self._sql)
        if not is_one_packet:
            self._response = Response(sequence=sequence, announced=self._session.charsets)
        self.sent, self._torn = True, False
        self._heard = time.monotonic()
        while not self._session.wait_readable(_TICK):
            self._tick()
        self._torn = True
        self._receive_once()
        self._torn = False
        if self._response.done:
            self._finish()
        else:
            self._start_reader()

    def _start_reader(self) -> None:
        self._thread = threading.Thread(target=self._read, name="rds_iam_magic reader", daemon=True)
        self._thread.start()

    def _is_reading(self) -> bool:
        return self._thread is not None and not self._ended and self._thread.is_alive()

    def _next(self) -> Event | BaseException | None:
        while True:
            try:
                return self._events.get(timeout=_TICK)
            except queue.Empty:
                self._tick()

    def _tick(self) -> None:
        """Nothing came for a moment."""
        self._check_silence()
        if self._deadline is not None and time.monotonic() > self._deadline:
            self.expired = True
            raise ResultError(
                f"The statement ran longer than its time limit ({self._seconds:g} s); it was ended.",
                "Narrow the query, or give it longer with --timeout S at connect.",
            )

    def _check_silence(self) -> None:
        if time.monotonic() - self._heard > SILENCE:
            if not self._still_runs() and time.monotonic() - self._heard > SILENCE:
                raise ConnectionLostError("The server stopped working on the statement without answering.")
            self._heard = time.monotonic()

    def _discard_one(self) -> None:
        try:
            if isinstance(self._events.get(timeout=0.02), Rows):
                self._slots.put(None)
        except queue.Empty:
            pass

    def _read(self) -> None:
        """The reader's thread."""
        try:
            while not self._response.done:
                self._receive_once(from_thread=True)
            self._finish()
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            self._events.put(error)
        finally:
            self._ended = True

    def _finish(self) -> None:
        self.finished = self._session.in_step = True
        self._events.put(None)

    def _receive_once(self, *, from_thread: bool = False) -> None:
        response = self._response
        count = self._session.read_into(response.space())
        self._heard = time.monotonic()
        for event in response.received(count) if count else response.closed():
            self._hand_over(event, from_thread=from_thread)
        if self.limit is not None and not self.cut and response.rows_seen > self.limit:
            self._cut(response, from_thread=from_thread)

    def _cut(self, response: Response, *, from_thread: bool) -> None:
        self.cut = True
        rows = response.flush()
        if rows is not None:
            self._hand_over(rows, from_thread=from_thread)
        self._discarding = True

    def _hand_over(self, event: Event, *, from_thread: bool) -> None:
        if isinstance(event, (Ok, End)):
            self._session.status = event.status
            self.warnings, self.has_changed = event.warnings, isinstance(event, Ok)
        elif isinstance(event, ServerError):
            self.killed = event.code == _QUERY_INTERRUPTED
        elif isinstance(event, Rows):
            if self._discarding:
                return
            if from_thread:  # what came first is small, and its reader is the decoder
                self._slots.get()
        if isinstance(event, Ok):
            self.changed += event.affected_rows
        self._events.put(event)
