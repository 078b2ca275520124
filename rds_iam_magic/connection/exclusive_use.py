"""`ExclusiveUse`: a connection is used by one thread at a time, whatever an interrupt or a fork leaves."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rds_iam_magic.errors import ResultError


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """The process and thread that are using a connection."""

    pid: int
    thread: int


class ExclusiveUse:
    """Threads take turns. An interrupt may come between any two steps of taking one, and of giving it back.

    Attributes:
        used_at: When the last turn ended, as a `time.monotonic` value; those of `if_free` do not count.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn: _Turn | None = None
        self._pid = os.getpid()
        self.used_at = time.monotonic()

    @property
    def is_own(self) -> bool:
        """Whether this is the process that made it; False in a forked child that has not used it yet."""
        return self._pid == os.getpid()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Wait for this thread's turn.

        Raises:
            ResultError: It is this thread's turn already: it is still reading the rows of another query.
        """
        turn = _Turn(os.getpid(), threading.get_ident())
        try:
            try:
                self._begin(turn)
                yield
            finally:
                self.used_at = time.monotonic()  # first: from its end on, another thread may look
                self._end(turn)
        finally:
            self._end(turn)  # again: an interrupt may have cut the first call short

    @contextmanager
    def if_free(self) -> Iterator[bool]:
        """Take the turn if nobody has it, without waiting; gives whether that is so.

        For threads that no signal handler interrupts: all but the main one.
        """
        turn = _Turn(os.getpid(), threading.get_ident())
        is_free = self._pid == turn.pid and self._lock.acquire(blocking=False)
        try:
            if is_free:
                self._turn = turn
            yield is_free
        finally:
            self._end(turn)

    def _begin(self, turn: _Turn) -> None:
        if self._pid != turn.pid:  # a forked child: another thread of the parent may hold the copied lock
            self._pid, self._lock, self._turn = turn.pid, threading.Lock(), None
        if self._turn is not None and self._turn.thread == turn.thread:
            raise ResultError("The connection is still streaming the rows of another query.", cause="connection-busy")
        orphaned = 0
        while not self._lock.acquire(timeout=0.2):
            # The lock is held but `_turn` is unset, twice in a row: an interrupt came between setting the two.
            orphaned = orphaned + 1 if self._turn is None else 0
            if orphaned > 1:
                self._lock.release()
        self._turn = turn

    def _end(self, turn: _Turn) -> None:
        if self._turn is turn:
            self._turn = None
            self._lock.release()
