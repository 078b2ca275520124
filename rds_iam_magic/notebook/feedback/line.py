"""`Feedback`: what a cell tells beside its results: a line after each statement, with the notes on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rds_iam_magic.notebook.feedback.progress import RunningLine
from rds_iam_magic.notebook.showing import display
from rds_iam_magic.wording import bytes_text, count_of, duration_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.showing.display import RowCount

NOTHING, LINE, PROGRESS = 0, 1, 2
"""`%config RdsIamMagics.feedback`: notes only; a line after each statement too; progress of a long one too."""


class Feedback:
    """The feedback of one cell. A line stands before its result, since a cell's value is shown after all else.

    Notes are held back until the line that they belong to, or told at once if there is none, or a running one is shown.

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
        self._running = RunningLine(self._shell, self._alias)

    @contextmanager
    def of(self, connection: Connection) -> Iterator[Feedback]:
        """Take the notes that the connection gives while the body runs, and show its progress."""
        notify, watch = connection.notify, connection.watch
        try:
            if self._level >= LINE and notify is display.note:  # not one that the user has set
                connection.notify = self._note
            if self._level >= PROGRESS:
                connection.watch = lambda progress: self._running.watch(progress)
            yield self
        except KeyboardInterrupt:
            self._running.end("stopped")
            raise
        except BaseException:
            self._running.end("failed")
            raise
        finally:
            connection.notify, connection.watch = notify, watch
            display.notes_alone(self._shell, self._take_notes())

    def after(self, words: str, position: int = 1, count: int = 1) -> None:
        """Tell that a statement is complete.

        Args:
            words: What it came to, such as `3 rows changed`.
            position: Its number among the cell's statements, from 1.
            count: The number of the cell's statements.
        """
        if self._level >= LINE:
            statement = f"Statement {position}: " if count > 1 else ""
            line = f"{statement}{words} · {duration_text(self._running.elapsed)} · {self._alias}"
            self._running.finish(line, self._take_notes())

    def tells(self, count: RowCount) -> None:
        """The cell's value is a count that a line tells: a notebook need not show it a second time."""
        if self._level >= LINE and not display.in_terminal(self._shell):
            count.told_in = self._shell.execution_count

    def written(self, rows: int, path: str) -> None:
        """Tell that a file is complete."""
        size = ""
        with suppress(OSError):  # it is not on this machine
            size = f" ({bytes_text(os.stat(os.path.expanduser(path)).st_size)})"  # noqa: PTH111, PTH116 - may be a URL
        self.after(f"{count_of(rows, 'row')} written to {path}{size}")

    def _note(self, text: str) -> None:
        if self._running.shown:
            self._running.note(text)
        elif text not in self._notes:  # several statements of ours may have the same
            self._notes.append(text)

    def _take_notes(self) -> list[str]:
        notes = self._notes[:]
        self._notes.clear()
        return notes


def rows_and_columns(rows: int, columns: int) -> str:
    """The size of a result: `96,381 rows × 6`."""
    return f"{count_of(rows, 'row')} × {columns}"
