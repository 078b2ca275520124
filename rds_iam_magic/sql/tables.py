"""The tables that a statement names, and their aliases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rds_iam_magic.sql.lexer import NAME, RUN, WORD, Token, upper
from rds_iam_magic.sql.session_use import unquoted

BEFORE_TABLES = {"FROM", "JOIN", "STRAIGHT_JOIN", "UPDATE", "INTO", "TABLE", "DESCRIBE", "DESC", "EXPLAIN"}
_NO_ALIASES = {
    "CROSS", "EXCEPT", "FOR", "FORCE", "GROUP", "HAVING", "IGNORE", "INNER", "INTERSECT", "INTO", "JOIN",
    "LEFT", "LIMIT", "LOCK", "NATURAL", "ON", "ORDER", "PARTITION", "RETURNING", "RIGHT", "SELECT", "SET",
    "STRAIGHT_JOIN", "UNION", "USE", "USING", "VALUES", "WHERE", "WINDOW",
}  # fmt: skip


class TableReference(NamedTuple):
    """A table as a statement names it; its alias is its name where it has no other."""

    schema: str
    name: str
    alias: str


def table_references(tokens: Sequence[Token]) -> Iterator[TableReference]:
    """The tables that a statement refers to, with their aliases, in its order."""
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if token.kind != WORD or upper(token.text) not in BEFORE_TABLES:
            continue
        while True:
            table, index = _table(tokens, index)
            if table is not None:
                yield table
            # A comma is followed by another table; a subquery is found by its own FROM.
            if table is None or _text(tokens, index) != ",":
                break
            index += 1


def _table(tokens: Sequence[Token], index: int) -> tuple[TableReference | None, int]:
    """The table whose name begins at this token, and the index after it and its alias.

    A derived table whose subquery was left out, `() alias`, has its alias for a name, too.
    """
    if _text(tokens, index).upper() == "LATERAL":
        index += 1
    if _text(tokens, index) == "(" and _text(tokens, index + 1) == ")":
        index += 3 if _text(tokens, index + 2).upper() == "AS" else 2
    elif not _is_name(tokens, index):
        return None, index
    if not _is_name(tokens, index) or _text(tokens, index).upper() in _NO_ALIASES:
        return None, index
    schema, name = "", unquoted(tokens[index])
    index += 1
    if _text(tokens, index) == "." and _is_name(tokens, index + 1):
        schema, name = name, unquoted(tokens[index + 1])
        index += 2
    if _text(tokens, index).upper() == "AS":
        index += 1
    alias = name
    if _is_name(tokens, index) and _text(tokens, index).upper() not in _NO_ALIASES:
        alias = unquoted(tokens[index])
        index += 1
    return TableReference(schema, name, alias), index


def _is_name(tokens: Sequence[Token], index: int) -> bool:
    return index < len(tokens) and tokens[index].kind in {WORD, NAME}


def _text(tokens: Sequence[Token], index: int) -> str:
    if index >= len(tokens):
        return ""
    text = tokens[index].text
    return text.strip() if tokens[index].kind == RUN else text


def common_tables(tokens: Sequence[Token]) -> list[str]:
    """The names of the common table expressions: `WITH name AS (…), other (column, …) AS (…)`."""
    if not tokens or tokens[0].kind != WORD or upper(tokens[0].text) != "WITH":
        return []
    names = []
    for index in range(1, len(tokens) - 1):
        if not _is_name(tokens, index) or upper(tokens[index].text) == "RECURSIVE":
            continue
        before = _text(tokens, index - 1)
        if not (before.endswith(",") or before.upper() in ("WITH", "RECURSIVE")):
            continue
        after = _behind_columns(tokens, index + 1)
        if _text(tokens, after).upper() == "AS" and _text(tokens, after + 1).startswith("("):
            names.append(unquoted(tokens[index]))
    return names


def _behind_columns(tokens: Sequence[Token], index: int) -> int:
    """The index behind `(column, …)`, if that begins here."""
    if _text(tokens, index) != "(":
        return index
    while index < len(tokens) and not _text(tokens, index).startswith(")"):
        index += 1
    return index + 1
