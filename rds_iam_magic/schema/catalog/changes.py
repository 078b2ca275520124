"""Whether a cell may have changed what a server has: tables, schemas, routines. Text only."""

from __future__ import annotations

import re

_CHANGE = re.compile(
    r"\b(?:create|alter|drop|rename|import)\s+(?:or\s+replace\s+|unique\s+|fulltext\s+|definer\s*=\s*\S+\s+|"
    r"sql\s+security\s+\w+\s+|algorithm\s*=\s*\w+\s+|aggregate\s+)*"
    r"(?:tables?|view|database|schema|index|procedure|function)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"`([^`]+)`|([^\W\d][\w$]*|\d\w+)")


def words_of_change(cell: str) -> set[str]:
    """The words of a cell that may change what a server has, in lower case; none if it seems to change nothing.

    The cell may as well be Python that holds the statement.
    """
    if _CHANGE.search(cell) is None:
        return set()
    return {(quoted or word).lower() for quoted, word in _WORD.findall(cell)}
