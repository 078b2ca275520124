"""`BackgroundCall`: a function on another thread, where signal handlers never run; `BackgroundThread`: that thread.

Signal handlers (Ctrl-C) run on the main thread, between any two bytecodes. Using a socket there could lose bytes that
were just read, or leave it unknown whether a statement was sent. Opening one there is worse: `SSLSocket._create` makes
a second socket object for a descriptor, and lets the first one go some lines later, so that an interrupt in between
leaves two of them, each of which closes that number, the second time whatever has it by then: a kernel's own socket,
or a file. `subprocess.Popen` has such lines too. On another thread none of this can happen.

`threading.Thread`, conditions and semaphores are written in Python or hold locks, which an interrupt can leave held or
released twice. Only calls that are atomic with respect to interrupts are used here.
"""

from __future__ import annotations

import _thread
import contextvars
import os
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

TICK = 0.2
"""Seconds per wait: a wait without a timeout cannot be interrupted on Windows."""

_LONG = 3600.0

Result = TypeVar("Result")


class BackgroundThread:
    """Runs functions one after the other; its thread starts with the first one, and again in a forked child."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._queues: list[queue.SimpleQueue[Callable[[], None] | None]] = []  # one, but for interrupts
        self._closed: list[bool] = []  # last, for `__del__`

    def run(self, function: Callable[[], None]) -> None:
        """Run a function when those before it have returned; it must not raise."""
        if self._closed:
            _thread.start_new_thread(function, ())
            return
        if self._pid != os.getpid():
            self._pid, self._queues = os.getpid(), []
        if self._queues:
            self._queues[-1].put(function)
            return
        functions: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        # The thread itself notes its queue: here an interrupt could come between starting it and noting that.
        _thread.start_new_thread(_run_all, (functions, self._queues, self._closed))
        functions.put(function)

    def __del__(self) -> None:
        """End the thread, if an interrupt kept `close` from doing so, or `__init__` from its end."""
        if hasattr(self, "_closed"):
            self.close()

    def close(self) -> None:
        """End the thread when the functions before have returned; a second call does nothing."""
        self._closed.append(True)
        for functions in self._queues:
            functions.put(None)


def _run_all(
    functions: queue.SimpleQueue[Callable[[], None] | None],
    queues: list[queue.SimpleQueue[Callable[[], None] | None]],
    closed: list[bool],
) -> None:
    queues.append(functions)
    if closed:
        functions.put(None)
    while (function := functions.get()) is not None:
        function()
        del function  # it holds what it has used


class BackgroundCall(Generic[Result]):
    """A call that runs once, on another thread; only the thread that created it may use the methods.

    Args:
        function: Called without arguments.
        thread: Runs it; a new one by default.
    """

    def __init__(self, function: Callable[[], Result], thread: BackgroundThread | None = None) -> None:
        self._thread = thread
        self._function: list[Callable[[], Result]] = [function]
        # Whether it is cancelled; set by the caller or the thread, whichever is first.
        self._decided: dict[str, bool] = {}
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._outcome: list[Result | BaseException] = []
        self._discards: list[Callable[[Result], object]] = []

    def start(self) -> None:
        """Start the call; if this is interrupted, `cancel` says whether it has begun."""
        if self._thread is None:
            _thread.start_new_thread(self._run, ())
        else:
            self._thread.run(self._run)

    def cancel(self) -> bool:
        """Cancel the call before it begins; return False if it has begun."""
        is_cancelled = self._decided.setdefault("cancelled", True)
        if is_cancelled:
            self._function.clear()
        return is_cancelled

    @property
    def ended(self) -> bool:
        """Whether the function has returned or raised."""
        return bool(self._outcome)

    def wait(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the end; return whether the call has ended."""
        deadline = time.monotonic() + timeout
        while not self._outcome:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            with suppress(queue.Empty):
                self._ended.get(timeout=min(TICK, remaining))
        return True

    def result(self) -> Result:
        """Return what the function returned, or raise what it raised; call it only when `ended`."""
        outcome = self._outcome[0]
        if isinstance(outcome, BaseException):
            try:
                raise outcome
            finally:
                del outcome, self  # its traceback holds this frame
        return outcome

    def wait_for_result(self) -> Result:
        """Start the call and return what the function returned, or raise what it raised, however long it takes."""
        try:
            self.start()
            while not self.wait(_LONG):
                pass
            return self.result()
        finally:
            del self  # as in `result`

    def abandon(self, discard: Callable[[Result], object] = lambda _: None) -> None:
        """Give up waiting: cancel the call, or have `discard` get its result, now or once there is one.

        `discard` runs on another thread, and must not raise. What the function has raised is dropped.
        """
        if self.cancel():
            return
        self._discards.append(discard)
        if self._outcome and not isinstance(self._outcome[0], BaseException):
            _thread.start_new_thread(self._discard, ())

    def _discard(self) -> None:
        """Called by both threads, each after it has noted its own part: whoever is second finds both parts."""
        with suppress(IndexError):
            discard = self._discards.pop()
            outcome = self._outcome[0]
            if not isinstance(outcome, BaseException):
                discard(outcome)

    def _run(self) -> None:
        if self._decided.setdefault("cancelled", False):
            return
        try:
            outcome: Result | BaseException = self._function.pop()()  # popped to break a reference cycle
        except BaseException as error:  # noqa: BLE001 - raised by `result`
            outcome = error
        self._outcome.append(outcome)
        self._ended.put(None)
        self._discard()
        del outcome, self  # an error's traceback holds this frame


def in_background(function: Callable[[], Result]) -> Result:
    """Return what a function returns, or raise what it raises; it runs on another thread, in the caller's context.

    An interrupt ends only the wait. The function then runs to its end, and what it returns is dropped: it should be
    short, one request to a server and not several.
    """
    context = contextvars.copy_context()
    call = BackgroundCall(lambda: context.run(function))
    try:
        return call.wait_for_result()
    except BaseException:
        call.abandon()
        raise
    finally:
        del call  # it holds the error, whose traceback holds this frame
