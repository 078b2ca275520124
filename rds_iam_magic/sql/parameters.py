r"""Finds the parameters of a statement: `:name`, `:name.attribute`, `:name["key"]`, and the escaped colon, `\:name`.

A colon counts where SQL has none of its own: not in strings, quoted names and comments, not in `:=`, `::`, `label:`, a
time, or behind a word. Whatever could be read in two ways, such as a backslash in double quotes, which the SQL mode
ANSI_QUOTES makes a name, is refused rather than guessed: a value must never get into a string of the statement's own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.lexer import comment_end, string_end

STRING, COMMENT, PARAMETER, ESCAPE = "string", "comment", "parameter", "escape"

_NAME = r"[^\W\d]\w*"
# Where there is none of this, there is no parameter; all that an ordinary statement is asked.
_CANDIDATE = re.compile(rf":{_NAME}")
_STOP = re.compile(
    rf"""['"`()]|\\?(?<![\w$@:]):{_NAME}|\\.|(?:--(?=[\x00-\x20\x7f]|\Z)|\#)[^\n]*|/\*(?:M?!)?|\*/""", re.DOTALL
)
_PATH = re.compile(rf"""\.({_NAME})|\[\s*(?:(-?\d+)|'([^'\\\n]*)'|"([^"\\\n]*)")\s*\]""")


class Step(NamedTuple):
    """A step from a value to one within: `.attribute`, or `["key"]` and `[0]`."""

    key: str | int
    is_attribute: bool


class Parameter(NamedTuple):
    """A parameter.

    Attributes:
        name: The variable's name.
        steps: The way from its value to the one that is meant.
        start, end: Its offsets, the colon included.
        group: The offset behind the parenthesis that it stands in; 0 if it stands in none.
    """

    name: str
    steps: tuple[Step, ...]
    start: int
    end: int
    group: int


class Piece(NamedTuple):
    """What is found in a statement: its kind, its offsets, and the parameter if it is one."""

    kind: str
    start: int
    end: int
    parameter: Parameter | None = None


def may_have_parameters(sql: str) -> bool:
    """Whether there is a colon with a name behind it, anywhere."""
    return _CANDIDATE.search(sql) is not None


_NEAR = re.compile(rf"near '(:{_NAME})")


def unbound_parameter(message: str, sql: str) -> str:
    """The parameter that the server's syntax error quotes, which it got as it is; "" for none.

    Args:
        message: The server's, such as `… near ':since' at line 1`.
        sql: The statement that it got.
    """
    near = _NEAR.search(message)
    if near is None:
        return ""
    try:
        places = [sql[piece.start : piece.end] for piece in read_pieces(sql) if piece.kind == PARAMETER]
    except OptionError:
        return ""
    return near[1] if any(place.startswith(near[1]) for place in places) else ""


def find_parameters(sql: str, *, backslash_escapes: bool = True, mode_may_change: bool = False) -> list[Piece]:
    """The parameters and escaped colons of a statement, in order.

    Args:
        sql: The statement.
        backslash_escapes: Whether a backslash escapes in strings: not under NO_BACKSLASH_ESCAPES.
        mode_may_change: Whether that may be another way when the statement runs.

    Raises:
        OptionError: Whether a colon stands in a string depends on what the text does not tell.
    """
    pieces = list(read_pieces(sql, backslash_escapes=backslash_escapes))
    found = _wanted(pieces)
    if found and any(_has_backslash(sql, piece, '"' if backslash_escapes else "") for piece in pieces):
        # ANSI_QUOTES is not reported by the server.
        _require_same(sql, found, backslash_escapes=True, ansi_quotes=True)
    if found and mode_may_change and any(_has_backslash(sql, piece, "'\"") for piece in pieces):
        _require_same(sql, found, backslash_escapes=True)
        _require_same(sql, found, backslash_escapes=False)
    return found


def _require_same(sql: str, found: list[Piece], **mode: bool) -> None:
    if _wanted(read_pieces(sql, **mode)) != found:
        raise _ambiguous(sql, found[0], "what a backslash in a string means depends on the SQL mode")


def _wanted(pieces: Iterable[Piece]) -> list[Piece]:
    return [piece for piece in pieces if piece.kind in (PARAMETER, ESCAPE)]


def _has_backslash(sql: str, piece: Piece, quotes: str) -> bool:
    return piece.kind == STRING and sql[piece.start] in quotes and "\\" in sql[piece.start : piece.end]


def read_pieces(sql: str, *, backslash_escapes: bool = True, ansi_quotes: bool = False) -> Iterator[Piece]:
    """The strings, comments, parameters and escaped colons of a statement, in order; a quoted name counts as a string.

    Args:
        sql: The statement.
        backslash_escapes: Whether a backslash escapes in strings: not under NO_BACKSLASH_ESCAPES.
        ansi_quotes: Whether double quotes enclose names, in which it does not.

    Raises:
        OptionError: A parameter stands in an executable comment, or behind one that may end in two places.
    """
    groups: list[int] = []
    executable = unclear = 0
    position = 0
    while (match := _STOP.search(sql, position)) is not None:
        start, position = match.span()
        what = match.group()
        if what in "'\"`":
            escapes = backslash_escapes and what != "`" and not (what == '"' and ansi_quotes)
            position = string_end(sql, start, backslash_escapes=escapes)
            unclear = unclear or (executable and "*/" in sql[start:position])
            yield Piece(STRING, start, position)
        elif what == "(":
            groups.append(position)
        elif what == ")":
            del groups[-1:]
        elif what in ("/*!", "/*M!", "*/"):
            executable = max(0, executable + (-1 if what == "*/" else 1))
        elif what[0] in "#-/":
            position = comment_end(sql, start) if what == "/*" else position
            # A server that skips an executable comment looks for no line comments in it.
            unclear = unclear or (executable and what != "/*" and "*/" in what)
            yield Piece(COMMENT, start, position)
        elif what.startswith("\\:"):
            yield Piece(ESCAPE, start, position)
        elif what[0] == ":":
            piece = _parameter(sql, start, position, groups[-1] if groups else 0)
            if executable or unclear:
                raise _ambiguous(sql, piece, "whether the server runs /*! … */ depends on its version")
            position = piece.end
            yield piece


def _parameter(sql: str, start: int, end: int, group: int) -> Piece:
    # Python compares names in this form: https://docs.python.org/3/reference/lexical_analysis.html#identifiers
    name = unicodedata.normalize("NFKC", sql[start + 1 : end])
    steps = []
    while (match := _PATH.match(sql, end)) is not None:
        attribute, index, *keys = match.groups()
        key = next((key for key in keys if key is not None), "")
        steps.append(Step(int(index) if index is not None else attribute or key, attribute is not None))
        end = match.end()
    return Piece(PARAMETER, start, end, Parameter(name, tuple(steps), start, end, group))


def _ambiguous(sql: str, piece: Piece, why: str) -> OptionError:
    shown = sql[piece.start : piece.end].removeprefix("\\")
    return OptionError(f"{shown} cannot be bound: {why}, so it may stand in a string.", cause="parameter-ambiguous")
