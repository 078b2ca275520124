"""`Feedback`: what a cell tells beside its results: a line after each statement, with the notes on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rds_iam_magic.notebook import display
from rds_iam_magic.wording import bytes_text, count_of, duration_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connection.connection import Connection

NOTHING, LINE, PROGRESS = 0, 1, 2
"""`%config RdsIamMagics.feedback`: notes only; a line after each statement too; progress of a long one too."""


class Feedback:
    """The feedback of one cell. A line stands before its result, since a cell's value is shown after all else.

    Notes are held back until the line that they belong to; without lines, they are told as they come.

    Args:
        shell: Shows the output.
        alias: The connection's.
        level: One of the above.
    """

    def __init__(self, shell: InteractiveShell, alias: str, level: int) -> None:
        self._shell = shell
        self._alias = alias
        self._level = level
        self._notes: list[str] = []
        self.begin()

    def begin(self) -> None:
        """The next statement begins now."""
        self._began = time.monotonic()

    @contextmanager
    def of(self, connection: Connection) -> Iterator[Feedback]:
        """Take the notes that the connection gives while the body runs."""
        notify = connection.notify
        try:
            if self._level >= LINE and notify is display.note:  # not one that the user has set
                connection.notify = self._notes.append
            yield self
        finally:
            connection.notify = notify
            display.notes(self._shell, self._take_notes())

    def after(self, words: str, position: int = 1, count: int = 1) -> None:
        """Tell that a statement is complete.

        Args:
            words: What it came to, such as `3 rows changed`.
            position: Its number among the cell's statements, from 1.
            count: The number of the cell's statements.
        """
        if self._level >= LINE:
            statement = f"Statement {position}: " if count > 1 else ""
            seconds = time.monotonic() - self._began
            line = f"{statement}{words} · {duration_text(seconds)} · {self._alias}"
            display.feedback(self._shell, line, self._take_notes())

    def written(self, rows: int, path: str) -> None:
        """Tell that a file is complete."""
        size = ""
        with suppress(OSError):  # it is not on this machine
            size = f" ({bytes_text(os.stat(os.path.expanduser(path)).st_size)})"  # noqa: PTH111, PTH116 - may be a URL
        self.after(f"{count_of(rows, 'row')} written to {path}{size}")

    def _take_notes(self) -> list[str]:
        notes = self._notes[:]
        self._notes.clear()
        return notes


def rows_and_columns(rows: int, columns: int) -> str:
    """The size of a result: `96,381 rows × 6`."""
    return f"{count_of(rows, 'row')} × {columns}"
