"""The answer to a statement, read on a thread of its own while the caller decodes.

The reader finds the rows' boundaries, the caller turns whole pieces into columns: sockets and NumPy let go of the
interpreter lock, so two cores work. A signal (Ctrl-C) reaches the main thread only, and so never cuts a read in two.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rds_iam_magic.database.protocol import End, Event, Ok, Response, Rows
from rds_iam_magic.errors import ResultError

if TYPE_CHECKING:
    from rds_iam_magic.database.driver import ServerSession

PIECES_AHEAD = 3
"""Pieces of rows (4 MiB each) that may wait for the decoder: what bounds the memory beside the result."""

_TICK = 0.2  # seconds; a wait without a timeout cannot be interrupted on Windows


class Answer:
    """The events of one answer; iterate over it once, and `close` it.

    Args:
        session: Used by this answer alone until it is finished.
        sql: Sent as it is.
        deadline: Seconds after which the answer is given up with an error; the caller ends the query.
        limit: Hand out no more rows once more than so many have come; `cut` is true then, and the rest is thrown away
            as it comes, until the caller has the query ended.
    """

    def __init__(
        self, session: ServerSession, sql: bytes, *, limit: int | None = None, deadline: float | None = None
    ) -> None:
        self._session = session
        self._sql = sql
        self._limit = limit
        self._deadline = None if deadline is None else time.monotonic() + deadline
        self._seconds = deadline
        self._events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
        self._slots = threading.BoundedSemaphore(PIECES_AHEAD)
        self._discarding = False
        self.sent = False
        self.finished = False
        self.cut = False
        self._thread = threading.Thread(target=self._read, name="rds_iam_magic reader", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Event]:
        while (event := self._next()) is not None:
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, Rows):
                self._slots.release()
            yield event
            if self.cut and isinstance(event, Rows):
                return

    def drain(self, timeout: float) -> bool:
        """Throw the rest away; returns whether the answer came to its end within `timeout` seconds."""
        self._discarding = True
        deadline = time.monotonic() + timeout
        while self._thread.is_alive() and time.monotonic() < deadline:
            self._empty()
            self._thread.join(0.02)
        self._empty()
        return self.finished

    def close(self) -> None:
        """End the reader; an answer that has not come to its end takes its session with it."""
        if not self.finished and not self.drain(0):
            self._session.abort()
            while self._thread.is_alive():
                self._empty()
                self._thread.join(0.02)
        self._thread.join()

    def _next(self) -> Event | BaseException | None:
        while True:
            try:
                return self._events.get(timeout=_TICK)
            except queue.Empty:
                if self._deadline is not None and time.monotonic() > self._deadline:
                    raise ResultError(
                        f"The statement ran longer than its time limit ({self._seconds:g} s); it was ended.",
                        "Narrow the query, or give it longer with --timeout S at connect.",
                    ) from None

    def _empty(self) -> None:
        while not self._events.empty():
            if isinstance(self._events.get(), Rows):
                self._slots.release()

    def _read(self) -> None:
        try:
            self._session.send(self._sql)
            self.sent = True
            self._receive(Response())
            self.finished = True
            self._events.put(None)
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            self._events.put(error)

    def _receive(self, response: Response) -> None:
        while not response.done:
            count = self._session.read_into(response.space())
            for event in response.received(count) if count else response.closed():
                self._hand_over(event)
            if self._limit is not None and not self.cut and not response.done and response.rows_seen > self._limit:
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
        if isinstance(event, Rows):
            if self._discarding:
                return
            self._slots.acquire()
        self._events.put(event)
