"""Where in a statement the cursor is, and so what is expected there. Text only; nothing in it is an error."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from rds_iam_magic.sql.lexer import END, NAME, RUN, WORD, Token, tokenize, upper
from rds_iam_magic.sql.subqueries import Scope, scope_of
from rds_iam_magic.sql.tables import common_tables

TABLE, AFTER_TABLE, VALUE, AFTER_VALUE, SCHEMA, PROCEDURE, START, TYPE, NOTHING = (
    "table", "after table", "value", "after value", "schema", "procedure", "start", "type", "nothing",
)  # fmt: skip
"""What is expected."""

# A string, quoted name or comment; a group has matched if it goes on at the text's end.
_PIECE = re.compile(
    r"""'[^'\\]*(?:\\.[^'\\]*)*(?:'|\\?(\Z))|"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?(\Z))|`[^`]*(?:`|(?P<quoted>\Z))"""
    r"""|(?:--(?=\s|\Z)|\#)[^\n]*(?:\n|(\Z))|/\*.*?(?:\*/|(\Z))""",
    re.DOTALL,
)
_WORD = re.compile(r"[\w$]*\Z")
_REST = re.compile(r"[\w$]*")
_QUALIFIERS = re.compile(r"(?:(`(?:[^`]|``)*`|[\w$]+)\s*\.\s*)?(`(?:[^`]|``)*`|[\w$]+)\s*\.\s*\Z")
_STRING = re.compile(r"""'[^']*'?|"[^"]*"?""")
_IN_CAST = re.compile(r"\b(?:CAST|CONVERT)\s*\([^()]*(?:\([^()]*\)[^()]*)*\Z", re.IGNORECASE)
_IN_FUNCTION = re.compile(r"\b(?:EXTRACT|TRIM|SUBSTRING|SUBSTR|MID|POSITION)\s*\([^()]*\Z", re.IGNORECASE)
_CLAUSES = frozenset({
    "BY", "CALL", "CASE", "FROM", "HAVING", "INTO", "JOIN", "LIMIT", "ON", "OVER", "SELECT", "SET", "STRAIGHT_JOIN",
    "TABLE", "TABLES", "UNION", "UPDATE", "USING", "VALUES", "VALUE", "VIEW", "WHERE", "WITH", "WINDOW", "RETURNING",
})  # fmt: skip
_BEFORE_TABLE = frozenset({
    "FROM", "JOIN", "STRAIGHT_JOIN", "UPDATE", "INTO", "TABLE", "TABLES", "VIEW", "REFERENCES", "DESCRIBE",
})  # fmt: skip
_BEFORE_VALUE = frozenset({
    "ALL", "AND", "ANY", "BETWEEN", "BINARY", "BY", "CASE", "DISTINCT", "DISTINCTROW", "DIV", "ELSE", "ESCAPE",
    "EXISTS", "HAVING", "IN", "INTERVAL", "IS", "LIKE", "LIMIT", "MOD", "NOT", "OFFSET", "ON", "OR", "REGEXP",
    "RETURNING", "RLIKE", "SELECT", "SET", "SQL_CALC_FOUND_ROWS", "SQL_NO_CACHE", "THEN", "USING", "VALUES", "WHEN",
    "WHERE", "XOR",
})  # fmt: skip
_EXPECTED = {
    **dict.fromkeys(_BEFORE_VALUE, VALUE),
    **dict.fromkeys(("EXCEPT", "EXPLAIN", "ANALYZE", "INTERSECT", "UNION"), START),
    **dict.fromkeys(("USE", "DATABASE", "SCHEMA"), SCHEMA),
    "CALL": PROCEDURE,
}
_SPECIAL = {
    ("KEY", "UPDATE"): VALUE,
    ("FOR", "UPDATE"): NOTHING,
    **{(what, word): SCHEMA for what in ("TABLES", "STATUS", "TRIGGERS", "EVENTS") for word in ("FROM", "IN")},
}
_NAMING_TABLES = frozenset({"FROM", "INTO", "JOIN", "STRAIGHT_JOIN", "TABLE", "TABLES", "UPDATE", "VIEW"})
_LISTING_TABLES = _NAMING_TABLES - {"INTO"}


@dataclass(frozen=True, slots=True)
class SqlPlace:
    """Where the cursor is.

    Attributes:
        fragment: The name that is being written, without a backquote before it.
        start: The offset where it begins, the backquote included.
        is_quoted: Whether it is in backquotes.
        kind: What is expected.
        mark: `:` or `@` before it, or "".
        qualifiers: The names before it, each with a dot behind: none, a table or schema, or both.
        word: The keyword just before it, in capitals, or ""; INTERVAL for its unit, too.
        clause: The clause that it is in, such as WHERE or BY, or "".
        scope: The tables in reach.
        common: The statement's common table expressions.
        is_lower: Whether the statement's keywords are in lower case.
    """

    fragment: str
    start: int
    is_quoted: bool = False
    kind: str = NOTHING
    mark: str = ""
    qualifiers: tuple[str, ...] = ()
    word: str = ""
    clause: str = ""
    scope: Scope = field(default_factory=lambda: Scope((), (), {}))
    common: tuple[str, ...] = ()
    is_lower: bool = False


