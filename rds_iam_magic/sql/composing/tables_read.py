"""The tables that a query may read from: rather a name too many, such as that of a function, than one too few.

What is put into a statement under the name of a table takes its place, so no way to name one may be overlooked: behind
commas and subqueries, in parentheses, in `{OJ …}`, in executable comments, in double quotes (ANSI_QUOTES).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rds_iam_magic.sql.lexer import NAME, RUN, WORD, tokenize, upper
from rds_iam_magic.sql.session_use import unquoted

_BEGINS_LIST = {"FROM", "JOIN", "STRAIGHT_JOIN", "TABLE"}
_ENDS_LIST = {
    "EXCEPT", "FETCH", "GROUP", "HAVING", "INTERSECT", "INTO", "LIMIT", "OFFSET", "ORDER", "PROCEDURE", "SELECT",
    "UNION", "VALUES", "WHERE", "WINDOW",
}  # fmt: skip
_BEFORE_TABLE = {"LATERAL", "OJ"}
_SCHEMA = "schema"
MARK = re.compile(r"""'(?:[^'\\]|\\.)*(?:'|\Z)|"(?:[^"\\]|\\.)*(?:"|\Z)|[(),]""", re.DOTALL)
"""What counts between words: a string, a parenthesis, a comma."""


def tables_read(sql: str) -> set[str]:
    """The names, in lower case, of the tables without a schema that a query may read from."""
    found: set[str] = set()
    lists, expected, before = [False], False, ""  # whether each open parenthesis is in a list of tables; one comes next
    for kind, text in _marks(sql):
        word = upper(text) if kind == WORD else ""
        if word in _BEGINS_LIST:
            lists[-1] = expected = True
        elif word in _ENDS_LIST and before != "FOR":  # USE INDEX FOR ORDER BY
            lists[-1] = expected = False
        elif kind == "(":
            lists.append(expected)
        elif kind == ")":
            lists, expected = lists[:-1] or [False], False
        elif kind == ",":
            expected = lists[-1]
        elif word not in _BEFORE_TABLE:
            found |= {text.lower()} if expected and kind != _SCHEMA else set()
            expected = False
        before = word
    return found


def _marks(sql: str) -> Iterator[tuple[str, str]]:
    """The words, names, parentheses and commas of a text, each with its kind; one before a dot is a schema's."""
    tokens = list(tokenize(sql))
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.kind in (WORD, NAME):
            is_schema = after is not None and after.text.startswith(".")
            yield _SCHEMA if is_schema else token.kind, unquoted(token)
        elif token.kind == RUN:
            for mark in MARK.findall(token.text):
                if mark[0] == '"':
                    yield NAME, mark.strip('"')
                elif mark[0] != "'":
                    yield mark, mark
