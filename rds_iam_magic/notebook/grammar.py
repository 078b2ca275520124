"""A small grammar for magic lines: options first, the rest exactly as written.

`argparse` would parse the SQL after the options and split it at quotes; here a line is read from the left, and what
follows the last option is kept byte for byte. One table of `Option`s drives parsing and `--help`.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.help.examples import shown
from rds_iam_magic.option import OptionInfo

_WORD = re.compile(r"""\s*((?:[^\s"']+|"[^"]*"|'[^']*')+)""")
_PASSWORDS = {"--password", "--passwd", "--pwd"}
WIDTH = 88
"""Columns of the help: what a notebook's cell and a tooltip show without breaking lines."""
_INDENT = 26  # of what the options do
_NEAR = 0.7  # `usr` is near `user`; `persist` is near nothing
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a magic line.

    Attributes:
        name: The long form without `--`; `-` and `_` are equivalent.
        info: What it does, and how it is written.
        many: Whether it may be repeated.
        aliases: Alternative long forms, known from other tools.
        optional: Whether its value may be omitted: the word behind it is one only if it is among the choices.
    """

    name: str
    info: OptionInfo
    many: bool = False
    aliases: tuple[str, ...] = ()
    optional: bool = False

    @property
    def short(self) -> str:
        """The short form's letter, or ""."""
        return self.info.short

    @property
    def metavar(self) -> str:
        """The placeholder for its value in the help; "" for a flag."""
        return self.info.metavar

    @property
    def key(self) -> str:
        """The name as a Python identifier."""
        return self.name.replace("-", "_")

    @property
    def spelling(self) -> str:
        """The option as shown in the help, such as `-u, --user USER`."""
        short = f"-{self.short}, " if self.short else ""
        metavar = f"[{self.metavar}]" if self.optional else self.metavar
        return f"{short}--{self.name}{' ' + metavar if metavar else ''}"


@dataclass(frozen=True, slots=True)
class Line:
    """A parsed line: the options' values by key, the words between them, and the rest as written."""

    values: dict[str, str]
    lists: dict[str, list[str]]
    flags: frozenset[str]
    words: list[str]
    rest: str

    def get(self, key: str) -> str | None:
        """The value of an option, or None."""
        return self.values.get(key)

    def followed_by(self, more: Line) -> Line:
        """This part of a line together with the part behind it, whose rest it has.

        Raises:
            OptionError: An option is in both.
        """
        lists = {key: [*self.lists.get(key, []), *more.lists.get(key, [])] for key in {**self.lists, **more.lists}}
        values = merged(self.values, more.values)
        return Line(values, lists, self.flags | more.flags, [*self.words, *more.words], more.rest)


@dataclass(frozen=True, slots=True)
class Grammar:
    """The options of one magic.

    Attributes:
        magic: The magic's name, with percent signs.
        usage: The usage lines, without the name.
        about: The description for the help, in paragraphs; the first one is a sentence that says what it does.
        options: The options; `--help` is always added.
    """

    magic: str
    usage: tuple[str, ...]
    about: str
    options: tuple[Option, ...]

    def parse(self, line: str, *, words_end_options: bool = False, others: Sequence[Grammar] = ()) -> Line:
        """Parse a line.

        Args:
            line: The text after the magic's name.
            words_end_options: Whether the first word that is not an option begins the rest (SQL with its comments);
                otherwise words and options may be mixed, and comments are removed.
            others: The other magics' grammars, to recognise options of theirs.

        Raises:
            OptionError: An option is unknown, repeated, or has no value.
        """
        reader = _Reader(self, line if words_end_options else without_comments(line), others)
        while (word := reader.peek()) is not None:
            if _looks_like_option(word):
                reader.option()
            elif words_end_options:
                break
            else:
                reader.words.append(unquote(reader.take()))
        return Line(reader.values, reader.lists, frozenset(reader.flags), reader.words, reader.rest())

    def find(self, spelling: str) -> Option | None:
        """The option spelled as `-u` or `--user`, for instance."""
        if spelling.startswith("--"):
            name = spelling[2:].replace("_", "-").lower()
            return next((o for o in self.all_options if name == o.name or name in o.aliases), None)
        return next((o for o in self.all_options if o.short and spelling == f"-{o.short}"), None)

    @property
    def all_options(self) -> tuple[Option, ...]:
        """The options and `--help`."""
        return (*self.options, Option("help", OptionInfo("Show this text.", short="h")))

    def info(self, key: str) -> OptionInfo:
        """The `OptionInfo` of an option, by its Python name."""
        return next(option.info for option in self.options if option.key == key)

    @property
    def see_help(self) -> str:
        """The hint at `--help`: with one percent sign, since IPython runs no cell magic in a cell without a body."""
        return f"See %{self.magic.lstrip('%')} --help."

    def help(self) -> str:
        """The text of `--help`, and of the magic's docstring: its first lines are what a tooltip shows.

        It fits `WIDTH` columns.
        """
        summary, *paragraphs = [_wrapped(" ".join(each.split())) for each in self.paragraphs]
        usage = [_wrapped(f"{self.magic} {usage}", "  ", " " * 6) for usage in self.usage]
        examples = [f"  {line}".rstrip() for line in shown(self.magic)]
        sections = [
            summary,
            *(["\n".join(["Examples:", *examples])] if examples else []),
            "\n".join(["Usage:", *usage]),
        ]
        table = [_help_line(option) for option in self.all_options]
        return "\n\n".join([*sections, *paragraphs, "\n".join(["Options:", *table])])

    @property
    def paragraphs(self) -> list[str]:
        """The paragraphs of the description; the first one is a sentence that says what the magic does."""
        return re.split(r"\n\s*\n", textwrap.dedent(self.about).strip())


class _Reader:
    """Reads one line from left to right."""

    def __init__(self, grammar: Grammar, line: str, others: Sequence[Grammar]) -> None:
        self._grammar = grammar
        self._others = others
        self._line = line
        self._at = 0
        self.values: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.flags: set[str] = set()
        self.words: list[str] = []

    def peek(self) -> str | None:
        match = _WORD.match(self._line, self._at)
        if match is not None:
            return match[1]
        if self._line[self._at :].strip():  # an unclosed quotation mark
            return self._line[self._at :].split()[0]
        return None

    def take(self) -> str:
        match = _WORD.match(self._line, self._at)
        if match is None:
            raise OptionError("A quotation mark on the line is not closed.", self._grammar.see_help)
        self._at = match.end()
        return match[1]

    def rest(self) -> str:
        return self._line[self._at :].strip()

    def option(self) -> None:
        word = self.take()
        spelling, equals, value = word.partition("=")
        option = self._grammar.find(spelling)
        if option is None and not word.startswith("--"):  # -uNAME
            option, value, equals = self._grammar.find(word[:2]), word[2:], "attached"
            if option is not None and not option.metavar:
                option = None
        if option is None:
            raise _unknown(self._grammar, spelling, self._others)
        if not option.metavar:
            if equals:
                raise OptionError(f"--{option.name} takes no value.", self._grammar.see_help)
            self.flags.add(option.key)
            return
        if option.optional and not equals and self.peek() not in option.info.choices:
            self._keep(option, "", may_be_empty=True)
            return
        self._keep(option, unquote(value) if equals else self._value(option))

    def _value(self, option: Option) -> str:
        word = self.peek()
        if word is None or (_looks_like_option(word) and self._grammar.find(word.partition("=")[0]) is not None):
            raise OptionError(f"--{option.name} needs a value: {option.spelling}.", self._grammar.see_help)
        return unquote(self.take())

    def _keep(self, option: Option, value: str, *, may_be_empty: bool = False) -> None:
        if not value.strip() and not may_be_empty:
            raise OptionError(f"The value of --{option.name} is empty.", "Give one, or omit the option.")
        if option.many:
            self.lists.setdefault(option.key, []).append(value)
        elif option.key in self.values:
            raise OptionError(f"--{option.name} is given twice.", "Give it once.")
        else:
            self.values[option.key] = value


def merged(values: dict[str, str], more: dict[str, str]) -> dict[str, str]:
    """The options' values of two parts of a line.

    Raises:
        OptionError: An option is in both.
    """
    for key in values.keys() & more.keys():
        raise OptionError(f"--{key.replace('_', '-')} is given twice.", "Give it once.")
    return values | more


def unquote(word: str) -> str:
    """A word without the quotes around its parts."""
    return _QUOTED.sub(lambda m: m[1] if m[1] is not None else m[2], word)


def _looks_like_option(word: str) -> bool:
    # Not `-`, `--` (SQL's comment, or the end of the options), `-1`.
    return re.match(r"--[A-Za-z]|-[A-Za-z]", word) is not None


def without_comments(line: str) -> str:
    """A line without SQL comments (`-- …`, `# …`, `/* … */`) that begin where a word would."""
    kept: list[str] = []
    offset = 0
    while (match := _WORD.match(line, offset)) is not None:
        if match[1] == "--" or match[1].startswith("#"):
            return "".join(kept)
        if match[1].startswith("/*"):
            end = line.find("*/", match.start(1) + 2)
            kept.append(" ")
            offset = len(line) if end < 0 else end + 2
        else:
            kept.append(match[0])
            offset = match.end()
    return "".join(kept) + line[offset:]


def near(word: str, known: Iterable[str], *, cutoff: float = _NEAR) -> str:
    """The known word nearest to one, ignoring case; "" if none is near enough."""
    import difflib

    by_lower = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[matches[0]] if matches else ""


def _unknown(grammar: Grammar, spelling: str, others: Sequence[Grammar]) -> OptionError:
    # Never repeat text attached to a letter: it may be mysql's -pPASSWORD.
    spelling = spelling if spelling.startswith("--") else spelling[:2]
    names = [name for option in grammar.all_options for name in (option.name, *option.aliases)]
    guess = near(spelling.lstrip("-").replace("_", "-"), names) if spelling.startswith("--") else ""
    owner = next((other for other in others if other is not grammar and other.find(spelling) is not None), None)
    hint = grammar.see_help
    if spelling.lower() in _PASSWORDS:
        hint = "There is no password: AWS credentials are used. Delete a password from the cell."
    elif owner is not None:
        hint = f"{spelling} is an option of {owner.magic}. {owner.see_help}"
    elif guess:
        hint = f"Did you mean --{guess}? {hint}"
    error = OptionError(f"{grammar.magic} has no option {spelling}.", hint)
    error.holds_input = spelling.lower() in _PASSWORDS
    return error


def _help_line(option: Option) -> str:
    head = f"  {option.spelling}"
    body = textwrap.wrap(option.info.magic_text().replace("`", ""), WIDTH - _INDENT, break_on_hyphens=False)
    first = [] if len(head) > _INDENT - 2 else [f"{head:<{_INDENT}}{body.pop(0)}"]
    return "\n".join([*(first or [head]), *(" " * _INDENT + line for line in body)])


def _wrapped(text: str, indent: str = "", next_indent: str = "") -> str:
    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=next_indent, break_on_hyphens=False)


def number(value: str | None, name: str) -> float | None:
    """An option's value as a number of seconds, or None if it is not given.

    Raises:
        OptionError: It is not a number greater than 0.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not math.isfinite(seconds) or seconds <= 0:
        raise OptionError(f"--{name} {value} is not a number greater than 0.", f"Write it like --{name} 30.")
    return seconds


def whole(value: str | None, name: str, *, most: int | None = None) -> int | None:
    """An option's value as a whole number, or None if it is not given.

    Raises:
        OptionError: It is not a whole number in the range.
    """
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or int(value) < 1 or (most is not None and int(value) > most):
        up_to = f" to {most}" if most is not None else " or more"
        raise OptionError(f"--{name} {value} is not a whole number (1{up_to}).", f"Write it like --{name} 100.")
    return int(value)


def one_of(value: str | None, name: str, choices: Sequence[str]) -> str | None:
    """An option's value, checked against its choices.

    Raises:
        OptionError: It is not one of the choices.
    """
    if value is None or value in choices:
        return value
    raise OptionError(f"--{name} {value} is not valid.", f"Use one of: {', '.join(choices)}.")
