"""DATE → date32, DATETIME and TIMESTAMP → timestamp[us] without a zone, TIMESTAMP in the session's time zone.

Zero dates, partial dates and invalid dates become NULL, and are counted.
"""

from __future__ import annotations

import struct
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rds_iam_magic.mysql.decode import digits
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder, invalid_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.decode.cells import Cells
    from rds_iam_magic.mysql.wire.column import Column

_U = np.uint64
_DATE, _DATETIME = 10, 19  # lengths of YYYY-MM-DD and YYYY-MM-DD HH:MM:SS
_YEAR_MONTH_DIGITS = 0x00FFFF00FFFFFFFF  # of "YYYY-MM-"
_YEAR_MONTH_MARKS = (0xFF0000FF00000000, ord("-") << 56 | ord("-") << 32)
_CLOCK_DIGITS = 0xFFFF00FFFF00FFFF  # of "HH:MM:SS"
_CLOCK_MARKS = (0x0000FF0000FF0000, ord(":") << 40 | ord(":") << 16)
_BINARY_DATE, _BINARY_DATETIME = 4, 7  # bytes; four more with a fraction of a second
_LAST_YEAR = 9999
_TO_SECONDS = struct.Struct("<HBBBBB").unpack
_EPOCH = date(1970, 1, 1).toordinal()
_SECOND, DAY = 1_000_000, 86_400_000_000  # microseconds


