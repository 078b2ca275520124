"""Shows results of SHOW, DESCRIBE, EXPLAIN and the like in full: all rows, long values, line breaks.

The value stays a plain DataFrame (or Arrow or polars table): a printer is registered with IPython for this one object,
and dropped with it. `print`, `head()` and derived objects behave as usual.
"""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from rds_iam_magic.notebook.showing.printers import ObjectPrinters

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

VERBS = frozenset(
    {"SHOW", "DESCRIBE", "DESC", "EXPLAIN", "HELP", "ANALYZE", "CHECK", "CHECKSUM", "OPTIMIZE", "REPAIR", "CACHE"}
)
MOST_ROWS = 1000
_ONE_LINE = 40  # characters that a cell in a notebook has without breaking its line
_PLAIN, _HTML = "text/plain", "text/html"


class WholePrinters:
    """Shows single objects in full, as long as they live.

    Args:
        shell: The shell that shows them.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        formatters = shell.display_formatter.formatters  # type: ignore[union-attr] # a shell has one
        self._printers = ObjectPrinters(formatters[_PLAIN], formatters[_HTML])

    def add(self, value: object, style: Style | None = None) -> None:
        """Show this object in full from now on, in a style."""
        style = style or Style()
        self._printers.add(value, partial(_pretty, style), partial(_html_or_none, style))

    def clear(self) -> None:
        """Show all objects as usual."""
        self._printers.clear()


def _pretty(style: Style, value: object, printer: Any, _: bool) -> None:
    printer.text(as_text(Grid.of(value, style), width=shutil.get_terminal_size().columns))


def _html_or_none(style: Style, value: object) -> str | None:
    import pandas as pd

    if isinstance(value, pd.DataFrame) and not pd.get_option("display.notebook_repr_html"):
        return None
    return as_html(Grid.of(value, style))


@dataclass(frozen=True, slots=True)
class Style:
    """How values are shown; what they are does not change.

    Attributes:
        formats: How the values of a column become text, by its name; NULL has no format.
        index: Whether the index is shown.
        null: The text for NULL.
        longest: The most characters that are shown of a value; None for all. What is cut says so.
        blank: Given a row by its columns' names, the columns whose NULL means that there is nothing: left blank.
    """

    formats: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    index: bool = True
    null: str = "NULL"
    longest: int | None = None
    blank: Callable[[Mapping[str, str | None]], Collection[str]] = lambda row: ()  # noqa: ARG005 - none is


@dataclass(frozen=True, slots=True)
class Grid:
    """A result's cells as text, row by row.

    Attributes:
        names: The column names.
        index: The index labels; empty for libraries without an index.
        rows: At most the first `MOST_ROWS` rows; None is NULL.
        numbers: For each column, whether it is numeric, so right-aligned.
        total: The number of rows in the result.
        null: The text for NULL.
    """

    names: tuple[str, ...]
    index: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    numbers: tuple[bool, ...]
    total: int
    null: str = "NULL"

    @classmethod
    def of(cls, value: Any, style: Style | None = None) -> Grid:
        """The grid of a DataFrame, an Arrow table or a polars DataFrame."""
        import pandas as pd

        style = style or Style()

        if isinstance(value, pd.DataFrame):
            head = value.iloc[:MOST_ROWS]
            columns = [_values(head.iloc[:, place]) for place in range(head.shape[1])]
            index, names = tuple(map(str, head.index)) if style.index else (), tuple(map(str, head.columns))
        else:
            table = (value if hasattr(value, "to_pylist") else value.to_arrow()).slice(0, MOST_ROWS)
            columns = [column.to_pylist() for column in table.columns]
            index, names = (), tuple(table.column_names)
        known = [[value for value in column if value is not None] for column in columns]
        numbers = tuple(bool(column) and all(isinstance(v, (int, float)) for v in column) for column in known)
        formats = [style.formats.get(name, _text) for name in names]
        texts = [
            [None if v is None else _shortened(text(v), style.longest) for v in column]
            for column, text in zip(columns, formats, strict=True)
        ]
        rows = tuple(_with_blanks(names, row, style) for row in zip(*texts, strict=True))
        return cls(names, index, rows, numbers, len(value), style.null)

    @property
    def has_lines(self) -> bool:
        """Whether a value has several lines."""
        return any("\n" in text for row in self.rows for text in row if text)

    @property
    def rest(self) -> str:
        """A line about rows that are not shown, or about an empty result; else ""."""
        if len(self.rows) == self.total:
            return "" if self.rows else "No rows."
        return f"{len(self.rows):,} of {self.total:,} rows are shown; the value has all of them."


def _values(column: Any) -> list[Any]:
    return [None if missing else value for value, missing in zip(column.tolist(), column.isna(), strict=True)]


def _with_blanks(names: Sequence[str], row: tuple[str | None, ...], style: Style) -> tuple[str | None, ...]:
    blank = style.blank(dict(zip(names, row, strict=True)))
    if not blank:
        return row
    return tuple("" if text is None and name in blank else text for name, text in zip(names, row, strict=True))


def _text(value: Any) -> str:
    if getattr(value, "unit", "") == "s" and hasattr(value, "date"):  # a DATE, as pandas has it
        return str(value.date())
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return repr(value)
    return str(value)


def _shortened(text: str, longest: int | None) -> str:
    if longest is None or len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text):,} characters)"


def as_text(grid: Grid, *, width: int) -> str:
    """A grid for terminals: a table, or mysql's vertical format where a table would be hard to read.

    A table requires single-line values. A single row must fit one terminal line; with several rows, each may take two.
    """
    table = "" if grid.has_lines else _table(grid)
    most = width if grid.total == 1 else 2 * width
    fits = table and (not grid.rows or max(map(len, table.splitlines())) <= most)
    return "\n".join(filter(None, [table if fits else _vertical(grid), grid.rest]))


def _table(grid: Grid) -> str:
    heads = [grid.names, *(tuple(grid.null if text is None else text for text in row) for row in grid.rows)]
    numbers = grid.numbers
    if grid.index:
        heads = [(label, *row) for label, row in zip(("", *grid.index), heads, strict=True)]
        numbers = (False, *numbers)
    widths = [max(map(_width, column)) for column in zip(*heads, strict=True)]
    return "\n".join(_line(row, widths, numbers) for row in heads)


def _line(row: Sequence[str], widths: Sequence[int], numbers: Sequence[bool]) -> str:
    cells = (
        " " * (width - _width(text)) + text if number else text + " " * (width - _width(text))
        for text, width, number in zip(row, widths, numbers, strict=True)
    )
    return "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """The columns that a text takes in a terminal, where 東京 takes four."""
    return len(text) if text.isascii() else len(text) + sum(unicodedata.east_asian_width(c) in "WF" for c in text)


def _vertical(grid: Grid) -> str:
    wide = max(map(len, grid.names), default=0)
    lines = []
    for place, row in enumerate(grid.rows, 1):
        if grid.total > 1:
            lines.append(f"{f' {place}. row ':*^40}")
        lines += [
            f"{name:>{wide}}: {grid.null if text is None else text}" for name, text in zip(grid.names, row, strict=True)
        ]
    return "\n".join(lines)


def as_html(grid: Grid) -> str:
    """A grid for notebooks: a table, which is vertical for a single row with a multi-line value."""
    if grid.has_lines and grid.total == 1:
        body = [
            _html_row(name, [text], [False], grid.null) for name, text in zip(grid.names, grid.rows[0], strict=True)
        ]
        return _html_table("", body)
    corner = "<th></th>" if grid.index else ""
    head = "".join(f'<th style="text-align: left">{escape(name)}</th>' for name in grid.names)
    labels: Sequence[str | None] = grid.index or [None] * len(grid.rows)
    body = [_html_row(label, row, grid.numbers, grid.null) for label, row in zip(labels, grid.rows, strict=True)]
    rest = f"<p>{escape(grid.rest)}</p>" if grid.rest else ""
    return _html_table(f"<thead><tr>{corner}{head}</tr></thead>", body) + rest


def _html_table(head: str, body: Sequence[str]) -> str:
    # The classes keep `$…$` from being rendered as math.
    start = '<table border="1" class="dataframe tex2jax_ignore mathjax_ignore">'
    return "\n".join([start, *([head] if head else []), "<tbody>", *body, "</tbody>", "</table>"])


def _html_row(label: str | None, row: Sequence[str | None], numbers: Sequence[bool], null: str) -> str:
    cells = "".join(_html_cell(null if t is None else t, number) for t, number in zip(row, numbers, strict=True))
    start = "" if label is None else f'<th style="text-align: left; vertical-align: top">{escape(label)}</th>'
    return f"<tr>{start}{cells}</tr>"


def _html_cell(text: str, is_number: bool) -> str:
    shown, wrap = escape(text), ""
    if len(text) <= _ONE_LINE:
        wrap = "; white-space: nowrap"  # or a date would be broken at its hyphens
    elif "\n" not in shown:
        wrap = "; min-width: 20em; overflow-wrap: anywhere"
    if "\n" in shown:
        shown = f'<pre style="margin: 0; text-align: left; white-space: pre-wrap">{shown}</pre>'
    side = "right" if is_number else "left"
    return f'<td style="text-align: {side}; vertical-align: top{wrap}">{shown}</td>'
