"""`Names`: many names, to be found by how they begin. A million take 20 MB, and microseconds to look in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice

_SEPARATOR = "\0"  # no name of MySQL's has it: https://dev.mysql.com/doc/refman/8.4/en/identifiers.html
_CASE = "\1"
_BLOCK = 256
_SORTED_AT_ONCE = 20_000
"""Sorting holds Python's other threads up: so many names for a few milliseconds."""


class Names:
    """Names, each once, in alphabetical order without regard to case.

    They are kept in blocks, each of them one text: as objects of their own they would take five times the space.
    """

    __slots__ = ("_blocks", "_firsts")

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._firsts: list[str] = []
        self._blocks: list[str] = []
        entries = _sorted_entries(dict.fromkeys(names))
        while block := list(islice(entries, _BLOCK)):
            self._firsts.append(block[0].partition(_CASE)[0])
            self._blocks.append(_SEPARATOR.join(block))

    def beginning(self, prefix: str, most: int) -> list[str]:
        """The first names that begin so, ignoring case; at most so many."""
        return list(islice(self._found(prefix.lower()), most))

    def __iter__(self) -> Iterator[str]:
        return self._found("")

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def _found(self, prefix: str) -> Iterator[str]:
        block = max(0, bisect_left(self._firsts, prefix) - 1)
        for text in islice(self._blocks, block, None):
            for entry in text.split(_SEPARATOR):
                lowered, _, name = entry.partition(_CASE)
                if lowered.startswith(prefix):
                    yield name or lowered
                elif lowered > prefix:
                    return


def _sorted_entries(names: dict[str, None]) -> Iterator[str]:
    """Each name in lower case, with the name itself behind if that is another."""
    entries = ((name if name == (lowered := name.lower()) else f"{lowered}{_CASE}{name}") for name in names)
    chunks = []
    while chunk := list(islice(entries, _SORTED_AT_ONCE)):
        chunk.sort()
        chunks.append(chunk)
    return merge(*chunks)
