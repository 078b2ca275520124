"""`--plot` on the line of `%rds_sql`, and the line of `%rds_plot` → what to draw."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.charts.options import KINDS, PlotOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import near, one_of
from rds_iam_magic.notebook.grammars import PLOT
from rds_iam_magic.notebook.looking.lines import parse_look
from rds_iam_magic.notebook.sqltext import begins_statement
from rds_iam_magic.schema.names import parse_table
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from typing import Any

    from rds_iam_magic.notebook.grammar import Line

_AXES = ("x", "y", "color")
_MOST_COLUMNS = 8


@dataclass(frozen=True, slots=True)
class PlotLine:
    """A parsed line of `%rds_plot`: the connection's alias, what to select, and how to draw it.

    Without a column, there is nothing to draw: the error lists them.
    """

    alias: str | None
    sql: str
    options: PlotOptions
    names_columns: bool = True


def plot_of(
    values: Mapping[str, str], y: Sequence[str], flags: Collection[str], sql: str, *, in_cell: bool
) -> PlotOptions | None:
    """The chart that a line of `%rds_sql` asks for; None if it asks for none.

    Args:
        values: The options' values.
        y: Those of -y.
        flags: The options without one.
        sql: What follows on the line, or stands in the cell.
        in_cell: Whether the SQL is in the cell's body.

    Raises:
        OptionError: Something does not go with it, or a kind is misspelt.
    """
    given = [f"-{key}" if len(key) == 1 else f"--{key}" for key in _AXES if key in values or (key == "y" and y)]
    if "plot" not in values:
        if given:
            raise OptionError(f"{given[0]} needs --plot.", "Add --plot, or omit it.")
        return None
    for key, why in (("to", "--to writes a file"), ("quiet", "--quiet shows nothing")):
        if key in values or key in flags:
            raise OptionError(f"--plot shows a chart; {why}.", "Omit one of them.")
    kind: Any = one_of(values["plot"] or None, "plot", KINDS)
    if kind is None and not in_cell:
        _refuse_misspelt(sql)
    options = PlotOptions(kind, values.get("x"), tuple(y), values.get("color"))
    options.check()
    return options


def _refuse_misspelt(rest: str) -> None:
    """A word that is nearly a kind is none of SQL's, and no alias."""
    word = rest.split(None, 1)[0] if rest else ""
    guess = near(word, KINDS) if word.isalpha() else ""
    if guess:
        raise OptionError(
            f"--plot {word} is not valid.", f"Did you mean --plot {guess}? There are: {', '.join(KINDS)}."
        )


def refuse_unknown_kind(line: Line, aliases: Collection[str], *, in_cell: bool) -> None:
    """Refuse a word behind `--plot` that is no kind of chart, and can be nothing else either.

    Args:
        line: The line as far as its options in front; the word is what follows them.
        aliases: Those of the open connections.
        in_cell: Whether the SQL is in the cell's body; else a statement must follow the word.

    Raises:
        OptionError: It is such a word.
    """
    if line.get("plot") != "":
        return
    word, second = (*line.rest.split(None, 2), "", "")[:2]
    may_be = word in aliases or near(word, aliases) or near(word, KINDS) or begins_statement(word)
    if not word.isalpha() or may_be or second in {"<<", "=<<"} or not (in_cell or begins_statement(second)):
        return
    raise OptionError(
        f"{word!r} is neither a kind of chart nor a connection.",
        f"The kinds: {', '.join(KINDS)}; without one, --plot guesses.",
    )


def parse_plot(text: str) -> PlotLine | None:
    """Read the line of `%rds_plot`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    line = parse_look(PLOT, text, least=1, most=1 + _MOST_COLUMNS)
    if line is None:
        return None
    table = parse_table(line.words[0])
    names = [_column(word) for word in line.words[1:]]
    kind: Any = one_of(line.values.get("kind"), "kind", KINDS)
    color = line.values.get("color")
    selected = ", ".join(map(quote_name, dict.fromkeys([*names, *([color] if color and names else [])]))) or "*"
    options = PlotOptions(kind, color=color)
    options.check()
    return PlotLine(line.alias, f"SELECT {selected} FROM {table.sql}", options, bool(names))  # noqa: S608 - quoted names


def _column(word: str) -> str:
    name = parse_table(word)
    if name.schema is not None:
        raise OptionError(f"{word!r} is not the name of a column.", "Write %rds_plot TABLE COLUMN.")
    return name.name
