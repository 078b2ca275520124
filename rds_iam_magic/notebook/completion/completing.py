"""`Completing`: completion in one shell, from loading the extension to unloading it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rds_iam_magic.notebook.completion.install import install
from rds_iam_magic.notebook.completion.suggestion import Suggestions

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.completion.completer import MagicCompleter


class Completing:
    """Completion in a shell, between `begin` and `end`.

    Args:
        shell: The shell.
        connections: The held connections, by alias.
    """

    def __init__(self, shell: InteractiveShell, connections: Mapping[str, Connection]) -> None:
        self._shell = shell
        self._connections = connections
        self._completer: MagicCompleter | None = None
        self._undo: Callable[[], None] | None = None

    def begin(self) -> None:
        """Answer in the magics' lines and cells from now on."""
        self._undo = install(self._shell, self._complete)

    def end(self) -> None:
        """Leave all of them to IPython again."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()

    def _complete(self, cell: str, offset: int) -> Suggestions | None:
        if "%rds_" not in cell:  # as most cells: nothing is imported for them
            return None
        if self._completer is None:
            from rds_iam_magic.notebook.completion.completer import MagicCompleter

            self._completer = MagicCompleter(self._shell, self._connections)
        return self._completer.complete(cell, offset)
