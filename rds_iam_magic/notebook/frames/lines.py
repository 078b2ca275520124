"""The lines that name frames → what to write where: `%rds_load`, and `--persist`, `--with` and others of `%rds_sql`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammars import LOAD
from rds_iam_magic.schema.names import take_name

if TYPE_CHECKING:
    from rds_iam_magic.connection.frames.writes import IfExists
    from rds_iam_magic.notebook.looking.lines import LookLine

IF_EXISTS: dict[str, IfExists] = {"persist": "fail", "append": "append", "persist_replace": "replace"}
"""What each option does with a table that exists."""

_GO_WITH = frozenset({"quiet", "no_index"})


@dataclass(frozen=True, slots=True)
class LoadLine:
    """A frame to write: the variable that it is in, the table, what to do if that exists, and whether with its index.

    Without `--no-index`, an index that has names is written, too.
    """

    variable: str
    table: str
    if_exists: IfExists
    index: bool | None = None


def load_of(values: Mapping[str, str], flags: Collection[str], rest: str, body: str | None) -> LoadLine | None:
    """The frame that a line writes; None if it writes none.

    Args:
        values: The options' values.
        flags: The options without one.
        rest: What stands behind them: the table, or nothing for one named as the variable.
        body: The cell's body, if it has one.

    Raises:
        OptionError: There are several, or something else besides.
    """
    chosen = [key for key in IF_EXISTS if key in values]
    if not chosen:
        if "no_index" in flags:
            raise OptionError("--no-index needs --persist DF, --persist-replace DF or --append DF.", "Omit it.")
        return None
    option = f"--{chosen[0].replace('_', '-')}"
    others = sorted(({*values, *flags} - _GO_WITH) - {chosen[0]})
    if others:
        raise OptionError(
            f"{option} writes a DataFrame; --{others[0].replace('_', '-')} does not go with it.", "Omit it."
        )
    if body is not None and body.strip():
        raise OptionError(f"{option} writes a DataFrame; the SQL below it would not run.", "Write it in another cell.")
    variable = values[chosen[0]]
    table, more = take_name(rest)
    if more:
        raise OptionError(
            f"{option} takes a DataFrame and a table; unexpected {more.split()[0]!r}.",
            f"Write %rds_sql {option} {variable} {table}.",
        )
    index = False if "no_index" in flags else None
    return LoadLine(variable, table or f"`{variable}`", IF_EXISTS[chosen[0]], index)


def parse_load(text: str) -> tuple[LookLine, LoadLine] | None:
    """Read the line of `%rds_load`: its options, and what it writes; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    from rds_iam_magic.notebook.looking.lines import parse_look

    line = parse_look(LOAD, text, most=2)
    if line is None:
        return None
    if not line.words:
        raise OptionError("The name of a DataFrame is missing.", "Write %rds_load DF, or %rds_load DF TABLE.")
    if {"append", "replace"} <= line.flags:
        raise OptionError("--append keeps the table's rows; --replace does not.", "Keep one of them.")
    variable, table = (*line.words, f"`{line.words[0]}`")[:2]
    key = next((key for key, option in _FLAGS.items() if option in line.flags), "persist")
    return line, LoadLine(variable, table, IF_EXISTS[key], False if "no_index" in line.flags else None)


_FLAGS = {"append": "append", "persist_replace": "replace"}


def frames_of(texts: Iterable[str]) -> dict[str, str]:
    """The frames to join with: `NAME=VAR` each; the variables, by the names of the temporary tables.

    Texts without `=` name saved queries.

    Raises:
        OptionError: One cannot be understood, or a name is given twice.
    """
    frames: dict[str, str] = {}
    for text in texts:
        name, equals, variable = (part.strip() for part in text.partition("="))
        if not equals:
            continue
        if not (name and variable):
            raise OptionError(f"--with {text} is not NAME=DF.", "Write it like --with customers=df.")
        if name in frames:
            raise OptionError(f"--with names {name} twice.", "Give each frame a name of its own.")
        frames[name] = variable
    return frames


def queries_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The saved queries among the values of `--with`: those without `=`.

    Raises:
        OptionError: One is named twice; to the server, case makes no difference.
    """
    names: dict[str, str] = {}
    for name in (text.strip() for text in texts if "=" not in text):
        if name.lower() in names:
            raise OptionError(f"--with names {name} twice.", "Name each query once.")
        names[name.lower()] = name
    return tuple(names.values())
