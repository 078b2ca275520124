"""`MagicCompleter`: completes the magics' lines and cells from what the shell, the connections and files know.

It may be asked on any thread, while a cell runs on another one, and never waits for a database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.completion import aws_names
from rds_iam_magic.notebook.completion.cell import Place, place_of
from rds_iam_magic.notebook.completion.files import paths_at
from rds_iam_magic.notebook.completion.magic_line import alias_on, complete_line, queries_on, sql_start
from rds_iam_magic.notebook.completion.sql_body import Surroundings, complete_sql
from rds_iam_magic.notebook.completion.suggestion import Suggestion, Suggestions, first_of
from rds_iam_magic.notebook.completion.used_before import earlier_cells, merged, used_in
from rds_iam_magic.notebook.frames.variables import is_frame
from rds_iam_magic.notebook.grammars import PLOT
from rds_iam_magic.notebook.variables import bindable
from rds_iam_magic.schema.catalog.catalog import Catalog, SchemaNames
from rds_iam_magic.schema.names import parse_table, take_name
from rds_iam_magic.sections import read_section, section_names

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.queries.saved import SavedQueries

_THIS_SESSION = 500
"""How many of the session's last cells are looked at."""


class MagicCompleter:
    """Completes the magics' lines and cells of one shell.

    Args:
        shell: The shell.
        connections: The held connections, by alias.
        current: Returns the current connection's alias, or None.
        catalog_of: Returns what is known of a connection's server, and never waits.
        queries: The saved queries.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        connections: Mapping[str, Connection],
        current: Callable[[], str | None],
        catalog_of: Callable[[Connection], Catalog],
        queries: SavedQueries,
    ) -> None:
        self._shell = shell
        self._connections = connections
        self._current = current
        self._catalog_of = catalog_of
        self._queries = queries
        self._earlier: dict[str, list[str]] | None = None

    def complete(self, cell: str, offset: int) -> Suggestions | None:
        """What may be written at an offset of a cell; None where it is Python's."""
        place = place_of(cell, offset)
        if place is None:
            return None
        try:
            return self._at(place, cell).shifted(place.start)
        except Exception:  # noqa: BLE001 - IPython would print a traceback into the cell that is being typed
            return Suggestions(offset, [])

    def _at(self, place: Place, cell: str) -> Suggestions:
        aliases = list(self._connections)
        line = cell[: place.start].rstrip("\n").rpartition("\n")[2].partition(f"{_name(place)}")[2]
        alias = alias_on(place.grammar, line if place.is_body else place.text, aliases)
        around = self._around(alias)
        if place.is_body:
            return self._in_sql(place.text, place.at, queries_on(place.grammar, line), around)

        before = place.text[: place.at]

        def known(key: str) -> Sequence[Suggestion]:
            if key == "column" and place.grammar is PLOT and (columns := _columns_of_first(before, around)):
                return columns
            return paths_at(before) if key == "path" else self._known(key, around)

        on_line = complete_line(place.grammar, before, known, is_cell=place.is_cell)
        start = None if place.is_cell else sql_start(place.grammar, before, aliases)
        if start is None:
            return on_line
        queries = queries_on(place.grammar, place.text[:start])
        in_sql = self._in_sql(place.text[start:], place.at - start, queries, around).shifted(start)
        same = on_line.items if on_line.start == in_sql.start else []  # an alias may stand there, too
        return Suggestions(in_sql.start, first_of([*same, *in_sql.items]))

    def _in_sql(self, sql: str, at: int, queries: Sequence[str], around: Surroundings) -> Suggestions:
        """What may be written at an offset of SQL, with the saved queries that it reads from put before it.

        Not before a WITH of its own, which they would have to become a part of.
        """
        found = [f"`{name}` AS (\n{self._queries.find(name).sql}\n)" for name in queries if name in self._queries]
        before = f"WITH {', '.join(found)}\n" if found and not re.match(r"\s*WITH\b", sql, re.IGNORECASE) else ""
        return complete_sql(before + sql, len(before) + at, around).shifted(-len(before))

    def _around(self, alias: str | None) -> Surroundings:
        """What is known around SQL for the connection with that alias, or the current one."""
        connection = self._connections.get(alias or self._current() or "")
        if connection is None:
            return Surroundings(Catalog(), variables=self.variables())
        return Surroundings(self._catalog_of(connection), connection.database, self.variables())

    def _known(self, key: str, around: Surroundings) -> Sequence[Suggestion]:
        """The values for a key, the likeliest first."""
        if key in ("table", "column"):
            schema = around.catalog.schema(around.database) or SchemaNames()
            return [Suggestion(name, key) for name in (schema.tables if key == "table" else schema.all_columns)]
        if key == "alias":
            return [Suggestion(alias, "connection") for alias in reversed(list(self._connections))]
        if key == "query":
            return [Suggestion(name, "query") for name in self._queries]
        if key == "variable":
            return [Suggestion(name, "variable") for name in self.variables()]
        if key == "frame":
            held = self._shell.user_ns
            return [Suggestion(name, "variable") for name in self.variables() if is_frame(held.get(name))]
        used = self._used().get(key, ())
        if key == "profile":
            return _values([*used, *aws_names.profiles()], "profile")
        if key == "region":
            return _values([*used, *aws_names.regions()], "region")
        if key == "section":
            return _values([*section_names(), *used], "section")
        return _values(used, key)

    def variables(self) -> list[str]:
        """The notebook's own variables, the last one first."""
        names = bindable(self._shell)
        return [name for name in reversed(names) if not name.startswith("_")]

    def _used(self) -> Mapping[str, Sequence[str]]:
        """What was used before: in this session, in earlier ones, and in the sections' file."""
        history = self._shell.history_manager
        if history is None:
            return _of_sections()
        if self._earlier is None:
            self._earlier = used_in(earlier_cells(history.hist_file)) if history.enabled else {}
        cells = reversed(history.input_hist_raw[-_THIS_SESSION:])
        return merged(used_in(cells), self._earlier, _of_sections())


def _name(place: Place) -> str:
    return place.grammar.magic.lstrip("%")


def _columns_of_first(line: str, around: Surroundings) -> list[Suggestion]:
    """The columns of the table that a line's first word names; none if it is not known."""
    try:
        table = parse_table(take_name(line)[0])
    except OptionError:
        return []
    schema = around.catalog.schema(table.schema or around.database) or SchemaNames()
    return [Suggestion(name, "column") for name in schema.columns_of(table.name)]


def _values(texts: Sequence[str], kind: str) -> list[Suggestion]:
    return [Suggestion(text, kind) for text in dict.fromkeys(texts)]


def _of_sections() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in section_names():
        with suppress(OptionError):
            for key, value in read_section(name).items():
                if isinstance(value, str):
                    found.setdefault(key, []).append(value)
    return found
