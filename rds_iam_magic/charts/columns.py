"""Arrow columns → what can be placed on an axis, and the exact texts of what JSON or a picture would round.

A time is the microseconds since 1970 of what the frame shows, whatever zone the browser is in; a TIME is seconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from rds_iam_magic.charts.fields import Field

GREATEST = 1e300
"""The greatest number that has a place: beyond it, the ends of an axis may have none."""

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - as the frame shows it, in no zone
_MICROSECOND = dt.timedelta(microseconds=1)


class Places(NamedTuple):
    """Where a column's values are on an axis, and which of them have no place: NULL, and what is (nearly) infinite."""

    values: np.ndarray
    missing: np.ndarray


def places_of(column: pa.ChunkedArray, field: Field) -> Places:
    """A column's numbers as float64, or its times as int64: in microseconds, of which float64 has not all."""
    if field.scale == "time":
        times = column.cast(pa.timestamp("us")).cast(pa.int64())
        return Places(times.fill_null(0).to_numpy(), times.is_null().to_numpy())
    values = _numbers_of(column, field)
    return Places(values, np.isnan(values))


def _numbers_of(column: pa.ChunkedArray, field: Field) -> np.ndarray:
    if field.is_span:
        column = column.cast(pa.duration("us")).cast(pa.int64())
    if pa.types.is_decimal(column.type):  # float() rounds correctly
        values = np.array([np.nan if v is None else float(v) for v in column.to_pylist()], dtype="float64")
    else:
        values = column.cast(pa.float64(), safe=False).to_numpy().astype("float64", copy=True)
    values[~np.isfinite(values) | (np.abs(values) > GREATEST)] = np.nan
    return values / 1e6 if field.is_span else values


def categories_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as the names of categories; NULL stays NULL."""
    if pa.types.is_large_string(column.type):
        return column
    return pa.chunked_array([pa.array(texts_of(column), pa.large_string())])


def text_of(value: Any) -> str | None:
    """A value as the frame shows it, with all its digits; None for NULL."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.timedelta):
        return _span_text(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _span_text(value: dt.timedelta) -> str:
    """A TIME as MySQL writes it: hours, not days."""
    seconds, microseconds = divmod(abs(value) // _MICROSECOND, 1_000_000)
    text = f"{'-' if value < dt.timedelta() else ''}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{microseconds:06}" if microseconds else text


def texts_of(column: pa.ChunkedArray) -> list[str | None]:
    """The texts of all values; of a DATE without a time."""
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        moments = column.cast(pa.timestamp("us")).to_pylist()
        whole = are_days(moments)
        return [None if value is None else str(value.date() if whole else value) for value in moments]
    return [text_of(value) for value in column.to_pylist()]


def are_days(moments: Iterable[dt.datetime | None]) -> bool:
    """Whether times are days, without a time of day: then pandas shows them so, too."""
    return all(value is None or value.time() == dt.time() for value in moments)


def are_exact(values: Iterable[float], texts: Sequence[str | None]) -> bool:
    """Whether what a chart writes of these numbers, 12 digits, is all there is of them."""
    return all(text is None or f"{value:.12g}" == text for value, text in zip(values, texts, strict=True))


def moment_of(microseconds: float) -> dt.datetime:
    """The time at a place on an axis."""
    return _EPOCH + dt.timedelta(microseconds=int(microseconds))


def microseconds_of(value: dt.date) -> int:
    """A date or a time as a place on an axis."""
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    return (moment - _EPOCH) // _MICROSECOND
