"""Splits a text into statements, without changing any: a statement's text is the user's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql import shell
from rds_iam_magic.sql.lexer import (
    CLOSE,
    END,
    OPEN,
    RUN,
    SHELL,
    WORD,
    Token,
    comment_end,
    string_end,
    tokenize,
    upper,
)

if TYPE_CHECKING:
    from rds_iam_magic.sql.placeholders import WithPlaceholders


@dataclass(frozen=True)
class Statement:
    """One statement: its text as written, without its delimiter, and its tokens.

    Attributes:
        text, tokens: As above; parameters are literals.
        with_placeholders: The same statement with its values apart, if they may be bound by the server.
    """

    text: str
    tokens: tuple[Token, ...]
    with_placeholders: WithPlaceholders | None = None

    @cached_property
    def words(self) -> list[str]:
        """The bare words, in upper case: keywords and unquoted names, in order."""
        return [upper(t.text) for t in self.tokens if t.kind == WORD]


def split(sql: str, *, backslash_escapes: bool = True) -> list[Statement]:
    r"""Split a text into statements; empty ones and mere comments are omitted.

    A statement that may contain `;` itself (the body of a procedure, function, trigger or event) extends to the end of
    the text: the server finds its end, and runs what follows. Of the mysql shell's commands, `DELIMITER`, `\g`, `\G`
    and a line `USE name` are understood.

    Raises:
        OptionError: The text has another shell command or cannot be encoded; then none of it may run.
    """
    _check_encodable(sql)
    return _Splitter(sql, backslash_escapes=backslash_escapes).statements()


def _check_encodable(sql: str) -> None:
    if sql.isascii():
        return
    try:
        sql.encode()
    except UnicodeEncodeError as error:
        offset = error.start
    else:
        return
    line, column = sql.count("\n", 0, offset) + 1, offset - sql.rfind("\n", 0, offset)
    raise OptionError(
        f"The SQL contains a lone surrogate (\\u{ord(sql[offset]):04x}) at line {line}, column {column}; it cannot be "
        "sent as UTF-8, and nothing was run.",
        cause="sql-not-text",
    )


_LENGTH_OF_DELIMITER = len("DELIMITER")  # compared first: most words have another length


class _Splitter:
    """Splits one text."""

    def __init__(self, sql: str, *, backslash_escapes: bool) -> None:
        self._sql = sql
        self._escapes = backslash_escapes
        self._delimiter = ";"
        self._found: list[Statement] = []

    def statements(self) -> list[Statement]:
        position = 0
        while position < len(self._sql):
            position = self._plain(position) if self._delimiter == ";" else self._delimited(position)
        return self._found

    def _tokenize(self, text: str, start: int = 0) -> list[Token]:
        return list(tokenize(text, start, backslash_escapes=self._escapes))

    def _plain(self, start: int) -> int:
        """Read one statement that ends with `;`, or a shell command; return the start of the next one."""
        tokens: list[Token] = []
        depth, compound = 0, False
        for token in tokenize(self._sql, start, backslash_escapes=self._escapes):
            kind = token.kind
            if kind == END and depth <= 0 and not compound:
                compound = _may_be_compound(tokens)
                if not compound:
                    return self._add(start, token.start, tokens, token.end)
            elif kind in {OPEN, CLOSE}:
                depth += 1 if kind == OPEN else -1
            elif not tokens or (kind == WORD and len(token.text) == _LENGTH_OF_DELIMITER):
                position = self._command(token, tokens, start, compound=compound)
                if position is not None:
                    return position
            if kind == SHELL and shell.ends_statement(token.text):
                return self._add(start, token.start, tokens, token.end)
            tokens.append(token)
        return self._add(start, len(self._sql), tokens, len(self._sql))

    def _delimited(self, start: int) -> int:
        """Like `_plain`, for a statement that ends with the current delimiter."""
        first = next(tokenize(self._sql, start, backslash_escapes=self._escapes), None)
        if first is None:
            return len(self._sql)
        if not self._sql.startswith(self._delimiter, first.start):
            position = self._command(first, [], start, compound=True)
            if position is not None:
                return position
        end, next_start = self._cut(start)
        return self._add(start, end, self._tokenize(self._sql[start:end]), next_start)

    def _cut(self, start: int) -> tuple[int, int]:
        """The start and end of the next delimiter outside strings, names and comments."""
        pattern, position = _until(self._delimiter), start
        while (match := pattern.search(self._sql, position)) is not None:
            begin, position = match.span()
            what = match.group()
            if match.lastgroup == "delimiter" or (what[0] == "\\" and what != "\\N" and shell.ends_statement(what)):
                return begin, position
            if what in ("'", '"'):
                position = string_end(self._sql, begin, backslash_escapes=self._escapes)
            elif what == "/*":
                position = comment_end(self._sql, begin)
            elif match.lastgroup == "command":
                command = shell.lone_delimiter(self._sql, begin, back=True)
                if command is not None:
                    self._delimiter = command.argument
                    return begin, command.end
        return len(self._sql), len(self._sql)

    def _command(self, token: Token, tokens: list[Token], start: int, *, compound: bool) -> int | None:
        """Run a shell command that begins with this token; return its end offset, or None if it is SQL.

        Args:
            token: The next token.
            tokens: The tokens of the unfinished statement before it.
            start: The offset at which that statement begins.
            compound: Whether that statement may contain `;`.
        """
        if tokens:
            lone = token.text.upper() == "DELIMITER" and shell.lone_delimiter(self._sql, token.start, back=compound)
            if not lone:
                return None
            self._delimiter = lone.argument
            return self._add(start, token.start, tokens, lone.end)
        word = token.text.upper()
        if word == "DELIMITER":
            self._delimiter, end = shell.delimiter(self._sql, token.start)
            return end
        if word == "USE":
            return self._use(token, start)
        if token.kind in {WORD, RUN}:
            shell.check_first(self._sql, token.text, token.start, token.end)
        return None

    def _use(self, token: Token, start: int) -> int | None:
        """`USE name` on a line of its own ends there; the server needs a `;` when more follows."""
        line = shell.use(self._sql, token.start)
        if line is None:
            return None
        after = next(tokenize(self._sql, line.end, backslash_escapes=self._escapes), None)
        if after is None or self._sql.startswith(self._delimiter, after.start):
            return None
        shell.check_use(line.argument)
        end = self._sql.index(line.argument, token.end) + len(line.argument)
        return self._add(start, end, self._tokenize(self._sql[start:end]), line.end)

    def _add(self, start: int, end: int, tokens: list[Token], behind: int) -> int:
        text = self._sql[start:end].strip()
        if text and any(token.kind not in {OPEN, CLOSE, END} for token in tokens):
            self._found.append(Statement(text, tuple(tokens)))
        return behind


def _until(delimiter: str) -> re.Pattern[str]:
    """The pattern for what may end a statement, and for quotes and comments that may contain a delimiter."""
    return re.compile(
        rf"""(?P<delimiter>(?-i:{re.escape(delimiter)}))|['"]|`[^`]*(?:`|\Z)|/\*(?!!|M!)|--(?=[\x00-\x20\x7f]|\Z)[^\n]*"""
        r"|\#[^\n]*|\\.?|(?P<command>(?<![\w$])DELIMITER(?![\w$]))",
        re.IGNORECASE | re.DOTALL,
    )


_ROUTINES = {"PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"}
_OTHER_OBJECTS = {"TABLE", "VIEW", "INDEX", "DATABASE", "SCHEMA", "USER", "ROLE", "SEQUENCE", "SERVER", "TABLESPACE"}
_BLOCKS = {"BEGIN", "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR", "DECLARE"}


def _may_be_compound(tokens: list[Token]) -> bool:
    words = [upper(t.text) for t in tokens[:40] if t.kind == WORD]
    if not words:
        return False
    if words[0] in {"CREATE", "ALTER"}:
        objects = [word for word in words[:16] if word in _ROUTINES or word in _OTHER_OBJECTS]
        return objects[:1] != [] and objects[0] in _ROUTINES and _has_block(tokens)
    if len(tokens) > 2 and tokens[1].kind == RUN and tokens[1].text.strip() == ":":
        words = words[1:]  # a label
    # A bare BEGIN opens a transaction; BEGIN NOT ATOMIC and the others are MariaDB's blocks outside routines.
    return words[:1] != [] and words[0] in _BLOCKS and words not in (["BEGIN"], ["BEGIN", "WORK"])


def _has_block(tokens: list[Token]) -> bool:
    return any(t.kind == WORD and upper(t.text) in _BLOCKS for t in tokens)
