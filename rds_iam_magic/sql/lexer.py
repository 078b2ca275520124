"""The SQL lexer: tokens in just enough detail to find where statements end and what they may do.

It reads MySQL's and MariaDB's lexical structure only (https://dev.mysql.com/doc/refman/8.4/en/language-structure.html):
words, quoted names, variables, executable comments. Everything else (numbers, strings, operators) does not matter and
is skipped in long runs, so that 100,000 literals yield a few hundred tokens. White space and comments yield none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

WORD, NAME, VARIABLE, ASSIGN, RUN = "word", "name", "variable", "assign", "run"
OPEN, CLOSE, END, SHELL = "open", "close", "end", "shell"
_SPACE, _COMMENT, _BLOCK, _QUOTE = "space", "comment", "block", "quote"

# What begins a word, without what Python takes for white space; MySQL has every character from U+0080 on in names.
_LETTER = (
    r"A-Za-z_$\x80-\x84\x86-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff"
    r"\u3001-\U0010ffff"
)
_DULL = rf"[^{_LETTER}'\"`;@:/\#\\*\-]"
_SOLID = rf"[^{_LETTER}'\"`;@:/\#\\*\-\s\x00-\x20]"
_LINE_COMMENT = r"(?:--(?=[\x00-\x20\x7f]|\Z)|\#)[^\n]*"
# `''` inside of a string is as good as two strings. One with more backslashes than this is measured by `_string_end`.
_STRING = r"""'[^'\\]*'|"[^"\\]*"|'[^'\\]*(?:\\.[^'\\]*){1,50}'|"[^"\\]*(?:\\.[^"\\]*){1,50}\""""
_PLAIN_STRING = r"""'[^']*'|"[^"]*\""""
# Each part of a run either begins with another character or ends where it began to differ, nothing stands behind a run
# that could fail but for digits, and every repetition of a group is bounded: time and memory are linear in the text.
_PART = rf"""(?:
      %(strings)s
    | -(?!-(?:[\x00-\x20\x7f]|\Z)) | /(?!\*) | \*(?!/) | :(?!=)
    | (?:NULL|null|\\N)(?![0-9{_LETTER}])
    | (?<=[^0-9{_LETTER}]0)x[0-9A-Fa-f]+(?![0-9{_LETTER}])
    | (?<=[0-9.])[eE][-+]?[0-9]+(?![0-9{_LETTER}])
)"""
# A run does not end between a digit and a letter: names may begin with digits.
_RUN = rf"(?:{_SOLID}|%(part)s){_DULL}*(?:%(part)s{_DULL}*){{0,400}}(?:(?![0-9{_LETTER}])|(?<![0-9]))"
# The empty group at the end of an alternative tells which one matched and where it ended, for white space is taken with
# it; groups at their beginnings would keep the engine from choosing by the first character.
_ALTERNATIVES = (
    (WORD, rf"[{_LETTER}][0-9{_LETTER}]*"),
    (_SPACE, r"[\s\x00-\x20]+"),
    (END, r";"),
    (RUN, _RUN),
    (WORD, rf"[0-9]+[{_LETTER}][0-9{_LETTER}]*"),
    (NAME, r"`[^`]*(?:``[^`]*){0,500}(?:`|\Z)"),
    (_COMMENT, _LINE_COMMENT),
    (_QUOTE, r"""['"]"""),
    (VARIABLE, rf"@@?(?:[0-9{_LETTER}.]+|`[^`]*`){{0,4}}"),
    (ASSIGN, r":="),
    (OPEN, r"/\*M?![0-9]*"),
    (_BLOCK, r"/\*"),
    (CLOSE, r"\*/"),
    (SHELL, r"\\.?"),
)
_KINDS = ("", *(kind for kind, _ in _ALTERNATIVES))


def _compiled(strings: str) -> re.Pattern[str]:
    part = _PART.replace("%(strings)s", strings)
    pattern = "|".join(f"{alternative}()" for _, alternative in _ALTERNATIVES).replace("%(part)s", part)
    return re.compile(rf"(?:{pattern})[\s\x00-\x20]*", re.VERBOSE | re.DOTALL)


_TOKEN = _compiled(_STRING)
# Under the SQL mode NO_BACKSLASH_ESCAPES a backslash is a character like any other.
_TOKEN_PLAIN = _compiled(_PLAIN_STRING)
_INSIDE = {quote: re.compile(rf"[^{quote}\\]*(?:\\.[^{quote}\\]*){{0,1000}}", re.DOTALL) for quote in "'\""}


class Token(NamedTuple):
    """A token: its kind, its text, and its offsets."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(sql: str, start: int = 0, *, backslash_escapes: bool = True) -> Iterator[Token]:
    """Yield the tokens of a text from an offset on; only white space and comments lie between them."""
    pattern = _TOKEN if backslash_escapes else _TOKEN_PLAIN
    position: int | None = start
    while position is not None:
        matches, position = pattern.finditer(sql, position), None
        for match in matches:
            index = match.lastindex or 0
            kind = _KINDS[index]
            if kind in _SILENT:
                continue
            if kind == _QUOTE:
                begin, position = match.start(), string_end(sql, match.start(), backslash_escapes=backslash_escapes)
                yield Token(RUN, sql[begin:position], begin, position)
                break
            if kind == _BLOCK:
                position = comment_end(sql, match.start())
                break
            begin, end = match.start(), match.end(index)
            yield Token(kind, sql[begin:end], begin, end)


_SILENT = frozenset({_SPACE, _COMMENT})


def string_end(sql: str, start: int, *, backslash_escapes: bool) -> int:
    """The end offset of the string that begins at `start`: after its closing quote, or the end of the text."""
    quote = sql[start]
    if not backslash_escapes:
        return sql.find(quote, start + 1) + 1 or len(sql)
    position = start + 1
    while True:
        match = _INSIDE[quote].match(sql, position)
        assert match is not None  # noqa: S101 - it matches the empty text too; for mypy
        position = match.end()
        if sql.startswith(quote, position):
            return position + 1
        if position >= len(sql) - 1:  # unclosed, with a backslash at the very end or not
            return len(sql)


def comment_end(sql: str, start: int) -> int:
    """The end offset of the `/*` comment that begins at `start`."""
    end = sql.find("*/", start + 2)
    return len(sql) if end < 0 else end + 2


def upper(text: str) -> str:
    """Convert to upper case as the server compares keywords: `ı` is not an I there."""
    return text.upper() if text.isascii() else text
