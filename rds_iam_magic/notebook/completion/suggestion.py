"""`Suggestions`: what may be written at the cursor instead of what begins there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

MOST = 500
"""How many are given at most; IPython shows no more."""


class Suggestion(NamedTuple):
    """A text, and what it is: `option`, `column`, `table`, `keyword`, …, as the front end shows beside it."""

    text: str
    kind: str


class Suggestions(NamedTuple):
    """The offset from which the text up to the cursor is replaced, and by what: the likeliest first."""

    start: int
    items: list[Suggestion]

    def shifted(self, by: int) -> Suggestions:
        """The same for a text in which this one begins at that offset."""
        return Suggestions(self.start + by, self.items)


def first_of(suggestions: Iterable[Suggestion], most: int = MOST) -> list[Suggestion]:
    """The first ones, each text once; none that would control a terminal."""
    return list(_once(suggestions, most))


def _once(suggestions: Iterable[Suggestion], most: int) -> Iterator[Suggestion]:
    seen: set[str] = set()
    for suggestion in suggestions:
        if len(seen) == most:
            return
        if suggestion.text not in seen and suggestion.text.isprintable():
            seen.add(suggestion.text)
            yield suggestion


def begins(text: str, fragment: str) -> bool:
    """Whether a text begins with what was typed, ignoring case."""
    return text[: len(fragment)].lower() == fragment.lower()
