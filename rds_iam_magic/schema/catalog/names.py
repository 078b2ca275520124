"""`Names`: many names, to be found by how they begin. A million of them take one text, and milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_SEPARATOR = "\0"  # no name of MySQL's has it: https://dev.mysql.com/doc/refman/8.4/en/identifiers.html
_CASE = "\1"


class Names:
    """Names, each once, in the order given.

    They are one text, which `str.find` searches at the speed of memory: an index by prefix would take seconds to make
    and ten times the space.
    """

    __slots__ = ("_text",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        unique = dict.fromkeys(names)
        self._text = _SEPARATOR.join(["", *map(_entry, unique), ""]) if unique else ""

    def beginning(self, prefix: str, most: int) -> list[str]:
        """The first names that begin so, ignoring case; at most so many."""
        return list(self._found(prefix, most))

    def __iter__(self) -> Iterator[str]:
        return self._found("", len(self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def _found(self, prefix: str, most: int) -> Iterator[str]:
        wanted = _SEPARATOR + prefix.lower()
        at = self._text.find(wanted)
        while at >= 0 and most > 0:
            end = self._text.find(_SEPARATOR, at + 1)
            if end < 0:  # the last separator ends the last name
                return
            lowered, _, name = self._text[at + 1 : end].partition(_CASE)
            yield name or lowered
            most -= 1
            at = self._text.find(wanted, end)


def _entry(name: str) -> str:
    lowered = name.lower()
    return name if name == lowered else f"{lowered}{_CASE}{name}"
