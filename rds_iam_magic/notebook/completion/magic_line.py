"""What may be written on a magic's line: its options, their values, its words. No I/O.

The line is read as `grammar.py` does, but from the left up to the cursor only, and nothing in it is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from rds_iam_magic.notebook.completion.suggestion import Suggestion, Suggestions, begins, first_of
from rds_iam_magic.notebook.grammar import Grammar, Option, unquote
from rds_iam_magic.notebook.grammars import EXPLAIN, POLICY, PROVISION, SQL, USER

Known = Callable[[str], Sequence[Suggestion]]
"""The values that are known for a key, such as `alias`, `user` or `table`, the likeliest first; none for other keys."""

_WORD = re.compile(r"""\s*((?:[^\s"']|"[^"]*"|'[^']*')+)(?=\s)""")  # whole: the one at the cursor is not
_COMMAND = re.compile(r"(?:^|\| )([a-z]+)\b")
_QUERY = re.compile(r"(?:^|\s)(?:-w\s*|--with[\s=]+)([\w$]+)(?=\s|\Z)")
_PLAIN = re.compile(r"""[^\s"']+""")
_ASSIGN = re.compile(r"\s*\S+?\s*=?<<(?:\s|\Z)")
# The keys of the words between the options, first to last; the last one's for all that follow.
_WORDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "%rds_iam_connect": (("alias", "target"),),
    "%rds_iam_doctor": (("alias", "target"),),
    USER.magic: (("command",), ("user",)),
    POLICY.magic: (("user",), ("target",)),
    PROVISION.magic: (("command",), ("stack",)),
    "%rds_iam_enable": (("target",),),
    "%rds_iam_access": (("target",),),
    "%rds_load": (("frame",), ("table",)),
    "%rds_tables": (("table",),),
    "%rds_columns": (("table",),),
    "%rds_preview": (("table",),),
    "%rds_ddl": (("table",),),
    "%rds_profile": (("table",),),
    "%rds_plot": (("table",), *(("column",),) * 8),
}
_KEYS = {
    "append": "frame", "close": "alias", "persist": "frame", "persist_replace": "frame", "save": "section",
    "like": "user", "out": "variable", "params": "variable", "on": "column", "to": "path", "ca": "path",
    "x": "column", "y": "column", "color": "column",
}  # fmt: skip
_KEYS_OF_SQL = {"file": "path", "save": "query", "with": "query"}


@dataclass(slots=True)
class _Read:
    """A line up to the cursor.

    Attributes:
        fragment: The word that the cursor is at, as far as it is written.
        start: Its offset.
        awaiting: The option whose value it is, or None.
        given: The keys of the options before it.
        words: The words before it that are neither options nor values.
        sql: The offset of the SQL that begins before it; -1 if none does.
        alias: The alias among the words, for a magic with SQL.
    """

    fragment: str = ""
    start: int = 0
    awaiting: Option | None = None
    given: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)
    sql: int = -1
    alias: str | None = None


def has_sql(grammar: Grammar) -> bool:
    """Whether SQL may follow on the magic's line."""
    return grammar in (SQL, EXPLAIN)


def sql_start(grammar: Grammar, before: str, aliases: Sequence[str]) -> int | None:
    """The offset at which the SQL begins on a line magic's line, if it does before the cursor or may at it.

    Args:
        grammar: The magic's.
        before: The line up to the cursor.
        aliases: Those of the held connections.
    """
    if not has_sql(grammar):
        return None
    read = _read(grammar, before, aliases)
    if read.sql >= 0:
        return read.sql
    may_begin = (read.awaiting is None or read.awaiting.optional) and not read.fragment.startswith("-")
    return read.start if may_begin else None


def alias_on(grammar: Grammar, line: str, aliases: Sequence[str]) -> str | None:
    """The alias that a whole line names, by a word or by `-A`; None if it names none."""
    if has_sql(grammar):
        read = _read(grammar, line + " ", aliases)
        if read.alias is not None:
            return read.alias
        line = line[: read.sql] if read.sql >= 0 else line
    match = re.search(r"(?:^|\s)(?:-A\s*|--alias[\s=]+)(\S+)", line)
    return unquote(match[1]) if match else None


def queries_on(grammar: Grammar, line: str) -> list[str]:
    """The saved queries that a whole line reads from."""
    return _QUERY.findall(line) if grammar is SQL else []


def complete_line(grammar: Grammar, before: str, known: Known, *, is_cell: bool = False) -> Suggestions:
    """What may be written at the end of a line.

    Args:
        grammar: The magic's.
        before: What is behind the magic's name, up to the cursor.
        known: The values that are known.
        is_cell: Whether it is a cell magic's line, with the SQL below.
    """
    aliases = [suggestion.text for suggestion in known("alias")]
    read = _read(grammar, before, aliases)
    if read.awaiting is not None:
        values = _values(grammar, read, read.awaiting, read.fragment, known)
        if values.items or not read.awaiting.optional:
            return values
    spelling, equals, value = read.fragment.partition("=")
    if equals and spelling.startswith("--"):
        option = grammar.find(spelling)
        if option is None or not option.metavar:
            return Suggestions(len(before), [])
        read.start += len(spelling) + len(equals)
        return _values(grammar, read, option, value, known)
    if read.fragment.startswith("-"):
        return Suggestions(read.start, first_of(_options(grammar, read)))
    words = list(_words(grammar, read, known))
    options = _options(grammar, read) if not read.fragment and (is_cell or not has_sql(grammar)) else ()
    return Suggestions(read.start, first_of([*words, *options]))


def _read(grammar: Grammar, before: str, aliases: Sequence[str]) -> _Read:
    read = _Read()
    at = 0
    while (match := _WORD.match(before, at)) is not None:
        if read.awaiting is not None and read.awaiting.optional and match[1] not in read.awaiting.info.choices:
            read.awaiting = None  # its value is omitted
        if has_sql(grammar) and read.awaiting is None and not _is_option(match[1]):
            if grammar is SQL and (assigned := _ASSIGN.match(before, at)) is not None:
                at = assigned.end()
                continue
            if grammar is SQL and read.alias is None and match[1] in aliases:
                read.alias = match[1]
            else:
                read.sql = match.start(1)
                break
        else:
            _take(read, grammar, match[1])
        at = match.end()
    rest = before[at:]
    read.fragment = rest.lstrip()
    read.start = at + len(rest) - len(read.fragment)
    return read


def _take(read: _Read, grammar: Grammar, word: str) -> None:
    """Take one whole word: a value, an option, or another word."""
    if read.awaiting is not None:
        read.awaiting = None
        return
    if not _is_option(word):
        read.words.append(unquote(word))
        return
    spelling, equals, _ = word.partition("=")
    option = grammar.find(spelling)
    if option is None and not word.startswith("--"):  # -uNAME
        option, equals = grammar.find(word[:2]), "attached"
    if option is not None:
        read.given.add(option.key)
        if option.metavar and not equals:
            read.awaiting = option


def _is_option(word: str) -> bool:
    return re.match(r"--?[A-Za-z]", word) is not None


def _options(grammar: Grammar, read: _Read) -> Iterator[Suggestion]:
    typed = read.fragment.lower().replace("_", "-")
    for option in grammar.all_options:
        if (option.many or not _excluded(option.key, read.given)) and begins(f"--{option.name}", typed):
            yield Suggestion(f"--{option.name}", "option")


def _excluded(key: str, given: set[str]) -> bool:
    """Whether an option is given already, or its opposite is."""
    return key in given or f"no_{key}" in given or key.removeprefix("no_") in given


def _values(grammar: Grammar, read: _Read, option: Option, written: str, known: Known) -> Suggestions:
    key = _KEYS_OF_SQL.get(option.key) if grammar is SQL else None
    key = key or _KEYS.get(option.key, option.key)
    if key == "query" and "=" in written:  # NAME=DF
        read.start += written.index("=") + 1
        written, key = written.partition("=")[2], "frame"
    quote = written[:1] if written[:1] in ("'", '"') else ""
    fragment = written[len(quote) :]
    values = [Suggestion(choice, "value") for choice in option.info.choices] or known(key)
    return Suggestions(read.start, first_of(_written(value, quote) for value in values if begins(value.text, fragment)))


def _written(value: Suggestion, quote: str = "") -> Suggestion:
    """A value as one word of the line."""
    if not quote and _PLAIN.fullmatch(value.text):
        return value
    quote = quote or ("'" if "'" not in value.text else '"')
    return value._replace(text=f"{quote}{value.text}{quote}")


def _words(grammar: Grammar, read: _Read, known: Known) -> Iterator[Suggestion]:
    if has_sql(grammar):
        keys: tuple[str, ...] = ("alias",) if grammar is SQL and read.alias is None and read.sql < 0 else ()
    else:
        places = _WORDS.get(grammar.magic, ())
        if len(read.words) >= len(places) and grammar is not POLICY:
            return
        keys = places[min(len(read.words), len(places) - 1)]
    for key in keys:
        values = _commands(grammar) if key == "command" else known(key)
        yield from (_written(value) for value in values if begins(value.text, read.fragment))


def _commands(grammar: Grammar) -> list[Suggestion]:
    names = [name for usage in grammar.usage for name in _COMMAND.findall(usage)]
    return [Suggestion(name, "command") for name in dict.fromkeys(names)]
