"""The lines of the magics for looking around → `LookLine`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import is_login, login_refused
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammars import GRAMMARS
from rds_iam_magic.schema.names import take_name

if TYPE_CHECKING:
    from rds_iam_magic.notebook.grammar import Grammar


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
    rest = text
    while rest.strip():
        line = grammar.parse(rest, words_end_options=True, others=GRAMMARS)
        values, flags = _merged(values, line.values), flags | line.flags
        word, rest = take_name(line.rest)
        if not word and rest:
            raise OptionError("A quotation mark on the line is not closed.", f"See {grammar.magic} --help.")
        words += [word] if word else []
    if "help" in flags:
        return None
    if any(map(is_login, words)):
        raise login_refused()
    _check_count(grammar, words, most, least)
    return LookLine(tuple(words), values, flags)


def _merged(values: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    for key in values.keys() & more.keys():
        raise OptionError(f"--{key.replace('_', '-')} is given twice.", "Give it once.")
    return values | more


def _check_count(grammar: Grammar, words: list[str], most: int, least: int) -> None:
    if len(words) > most:
        raise OptionError(
            f"{grammar.magic} does not understand {words[most]!r}.",
            f"A name with spaces goes in backquotes. See {grammar.magic} --help.",
        )
    if len(words) < least:
        raise OptionError("The name of a table is missing.", f"Write {grammar.magic} TABLE; %rds_tables lists them.")
