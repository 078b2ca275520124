"""`SavedQueries`: queries kept under names, for other statements to read from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import near

if TYPE_CHECKING:
    from rds_iam_magic.notebook.options import SqlLine

_NAME = re.compile(r"(?!\d+\Z)[\w$]{1,64}")


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A query as it was written; its parameters and templates are filled in when it is used.

    Attributes:
        sql: Its text.
        jinja: Whether it is a template.
        uses: The saved queries that it reads from, by name.
        frames: The variables of the frames that it reads from, by the names of their temporary tables.
    """

    sql: str
    jinja: bool
    uses: tuple[str, ...]
    frames: Mapping[str, str]


class SavedQueries:
    """The saved queries of a shell; they are gone with it."""

    def __init__(self) -> None:
        self._kept: dict[str, SavedQuery] = {}

    def __iter__(self) -> Iterator[str]:
        """The names, the one saved last coming first."""
        return reversed(list(self._kept))

    def find(self, name: str) -> SavedQuery:
        """The query of that name.

        Raises:
            OptionError: There is none.
        """
        if name not in self._kept:
            guess = near(name, self._kept)
            hints = [f"Did you mean {guess}?"] if guess else []
            hints += [f"Saved: {', '.join(self)}."] if self._kept else ["Save one: %%rds_sql --save NAME."]
            hints += [f"A DataFrame is written --with {name}=DF."]
            raise OptionError(f"There is no saved query {name!r}.", " ".join(hints), cause="saved-unknown")
        return self._kept[name]

    def frames_of(self, queries: Iterable[str], own: Mapping[str, str]) -> dict[str, str]:
        """Frames of one's own, and those that queries read from, also by other queries.

        Raises:
            OptionError: Two of them have the same name.
        """
        frames = dict(own)
        for name in queries:
            query = self.find(name)
            for table, variable in self.frames_of(query.uses, query.frames).items():
                if frames.setdefault(table, variable) != variable:
                    raise OptionError(f"The query {name} reads from another frame {table}.", "Rename one of them.")
        return frames

    def check(self, line: SqlLine) -> None:
        """Refuse what cannot be saved, before it runs.

        Raises:
            OptionError: The name is no name, or the query would read from itself.
        """
        name = str(line.save)
        if not _NAME.fullmatch(name):
            raise OptionError(f"{name!r} cannot be the name of a saved query.", cause="saved-name-invalid")
        if not line.bind:
            raise OptionError(
                "A saved query is bound when it is used, so --no-bind has no meaning for it.",
                "Write \\:name where the SQL itself means a colon.",
            )
        path = next((way for used in line.queries if (way := self._way(used, name))), None)
        if path:
            raise OptionError(
                f"The query {name} would read from itself: {' → '.join([name, *path])}.", cause="saved-cycle"
            )

    def _way(self, start: str, end: str) -> list[str]:
        """The way from one query to another by those that each uses; empty if there is none."""
        if start == end:
            return [start]
        for used in self.find(start).uses:
            way = self._way(used, end)
            if way:
                return [start, *way]
        return []

    def keep(self, name: str, query: SavedQuery) -> bool:
        """Keep a query; return whether it takes the place of another one."""
        before = self._kept.pop(name, query)
        self._kept[name] = query
        return before != query

    def listing(self) -> str:
        """A line for each query: its name, and how it begins."""
        if not self._kept:
            return "No query is saved. Save one: %%rds_sql --save NAME."
        width = max(map(len, self._kept))
        return "\n".join(f"{name:<{width}}  {_beginning(query.sql, 80 - width)}" for name, query in self._kept.items())


def _beginning(sql: str, width: int) -> str:
    words = " ".join(sql.split())
    return words if len(words) <= width else f"{words[: width - 2]} …"
