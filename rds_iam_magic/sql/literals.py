"""Python's values as SQL literals, which mean the same in every SQL mode and end where they seem to end.

How a value prints itself is never asked, for a subclass may print anything.

Without a backslash, `'…'` with doubled quotes is the same everywhere. A text with a backslash is written in
hexadecimal, since what a backslash is depends on NO_BACKSLASH_ESCAPES, which an earlier statement of the same cell may
set; so is the empty one, which EMPTY_STRING_IS_NULL would make NULL. Numbers keep their types: a float is written with
an exponent, since `1.5` is a DECIMAL. Dates have their types' words. What MySQL cannot hold as it is raises; nothing is
rounded.

NumPy and pandas are looked at only if they have been imported: their values cannot come from anywhere else.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from rds_iam_magic.errors import OptionError

_MOST_DIGITS, _MOST_DECIMALS = 65, 30  # of a DECIMAL; MariaDB has more decimals than MySQL
_MOST_TIME = dt.timedelta(hours=838, minutes=59, seconds=59)
_WITHIN_TIMESTAMP = (  # where CONVERT_TZ converts on every version; outside it would return its argument
    dt.datetime(1970, 1, 2, tzinfo=dt.timezone.utc),
    dt.datetime(2038, 1, 18, tzinfo=dt.timezone.utc),
)


def literal(value: object) -> str:
    """A single value as a literal.

    A date and time with a time zone becomes an expression that converts it to the session's time zone.

    Raises:
        OptionError: MySQL has no such value, or it has to be decided what is meant; the message lacks its subject.
    """
    write = _WRITERS.get(type(value)) or _writer_of(value)
    return write(value)


def quoted(text: str) -> str:
    """A text in quotes, for a session in which a backslash escapes, where the grammar takes no hexadecimal literal.

    Under NO_BACKSLASH_ESCAPES it would be another text, with each backslash twice, but end where it ends here.
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def is_null(value: object) -> bool:
    """Whether a value is NULL: None, pandas' NA and NaT, NumPy's NaT."""
    if value is None:
        return True
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas is not None and (value is getattr(pandas, "NA", None) or value is getattr(pandas, "NaT", None)):
        return True
    return numpy is not None and isinstance(value, (numpy.datetime64, numpy.timedelta64)) and bool(numpy.isnat(value))


def has_time_zone(value: object) -> bool:
    """Whether a value is a date and time with a time zone."""
    return isinstance(value, dt.datetime) and not is_null(value) and value.utcoffset() is not None


def _writer_of(value: object) -> Callable[[Any], str]:
    """How to write a value whose type is not one of `_WRITERS` itself."""
    if is_null(value):
        return lambda _: "NULL"
    if isinstance(value, Enum):
        return lambda each: literal(each.value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return _numpy
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, (pandas.Timestamp, pandas.Timedelta)):
        return _pandas
    for kind, write in _WRITERS.items():  # subclasses
        if isinstance(value, kind) and kind is not bool:
            return write
    raise _unsupported(value)


def _unsupported(value: object) -> OptionError:
    return OptionError(f"is a {type(value).__name__}, which is not a value of SQL.", cause="parameter-type")


def _range_error(what: str) -> OptionError:
    return OptionError(what, cause="parameter-out-of-range")


def _int(value: int) -> str:
    number = int(value)
    if abs(number) >= 10**_MOST_DIGITS:
        raise _range_error(f"has more than {_MOST_DIGITS} digits, the most that MySQL keeps.")
    return str(number)


def _float(value: float) -> str:
    number = float(value)
    if not math.isfinite(number):
        raise not_finite(number)
    text = repr(number)
    return text if "e" in text else f"{text}e0"


def not_finite(number: float) -> OptionError:
    """The error for a number that MySQL does not have."""
    if math.isnan(number):
        return OptionError("is NaN, which MySQL does not have.", cause="parameter-nan")
    return OptionError("is infinite, which no number of MySQL is.", cause="parameter-infinite")


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise not_finite(math.nan if value.is_nan() else math.inf)
    if value.adjusted() >= _MOST_DIGITS:  # before its zeros are written
        raise _range_error(f"has more than {_MOST_DIGITS} digits, the most that MySQL keeps.")
    decimals = -int(value.as_tuple().exponent)
    if decimals > _MOST_DECIMALS or max(value.adjusted() + 1, 1) + max(decimals, 0) > _MOST_DIGITS:
        raise _range_error(
            f"has more than {_MOST_DECIMALS} decimals, or {_MOST_DIGITS} digits, the most that MySQL keeps."
        )
    return Decimal.__format__(value, "f")


