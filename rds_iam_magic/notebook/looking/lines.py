"""The lines of the magics for looking around → `LookLine`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import is_login, login_refused
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import merged, without_comments
from rds_iam_magic.notebook.grammars import EXPLAIN, GRAMMARS
from rds_iam_magic.notebook.sqltext import refuse_options_in_sql
from rds_iam_magic.schema.names import take_name

if TYPE_CHECKING:
    from rds_iam_magic.notebook.grammar import Grammar, merged


_COMMENT = re.compile(r"\s*(?:#|--(?:\s|\Z))")


@dataclass(frozen=True, slots=True)
class LookLine:
    """A parsed line.

    Attributes:
        words: The names, and what follows them, as written.
        values: The options that have a value.
        flags: Those that have none.
    """

    words: tuple[str, ...]
    values: dict[str, str]
    flags: frozenset[str]

    @property
    def alias(self) -> str | None:
        """The connection's alias; None for the current one."""
        return self.values.get("alias")

    @property
    def name(self) -> str | None:
        """The table or pattern, if there is one."""
        return self.words[0] if self.words else None


def parse_look(grammar: Grammar, text: str, *, most: int = 1, least: int = 0) -> LookLine | None:
    """Read a line of options and names, in any order; None when help is asked for.

    A name is one word; parts of it in backquotes (or other quotes) may have any character.

    Args:
        grammar: The magic's.
        text: The text after the magic's name.
        most: How many words there may be.
        least: How many there must be.

    Raises:
        OptionError: The line cannot be understood.
    """
    words: list[str] = []
    values: dict[str, str] = {}
    flags: frozenset[str] = frozenset()
    rest = text.rstrip().rstrip(";")  # a habit from SQL
    while rest.strip() and not _COMMENT.match(rest):
        line = grammar.parse(rest, words_end_options=True, others=GRAMMARS)
        values, flags = merged(values, line.values), flags | line.flags
        if _COMMENT.match(line.rest):
            break
        word, rest = take_name(line.rest)
        if not word and rest:
            raise OptionError("A quotation mark on the line is not closed.", grammar.see_help)
        words += [word] if word else []
    if "help" in flags:
        return None
    if any(map(is_login, words)):
        raise login_refused()
    _check_count(grammar, words, most, least)
    return LookLine(tuple(words), values, flags)


def parse_explain(text: str, body: str | None) -> LookLine | None:
    """Read the line of `%rds_explain`, or of `%%rds_explain` with its body; None when help is asked for.

    The SQL is the only word.

    Raises:
        OptionError: The line cannot be understood, or there is no SQL.
    """
    line = EXPLAIN.parse(text if body is None else without_comments(text), words_end_options=True, others=GRAMMARS)
    if "help" in line.flags:
        return None
    if body is not None and line.rest:
        raise OptionError(
            f"%%rds_explain does not understand {line.rest!r} on its line.",
            "The SQL goes below it; -A names a connection.",
        )
    sql = line.rest if body is None else body
    refuse_options_in_sql(sql, EXPLAIN, in_cell=body is not None)
    return LookLine((sql,), line.values, line.flags)


def number_of_rows(line: LookLine) -> tuple[int, ...]:
    """The number behind the table, if there is one.

    Raises:
        OptionError: It is none.
    """
    if len(line.words) < 2:
        return ()
    word = line.words[1]
    if not (word.isascii() and word.isdigit()) or int(word) < 1:
        raise OptionError(
            f"{word!r} is not a number of rows.", "Write %rds_preview TABLE 20; a name with spaces goes in backquotes."
        )
    return (int(word),)


def aws_options(line: LookLine) -> ConnectOptions:
    """How AWS is reached.

    Raises:
        OptionError: There are such options, but not --aws.
    """
    given = {key: value for key, value in line.values.items() if key != "alias"}
    if given and "aws" not in line.flags:
        names = ", ".join(f"--{key.replace('_', '-')}" for key in given)
        raise OptionError(f"{names} needs --aws.", "Add --aws, or omit it.")
    return ConnectOptions(**given)  # type: ignore[arg-type] # AWS's options are texts


def _check_count(grammar: Grammar, words: list[str], most: int, least: int) -> None:
    if len(words) > most:
        raise OptionError(
            f"{grammar.magic} does not understand {words[most]!r}.",
            f"{'A name with spaces goes in backquotes. ' if most else ''}{grammar.see_help}",
        )
    if len(words) < least:
        raise OptionError("The name of a table is missing.", f"Write {grammar.magic} TABLE; %rds_tables lists them.")
