"""`Layout`: which kind of chart, and which column goes where; what was not named is guessed here.

| columns | chart |
|---|---|
| a time and numbers | line |
| texts and numbers, one row for each text | bar; with a second text, coloured by it |
| texts that repeat, and a number | box |
| a number and a text that both repeat, in one row for each pair, and a number | line, coloured by the text |
| two numbers | line if the first ones ascend, else scatter |
| one number, or one time | hist |
| texts only | hist: a bar for each text; of two, heatmap |

Bars without numbers are a hist: a bar for each value, of its rows. Of a table, whose rows are not read, the guess is a
chart that is counted: hist, box or heatmap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rds_iam_magic.charts.fields import Field, Scale, listed, named
from rds_iam_magic.charts.options import Kind, PlotOptions
from rds_iam_magic.errors import OptionError

if TYPE_CHECKING:
    import pyarrow as pa

MOST_SERIES = 6
"""As many colours can be told apart, by people with colour blindness too."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The kind of a chart and the columns of its axes.

    Attributes:
        kind: The kind.
        x: The column along the x axis; None for the rows' numbers, or for nothing.
        y: The columns along the y axis; several have a colour each. Empty where rows are counted.
        color: The column whose values have a colour each, as a category.
    """

    kind: Kind
    x: Field | None
    y: tuple[Field, ...] = ()
    color: Field | None = None


def layout_of(fields: Sequence[Field], options: PlotOptions, table: pa.Table | None = None) -> Layout:
    """The chart of a result.

    Args:
        fields: Its columns.
        options: What was asked for.
        table: Its rows, as far as they are known: they only tell which kind is guessed. None: they are to be counted.

    Raises:
        OptionError: A named column is missing or cannot be used so, or there is none to plot.
    """
    options.check()
    x, y, color = named_by(fields, options)
    free = _Free([field for field in fields if field.scale is not None and field not in (x, color, *y)])
    if not free.fields and x is None and not y:
        raise OptionError("There is no column to plot: no number, date or text.", listed(fields) if fields else "")
    kind = options.kind or _guess(free, x, y, table)
    made = _LAYOUTS[kind](kind, free, Layout(kind, x, y, color))
    if kind != "heatmap":
        _check_numbers(kind, made.y, fields)
    return made if made.color is None else replace(made, color=made.color.as_category())


def _check_numbers(kind: Kind, y: Sequence[Field], fields: Sequence[Field]) -> None:
    allowed = ("number", "time") if kind == "scatter" else ("number",)
    for field in y:
        if field.scale not in allowed:
            raise OptionError(f"Column {field.name!r} has no numbers, which y of a {kind} needs.", listed(fields))


def named_by(fields: Sequence[Field], options: PlotOptions) -> tuple[Field | None, tuple[Field, ...], Field | None]:
    """The columns that are named for x, y and the colours.

    Raises:
        OptionError: One is missing, or cannot be placed on an axis.
    """
    x = None if options.x is None else named(fields, options.x)
    y = tuple(named(fields, name) for name in options.y)
    return x, y, None if options.color is None else named(fields, options.color)


@dataclass(slots=True)
class _Free:
    """The columns that have no place yet, in order."""

    fields: list[Field]

    def take(self, *scales: Scale) -> Field | None:
        """The first column of the first of these scales that has one, which then has a place; None if none has."""
        for scale in scales:
            for field in self.fields:
                if field.scale == scale:
                    return self.take_field(field)
        return None

    def take_field(self, field: Field) -> Field:
        self.fields.remove(field)
        return field

    def all(self, scale: Scale) -> list[Field]:
        return [field for field in self.fields if field.scale == scale]


def _guess(free: _Free, x: Field | None, y: tuple[Field, ...], table: pa.Table | None) -> Kind:
    known = [*([x] if x is not None else []), *y, *free.fields]
    numbers = [field for field in known if field.scale == "number" and field is not x]
    times = [field for field in known if field.scale == "time"]
    texts = [field for field in known if field.scale == "category"]
    if table is None:
        return _guess_counted(numbers, times, texts, x)
    if x is not None and x.scale == "number":
        return ("line" if _ascends(table, x) else "scatter") if numbers or y else "hist"
    if numbers and (times or texts):
        if times and not (x is not None and x.scale == "category"):
            return "line"
        if x is None and len(numbers) > 1 and _is_grouped(table, numbers[0], texts[0]):
            return "line"
        keys = [x, *texts[:1]] if x is not None and x not in texts[:1] else texts[:2]
        return "box" if _repeats(table, keys) else "bar"
    if len(numbers) > 1:
        return "line" if _ascends(table, numbers[0]) else "scatter"
    if y:
        return "line"
    return "heatmap" if len(texts) > 1 and not times and not numbers else "hist"


def _guess_counted(numbers: list[Field], times: list[Field], texts: list[Field], x: Field | None) -> Kind:
    if texts and numbers and not times:
        return "box"
    count = len(numbers) + len(times) + len(texts) + (x is not None and x.scale == "number")
    return "heatmap" if count > 1 else "hist"


def _ascends(table: pa.Table, field: Field) -> bool:
    """Whether each value is greater than the one before."""
    from rds_iam_magic.charts.columns import places_of

    values, missing = places_of(table.column(field.place), field)
    return len(values) > 2 and not missing.any() and bool((values[1:] > values[:-1]).all())


def _is_grouped(table: pa.Table, number: Field, text: Field) -> bool:
    """Whether there is one row for each number and text, as GROUP BY year, city gives them."""
    return _repeats(table, [number]) and _repeats(table, [text]) and not _repeats(table, [number, text])


def _repeats(table: pa.Table, fields: Sequence[Field]) -> bool:
    """Whether rows have the same values in these columns."""
    import pyarrow as pa

    keys = pa.Table.from_arrays([table.column(field.place) for field in fields], [str(i) for i in range(len(fields))])
    return bool(keys.group_by(keys.column_names).aggregate([]).num_rows < table.num_rows)


def _over_x(kind: Kind, free: _Free, given: Layout) -> Layout:
    """Line and area: over time, else over the first text or number, if that leaves a number to draw."""
    x = given.x or free.take("time")
    if x is None:
        numbers = free.all("number")
        first = next((f for f in free.fields if f.scale == "category" or len(numbers) > 1 or given.y), None)
        x = first and free.take_field(first)
    return _with_series(kind, free, given, x)


def _bars(kind: Kind, free: _Free, given: Layout) -> Layout:
    """Bars of numbers over texts, times or numbers; without a number to draw, of each value's rows."""
    x = given.x or free.take("category", "time")
    if x is None and (given.y or len(free.all("number")) > 1):
        x = free.take("number")
    if given.y or (x is not None and free.all("number")):
        return _with_series(kind, free, given, x)
    x = x or free.take("number")
    return Layout("hist", x and x.as_category(), (), given.color)


