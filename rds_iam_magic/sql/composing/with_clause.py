"""Puts queries into a statement as common table expressions: `WITH name AS (…)` in front of it, or in its own WITH.

The statement's own text stays as it is: everything goes in at one place. Each query stands on lines of its own, so that
a comment at its end ends with it, and a line that the server counts can be found again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.composing.tables_read import MARK, tables_read
from rds_iam_magic.sql.effects import effects_of
from rds_iam_magic.sql.lexer import CLOSE, END, OPEN, RUN, WORD, Token, tokenize, upper
from rds_iam_magic.sql.quoting import quote_name
from rds_iam_magic.sql.statement import Statement, split
from rds_iam_magic.sql.tables import common_tables

_QUERIES = {"SELECT", "TABLE", "VALUES"}
_CHANGES = {"INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE"}
_AROUND_QUERIES = {"INSERT", "REPLACE", "CREATE", "EXPLAIN", "DESCRIBE", "DESC", "ANALYZE"}
_ROUTINES = {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"}


class Part(NamedTuple):
    """Where a query stands in the whole: its name, the line it begins in (from 1), and how many lines it has."""

    name: str
    line: int
    lines: int


class Composed(NamedTuple):
    """A statement with queries in it.

    Attributes:
        text: All of it.
        parts: Where the queries stand.
        line: The line that the queries were put in before, as the statement alone has it.
        added: How many lines they are.
    """

    text: str
    parts: tuple[Part, ...] = ()
    line: int = 1
    added: int = 0

    def origin(self, line: int) -> tuple[str, int]:
        """Where a line of the whole comes from: the name of a query, or "", and the line there."""
        for part in self.parts:
            if part.line <= line < part.line + part.lines:
                return part.name, line - part.line + 1
        return "", line - self.added if line >= self.line + self.added else line


def check_query(sql: str) -> str:
    """The one query of a text, which other statements can read from: without its delimiter and what stands behind it.

    Raises:
        OptionError: It is no query, several statements, or not complete.
    """
    statement = _only(sql, "A query to save is one statement")
    if not effects_of(statement).is_query or _verb(statement.tokens) in _CHANGES:
        raise OptionError("This is not a query that others can read from.", cause="saved-not-a-query")
    if not _closes(statement.text):
        raise OptionError("A quote, a comment or a parenthesis of the query is not closed.", cause="saved-not-closed")
    return statement.text


def with_queries(sql: str, queries: Mapping[str, str]) -> Composed:
    """A statement that can read from queries by their names.

    Args:
        sql: One statement.
        queries: What `check_query` gave, by their names.

    Raises:
        OptionError: They cannot be put in, or one of them would read from another in the place of a table.
    """
    if not queries:
        return Composed(sql)
    text = _only(sql, "Saved queries are put into one statement").text
    tokens = list(tokenize(text))
    place = _place(tokens)
    if place is None:
        raise OptionError("A saved query cannot be put into this statement.", cause="saved-not-usable")
    clause = tokens[tokens.index(place) :] if _word(place) == "WITH" else []
    own = {name.lower() for name in common_tables(clause)}
    for name in queries:
        if name.lower() in own:
            raise OptionError(f"The statement has a WITH {name} of its own.", "Rename one of them.")
    is_recursive = len(clause) > 1 and _word(clause[1]) == "RECURSIVE"
    ordered = _ordered(queries, own if is_recursive else set(), is_recursive=is_recursive)
    position = clause[2 if is_recursive else 1].start if len(clause) > 2 else place.start
    return _put(text, position, [(name, queries[name]) for name in ordered], has_with=bool(clause))


def _only(sql: str, what: str) -> Statement:
    # Twice: under another DELIMITER, what is one for the shell may be several for the server.
    statements = [inner for outer in split(sql) for inner in split(outer.text)]
    if not statements:
        raise OptionError("There is no SQL to run.", cause="sql-missing")
    count = len(statements) + sum(token.kind == END for token in statements[0].tokens)  # in an executable comment
    if count > 1:
        raise OptionError(f"{what}; there are {count}.", cause="saved-several-statements")
    return statements[0]


def _put(text: str, position: int, queries: Iterable[tuple[str, str]], *, has_with: bool) -> Composed:
    """Write the queries at an offset: with their own WITH, or in front of the first one of the statement's."""
    line = at = text.count("\n", 0, position) + 1
    written, parts = [], []
    for name, query in queries:
        lines = query.count("\n") + 1
        written.append(f"{quote_name(name)} AS (\n{query}\n)")
        parts.append(Part(name, at + 1, lines))
        at += lines + 1  # the closing parenthesis stands in the line where the next one begins
    clause = ", ".join(written)
    clause = f"{clause},\n" if has_with else f"WITH {clause}\n"
    return Composed(text[:position] + clause + text[position:], tuple(parts), line, clause.count("\n"))


