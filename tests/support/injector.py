"""An exception at a chosen line of the code under test: as an interrupt there, each time at the same place."""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rds_iam_magic

PACKAGE = str(Path(rds_iam_magic.__file__).parent)


class AlarmError(TimeoutError):
    """What a user's handler of a signal raises: an OSError by class, and none of the socket's."""


def alarm(*_: object) -> None:
    """Such a handler."""
    raise AlarmError("the user's own")


class Injector:
    """Raises an exception at the n-th line that the package runs on this thread; a context manager.

    Args:
        at: The line's number, counted from 1; one past the end is never reached, nor is 0.
        error: What to raise.
        after: Begin to count only when this exception has come about: what runs then is the way of an interrupt itself.
        within: The folders whose lines count.
    """

    def __init__(
        self,
        at: int,
        error: type[BaseException],
        *,
        after: type[BaseException] | None = None,
        within: tuple[str, ...] = (PACKAGE,),
    ) -> None:
        self.at, self.error, self.after, self.within = at, error, after, within
        self.lines = 0
        self.where = ""
        self.injected = self.switched_off = False
        self._times: Counter[tuple[str, int]] = Counter()
        self._counting = after is None

    def __enter__(self) -> Injector:
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *exception: object) -> None:
        self.switched_off = sys.gettrace() != self._call  # Python's doing, when a signal's handler raises within it
        sys.settrace(self._before)

    def _call(self, frame: Any, event: str, _: object) -> Any:
        if event != "call" or not frame.f_code.co_filename.startswith(self.within):
            return None
        if "/sandbox/" in frame.f_code.co_filename or _is_finaliser(frame):
            return None
        return self._line

    def _line(self, frame: Any, event: str, detail: Any) -> Any:
        if event == "exception" and self.after is not None and issubclass(detail[0], self.after):
            self._counting = True
        if event != "line" or not self._counting:
            return self._line
        place = (frame.f_code.co_filename, frame.f_lineno)
        self._times[place] += 1
        if self._times[place] > 4:  # a loop: its hundredth round is as its first ones
            return self._line
        self.lines += 1
        if self.lines == self.at:
            self.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} ({frame.f_code.co_name})"
            self.injected = True
            if self.error is AlarmError:
                alarm()  # as the signal's handler, which is told by its code
            raise self.error
        return self._line


def _is_finaliser(frame: Any) -> bool:
    """Python shows what is raised in one, and goes on."""
    while frame is not None:
        if frame.f_code.co_name == "__del__" or frame.f_code.co_filename == weakref.__file__:
            return True
        frame = frame.f_back
    return False


def spread(act: Callable[[], object], count: int, within: tuple[str, ...] = (PACKAGE,)) -> range:
    """Numbers of about so many lines of an act, from its first one to its end; it is done once for that."""
    with Injector(0, AssertionError, within=within) as counter:
        act()
    return range(1, counter.lines + 1, max(1, counter.lines // count))
