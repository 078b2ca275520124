"""The subqueries of a statement, for completion: which tables are in reach of a place, and what columns they give.

A subquery sees the tables around it; what is around it sees none of the subquery's own, only its columns: of a common
table expression or a derived table by its name (https://dev.mysql.com/doc/refman/8.4/en/with.html,
https://dev.mysql.com/doc/refman/8.4/en/derived-tables.html). Nothing here is an error: a text may be half written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rds_iam_magic.sql.lexer import NAME, RUN, WORD, Token, upper
from rds_iam_magic.sql.session_use import unquoted
from rds_iam_magic.sql.tables import TableReference, table_references

_PART = re.compile(r"""'[^'\\]*(?:\\.[^'\\]*)*'?|"[^"\\]*(?:\\.[^"\\]*)*"?|\d+(?:\.\d*)?|\S""", re.DOTALL)
_BEGINS = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})
_TABLES_FOLLOW = frozenset({"FROM", "JOIN", "STRAIGHT_JOIN", "LATERAL", "UPDATE"})
_BEFORE_COLUMNS = frozenset({
    "ALL", "DISTINCT", "DISTINCTROW", "HIGH_PRIORITY", "SQL_BIG_RESULT", "SQL_BUFFER_RESULT", "SQL_CACHE",
    "SQL_CALC_FOUND_ROWS", "SQL_NO_CACHE", "SQL_SMALL_RESULT", "STRAIGHT_JOIN",
})  # fmt: skip
_AFTER_COLUMNS = frozenset({
    "EXCEPT", "FOR", "FROM", "GROUP", "HAVING", "INTERSECT", "INTO", "LIMIT", "ORDER", "UNION", "WHERE", "WINDOW",
})  # fmt: skip
# Behind these words a name is a value, not an alias; nor are these themselves.
_IN_EXPRESSIONS = frozenset({
    "AND", "BETWEEN", "BINARY", "CASE", "COLLATE", "DIV", "ELSE", "END", "ESCAPE", "FALSE", "IN", "INTERVAL", "IS",
    "LIKE", "MOD", "NOT", "NULL", "OR", "REGEXP", "RLIKE", "THEN", "TRUE", "UNKNOWN", "WHEN", "XOR",
})  # fmt: skip


class Star(NamedTuple):
    """`*` or `name.*` in a list of columns: all that the tables have."""

    tables: tuple[TableReference, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is in reach of a place in a statement.

    Attributes:
        tables: The tables of the innermost SELECT or other statement around the place, in its order.
        outer: Those of the statements around that one, the nearest first.
        columns: By name in lower case, what the common table expressions and derived tables give.
    """

    tables: tuple[TableReference, ...]
    outer: tuple[TableReference, ...]
    columns: dict[str, tuple[str | Star, ...]]


def scope_of(before: Iterable[Token], after: Iterable[Token]) -> Scope:
    """The scope of a place between two sequences of tokens of a statement."""
    tokens = list(_parts(before))
    at = len(tokens)
    tokens += _parts(after)
    groups = _groups(tokens)
    columns = {}
    for begin, end in groups.items():
        name, listed = _name_of(tokens, begin, end)
        if name:
            inside = _alone(tokens, begin + 1, end, groups)
            columns[name.lower()] = tuple(listed or _columns_of(inside))
    levels: list[tuple[TableReference, ...]] = []
    around = [(begin, end) for begin, end in groups.items() if begin < at <= end]
    for begin, end in reversed(around):
        levels.append(tuple(table_references(_alone(tokens, begin + 1, end, groups))))
        if not _is_correlated(tokens, begin):
            break
    else:
        levels.append(tuple(table_references(_alone(tokens, 0, len(tokens), groups))))
    own = {_name_of(tokens, begin, end)[0] for begin, end in around}  # a subquery does not see itself
    outer = tuple(table for level in levels[1:] for table in level if table.alias not in own)
    return Scope(levels[0], outer, columns)


def _parts(tokens: Iterable[Token]) -> Iterator[Token]:
    """The tokens, with each literal and each other character of a run as a token of its own."""
    for token in tokens:
        if token.kind != RUN:
            yield token
        else:
            for part in _PART.finditer(token.text):
                yield Token(RUN, part[0], token.start + part.start(), token.start + part.end())


def _groups(tokens: Sequence[Token]) -> dict[int, int]:
    """Where each subquery in parentheses begins and ends, in their order; one that is not closed ends with the text."""
    found, stack = {}, []
    for index, token in enumerate(tokens):
        if token.kind == RUN and token.text == "(":
            stack.append(index)
            if _is_word(tokens, index + 1, _BEGINS):
                found[index] = len(tokens)
        elif token.kind == RUN and token.text == ")" and stack:
            begin = stack.pop()
            if begin in found:
                found[begin] = index
    return found


def _alone(tokens: Sequence[Token], begin: int, end: int, groups: dict[int, int]) -> list[Token]:
    """The tokens between two places, without those in the parentheses of subqueries."""
    kept = []
    index = begin
    while index < end:
        kept.append(tokens[index])
        index = min(groups.get(index, index + 1), end)
    return kept


def _name_of(tokens: Sequence[Token], begin: int, end: int) -> tuple[str, list[str]]:
    """The name of a subquery, or "", and the columns that are listed behind the name."""
    if _is_word(tokens, begin - 1, {"AS"}):  # name AS (…), name (column, …) AS (…)
        index = begin - 2
        listed: list[str] = []
        if _text(tokens, index) == ")":
            while index >= 0 and _text(tokens, index) != "(":
                index -= 1
            listed, index = _list_at(tokens, index), index - 1
        return (unquoted(tokens[index]), listed) if _is_name(tokens, index) else ("", [])
    index = end + (2 if _is_word(tokens, end + 1, {"AS"}) else 1)
    if not _follows_from(tokens, begin) or not _is_name(tokens, index):
        return "", []
    return unquoted(tokens[index]), _list_at(tokens, index + 1)


def _follows_from(tokens: Sequence[Token], begin: int) -> bool:
    """Whether what begins here is a table: behind FROM or JOIN, or the comma behind another table."""
    if _is_word(tokens, begin - 1, _TABLES_FOLLOW):
        return True
    depth = 0
    for index in range(begin - 1, -1, -1):
        text = _text(tokens, index)
        depth += (text == ")") - (text == "(")
        if depth < 0 or (depth == 0 and _is_word(tokens, index, {"SELECT", "WHERE", "BY", "SET", "ON", "HAVING"})):
            return False
        if depth == 0 and _is_word(tokens, index, {"FROM"}):
            return _text(tokens, begin - 1) == ","
    return False


def _is_correlated(tokens: Sequence[Token], begin: int) -> bool:
    """Whether a subquery may use the columns of what is around it: common tables and most derived ones may not."""
    return not _is_word(tokens, begin - 1, {"AS", *(_TABLES_FOLLOW - {"LATERAL"})})


def _list_at(tokens: Sequence[Token], index: int) -> list[str]:
    """The names in the parentheses that begin here, if they do."""
    names: list[str] = []
    separator = "("
    while _text(tokens, index) == separator and _is_name(tokens, index + 1):
        names.append(unquoted(tokens[index + 1]))
        index, separator = index + 2, ","
    return names


def _columns_of(tokens: Sequence[Token]) -> Iterator[str | Star]:
    """The columns that a query gives, whose subqueries are left out: the names that can be read from its text."""
    tables = tuple(table_references(tokens))
    if _is_word(tokens, 0, {"TABLE"}):
        yield Star(tables)
        return
    index = next((index for index in range(len(tokens)) if _is_word(tokens, index, {"SELECT"})), len(tokens)) + 1
    while _is_word(tokens, index, _BEFORE_COLUMNS):
        index += 1
    begin, depth = index, 0
    for end in range(index, len(tokens) + 1):
        text = _text(tokens, end)
        is_over = end == len(tokens) or (depth == 0 and _is_word(tokens, end, _AFTER_COLUMNS))
        if is_over or (depth == 0 and text == ","):
            column = _column(tokens[begin:end], tables)
            if column:
                yield column
            begin = end + 1
        if is_over:
            return
        depth += (text == "(") - (text == ")")


def _column(tokens: Sequence[Token], tables: tuple[TableReference, ...]) -> str | Star | None:
    """The name of one column; None if the server makes one up."""
    if _text(tokens, len(tokens) - 1) == "*":
        if len(tokens) == 1:
            return Star(tables)
        if _text(tokens, len(tokens) - 2) != "." or not _is_name(tokens, len(tokens) - 3):
            return None
        alias = unquoted(tokens[-3]).lower()
        return Star(tuple(table for table in tables if table.alias.lower() == alias))
    if not tokens or not _is_name(tokens, len(tokens) - 1) or _is_word(tokens, len(tokens) - 1, _IN_EXPRESSIONS):
        return None
    name = unquoted(tokens[-1])
    before = len(tokens) - 2
    if before < 0 or _is_word(tokens, before, {"AS"}):
        return name
    if _text(tokens, before) == ".":
        dotted = all(_text(tokens, place) == "." for place in range(1, len(tokens), 2))
        return name if dotted else None
    is_alias = _is_name(tokens, before) or _text(tokens, before)[-1:] in ")'\"0123456789."
    return (
        name if is_alias and not _is_word(tokens, before, _IN_EXPRESSIONS - {"END", "FALSE", "NULL", "TRUE"}) else None
    )


def _is_name(tokens: Sequence[Token], index: int) -> bool:
    return 0 <= index < len(tokens) and tokens[index].kind in (WORD, NAME)


def _is_word(tokens: Sequence[Token], index: int, words: Iterable[str]) -> bool:
    return 0 <= index < len(tokens) and tokens[index].kind == WORD and upper(tokens[index].text) in words


def _text(tokens: Sequence[Token], index: int) -> str:
    return tokens[index].text if 0 <= index < len(tokens) else ""