class _Dated(ColumnDecoder):
    """Counts invalid dates."""

    takes_long = True

    def __init__(self, column: Column) -> None:
        self._name = column.name
        self._impossible = 0

    def warning(self) -> str:
        """How many dates became NaT."""
        if not self._impossible:
            return ""
        count = "1 invalid date" if self._impossible == 1 else f"{self._impossible:,} invalid dates"
        return f"column {self._name}: {count} (0000-00-00, 2024-00-00, …) became NaT."

    def _text_days(self, cells: Cells) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        return self._count(cells, *read_days(cells.word64, _present(cells, cells.start)))

    def _binary_days(
        self, cells: Cells, word: NDArray[np.uint64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        year, month = (word & _U(0xFFFF)).astype(np.int64), _byte(word, 2)
        if (year > _LAST_YEAR).any():
            raise invalid_value("date")
        return self._count(cells, *_days_of(year, month, _byte(word, 3)))

    def _count(
        self, cells: Cells, days: NDArray[np.int64], impossible: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """Count the invalid dates that are not NULL."""
        if cells.null is not None:
            impossible &= ~cells.null
        if not impossible.any():
            return days, None
        self._impossible += int(np.count_nonzero(impossible))
        return days, impossible


class Dates(_Dated):
    """DATE."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.type = pa.date32()

    def decode(self, cells: Cells) -> pa.Array:
        """0001-01-01 to 9999-12-31."""
        require_lengths(cells, (_DATE,), "date")
        days, impossible = self._text_days(cells)
        return cells.to_array(self.type, days.astype(np.int32), impossible)

    def decode_binary(self, cells: Cells) -> pa.Array:
        """Year, month, day; the zero date is empty."""
        require_lengths(cells, (0, _BINARY_DATE), "date")
        days, impossible = self._binary_days(cells, masked_word(cells))
        return cells.to_array(self.type, days.astype(np.int32), impossible)

    def decode_one(self, value: bytes) -> int:
        """Days since 1970-01-01."""
        return _day_of(value) if len(value) == _BINARY_DATE else super().decode_one(value)


class DateTimes(_Dated):
    """DATETIME and TIMESTAMP, with up to six digits of a second's fraction."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.type = pa.timestamp("us")

    def decode(self, cells: Cells) -> pa.Array:
        """Microseconds since 1970-01-01."""
        require_lengths(cells, (_DATETIME, *range(_DATETIME + 2, _DATETIME + 8)), "date and time")
        days, impossible = self._text_days(cells)
        start = _present(cells, cells.start)
        separator = cells.data[start + _DATE]
        if ((separator != ord(" ")) & (cells.length > 0)).any():
            raise invalid_value("date and time")
        values = days * DAY + read_clock(cells.word64, start + _DATE + 1)
        if cells.length.max(initial=0) > _DATETIME:
            values += read_fraction(cells, start + _DATETIME, cells.length - _DATETIME)
        return cells.to_array(self.type, values, impossible)

    def decode_binary(self, cells: Cells) -> pa.Array:
        """Year, month, day, hour, minute, second, microseconds; zeros at the end are left out."""
        require_lengths(cells, (0, _BINARY_DATE, _BINARY_DATETIME, _BINARY_DATETIME + 4), "date and time")
        word = masked_word(cells)
        days, impossible = self._binary_days(cells, word)
        values = days * DAY + read_binary_clock(word, 4, 23)
        if cells.length.max(initial=0) > _BINARY_DATETIME:
            values += read_binary_fraction(cells, _BINARY_DATETIME)
        return cells.to_array(self.type, values, impossible)

    def decode_one(self, value: bytes) -> int:
        """Microseconds since 1970-01-01."""
        if len(value) == _BINARY_DATETIME:  # most of them
            year, month, day, hour, minute, second = _TO_SECONDS(value)
            if hour > 23 or minute > 59 or second > 59:
                raise ValueError(value)
            days = date(year, month, day).toordinal() - _EPOCH
            micros: int = days * DAY + (hour * 3600 + minute * 60 + second) * _SECOND
            return micros
        if len(value) not in (_BINARY_DATE, _BINARY_DATETIME + 4):
            super().decode_one(value)
        return _day_of(value) * DAY + clock_of(value[4:])


def _day_of(value: bytes) -> int:
    return date(value[0] | value[1] << 8, value[2], value[3]).toordinal() - _EPOCH


def clock_of(value: bytes) -> int:
    """Microseconds of an hour, minute, second and, if there are four bytes more, microseconds; 0 for no bytes.

    Raises:
        ValueError: One of them is beyond its range.
    """
    if not value:
        return 0
    hour, minute, second = value[:3]
    fraction = int.from_bytes(value[3:], "little")
    if hour > 23 or minute > 59 or second > 59 or fraction >= _SECOND:
        raise ValueError(value)
    return (hour * 3600 + minute * 60 + second) * _SECOND + fraction


def read_days(word64: NDArray[np.uint64], start: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Days since 1970-01-01 (int64) of the dates YYYY-MM-DD at `start`, and which of them are invalid (bool).

    Raises:
        InvalidValueError: A value is not of that form.
    """
    first, last = word64[start], word64[start + 8]
    digits.require_digits(first, _YEAR_MONTH_DIGITS)
    digits.require_digits(last, 0xFFFF)
    _require_marks(first, _YEAR_MONTH_MARKS, "date")
    return _days_of(digits.pair(first, 0) * 100 + digits.pair(first, 2), digits.pair(first, 5), digits.pair(last, 0))


def _days_of(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Days since 1970-01-01, and which dates are invalid; years up to 9999."""
    starts = _month_starts()
    impossible = (month == 0) | (month > 12) | (day == 0) | (year == 0)
    index = year * 12 + month - 1
    if impossible.any():
        index[impossible] = 12
    days = starts[index] + day - 1
    impossible |= days >= starts[index + 1]
    return days, impossible


def read_clock(word64: NDArray[np.uint64], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Microseconds of the texts HH:MM:SS at `start`.

    Raises:
        InvalidValueError: A text has another shape.
    """
    word = word64[start]
    digits.require_digits(word, _CLOCK_DIGITS)
    _require_marks(word, _CLOCK_MARKS, "time")
    minutes, seconds = digits.pair(word, 3), digits.pair(word, 6)
    if (minutes > 59).any() or (seconds > 59).any():
        raise invalid_value("time")
    return (digits.pair(word, 0) * 3600 + minutes * 60 + seconds) * _SECOND


def read_binary_clock(word: NDArray[np.uint64], byte: int, last_hour: int) -> NDArray[np.int64]:
    """Microseconds of the hour, minute and second in three bytes of words, from `byte` on.

    Raises:
        InvalidValueError: One of them is beyond its range.
    """
    hours, minutes, seconds = (_byte(word, byte + i) for i in range(3))
    if (hours > last_hour).any() or (minutes > 59).any() or (seconds > 59).any():
        raise invalid_value("time")
    return (hours * 3600 + minutes * 60 + seconds) * _SECOND


def read_binary_fraction(cells: Cells, offset: int) -> NDArray[np.int64]:
    """Microseconds (int64) in the four bytes from `offset` on; 0 for values that end there.

    Raises:
        InvalidValueError: They are a second or more.
    """
    fraction: NDArray[np.int64] = (cells.word64[cells.start + offset] & _U(0xFFFFFFFF)).astype(np.int64)
    fraction[cells.length <= offset] = 0
    if (fraction >= _SECOND).any():
        raise invalid_value("time")
    return fraction


def masked_word(cells: Cells) -> NDArray[np.uint64]:
    """The first eight bytes of each value; zeros where it is shorter."""
    word: NDArray[np.uint64] = cells.word64[cells.start] & _MASKS[np.minimum(cells.length, 8)]
    return word


def _byte(word: NDArray[np.uint64], byte: int) -> NDArray[np.int64]:
    number: NDArray[np.int64] = ((word >> _U(8 * byte)) & _U(0xFF)).astype(np.int64)
    return number


_MASKS = np.array([(1 << (8 * count)) - 1 for count in range(9)], np.uint64)  # by the number of bytes


def read_fraction(cells: Cells, start: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """Microseconds (int64) of the fractions .f to .ffffff at `start`; 0 where `length` is not positive.

    Raises:
        InvalidValueError: A value is not of that form.
    """
    there = length > 0
    if ((cells.data[np.where(there, start, 0)] != ord(".")) & there).any():
        raise invalid_value("time")
    count = np.where(there, length - 1, 0)
    value = digits.parse(cells.word64, np.where(there, start + 1, 0), count)
    fraction: NDArray[np.int64] = (value * digits.POWERS[6 - count]).astype(np.int64)
    return fraction


def _present(cells: Cells, start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Offsets with NULLs redirected to the first non-NULL value, so vectorised reads need no mask."""
    if cells.null is None:
        return start
    there = np.flatnonzero(~cells.null)
    return np.where(cells.null, start[there[0]], start)


def require_lengths(cells: Cells, allowed: tuple[int, ...], kind: str) -> None:
    """Check the lengths of the values that are not NULL.

    Raises:
        InvalidValueError: One is not allowed.
    """
    fits = np.zeros(256, bool)
    fits[list(allowed)] = True
    wrong = ~fits[np.minimum(cells.length, 255)]
    if (wrong if cells.null is None else wrong & ~cells.null).any():
        raise invalid_value(kind)


def _require_marks(word: NDArray[np.uint64], marks: tuple[int, int], kind: str) -> None:
    mask, expected = marks
    if ((word & _U(mask)) != _U(expected)).any():
        raise invalid_value(kind)


@cache
def _month_starts() -> NDArray[np.int64]:
    """Days since 1970-01-01 of the first day of each month, from January of year 0 to February of year 10000."""
    months = np.arange(np.datetime64("0000-01", "M"), np.datetime64("10000-03", "M"))
    return months.astype("datetime64[D]").astype(np.int64)
