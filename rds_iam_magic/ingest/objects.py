"""Python objects of one type → an Arrow array; what is mixed is refused, since a table's column has one type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rds_iam_magic.ingest.column import Column, dtype_refused, value_refused
from rds_iam_magic.sql.literals import is_null
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_DIGITS = 65
_EXACT = Context(prec=10_000)


def from_objects(name: str, values: list[Any]) -> Column:
    """A column of the dtype `object`.

    Raises:
        OptionError: Its values are of several types, or of one that has no counterpart in a table.
    """
    import pyarrow as pa

    values = [None if value is None or is_null(value) or _is_nan(value) else value for value in values]
    firsts: dict[str, int] = {}
    for kind in set(map(type, values)) - {type(None)}:
        row = next(row for row, value in enumerate(values) if type(value) is kind)
        what = _kind_of(name, row, values[row])
        firsts[what] = min(row, firsts.get(what, row))
    if len(firsts) > 1:
        (first, row), (second, other), *_ = sorted(firsts.items(), key=lambda item: item[1])
        raise dtype_refused(
            name,
            f"has values of several types: {first} in row {row + 1:,}, {second} in row {other + 1:,}",
            "Convert it to one type, for instance with astype(str).",
        )
    if not firsts:
        return Column(name, pa.nulls(len(values)), True, "object")
    (word,) = firsts
    array, notes = _READERS[word](name, values)
    return Column(name, array, True, f"object ({word})", notes)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and value != value  # NaN


def _kind_of(name: str, row: int, value: Any) -> str:
    """The word for a value's type, a key of `_READERS`."""
    import numpy as np

    if isinstance(value, np.generic) and not isinstance(value, (np.longdouble, np.datetime64, np.timedelta64)):
        value = value.item()
    for kind, word in _WORDS:
        if isinstance(value, kind):
            return word
    raise dtype_refused(
        name,
        f"has a {type(value).__name__} in row {row + 1:,}, which no column of MySQL can hold",
        "Store nested values as JSON, for instance with json.dumps."
        if isinstance(value, (dict, list, tuple, set, np.ndarray))
        else "",
    )


_WORDS: tuple[tuple[type, str], ...] = (  # subclasses first
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "str"),
    (Decimal, "Decimal"),
    (bytes, "bytes"),
    (bytearray, "bytes"),
    (memoryview, "bytes"),
    (dt.datetime, "datetime"),
    (dt.date, "date"),
    (dt.time, "time"),
    (dt.timedelta, "timedelta"),
    (UUID, "UUID"),
)

_Read = tuple["pa.Array", tuple[str, ...]]


def _bools(_: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    return pa.array([None if value is None else bool(value) for value in values], pa.bool_()), ()


def _ints(name: str, values: list[Any]) -> _Read:
    """BIGINT where all fit, else BIGINT UNSIGNED, else DECIMAL."""
    import pyarrow as pa

    numbers = [None if value is None else int(value) for value in values]
    known = [number for number in numbers if number is not None]
    low, high = min(known), max(known)
    if low >= -(1 << 63) and high < 1 << 63:
        return pa.array(numbers, pa.int64()), ()
    if low >= 0 and high < 1 << 64:
        return pa.array(numbers, pa.uint64()), ()
    return _decimals(name, [None if number is None else Decimal(number) for number in numbers])


def _floats(_: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    return pa.array([None if value is None else float(value) for value in values], pa.float64()), ()


def _texts(name: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    texts = [None if value is None else str.__str__(value) for value in values]
    try:
        return pa.array(texts, pa.large_string()), ()
    except UnicodeError:
        for row, text in enumerate(texts):
            if text is not None and any("\ud800" <= character <= "\udfff" for character in text):
                raise value_refused(
                    name, row, "it has a lone surrogate, which UTF-8 cannot represent", "Remove it first."
                ) from None
        raise


def _decimals(name: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    nans = sum(value is not None and value.is_nan() for value in values)
    values = [None if value is None or value.is_nan() else value for value in values]
    whole = scale = 0
    for row, value in enumerate(values):
        if value is None:
            continue
        if value.is_infinite():
            raise value_refused(name, row, "it is infinite, which MySQL cannot store")
        value = value.normalize(_EXACT)  # 1.50 is 1.5: a column has one number of decimals
        if value.adjusted() >= _MOST_DIGITS:
            raise value_refused(name, row, f"it has more than {_MOST_DIGITS} digits, the most that MySQL keeps")
        whole, scale = max(whole, value.adjusted() + 1), max(scale, -int(value.as_tuple().exponent))
        if scale > 76:
            raise value_refused(name, row, "it has more than 30 decimals, the most that MySQL keeps")
    written = max((-int(value.as_tuple().exponent) for value in values if value is not None), default=0)
    scale = max(scale, min(written, 30))  # as they are written, where that is possible
    if whole + scale > 76:
        row = next(row for row, value in enumerate(values) if value is not None)
        raise value_refused(name, row, f"it and others have more than {_MOST_DIGITS} digits, the most that MySQL keeps")
    array = pa.array(values, pa.decimal256(max(whole + scale, 1), scale))
    notes = (f"column {name}: {count_of(nans, 'NaN')} became NULL, which MySQL has instead.",) if nans else ()
    return array, notes


def _bytes(_: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    return pa.array([None if value is None else bytes(value) for value in values], pa.large_binary()), ()


def _dates(_: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    return pa.array(values, pa.date32()), ()


def _datetimes(name: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    aware = [value.utcoffset() is not None for value in values if value is not None]
    if any(aware) and not all(aware):
        raise dtype_refused(
            name, "has dates and times with a time zone and others without", "Give all of them one, or none."
        )
    _check_nanoseconds(name, values, "nanosecond")
    return pa.array(values, pa.timestamp("us", "UTC" if all(aware) else None)), ()


def _times(name: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    for row, value in enumerate(values):
        if value is not None and value.tzinfo is not None:
            raise value_refused(name, row, "it is a time of day with a time zone, which MySQL does not have")
    return pa.array(values, pa.time64("us")), ()


def _timedeltas(name: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    _check_nanoseconds(name, values, "nanoseconds")
    return pa.array(values, pa.duration("us")), ()


def _check_nanoseconds(name: str, values: list[Any], attribute: str) -> None:
    for row, value in enumerate(values):
        if getattr(value, attribute, 0):
            raise value_refused(name, row, "it has nanoseconds, and MySQL keeps microseconds", "Round it first.")


def _uuids(_: str, values: list[Any]) -> _Read:
    import pyarrow as pa

    return pa.array([None if value is None else str(value) for value in values], pa.large_string()), ()


_READERS: dict[str, Callable[[str, list[Any]], _Read]] = {
    "bool": _bools,
    "int": _ints,
    "float": _floats,
    "str": _texts,
    "Decimal": _decimals,
    "bytes": _bytes,
    "datetime": _datetimes,
    "date": _dates,
    "time": _times,
    "timedelta": _timedeltas,
    "UUID": _uuids,
}
