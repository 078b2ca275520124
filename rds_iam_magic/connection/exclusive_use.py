"""`ExclusiveUse`: a connection is used by one thread at a time, whatever an interrupt or a fork leaves."""

from __future__ import annotations

import os
import threading
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
    """Threads take turns. An interrupt may come between any two steps of taking one, and of giving it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn: _Turn | None = None
        self._pid = os.getpid()

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
                self._end(turn)
        finally:
            self._end(turn)  # again: an interrupt may have cut the first call short

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
