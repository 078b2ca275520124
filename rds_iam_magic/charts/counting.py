"""Counts of rows by bins and categories, and quartiles, from rows that are here. `on_server.py` has them counted there.

Both give the same `Counted` for the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from rds_iam_magic.charts.bins import Bins, bins_of
from rds_iam_magic.charts.columns import Places, categories_of, places_of

if TYPE_CHECKING:
    from rds_iam_magic.charts.fields import Field
    from rds_iam_magic.charts.layout import Layout

Key: TypeAlias = "int | str | None"
"""The number of a bin, or a category; None for NULL."""

MOST_BINS = {1: 30, 2: 20}
"""How many bins there are at most, about, by the number of axes."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows there are in each bin or category, or in each pair of them.

    Attributes:
        fields: The columns that were counted by, one or two.
        bins: The bins of each; None for categories.
        groups: The rows for each combination that has some.
        bounds: The least and the greatest value of each; None without a value, and for categories.
        more: Whether there are more groups than these, with fewer rows each.
    """

    fields: tuple[Field, ...]
    bins: tuple[Bins | None, ...]
    groups: dict[tuple[Key, ...], int]
    bounds: tuple[tuple[float, float] | None, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Quartiles:
    """The five numbers of a box, and how many values they are of."""

    low: float
    q1: float
    median: float
    q3: float
    high: float
    count: int


@dataclass(frozen=True, slots=True)
class Boxes:
    """The quartiles of each category, or of each column.

    Attributes:
        found: Those that have a value.
        nulls: How many values were NULL.
        more: Whether there are more, of fewer values each.
    """

    found: dict[tuple[Key, Field], Quartiles]
    nulls: int = 0
    more: bool = False


def counted_fields(layout: Layout) -> tuple[Field, ...]:
    """The columns that a histogram or heatmap counts by."""
    if layout.kind == "heatmap":
        return tuple(field for field in (layout.x, *layout.y) if field is not None)
    return tuple(field for field in (layout.x, layout.color) if field is not None)


def bins_for(
    fields: Sequence[Field], layout: Layout, bounds: Sequence[tuple[float, float] | None]
) -> list[Bins | None]:
    """The bins of each column, by the least and the greatest value; None where there are none."""
    most = MOST_BINS[2 if layout.kind == "heatmap" else 1]
    return [
        None if bound is None else bins_of(*bound, field, most) for field, bound in zip(fields, bounds, strict=True)
    ]


def count(table: pa.Table, layout: Layout) -> Counted:
    """Count the rows of a table."""
    fields = counted_fields(layout)
    columns = [_column(table.column(field.place), field) for field in fields]
    bounds = [_bounds(column) for column in columns]
    bins = bins_for(fields, layout, bounds)
    keys = [_keys(column, each) for column, each in zip(columns, bins, strict=True)]
    names = [str(place) for place in range(len(keys))]
    groups = pa.Table.from_arrays(keys, names).group_by(names).aggregate([([], "count_all")])
    counts = groups.column("count_all").to_pylist()
    found = zip(*(groups.column(name).to_pylist() for name in names), strict=True)
    return Counted(fields, tuple(bins), dict(zip(found, counts, strict=True)), tuple(bounds))


def _column(column: pa.ChunkedArray, field: Field) -> Places | pa.ChunkedArray:
    return categories_of(column) if field.scale == "category" else places_of(column, field)


def _bounds(column: Places | pa.ChunkedArray) -> tuple[float, float] | None:
    if not isinstance(column, Places) or column.missing.all():
        return None
    known = column.values[~column.missing]
    return known.min().item(), known.max().item()


def _keys(column: Places | pa.ChunkedArray, bins: Bins | None) -> pa.Array:
    if not isinstance(column, Places):
        return column
    if bins is None:  # all are NULL
        return pa.nulls(len(column.values), pa.int64())
    return pa.array(bins.codes(column.values), pa.int64(), mask=column.missing)


def quartiles(table: pa.Table, layout: Layout) -> Boxes:
    """The boxes of a table, by the category and the column that they are of."""
    found: dict[tuple[Key, Field], Quartiles] = {}
    nulls = 0
    for field in layout.y:
        values, missing = places_of(table.column(field.place), field)
        nulls += int(missing.sum())
        for key, rows in _rows_of(table, layout.x).items():
            known = np.sort(values[rows][~missing[rows]])
            if len(known):
                pairs = [(known[low], known[high]) for low, high in order_places(len(known))]
                found[key, field] = quartiles_of(pairs, len(known))
    return Boxes(found, nulls)


def _rows_of(table: pa.Table, x: Field | None) -> dict[Key, Any]:
    """Which rows each category has."""
    if x is None:
        return {"": slice(None)}
    codes = categories_of(table.column(x.place)).combine_chunks().dictionary_encode()
    numbers = codes.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    names = [*codes.dictionary.to_pylist(), None]  # -1 is the last one
    return {names[code]: np.flatnonzero(numbers == code) for code in np.unique(numbers)}


def order_places(count: int) -> list[tuple[int, int]]:
    """Between which two of so many sorted values the least, the quartiles and the greatest are, from 0."""
    return [((count - 1) * k // 4, -(-(count - 1) * k // 4)) for k in range(5)]


def quartiles_of(pairs: Sequence[tuple[float, float]], count: int) -> Quartiles:
    """The quartiles between the values at `order_places`: interpolated, as pandas and NumPy have them."""
    five = [float(low + (high - low) * ((count - 1) * k % 4 / 4)) for k, (low, high) in enumerate(pairs)]
    low, q1, median, q3, high = five
    return Quartiles(low, q1, median, q3, high, count)
