"""`RunningLine`: tells of one statement while it runs, if it takes long, in the output that becomes its feedback line.

It is called by the thread that waits for the statement: there is no thread and no timer, and a statement that is over
soon costs it nothing.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from rds_iam_magic.notebook.showing.display import LiveLine
from rds_iam_magic.results.progress import Progress
from rds_iam_magic.wording import bytes_text, count_of, duration_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

AFTER = 2.0
"""Seconds after which a statement takes long."""

EVERY = 0.5
"""Seconds between two states."""

SILENCE = 2.0
"""Seconds without a row or a byte after which the server is asked what it is doing."""

ASK_EVERY = (5.0, 30.0)
"""Seconds between two such questions, each of which takes a login: at first, and in a statement that takes hours."""


class RunningLine:
    """The line of one statement, from its beginning to its end.

    Args:
        shell: Shows it.
        alias: The connection's.
    """

    def __init__(self, shell: InteractiveShell, alias: str) -> None:
        self._line = LiveLine(shell)
        self._alias = alias
        self._began = self._heard = time.monotonic()
        self._next = self._began + AFTER
        self._next_question = 0.0
        self._latest = Progress()
        self._server = ""  # what it is doing, in its words

    @property
    def elapsed(self) -> float:
        """Seconds since the statement began."""
        return time.monotonic() - self._began

    def watch(self, progress: Progress) -> None:
        """Take the statement's progress, and show it when it is time to."""
        now = time.monotonic()
        if (progress.rows, progress.size) != (self._latest.rows, self._latest.size):
            self._heard, self._server = now, ""
        self._latest = progress
        if now < self._next:
            return
        self._next = now + EVERY
        if self.shown and now - self._heard >= SILENCE and now >= self._next_question:
            self._ask(progress)
        self._show(self._state("running"))

    @property
    def shown(self) -> bool:
        """Whether the statement has taken so long that it is shown."""
        return self._line.shown

    def note(self, text: str) -> None:
        """Show a note below what is shown."""
        self._line.note(text)

    def finish(self, line: str, notes: list[str]) -> None:
        """The statement is complete: show its feedback line, in place of what is shown."""
        self._line.finish(line, notes)

    def end(self, outcome: str) -> None:
        """The statement will not be complete: what is shown says so, such as `stopped`."""
        if self.shown:
            self._server = ""
            with suppress(Exception):  # what ended it is what has to be seen
                self._line.finish(self._state(outcome), [])

    def _ask(self, progress: Progress) -> None:
        answer = progress.ask_server()
        first, longest = ASK_EVERY
        pause = math.inf if answer is None else min(longest, max(first, self.elapsed / 4))
        self._next_question = time.monotonic() + pause
        self._server = answer or ""

    def _show(self, text: str) -> None:
        try:
            self._line.show(text)
        except Exception:  # noqa: BLE001 - a statement does not fail because stderr is closed
            self._next = math.inf

    def _state(self, outcome: str) -> str:
        latest = self._latest
        parts = [
            outcome,
            latest.stage,
            count_of(latest.rows, "row") if latest.rows else "",
            bytes_text(latest.size) if latest.rows else "",
            duration_text(self.elapsed),
            self._alias,
            f"server: {self._server}" if self._server else "",
        ]
        return " · ".join(filter(None, parts))
