"""A column's values, as Arrow has them → what a profile says of them.

Quantiles are values of the column (the last one that at most that share of the others is below), so they are exact for
dates, decimals and 64-bit integers too. Texts are compared by their characters, not by the column's collation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

TOP = 5
"""How many of the most frequent values are named."""

QUANTILES = (0.25, 0.5, 0.75)
_UNKNOWN = (None,) * len(QUANTILES)


@dataclass(frozen=True, slots=True)
class Summary:
    """What there is to say of some values.

    Attributes:
        count: How many are not NULL.
        distinct: How many different ones.
        least: The first in order; None if there is none.
        greatest: The last in order.
        quantiles: Those of `QUANTILES`, of numbers and times.
        mean: The mean of numbers.
        top: The most frequent values with their numbers, if one comes more than once.
    """

    count: int
    distinct: int
    least: Any = None
    greatest: Any = None
    quantiles: tuple[Any, ...] = _UNKNOWN
    mean: float | None = None
    top: tuple[tuple[Any, int], ...] = ()


def summarize(column: pa.ChunkedArray) -> Summary:
    """Summarize values of any type."""
    import pyarrow.compute as pc

    values, counts = _counted(column)
    if not len(values):
        return Summary(0, 0)
    order = pc.array_sort_indices(values)
    ascending, kind = values.take(order), column.type
    return Summary(
        count=pc.sum(counts).as_py(),
        distinct=len(values),
        least=_python(ascending[0], kind),
        greatest=_python(ascending[-1], kind),
        quantiles=_quantiles(ascending, counts.take(order), kind) if _has_scale(kind) else _UNKNOWN,
        mean=pc.mean(column.cast("float64", safe=False)).as_py() if _is_number(kind) else None,
        top=tuple((_python(values[place], kind), counts[place].as_py()) for place in _most_frequent(counts)),
    )


def summarize_long(digests: pa.ChunkedArray, shown: pa.ChunkedArray, *, has_order: bool) -> Summary:
    """Summarize long values by their digests, and by what is shown of each.

    Args:
        digests: Equal values have equal digests.
        shown: A short text for each value.
        has_order: Whether the texts' order is the values'.
    """
    import pyarrow.compute as pc

    digest, text = summarize(digests), summarize(shown)
    return Summary(
        count=digest.count,
        distinct=digest.distinct,
        least=text.least if has_order else None,
        greatest=text.greatest if has_order else None,
        top=tuple((shown[pc.index(digests, value).as_py()].as_py(), count) for value, count in digest.top),
    )


def _counted(column: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """The different values but NULL, in the order of their first appearance, and how often each comes."""
    import pyarrow as pa

    if pa.types.is_duration(column.type):  # which not every function of every version takes
        column = column.cast(pa.int64())
    counted = column.drop_null().value_counts()
    return counted.field("values"), counted.field("counts")


def _most_frequent(counts: pa.Array) -> list[int]:
    """The places of the highest numbers; none if no value comes twice."""
    import pyarrow.compute as pc

    places = pc.array_sort_indices(counts, order="descending")[:TOP]
    return places.to_pylist() if counts[places[0].as_py()].as_py() > 1 else []


def _quantiles(ascending: pa.Array, counts: pa.Array, kind: pa.DataType) -> tuple[Any, ...]:
    import numpy as np

    ends = np.cumsum(counts.to_numpy())
    places = [int(share * (int(ends[-1]) - 1)) for share in QUANTILES]
    return tuple(_python(ascending[int(at)], kind) for at in np.searchsorted(ends, places, side="right"))


def _python(value: pa.Scalar, kind: pa.DataType) -> Any:
    """The value as Python has it, of the column's type."""
    return value.cast(kind).as_py() if value.type != kind else value.as_py()


def _is_number(kind: pa.DataType) -> bool:
    from pyarrow import types

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _has_scale(kind: pa.DataType) -> bool:
    from pyarrow import types

    return _is_number(kind) or bool(types.is_temporal(kind))