def _place(tokens: Sequence[Token]) -> Token | None:
    """The token that the queries go before: the query's first one, or its own WITH; None without a query."""
    first = _word(tokens[0])
    if first in {*_QUERIES, "WITH"} or tokens[0].text.startswith("("):
        return tokens[0]
    if first not in _AROUND_QUERIES or not _ROUTINES.isdisjoint(_word(token) for token in tokens[:16]):
        return None
    return next((token for token, depth in _nested(tokens) if not depth and _word(token) in ("SELECT", "WITH")), None)


def _verb(tokens: Sequence[Token]) -> str:
    """The word that says what a statement does, behind its WITH clause."""
    words = (_word(token) for token, depth in _nested(tokens) if not depth)
    return next((word for word in words if word in _QUERIES | _CHANGES), "")


def _ordered(queries: Mapping[str, str], own: set[str], *, is_recursive: bool) -> list[str]:
    """The names in an order in which no query sees another one in the place of a table that it reads from.

    Each sees those before it. In a recursive clause it sees itself, too, and on MariaDB all the others.

    Raises:
        OptionError: There is no such order.
    """
    left = {name: tables_read(sql) for name, sql in queries.items()}
    if is_recursive:
        names = {name.lower() for name in queries} | own
        for name, tables in left.items():
            if tables & names:
                raise _clash(name, min(tables & names))
        return list(left)
    ordered: list[str] = []
    while left:
        readers = {name: [other for other in left if other != name and name.lower() in left[other]] for name in left}
        free = next((name for name in left if not readers[name]), None)
        if free is None:
            name = next(iter(left))
            raise _clash(readers[name][0], name)
        ordered.append(free)
        del left[free]
    return ordered


def _clash(name: str, table: str) -> OptionError:
    return OptionError(
        f"The query {name} reads from a table {table}, and would read from the query of that name instead.",
        cause="saved-names-clash",
    )


def _word(token: Token) -> str:
    return upper(token.text) if token.kind == WORD else ""


def _nested(tokens: Sequence[Token]) -> Iterator[tuple[Token, int]]:
    """Each token, and in how many parentheses it begins."""
    depth = 0
    for token in tokens:
        yield token, depth
        depth += sum(step for _, step in _parentheses(token))


def _parentheses(token: Token) -> Iterator[tuple[int, int]]:
    """The parentheses in a token outside its strings: the offset of each, and 1 for an opening one, else -1."""
    if token.kind == RUN:
        for match in MARK.finditer(token.text):
            if match[0] in "()":
                yield token.start + match.start(), 1 if match[0] == "(" else -1


def _closes(sql: str) -> bool:
    """Whether a parenthesis on the next line would close one that is in front of a text, and none within does."""
    depth, comments = 1, 0
    for token in tokenize(f"{sql}\n)"):
        comments += {OPEN: 1, CLOSE: -1}.get(token.kind, 0)  # executable ones
        for offset, step in _parentheses(token):
            depth += step
            if not depth:
                return offset == len(sql) + 1 and not comments
    return False
