"""Which statements may be read in parts, and the statement of a part.

A part evaluates the user's statement again, with a range of the key around it. So the statement must give the same rows
each time: what depends on the order in which the server happens to read, or on chance, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.effects import Effects
from rds_iam_magic.sql.lexer import NAME, RUN, WORD, Token, upper
from rds_iam_magic.sql.statement import Statement

PART = "part"
"""The alias of the user's statement within a part's."""

_QUERIES = frozenset({"SELECT", "WITH", "TABLE", "VALUES"})
_CUTS = frozenset({"LIMIT", "FETCH"})
# Functions whose values differ from one evaluation to the next, or follow the order among rows that sort alike.
_RANDOM = frozenset({
    "RAND", "RANDOM_BYTES", "SYSDATE", "SYS_GUID", "UUID", "UUID_SHORT", "UUID_V4", "UUID_V7",
})  # fmt: skip
_OF_STATEMENT_BEFORE = frozenset({"FOUND_ROWS", "ROW_COUNT"})
_UNSTABLE = _RANDOM | {
    "CONNECTION_ID", "FIRST_VALUE", "LAG", "LAST_VALUE", "LEAD", "NTH_VALUE", "NTILE", "ROWNUM", "ROW_NUMBER",
}  # fmt: skip
_WINDOWS = frozenset({"OVER", "WINDOW"})
_SETS = frozenset({"UNION", "INTERSECT", "EXCEPT", "MINUS"})
_CLOCKS = frozenset({
    "CURDATE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURTIME", "LOCALTIME", "LOCALTIMESTAMP", "NOW",
    "UNIX_TIMESTAMP", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP",
})  # fmt: skip
_STRINGS = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_PLAIN_STRINGS = re.compile(r"""'[^']*'|"[^"]*\"""")


def check_divisible(statements: Sequence[tuple[Statement, Effects]], *, backslash_escapes: bool = True) -> Statement:
    """The one statement of a text, if its rows may be read in parts.

    Raises:
        OptionError: There are several statements, it may write, or a part could miss rows or repeat them.
    """
    if len(statements) != 1:
        raise OptionError("Only one statement can be read in parts.", cause="parts-several-statements")
    statement, effects = statements[0]
    if not effects.only_reads or statement.words[0] not in _QUERIES:
        raise OptionError(
            "Only a query that is certain to change nothing can be read in parts.", cause="parts-not-a-query"
        )
    if not _is_balanced(statement.tokens, backslash_escapes=backslash_escapes):
        raise OptionError("The statement's parentheses do not match.", cause="sql-syntax")
    check_stable(statement)
    return statement


def check_derivable(statements: Sequence[tuple[Statement, Effects]], *, backslash_escapes: bool = True) -> Statement:
    """The one statement of a text, if it may be evaluated within another one, and more than once.

    Raises:
        OptionError: There are several statements, or it may write, or leave something in the session.
    """
    if len(statements) != 1:
        raise OptionError("Only one statement can be within another one.", cause="parts-several-statements")
    statement, effects = statements[0]
    if not effects.only_reads or effects.leaves or statement.words[0] not in _QUERIES:
        raise OptionError(
            "Only a query that is certain to change nothing can be within another one.", cause="parts-not-a-query"
        )
    if not _is_balanced(statement.tokens, backslash_escapes=backslash_escapes):
        raise OptionError("The statement's parentheses do not match.", cause="sql-syntax")
    return statement


def check_stable(statement: Statement) -> None:
    """Refuse what depends on chance, or on the order in which the server happens to read.

    Raises:
        OptionError: A part could miss rows or repeat them.
    """
    for token, calls in _words(statement.tokens):
        word = upper(token.text.strip("`"))
        if token.kind == WORD and word in _CUTS:
            raise OptionError(
                f"{word} selects rows anew in each part, so that rows could be missing or come twice.",
                cause="parts-limit",
            )
        if token.kind == WORD and word == "ROWS" and not _WINDOWS.isdisjoint(statement.words):
            raise OptionError(
                "A window of ROWS follows the order among rows that sort alike, which may differ from part to part.",
                cause="parts-unstable",
            )
        if calls and word in _UNSTABLE:
            raise OptionError(
                f"{word}() may differ from part to part, so that rows could be missing or come twice.",
                cause="parts-unstable",
            )


def is_random(statement: Statement) -> bool:
    """Whether a value may differ each time that it is looked at: by chance, or by the statement before.

    In one row, too: a server may merge the statement into the one around it, and compute the value where it is used.
    """
    differing = _RANDOM | _OF_STATEMENT_BEFORE
    return any(calls and upper(token.text.strip("`")) in differing for token, calls in _words(statement.tokens))


def reads_clock(statement: Statement) -> bool:
    """Whether the statement reads the time, which is another one in each part."""
    return not _CLOCKS.isdisjoint(statement.words)


def merges_rows(statement: Statement, *, backslash_escapes: bool = True) -> bool:
    """Whether rows that compare as equal may become one row, of which each part may see another one.

    What is computed from it, such as the HEX() of a text grouped by its collation, is then no key. The columns of an
    outermost UNION are not concerned: a part compares them as the UNION does.
    """
    words = [(depth, upper(token.text)) for depth, token in _depths(statement.tokens, backslash_escapes)]
    return any(
        word in ("GROUP", "DISTINCT") or (word in _SETS and depth > 0 and then != "ALL")
        for (depth, word), (_, then) in pairwise(words)
    )


def is_ordered(statement: Statement, *, backslash_escapes: bool = True) -> bool:
    """Whether the statement ends in an ORDER BY of its own, which has no effect within a part's."""
    words = [upper(token.text) for depth, token in _depths(statement.tokens, backslash_escapes) if depth == 0]
    return any(pair == ("ORDER", "BY") for pair in pairwise(words))


def statement_of(sql: str, where: str = "", *, select: str = "*", then: str = "") -> str:
    """The user's statement within one of ours; a comment at its end stays within its line."""
    text = f"SELECT {select} FROM (\n{sql}\n) AS {PART}"  # noqa: S608 - the user's statement, and ours
    return " ".join(filter(None, [text, where and f"WHERE {where}", then]))


def _words(tokens: Sequence[Token]) -> Iterator[tuple[Token, bool]]:
    """Words and quoted names, without columns behind a point; with whether each is called as a function."""
    before: Token | None = None
    for token, behind in zip(tokens, (*tokens[1:], None), strict=True):
        dotted = before is not None and before.kind == RUN and before.text.rstrip().endswith(".")
        if token.kind in (WORD, NAME) and not dotted:
            yield token, behind is not None and behind.kind == RUN and behind.text.lstrip().startswith("(")
        before = token


def _is_balanced(tokens: Sequence[Token], *, backslash_escapes: bool) -> bool:
    depth = 0
    for depth, _ in _depths(tokens, backslash_escapes):
        if depth < 0:
            return False
    return depth == 0


def _depths(tokens: Sequence[Token], backslash_escapes: bool) -> Iterator[tuple[int, Token]]:
    """Each token with how many parentheses are open; for a run the fewest within it, and in the end what is left."""
    strings = _STRINGS if backslash_escapes else _PLAIN_STRINGS
    depth = 0
    for token in tokens:
        lowest = depth
        if token.kind == RUN:
            for character in strings.sub("", token.text):
                depth += (character == "(") - (character == ")")
                lowest = min(lowest, depth)
        yield lowest, token
    if tokens:
        yield depth, Token(RUN, "", tokens[-1].end, tokens[-1].end)
