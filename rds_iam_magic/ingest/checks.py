"""`check_values`: what no column of MySQL can hold as it is, found before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rds_iam_magic.ingest.column import Column

if TYPE_CHECKING:
    import pyarrow as pa

_DAY = 86_400
_FIRST_DAY, _END_DAY = -719_162, 2_932_897  # of 0001-01-01 and of 10000-01-01, from 1970
_FIRST_MOMENT, _LAST_MOMENT = 1, (1 << 31) - 1  # seconds: what TIMESTAMP keeps
_MOST_SECONDS = 838 * 3600 + 59 * 60 + 59
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def check_values(column: Column) -> None:
    """Check that a column of MySQL can hold each value as it is.

    Raises:
        OptionError: A value cannot be stored; it names the column and the row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.values.type
    if pa.types.is_floating(kind):
        column.require(pc.is_inf(column.values), "it is infinite, which MySQL cannot store", "Replace it first.")
    elif pa.types.is_timestamp(kind):
        _check_moments(column)
    elif pa.types.is_duration(kind):
        _check_durations(column)
    elif pa.types.is_date32(kind):
        days = column.values.cast(pa.int32())
        column.require(_outside(days, _FIRST_DAY, _END_DAY - 1), "its year is not one of 1 to 9999, which MySQL keeps")


def _check_moments(column: Column) -> None:
    """DATETIME, or TIMESTAMP if there is a time zone."""
    kind = column.values.type
    numbers = _whole_microseconds(column)
    per_second = PER_SECOND[kind.unit]
    if kind.tz is None:
        first, end = _FIRST_DAY * _DAY * per_second, _END_DAY * _DAY * per_second
        what = "its year is not one of 1 to 9999, which MySQL keeps"
    else:
        first, end = _FIRST_MOMENT * per_second, (_LAST_MOMENT + 1) * per_second
        what = "it lies outside of 1970 to 2038-01-19 03:14:07 UTC, which a TIMESTAMP keeps"
    hint = "" if kind.tz is None else "Without a time zone, it is a DATETIME: .dt.tz_localize(None)."
    first, end = max(first, -(1 << 63)), min(end, (1 << 63) - 1)
    column.require(_outside(numbers, first, end - 1), what, hint)


def _check_durations(column: Column) -> None:
    most = _MOST_SECONDS * PER_SECOND[column.values.type.unit]
    numbers = _whole_microseconds(column)
    column.require(_outside(numbers, -most, most), "it is longer than 838:59:59, the most that MySQL's TIME keeps")


def _whole_microseconds(column: Column) -> pa.Array:
    """The numbers that the values are, without nanoseconds among them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = column.values.cast(pa.int64())
    if column.values.type.unit == "ns":
        rounded = pc.multiply(pc.divide(numbers, 1000), 1000)
        column.require(
            pc.not_equal(rounded, numbers), "it has nanoseconds, and MySQL keeps microseconds", "Round it first."
        )
    return numbers


def _outside(numbers: pa.Array, first: int, last: int) -> Any:
    import pyarrow.compute as pc

    return pc.or_(pc.less(numbers, first), pc.greater(numbers, last))
