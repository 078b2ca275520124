"""Where in a cell the cursor is: on the line of which magic, or in the SQL below it. No I/O."""

from __future__ import annotations

import re
from typing import NamedTuple

from rds_iam_magic.notebook.grammar import Grammar
from rds_iam_magic.notebook.grammars import GRAMMARS

_BY_NAME = {grammar.magic.lstrip("%"): grammar for grammar in GRAMMARS}
_NAME = rf"({'|'.join(_BY_NAME)})"
# Magics that run the cell below them, our own among others.
_CELL = re.compile(rf"\s*(?:%%(?:time|timeit|capture|prun)\b[^\n]*\n\s*)*%%{_NAME}(?![\w.])")
_LINE = re.compile(rf"[ \t]*(?:[^\s=%#'\"][^=%#'\"]*=[ \t]*)?%{_NAME}(?![\w.])")


class Place(NamedTuple):
    """Where the cursor is.

    Attributes:
        grammar: That of the magic.
        text: The rest of the magic's line behind its name, or the cell's body.
        start: The offset of `text` in the cell.
        at: The cursor's offset in `text`.
        is_body: Whether `text` is the cell's body.
        is_cell: Whether it is a cell magic.
    """

    grammar: Grammar
    text: str
    start: int
    at: int
    is_body: bool
    is_cell: bool


def place_of(cell: str, offset: int) -> Place | None:
    """Where an offset in a cell is; None outside of our magics, and on their names."""
    if "%rds_" not in cell:
        return None
    match = _CELL.match(cell)
    if match is not None:
        end = cell.find("\n", match.end())
        end = len(cell) if end < 0 else end
        if offset > end:
            return Place(_grammar(match), cell[end + 1 :], end + 1, offset - end - 1, is_body=True, is_cell=True)
        return _on_line(cell, match, end, offset, is_cell=True)
    begin = cell.rfind("\n", 0, offset) + 1
    end = cell.find("\n", offset)
    match = _LINE.match(cell, begin, len(cell) if end < 0 else end)
    return None if match is None else _on_line(cell, match, len(cell) if end < 0 else end, offset, is_cell=False)


def _on_line(cell: str, match: re.Match[str], end: int, offset: int, *, is_cell: bool) -> Place | None:
    start = match.end()
    if offset <= start:
        return None
    return Place(_grammar(match), cell[start:end], start, offset - start, is_body=False, is_cell=is_cell)


def _grammar(match: re.Match[str]) -> Grammar:
    return _BY_NAME[match[1]]
