"""`BackgroundCall`: a function on a thread of its own, where no signal's handler ever runs.

Handlers (Ctrl-C) run on the main thread, between any two steps of it. A socket that is used there loses the bytes that
were just read, or it is not known whether a statement was sent; on another thread neither happens.

`threading.Thread`, conditions and semaphores are written in Python or hold a lock of their own, and an interrupt within
them leaves that lock held, or released twice. Here only calls are used that an interrupt finds done or not done.
"""

from __future__ import annotations

import _thread
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

TICK = 0.2
"""Seconds of one wait: one without a timeout cannot be interrupted on Windows."""

Result = TypeVar("Result")


class BackgroundCall(Generic[Result]):
    """A call that is run once, on a thread of its own; the methods are for the one thread that has made it.

    Args:
        function: Called without arguments.
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function: list[Callable[[], Result]] = [function]
        self._decided: dict[str, bool] = {}  # whether it is cancelled; who is first, the caller or the thread, says so
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._outcome: list[Result | BaseException] = []

    def start(self) -> None:
        """Begin; after an interrupt within, `cancel` tells whether it has."""
        _thread.start_new_thread(self._run, ())

    def cancel(self) -> bool:
        """Whether the call has not begun; it never does then."""
        is_cancelled = self._decided.setdefault("cancelled", True)
        if is_cancelled:
            self._function.clear()
        return is_cancelled

    @property
    def ended(self) -> bool:
        """Whether the function has returned or raised."""
        return bool(self._outcome)

    def wait(self, timeout: float) -> bool:
        """Wait for the end, `timeout` seconds at most; returns whether it has come."""
        deadline = time.monotonic() + timeout
        while not self._outcome:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with suppress(queue.Empty):
                self._ended.get(timeout=min(TICK, left))
        return True

    def result(self) -> Result:
        """What the function has returned; what it has raised is raised. Only when `ended`."""
        outcome = self._outcome[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def _run(self) -> None:
        if self._decided.setdefault("cancelled", False):
            return
        try:
            outcome: Result | BaseException = self._function.pop()()  # let go of: it may hold who holds this object
        except BaseException as error:  # noqa: BLE001 - raised by `result`
            outcome = error
        self._outcome.append(outcome)
        self._ended.put(None)