def place_in(sql: str, at: int) -> SqlPlace | None:
    """Where an offset in SQL is; None in a string, a comment or a number, where nothing can be offered."""
    head = sql[:at]
    quoted, statement, end = -1, 0, 0
    for piece in _PIECE.finditer(head):
        statement = head.rfind(";", end, piece.start()) + 1 or statement
        end = piece.end()
        if piece.lastindex is not None:
            if piece.lastgroup != "quoted":
                return None
            quoted = piece.start()
    statement = head.rfind(";", end) + 1 or statement
    start = quoted if quoted >= 0 else _start_of_word(head)
    fragment = head[start + 1 :] if quoted >= 0 else head[start:]
    if fragment[:1].isdigit() and quoted < 0:
        return None
    head = head[statement:start]
    tail = sql[at + len(_REST.match(sql, at)[0]) :]  # type: ignore[index] # it matches the empty text, too
    if quoted >= 0:
        tail = tail.removeprefix("`")
    return _in_statement(fragment, start, head, tail, is_quoted=quoted >= 0)


def _start_of_word(head: str) -> int:
    match = _WORD.search(head, max(0, len(head) - 200))
    return len(head) if match is None else match.start()


def _in_statement(fragment: str, start: int, head: str, tail: str, *, is_quoted: bool) -> SqlPlace | None:
    before = list(tokenize(head))
    after = list(takewhile(lambda token: token.kind != END, tokenize(tail)))
    tokens = [*before, *after]
    scope = scope_of(before, after)
    mark = _mark(head)
    qualifiers: tuple[str, ...] = ()
    if head.rstrip().endswith("."):
        match = _QUALIFIERS.search(head, max(0, len(head) - 300))
        if match is None or (match[2].isdigit() and match[1] is None):
            return None
        qualifiers = tuple(_unquoted(name) for name in match.groups() if name)
        before = _without_qualifiers(before, len(qualifiers))
    words = [token.text for token in tokens if token.kind == WORD and upper(token.text) in _CLAUSES]
    clause = _clause(before)
    return SqlPlace(
        fragment,
        start,
        is_quoted,
        _kind(before, clause, head),
        mark,
        qualifiers,
        _last_word(before),
        clause,
        scope,
        tuple(common_tables(tokens)),
        bool(fragment.islower() if fragment and fragment != fragment.upper() else words and words[0].islower()),
    )


def _mark(head: str) -> str:
    if head.endswith("@"):
        return "@"
    if head.endswith(":") and not re.search(r"[\w$@:)\]]:\Z", head):
        return ":"
    return ""


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name


def _without_qualifiers(tokens: list[Token], count: int) -> list[Token]:
    """The tokens before `schema.table.`; the dots may be at the end of what stands before them."""
    kept = list(tokens)
    while count and kept:
        token = kept.pop()
        count -= token.kind in (WORD, NAME)
    return kept


def _last_word(tokens: Sequence[Token]) -> str:
    if len(tokens) > 1 and upper(tokens[-2].text) == "INTERVAL" and tokens[-1].text.strip().isdigit():
        return "INTERVAL"  # whose unit follows
    return upper(tokens[-1].text) if tokens and tokens[-1].kind == WORD else ""


def _clause(tokens: Sequence[Token]) -> str:
    """The keyword of the clause that the end of the tokens is in: parentheses that are closed do not count."""
    depth = 0
    for index in range(len(tokens) - 1, -1, -1):
        token = tokens[index]
        if token.kind == RUN:
            for character in reversed(_STRING.sub("", token.text)):
                if character == ")":
                    depth += 1
                elif character == "(":
                    depth = max(0, depth - 1)
        elif token.kind == WORD and depth == 0 and upper(token.text) in _CLAUSES:
            word = upper(token.text)
            if word == "UPDATE" and index and upper(tokens[index - 1].text) == "KEY":
                return "SET"
            return word
    return ""


def _kind(tokens: Sequence[Token], clause: str, head: str) -> str:
    if not tokens:
        return START
    last = tokens[-1]
    if last.kind == RUN:
        return _after_punctuation(tokens, clause, head)
    if last.kind != WORD:
        return AFTER_TABLE if clause in _NAMING_TABLES else AFTER_VALUE
    return _after_word(tokens, clause, head)


def _after_word(tokens: Sequence[Token], clause: str, head: str) -> str:
    word = upper(tokens[-1].text)
    before = upper(tokens[-2].text).strip() if len(tokens) > 1 else ""
    if (before, word) in _SPECIAL:
        return _SPECIAL[before, word]
    if word == "FROM" and _IN_FUNCTION.search(head):
        return VALUE
    if word in _BEFORE_TABLE or (len(tokens) == 1 and word == "DESC"):
        return TABLE
    if word == "EXISTS" and {"TABLE", "VIEW"} & {upper(token.text) for token in tokens[-4:]}:
        return TABLE
    if word == "AS":
        return TYPE if _IN_CAST.search(head) else NOTHING
    if word in _EXPECTED:
        return _EXPECTED[word]
    return AFTER_TABLE if clause in _NAMING_TABLES else AFTER_VALUE


def _after_punctuation(tokens: Sequence[Token], clause: str, head: str) -> str:
    text = tokens[-1].text.rstrip()
    last = text[-1:]
    if last == "(":
        word = upper(tokens[-2].text) if len(tokens) > 1 else ""
        return START if word in ("", "AS", "EXISTS", "FROM", "JOIN") else VALUE
    if last == ",":
        return TABLE if clause in _LISTING_TABLES and not _IN_FUNCTION.search(head) else VALUE
    if last == "*":
        before = upper(tokens[-2].text) if len(tokens) > 1 else ""
        is_all = (text.strip() == "*" and before in ("SELECT", "DISTINCT")) or text.endswith((".*", "(*"))
        return AFTER_VALUE if is_all else VALUE
    if last in ")'\"" or last.isdigit():
        return AFTER_TABLE if last == ")" and clause in _NAMING_TABLES else AFTER_VALUE
    return VALUE