def _text(value: str) -> str:
    text = str.__str__(value)  # a subclass may print itself in another way
    if not text.isascii():
        _require_encodable(text)
    if not text or "\\" in text:
        return f"_utf8mb4 X'{text.encode().hex()}'"
    return "'" + text.replace("'", "''") + "'"


def _require_encodable(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        surrogate = ord(text[error.start])
    else:
        return
    raise OptionError(
        f"contains a lone surrogate (\\u{surrogate:04x}), which UTF-8 cannot represent.", cause="parameter-not-text"
    )


def _bytes(value: bytes | bytearray | memoryview) -> str:
    # Without `_binary` it would be a number where one is expected.
    return f"_binary X'{bytes(value).hex()}'"


def _date(value: dt.date) -> str:
    return f"DATE'{dt.date.isoformat(value)}'"


def _datetime(value: dt.datetime) -> str:
    if value.utcoffset() is None:
        return f"TIMESTAMP'{dt.datetime.isoformat(value, ' ')}'"
    try:
        moment = value.astimezone(dt.timezone.utc)
    except OverflowError:
        moment = None
    first, last = _WITHIN_TIMESTAMP
    if moment is None or not first <= moment <= last:
        raise _range_error("has a time zone and lies outside of the years 1970 to 2037, in which MySQL converts them.")
    # The server knows the session's time zone, and what it is when the statement runs.
    text = dt.datetime.isoformat(moment.replace(tzinfo=None), " ")
    return f"CONVERT_TZ(TIMESTAMP'{text}', '+00:00', @@time_zone)"


def _time(value: dt.time) -> str:
    if value.tzinfo is not None:
        raise OptionError("is a time of day with a time zone, which MySQL does not have.", cause="parameter-time-zone")
    return f"TIME'{dt.time.isoformat(value)}'"


def _timedelta(value: dt.timedelta) -> str:
    size = abs(value)
    if size > _MOST_TIME:
        raise _range_error("is longer than 838:59:59, the most that MySQL's TIME keeps.")
    seconds, microseconds = size.days * 86_400 + size.seconds, size.microseconds
    sign = "-" if value < dt.timedelta(0) else ""
    fraction = f".{microseconds:06}" if microseconds else ""
    return f"TIME'{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}'"


def _pandas(value: Any) -> str:
    if value.nanosecond if hasattr(value, "nanosecond") else value.nanoseconds:
        raise _nanoseconds()
    try:
        plain = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value.to_pytimedelta()
    except (ValueError, OverflowError):
        raise _not_in_range() from None
    return literal(plain)


def _numpy(value: Any) -> str:
    if value.dtype.kind in "mM":
        return literal(from_numpy_time(value))
    plain = value.item()
    if type(plain) not in _WRITERS:  # such as a long double, whose digits a float does not have
        raise _unsupported(value)
    return literal(plain)


def from_numpy_time(value: Any) -> object:
    """NumPy's date or duration as Python's, whose unit is the microsecond, as MySQL's is."""
    import numpy as np

    kind, unit = value.dtype.kind, np.datetime_data(value.dtype)[0]
    if unit == "generic" or (kind == "m" and unit in ("Y", "M")):  # NumPy would take the mean length of a month
        raise OptionError(f"is a duration in the unit {unit}, which has no fixed length.", cause="parameter-type")
    try:
        coarse = value.astype("M8[D]" if kind == "M" and unit in ("Y", "M", "W", "D") else f"{kind}8[us]")
    except OverflowError:
        raise _not_in_range() from None
    plain = coarse.item()
    if isinstance(plain, int):
        raise _not_in_range()
    if coarse != value:
        raise _nanoseconds()
    return plain


def _not_in_range() -> OptionError:
    return _range_error("lies outside of the range of MySQL's dates and times.")


def _nanoseconds() -> OptionError:
    return OptionError("has nanoseconds, and MySQL keeps microseconds.", cause="parameter-nanoseconds")


_WRITERS: dict[type, Callable[[Any], str]] = {
    int: _int,
    str: _text,
    float: _float,
    bool: lambda value: "TRUE" if value else "FALSE",
    type(None): lambda _: "NULL",
    dt.datetime: _datetime,  # before date, whose subclass it is
    dt.date: _date,
    dt.time: _time,
    dt.timedelta: _timedelta,
    Decimal: _decimal,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    UUID: lambda value: f"'{UUID.__str__(value)}'",
}
