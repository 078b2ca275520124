"""`Completing`: completion in one shell, from loading the extension to unloading it, and the connections' catalogs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rds_iam_magic.notebook.completion.install import install
from rds_iam_magic.notebook.completion.suggestion import Suggestions

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.completion.completer import MagicCompleter
    from rds_iam_magic.notebook.completion.filling import CatalogFilling
    from rds_iam_magic.notebook.queries.saved import SavedQueries
    from rds_iam_magic.schema.catalog.catalog import Catalog


class Completing:
    """Completion in a shell, between `begin` and `end`.

    Args:
        shell: The shell.
        connections: The held connections, by alias.
        current: Returns the current connection's alias, or None.
        reads: Returns whether the servers may be asked for what they have.
        queries: The saved queries.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        connections: Mapping[str, Connection],
        current: Callable[[], str | None],
        reads: Callable[[], bool],
        queries: SavedQueries,
    ) -> None:
        self._shell = shell
        self._connections = connections
        self._current = current
        self._reads = reads
        self._queries = queries
        self._completer: MagicCompleter | None = None
        self._fillings: dict[int, CatalogFilling] = {}  # by the connection's id(), while it is held
        self._undo: Callable[[], None] | None = None
        self._beside: set[str] = set()

    def begin(self) -> None:
        """Answer in the magics' lines and cells from now on."""
        self._undo = install(self._shell, self._complete)
        self._shell.events.register("post_run_cell", self._ran)

    def end(self) -> None:
        """Leave all of them to IPython again."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()
            self._shell.events.unregister("post_run_cell", self._ran)
        for filling in list(self._fillings.values()):
            filling.stop()
        self._fillings.clear()

    def connected(self, connection: Connection) -> None:
        """Read what the connection's server has, in the background; where nobody types, when first asked."""
        if self._reads() and may_be_typed_in(self._shell):
            self._filling_of(connection).refresh()

    def runs(self, sql: str) -> None:
        """Take note of SQL that the running cell takes from a file: it may change what there is, too."""
        from rds_iam_magic.schema.catalog.changes import words_of_change

        self._beside |= words_of_change(sql)

    def closed(self, connection: Connection) -> None:
        """Forget it; a reading that is under way is ended."""
        filling = self._fillings.pop(id(connection), None)
        if filling is not None:
            filling.stop()

    def catalog_of(self, connection: Connection) -> Catalog:
        """What is known of the connection's server; reading begins if it has not yet."""
        filling = self._filling_of(connection)
        if not filling.asked and self._reads():
            filling.refresh()
        return filling.catalog

    def _filling_of(self, connection: Connection) -> CatalogFilling:
        from rds_iam_magic.notebook.completion.filling import CatalogFilling

        return self._fillings.setdefault(id(connection), CatalogFilling(connection))

    def _ran(self, result: ExecutionResult) -> None:
        """After each cell: what it may have changed is read again, and what is old, once the database was used."""
        beside, self._beside = self._beside, set()
        if not self._fillings or not self._reads():
            return
        from rds_iam_magic.schema.catalog.changes import words_of_change

        cell = str(getattr(result.info, "raw_cell", None) or "")
        changed = words_of_change(cell) | beside
        if not changed and "%rds_" not in cell:
            return
        for alias, connection in list(self._connections.items()):
            filling = self._fillings.get(id(connection))
            if filling is None or not filling.asked or not (alias == self._current() or alias in cell):
                continue
            if changed:
                filling.refresh(changed)
            elif filling.old:
                filling.refresh()

    def _complete(self, cell: str, offset: int) -> Suggestions | None:
        if "%rds_" not in cell:  # as most cells: nothing is imported for them
            return None
        if self._completer is None:
            from rds_iam_magic.notebook.completion.completer import MagicCompleter

            self._completer = MagicCompleter(
                self._shell, self._connections, self._current, self.catalog_of, self._queries
            )
        return self._completer.complete(cell, offset)


def may_be_typed_in(shell: InteractiveShell) -> bool:
    """Whether somebody may type into a shell: not where a notebook is run without input, as nbclient does it."""
    kernel = getattr(shell, "kernel", None)
    return kernel is None or bool(getattr(kernel, "_allow_stdin", True))
