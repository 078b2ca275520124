"""The SQL lexer: where statements begin and end.

It reads MySQL's and MariaDB's lexical structure only (https://dev.mysql.com/doc/refman/8.4/en/language-structure.html):
strings, quoted names, comments, executable comments, words. It changes nothing: a statement's text is the user's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

# Each repeated alternative begins with another character and the end of the text always matches, so that nothing is
# ever tried twice: the time is linear in the length of the text.
_STRING = r"""'(?:[^'\\]+|\\(?:.|\Z)|'')*(?:'|\Z)|"(?:[^"\\]+|\\(?:.|\Z)|"")*(?:"|\Z)"""
_PLAIN_STRING = r"""'(?:[^']+|'')*(?:'|\Z)|"(?:[^"]+|"")*(?:"|\Z)"""
# An alternative for each kind of token; the first that matches wins. The unclosed ones take the rest of the text.
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>--(?=[\s\x00-\x1f]|\Z)[^\n]*|\#[^\n]*|/\*(?![!]|M!)(?:[^*]+|\*(?!/))*(?:\*/|\Z))
    | (?P<open>/\*M?!\d*)
    | (?P<close>\*/)
    | (?P<string>%(quotes)s)
    | (?P<name>`(?:[^`]|``)*(?:`|\Z))
    | (?P<variable>@@?(?:[\w$.]+|`[^`]*`|'[^']*'|"[^"]*")?)
    | (?P<word>[^\W\d][\w$]*|\d[\w$]*)
    | (?P<assign>:=)
    | (?P<end>;)
    | (?P<other>.)
    """.replace("%(quotes)s", _STRING),
    re.VERBOSE | re.DOTALL,
)
# Under the SQL mode NO_BACKSLASH_ESCAPES a backslash is a character like any other.
_TOKEN_PLAIN = re.compile(_TOKEN.pattern.replace(_STRING, _PLAIN_STRING), re.VERBOSE | re.DOTALL)


class Token(NamedTuple):
    """A token: its kind (a group of the pattern) and its text."""

    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its text as written, without the `;`, and its words in upper case."""

    text: str
    tokens: tuple[Token, ...]

    @property
    def words(self) -> list[str]:
        """The bare words, in upper case: keywords and unquoted names, in order."""
        return [t.text.upper() for t in self.tokens if t.kind == "word"]


def tokenize(sql: str, *, backslash_escapes: bool = True) -> Iterator[Token]:
    """All tokens of a text, in order; joined together they are the text."""
    pattern = _TOKEN if backslash_escapes else _TOKEN_PLAIN
    for match in pattern.finditer(sql):
        yield Token(str(match.lastgroup), match.group(), match.start(), match.end())


def split(sql: str, *, backslash_escapes: bool = True) -> list[Statement]:
    """The statements of a text; those of comments only are left out.

    A statement that may hold `;` itself (the body of a procedure, function, trigger or event) takes the rest of the
    text with it: the server knows where it ends, and runs what follows.
    """
    statements: list[Statement] = []
    tokens: list[Token] = []
    start = depth = 0
    for token in tokenize(sql, backslash_escapes=backslash_escapes):
        depth += (token.kind == "open") - (token.kind == "close")
        if token.kind == "end" and depth <= 0 and not _may_be_compound(tokens):
            _add(statements, sql[start : token.start], tokens)
            tokens, start = [], token.end
        elif token.kind not in {"space", "comment"}:
            tokens.append(token)
    _add(statements, sql[start:], tokens)
    return statements


def _add(statements: list[Statement], text: str, tokens: list[Token]) -> None:
    if any(token.kind not in {"open", "close", "end"} for token in tokens):
        statements.append(Statement(text.strip(), tuple(tokens)))


_ROUTINES = {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"}
_BLOCKS = {"BEGIN", "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR", "DECLARE"}


def _may_be_compound(tokens: list[Token]) -> bool:
    words = [t.text.upper() for t in tokens if t.kind == "word"]
    if not words:
        return False
    if words[0] in {"CREATE", "ALTER"}:
        return not _ROUTINES.isdisjoint(words[:16]) and not _BLOCKS.isdisjoint(words)
    # A bare BEGIN opens a transaction; BEGIN NOT ATOMIC and the others are MariaDB's blocks outside of routines.
    return words[0] in _BLOCKS and words not in (["BEGIN"], ["BEGIN", "WORK"])
