"""`IdleClosing`: ends a connection's session that nobody has used for a while, on a thread of its own.

The thread takes the connection's turn, as a statement does: either the session is ended and the statement opens a new
one, or the statement comes first and the session is in use. A batch that is still being read has the turn, too.

There is one thread for each connection that asked for it. It keeps neither Python nor the connection alive: it is no
thread of `threading`, whose end Python would wait for, and holds a weak reference.
"""

from __future__ import annotations

import _thread
import os
import queue
import time
import weakref
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rds_iam_magic.connection.exclusive_use import ExclusiveUse

_LONGEST_WAIT = 3600.0  # seconds; what lasts longer is waited for in steps

_Orders = queue.SimpleQueue[None]
"""Where the thread waits; anything put there ends it."""


class IdleClosing:
    """Looks after the idle time of one connection's session, from `begin` on.

    Args:
        use: The connection's turns.
        minutes: After so many without a turn, the session is ended.
        end: Ends the session, unless it holds what would be lost; returns what that is, as named to the user.

    Only `begin`, `stop` and `take_notes` are for other threads than its own; signal handlers may interrupt those three.
    """

    def __init__(self, use: ExclusiveUse, minutes: float, end: Callable[[], Collection[str]]) -> None:
        self.minutes = minutes
        self._use = use
        self._end = end
        self._pid = os.getpid()
        self._working = 0  # the process in which the session is being ended
        self._told: set[str] = set()
        self._notes: list[str] = []
        self._stopped: list[bool] = []
        self._threads: list[_Orders] = []  # one, but for interrupts; last, for `__del__`

    def begin(self) -> None:
        """Start the thread, if this process has none: in a forked child there is none yet."""
        if self._pid != os.getpid():
            self._pid, self._threads = os.getpid(), []
        if not self._threads and not self._stopped:
            # The thread itself notes its queue: here an interrupt could come between starting it and noting that.
            _thread.start_new_thread(_watch, (weakref.ref(self), queue.SimpleQueue()))

    def stop(self) -> None:
        """End the thread; a session that is being ended just now is waited for. A second call does nothing."""
        self._dismiss()
        while self._working == os.getpid():  # for a moment: closing has short time limits
            time.sleep(0.01)

    def take_notes(self) -> list[str]:
        """What the user has not been told yet: that a session stays open, and why."""
        notes = []
        while self._notes:
            notes.append(self._notes.pop(0))
        return notes

    def attend(self, orders: _Orders) -> bool:
        """The thread has begun and waits at `orders`; returns whether it is needed."""
        self._threads.append(orders)
        return not self._stopped

    def look(self) -> float:
        """End the session if it is time; the seconds until the next look."""
        limit = 60 * self.minutes
        with self._use.if_free() as is_free:
            idle = time.monotonic() - self._use.used_at
            if not is_free:  # in use
                return limit
            if idle < limit:
                return limit - idle
            self._working = os.getpid()  # before looking whether it is stopped: `stop` does the two the other way round
            try:
                if not self._stopped:
                    self._tell(self._end())
            finally:
                self._working = 0
        return limit

    def _tell(self, held: Collection[str]) -> None:
        """Note, once, what keeps the session open."""
        what = " and ".join(sorted(held))
        if what and what not in self._told:
            self._told.add(what)
            self._notes.append(
                f"the session was idle for {self.minutes:g} min but stays open: closing it would lose {what}."
            )

    def _dismiss(self) -> None:
        self._stopped.append(True)
        for orders in self._threads:
            orders.put(None)

    def __del__(self) -> None:
        """End the thread with the connection."""
        if hasattr(self, "_threads"):
            self._dismiss()


def _watch(closing: weakref.ref[IdleClosing], orders: _Orders) -> None:
    """What the thread does: look, and wait, until it is told to end or the connection is gone."""
    found = closing()
    if found is None or not found.attend(orders):
        return
    wait = 60 * found.minutes
    del found
    while not _ordered(orders, wait):
        found = closing()
        if found is None:
            return
        wait = found.look()
        del found  # a reference would keep the connection alive


def _ordered(orders: _Orders, seconds: float) -> bool:
    """Whether something was put there within the time."""
    try:
        orders.get(timeout=min(max(seconds, 0.0), _LONGEST_WAIT))
    except queue.Empty:
        return False
    return True
