"""`Drawing`: what a chart consists of, as plain values: its axes, its rows, and what is to be told of them.

Rows are left out in two cases, and both are told: a value is NULL, or there are too many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rds_iam_magic.charts import counting
from rds_iam_magic.charts.columns import are_exact, categories_of, places_of, texts_of
from rds_iam_magic.charts.fields import Field, Scale, fields_of
from rds_iam_magic.charts.layout import MOST_SERIES, Layout, layout_of
from rds_iam_magic.charts.options import Kind, PlotOptions
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.charts.counting import Boxes, Counted, Key

MOST_ROWS = 5_000
"""More marks are slow to draw, and make a large notebook."""

_MOST_TICKS = 20

MOST_CATEGORIES = 50
"""More of them side by side cannot be read."""


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis, or the colours.

    Attributes:
        title: What it is called.
        scale: How values are placed on it.
        whole: Whether it has whole numbers, or days.
        categories: The categories, in order.
        four_digits: Whether all numbers are whole and have four digits, as years do: they are written without a comma.
        ticks: Where numbers are written, if they are whole and few: between them there is nothing.
    """

    title: str
    scale: Scale
    whole: bool = False
    categories: tuple[str, ...] = ()
    four_digits: bool = False
    ticks: tuple[int, ...] = ()

    def over(self, numbers: Iterable[float]) -> Axis:
        """The axis of these numbers."""
        known = list(numbers)
        if not self.whole or self.scale != "number" or not known:
            return self
        low, high = math.floor(min(known)), math.ceil(max(known))
        ticks = tuple(range(low, high + 1)) if high - low <= _MOST_TICKS else ()
        return replace(self, four_digits=1000 <= low <= high <= 9999, ticks=ticks)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart, before it is written in any language.

    Attributes:
        kind: Its kind.
        x, y: Its axes; x has one category without a name where there is nothing to tell apart.
        color: What the colours mean; None for one colour.
        rows: A mark each. Places are x, y, color, or for ranges x2, y2; times are milliseconds since 1970 as the frame
            shows them. A key with `_text` behind it is the exact text of a place that is a time or rounded. Boxes have
            low, q1, median, q3, high and count; what is counted has count; bars over bins have base and top.
        notes: What is not drawn, a sentence each.
        stacked: Whether the marks of different colours stand on each other.
    """

    kind: Kind
    x: Axis
    y: Axis
    color: Axis | None
    rows: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    stacked: bool = False


def draw(table: pa.Table, options: PlotOptions) -> Drawing:
    """The chart of a result's rows.

    Raises:
        OptionError: A column is missing or cannot be used so, or there is nothing to plot.
    """
    layout = layout_of(fields_of(table.schema), options, table)
    if layout.kind == "box":
        return boxes(counting.quartiles(table, layout), layout)
    if layout.kind in ("hist", "heatmap"):
        return counts(counting.count(table, layout), layout)
    return _marks(table, layout)


def counts(counted: Counted, layout: Layout) -> Drawing:
    """The chart of what was counted: a histogram, or a heatmap."""
    notes: list[str] = []
    groups = counted.groups
    names = ("x", "y") if layout.kind == "heatmap" else ("x", "color")
    for place, each in enumerate(counted.fields):
        groups = _without_null(groups, place, each, notes)
    axes: list[Axis] = []
    for place, (each, bins) in enumerate(zip(counted.fields, counted.bins, strict=True)):
        if bins is not None or each.scale != "category":  # without bins where all are NULL
            axes.append(Axis(each.title, each.scale or "number", each.whole).over(bins.edges if bins else ()))
            continue
        most = MOST_SERIES if names[place] == "color" else MOST_CATEGORIES
        kept = _largest(groups, place, each, most, notes, more=counted.more)
        groups = {key: rows for key, rows in groups.items() if key[place] in kept}
        axes.append(Axis(each.title, "category", categories=kept))
    if len(axes) == 1 and counted.bins[0] is not None:
        groups = {(code,): groups.get((code,), 0) for code in range(len(counted.bins[0]))}  # those without a row, too
    rows = [
        _ranges(key, names, counted) | {"count": number}
        for key, number in sorted(
            groups.items(), key=lambda item: [_order(part, axis) for part, axis in zip(item[0], axes, strict=True)]
        )
    ]
    rows_axis = Axis("rows", "number", whole=True)
    if layout.kind == "heatmap":
        rows_axis = rows_axis.over(row["count"] for row in rows)
        return Drawing("heatmap", axes[0], axes[1], rows_axis, rows, notes)
    rows_axis = rows_axis.over(_heights(rows, "count", stacked=True))
    if axes[0].scale != "category":
        _stack(rows)
    return Drawing("hist", axes[0], rows_axis, axes[1] if len(axes) > 1 else None, rows, notes, stacked=True)


def _stack(rows: Sequence[dict[str, Any]]) -> None:
    """Say where the bars over a bin begin and end, one on the other."""
    tops: dict[float, int] = {}
    for row in rows:
        row["base"] = tops.get(row["x"], 0)
        row["top"] = tops[row["x"]] = row["base"] + row["count"]


def _order(part: Key, axis: Axis) -> int:
    return axis.categories.index(part) if isinstance(part, str) else part or 0


def _ranges(key: tuple[Key, ...], names: Sequence[str], counted: Counted) -> dict[str, Any]:
    """Where a group is on the axes: its categories, and the edges of its bins."""
    row: dict[str, Any] = {}
    for name, part, bins in zip(names, key, counted.bins, strict=False):
        if bins is None or not isinstance(part, int):
            row[name] = part
            continue
        low, high = (edge / 1000 if bins.is_time else edge for edge in bins.edges[part : part + 2])
        texts = bins.texts()[part : part + 2]
        row |= {name: low, f"{name}2": high, f"{name}_text": f"{texts[0]} to below {texts[1]}"}
    return row


def _without_null(
    groups: dict[tuple[Key, ...], int], place: int, each: Field, notes: list[str]
) -> dict[tuple[Key, ...], int]:
    nulls = sum(rows for key, rows in groups.items() if key[place] is None)
    if nulls:
        notes.append(f"{count_of(nulls, 'row')} with NULL in {each.name}")
    return {key: rows for key, rows in groups.items() if key[place] is not None}


def _largest(
    groups: dict[tuple[Key, ...], int], place: int, each: Field, most: int, notes: list[str], *, more: bool
) -> tuple[str, ...]:
    """The values with the most rows, those first."""
    totals: dict[str, int] = {}
    for key, rows in groups.items():
        totals[str(key[place])] = totals.get(str(key[place]), 0) + rows
    names = sorted(totals, key=lambda name: (-totals[name], name))
    if len(names) > most:
        rest = sum(totals[name] for name in names[most:])
        notes.append(_others(rest, each.name, most, len(names), more=more))
    return tuple(names[:most])


def _others(rows: int, name: str, most: int, number: int, *, more: bool = False) -> str:
    if more:
        return f"other values of {name} than the {most} most frequent of more than {number - 1:,}"
    return f"{count_of(rows, 'row')} with other values of {name} than the {most} most frequent of {number:,}"


def boxes(quartiles: Boxes, layout: Layout) -> Drawing:
    """The box plot of quartiles."""
    found = quartiles.found
    notes: list[str] = []
    several = len(layout.y) > 1
    if quartiles.nulls:
        what = count_of(quartiles.nulls, "value" if several else "row")
        notes.append(f"{what} with NULL in {' or '.join(each.name for each in layout.y)}")
    unnamed = sum(each.count for (key, _), each in found.items() if key is None)
    if unnamed and layout.x is not None:
        notes.append(f"{count_of(unnamed, 'row')} with NULL in {layout.x.name}")
    kept = {(str(key), each): value for (key, each), value in found.items() if key is not None}
    order = list(kept) if several else sorted(kept, key=lambda item: (-kept[item].count, item[0]))
    if len(order) > MOST_CATEGORIES and layout.x is not None:
        rest = sum(kept[item].count for item in order[MOST_CATEGORIES:])
        notes.append(_others(rest, layout.x.name, MOST_CATEGORIES, len(order), more=quartiles.more))
        order = order[:MOST_CATEGORIES]
    rows = [
        {
            "x": each.title if several else key,
            **{name: getattr(kept[key, each], name) for name in ("low", "q1", "median", "q3", "high", "count")},
        }
        for key, each in order
    ]
    names = tuple(str(row["x"]) for row in rows)
    x = Axis("" if layout.x is None else layout.x.title, "category", categories=names)
    title = "value" if several else layout.y[0].title
    return Drawing("box", x, Axis(title, "number"), None, rows, notes)


def _marks(table: pa.Table, layout: Layout) -> Drawing:
    """Lines, bars, areas and points: a mark for each row and each column of numbers."""
    notes: list[str] = []
    most = MOST_ROWS // len(layout.y)
    if layout.kind in ("line", "scatter") and table.num_rows > most:  # bars and areas may be sums of all
        notes.append(f"the rows after the first {most:,} of {table.num_rows:,}")
        table = table.slice(0, most)
    x = _x_of(table, layout)
    rows = list(_placed_rows(table, layout, x))
    left_out = table.num_rows * len(layout.y) - len(rows)
    if left_out:
        notes.append(f"{count_of(left_out, 'value')} with NULL in {' or '.join(_with_null(table, layout))}")
    color = _colors(rows, layout, notes)
    if color is not None:
        rows = [row for row in rows if row["color"] in color.categories]
    x_axis = Axis(layout.x.title if layout.x else "row", x.scale, x.whole)
    if x.scale == "category":
        x_axis = _categories(x_axis.title, rows, notes)
        kept = set(x_axis.categories)
        rows = [row for row in rows if row["x"] in kept]
    title = layout.y[0].title if len(layout.y) == 1 else "value"
    can_stack = layout.kind in ("bar", "area")
    if can_stack:
        rows, title = _summed(rows, title)
    if len(rows) > MOST_ROWS:
        notes.append(f"the values after the first {MOST_ROWS:,} of {len(rows):,}")
        rows = rows[:MOST_ROWS]
    stacked = can_stack and layout.color is not None and all(row["y"] >= 0 for row in rows)
    heights = _heights(rows, "y", stacked=stacked) if can_stack else (row["y"] for row in rows)
    y_axis = Axis(title, layout.y[0].scale or "number", all(each.whole for each in layout.y)).over(heights)
    if x.scale != "category":
        x_axis = x_axis.over(row["x"] for row in rows)
    return Drawing(layout.kind, x_axis, y_axis, color, rows, notes, stacked)


def _heights(rows: Sequence[dict[str, Any]], name: str, *, stacked: bool) -> Iterator[float]:
    """How far bars and areas reach, from 0."""
    totals: dict[Any, float] = {}
    for row in rows:
        totals[row["x"]] = (totals.get(row["x"], 0) if stacked else 0) + row[name]
        yield totals[row["x"]]
    yield 0


def _with_null(table: pa.Table, layout: Layout) -> list[str]:
    """The columns that have values without a place."""
    used = [field for field in (layout.x, *layout.y, layout.color) if field is not None]
    columns = [(field, table.column(field.place)) for field in used]
    return [
        field.name
        for field, column in columns
        if column.null_count or (field.scale != "category" and places_of(column, field).missing.any())
    ]


def _placed_rows(table: pa.Table, layout: Layout, x: _Placed) -> Iterator[dict[str, Any]]:
    """The rows that have a place, those of one column of numbers after those of another."""
    named: Sequence[str | None] = [""] * table.num_rows
    if layout.color is not None:
        named = categories_of(table.column(layout.color.place)).to_pylist()
    has_colors = layout.color is not None or len(layout.y) > 1
    for each in layout.y:
        y = _Placed.of(table, each)
        colors = [each.title] * table.num_rows if len(layout.y) > 1 else named
        for i, color in enumerate(colors):
            if not (x.missing(i) or y.missing(i) or color is None):
                yield x.at(i, "x") | y.at(i, "y") | ({"color": color} if has_colors else {})


def _categories(title: str, rows: Sequence[dict[str, Any]], notes: list[str]) -> Axis:
    """The axis of categories, in the order of the rows: a query's order is its author's."""
    names = tuple(dict.fromkeys(row["x"] for row in rows))
    if len(names) > MOST_CATEGORIES:
        notes.append(f"the values of {title} after the first {MOST_CATEGORIES} of {len(names):,}")
    return Axis(title, "category", categories=names[:MOST_CATEGORIES])


def _colors(rows: Sequence[dict[str, Any]], layout: Layout, notes: list[str]) -> Axis | None:
    if len(layout.y) > 1:
        return Axis("", "category", categories=tuple(each.title for each in layout.y))
    if layout.color is None:
        return None
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["color"]] = totals.get(row["color"], 0) + 1
    names = sorted(totals, key=lambda name: -totals[name])  # the first ones first among equals
    if len(names) > MOST_SERIES:
        rest = sum(totals[name] for name in names[MOST_SERIES:])
        notes.append(_others(rest, layout.color.name, MOST_SERIES, len(names)))
    kept = set(names[:MOST_SERIES])
    return Axis(layout.color.title, "category", categories=tuple(name for name in totals if name in kept))


def _summed(rows: list[dict[str, Any]], title: str) -> tuple[list[dict[str, Any]], str]:
    """One row for each place and colour, and what the numbers then are called: sums, if some were added up."""
    found: dict[tuple[Any, Any], dict[str, Any]] = {}
    for row in rows:
        key = (row["x"], row.get("color"))
        if key in found:
            found[key] = {**found[key], "y": found[key]["y"] + row["y"]}
            found[key].pop("y_text", None)
        else:
            found[key] = row
    return list(found.values()), f"sum of {title}" if len(found) < len(rows) else title


def _x_of(table: pa.Table, layout: Layout) -> _Placed:
    if layout.x is None:
        return _Placed("number", np.arange(1, table.num_rows + 1, dtype="float64"), None, whole=True)
    x = layout.x
    if layout.kind == "bar" and x.scale != "category":
        texts = texts_of(table.column(x.place))
        if len(set(texts)) <= MOST_CATEGORIES:  # bars that stand side by side
            return _Placed("category", None, texts)
    return _Placed.of(table, x)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A column's places on an axis.

    Attributes:
        scale: The axis's.
        numbers: The places; None for categories.
        texts: The categories, or the exact texts where a place alone would be rounded; None where it is not.
        whole: As `Field` has it.
    """

    scale: Scale
    numbers: np.ndarray | None
    texts: Sequence[str | None] | None
    whole: bool = False

    @classmethod
    def of(cls, table: pa.Table, each: Field) -> _Placed:
        column = table.column(each.place)
        if each.scale == "category":
            return cls("category", None, categories_of(column).to_pylist())
        (numbers, missing), texts = places_of(column, each), texts_of(column)
        if each.scale == "time":
            return cls("time", np.where(missing, np.nan, numbers / 1000), texts, each.whole)
        return cls("number", numbers, None if not each.is_span and are_exact(numbers, texts) else texts, each.whole)

    def missing(self, i: int) -> bool:
        return (
            self.texts is not None and self.texts[i] is None
            if self.numbers is None
            else bool(np.isnan(self.numbers[i]))
        )

    def at(self, i: int, name: str) -> dict[str, Any]:
        if self.numbers is None:
            return {name: self.texts[i] if self.texts is not None else None}
        value = float(self.numbers[i])
        row: dict[str, Any] = {name: int(value) if value.is_integer() and abs(value) < 2**53 else value}
        return row if self.texts is None else row | {f"{name}_text": self.texts[i]}