def _with_series(kind: Kind, free: _Free, given: Layout, x: Field | None) -> Layout:
    """One column of numbers, coloured by a text, or where there is none, all columns of numbers."""
    if given.y:
        return Layout(kind, x, given.y, given.color)
    numbers = free.all("number")
    if not numbers:
        raise OptionError(f"There is no column of numbers, which a {kind} needs.", listed(free.fields))
    color = given.color or free.take("category")
    return Layout(kind, x, tuple(numbers[: MOST_SERIES if color is None else 1]), color)


def _scatter(kind: Kind, free: _Free, given: Layout) -> Layout:
    x = given.x or free.take("number", "time")
    y = given.y[0] if given.y else free.take("number", "time")
    if x is None or y is None:
        raise OptionError("A scatter needs two columns of numbers or times.", listed([f for f in (x, y) if f]))
    return Layout(kind, x, (y,), given.color or free.take("category"))


def _hist(kind: Kind, free: _Free, given: Layout) -> Layout:
    return Layout(kind, given.x or free.take("number", "time", "category"), (), given.color)


def _box(kind: Kind, free: _Free, given: Layout) -> Layout:
    if given.color is not None:
        raise OptionError("The boxes of a box plot have no color.", "Name the column of the boxes as x.")
    y = given.y or tuple(filter(None, [free.take("number")]))
    if not y:
        raise OptionError("There is no column of numbers, which a box needs.", listed(free.fields))
    if len(y) > 1 and given.x is not None:
        raise OptionError("A box plot has an x, or several y.", "Keep one of them.")
    x = given.x or (free.take("category") if len(y) == 1 else None)
    return Layout(kind, x and x.as_category(), y)


def _heatmap(kind: Kind, free: _Free, given: Layout) -> Layout:
    pairs: tuple[Scale, ...] = ("time", "number", "category")
    if given.x is None and not given.y and len(free.all("number")) + len(free.all("time")) < 2:
        pairs = ("category", "time", "number") if len(free.all("category")) > 1 else pairs
    x = given.x or free.take(*pairs)
    y = given.y[0] if given.y else free.take(*pairs)
    if x is None or y is None:
        raise OptionError("A heatmap needs two columns.", "Name another one as y.")
    return Layout(kind, x, (y,))


_LAYOUTS: dict[Kind, Callable[[Kind, _Free, Layout], Layout]] = {
    "line": _over_x,
    "area": _over_x,
    "bar": _bars,
    "scatter": _scatter,
    "hist": _hist,
    "box": _box,
    "heatmap": _heatmap,
}
