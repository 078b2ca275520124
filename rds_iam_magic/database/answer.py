"""The answer to a statement: a small one is read at once, a large one on a thread of its own while the caller decodes.

The reader finds the rows' boundaries, the caller turns whole pieces into columns: sockets and NumPy let go of the
interpreter lock, so two cores work. A signal (Ctrl-C) reaches the main thread only; there the caller waits for the
first bytes without having read any, so that an interrupt leaves an answer that can still be read to its end.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rds_iam_magic.database.protocol import End, Event, Ok, Response, Rows
from rds_iam_magic.errors import ConnectionLostError, ResultError

if TYPE_CHECKING:
    from rds_iam_magic.database.driver import ServerSession

PIECES_AHEAD = 3
"""Pieces of rows (2 MiB each) that may wait for the decoder: what bounds the memory beside the result."""

SILENCE = 30.0
"""Seconds without a byte after which it is asked, over a second connection, whether the server still works."""

_TICK = 0.2  # seconds; a wait without a timeout cannot be interrupted on Windows


class Answer:
    """The events of one answer; iterate over it once, and `close` it.

    Args:
        session: Used by this answer alone until it is finished.
        sql: Sent as it is, when the first event is asked for.
        still_runs: Asked after each `SILENCE`: whether the server still works on the statement. The near end of a
            tunnel stays open when its far end is dead, so that only the server can tell.
        deadline: Seconds after which the answer is given up with an error; the caller ends the query.
        limit: Hand out no more rows once more than so many have come; `cut` is true then, and the rest is thrown away
            as it comes, until the caller has the query ended.

    Attributes:
        sent: Whether the whole statement was sent, so that the server may have run it.
        finished: Whether the answer was read to its end, so that the session is in step.
        cut: Whether there were more rows than `limit`.
        changed: How many rows the statement has changed, as far as the server has told.
    """

    def __init__(
        self,
        session: ServerSession,
        sql: bytes,
        *,
        still_runs: Callable[[], bool] = lambda: True,
        limit: int | None = None,
        deadline: float | None = None,
    ) -> None:
        self.sent = False
        self.finished = False
        self.cut = False
        self.changed = 0
        self._session = session
        self._sql = sql
        self._still_runs = still_runs
        self._limit = limit
        self._deadline = None if deadline is None else time.monotonic() + deadline
        self._seconds = deadline
        self._response = Response()
        self._heard = time.monotonic()
        self._torn = False  # an interrupt came in the middle of sending or reading
        self._events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        self._slots = threading.Semaphore(PIECES_AHEAD)
        self._discarding = False
        self._thread: threading.Thread | None = None

    def __iter__(self) -> Iterator[Event]:
        self._begin()
        given = 0
        while (event := self._next()) is not None:
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Rows):
                self._slots.release()
                given += len(event)
            yield event
            if self.cut and given > (self._limit or 0):
                return

    def drain(self, timeout: float) -> bool:
        """Throw the rest away; returns whether the answer came to its end within `timeout` seconds."""
        if self.finished or self._torn or not self.sent:
            return self.finished
        self._discarding = True
        if self._thread is None:
            self._start_reader()
        deadline = time.monotonic() + timeout
        while self._is_reading() and time.monotonic() < deadline:
            self._empty()
            self._join(0.02)
        self._empty()
        return self.finished

    def close(self) -> None:
        """End the reader; an answer that has not come to its end takes its session with it."""
        if not self.finished and not self.drain(0):
            self._session.abort()
        while self._is_reading():
            self._empty()
            self._join(0.02)

    def _begin(self) -> None:
        """Send, wait, and read what comes first; most answers are complete then."""
        self._torn = True
        self._response = Response(sequence=self._session.send(self._sql))
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
        return self._thread is not None and self._thread.is_alive()

    def _join(self, timeout: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout)

    def _next(self) -> Event | BaseException | None:
        while True:
            try:
                return self._events.get(timeout=_TICK)
            except queue.Empty:
                self._tick()

    def _tick(self) -> None:
        """Nothing came for a moment."""
        if time.monotonic() - self._heard > SILENCE:
            if not self._still_runs() and time.monotonic() - self._heard > SILENCE:
                raise ConnectionLostError("The server no longer works on the statement, and no answer came.")
            self._heard = time.monotonic()
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise ResultError(
                f"The statement ran longer than its time limit ({self._seconds:g} s); it was ended.",
                "Narrow the query, or give it longer with --timeout S at connect.",
            )

    def _empty(self) -> None:
        while not self._events.empty():
            if isinstance(self._events.get(), Rows):
                self._slots.release()

    def _read(self) -> None:
        """The reader's thread."""
        try:
            while not self._response.done:
                self._receive_once()
            self._finish()
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            self._events.put(error)

    def _finish(self) -> None:
        self.finished = True
        self._events.put(None)

    def _receive_once(self) -> None:
        response = self._response
        count = self._session.read_into(response.space())
        self._heard = time.monotonic()
        for event in response.received(count) if count else response.closed():
            self._hand_over(event)
        if self._limit is not None and not self.cut and response.rows_seen > self._limit:
            self._cut(response)

    def _cut(self, response: Response) -> None:
        self.cut = True
        rows = response.flush()
        if rows is not None:
            self._hand_over(rows)
        self._discarding = True

    def _hand_over(self, event: Event) -> None:
        if isinstance(event, (Ok, End)):
            self._session.status = event.status
        if isinstance(event, Ok):
            self.changed += event.affected_rows
        if isinstance(event, Rows):
            if self._discarding:
                return
            if threading.current_thread() is self._thread:  # what came first is small, and its reader is the decoder
                self._slots.acquire()
        self._events.put(event)
