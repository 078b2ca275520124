"""TIME → duration[us]: −838:59:59 to 838:59:59, with up to six digits of a second's fraction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rds_iam_magic.mysql.decode import digits
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder, invalid_value
from rds_iam_magic.mysql.decode.dates import (
    DAY,
    clock_of,
    masked_word,
    read_binary_clock,
    read_binary_fraction,
    read_clock,
    read_fraction,
    require_lengths,
)

if TYPE_CHECKING:
    from rds_iam_magic.mysql.decode.cells import Cells

_MINUS, _COLON = ord("-"), ord(":")
_HUNDRED_HOURS = 360_000_000_000  # microseconds
_CLOCK = 8  # the length of HH:MM:SS
_BINARY = 8  # bytes; four more with a fraction of a second
_MOST_DAYS = 34  # 838 hours


class Times(ColumnDecoder):
    """TIME is a duration: it may be negative and longer than a day."""

    takes_long = True

    def __init__(self) -> None:
        self.type = pa.duration("us")

    def decode(self, cells: Cells) -> pa.Array:
        """Decode hours of two or three digits, minutes, seconds and fraction."""
        if cells.null is not None:
            there = np.flatnonzero(~cells.null)
            start = np.where(cells.null, cells.start[there[0]], cells.start)
            length = np.where(cells.null, cells.length[there[0]], cells.length)
        else:
            start, length = cells.start, cells.length
        negative = cells.data[start] == _MINUS
        start, length = start + negative, length - negative
        three = cells.data[start + 2] != _COLON
        if (length < _CLOCK + three).any() or (length > _CLOCK + three + 7).any():
            raise invalid_value("time")
        hundreds = digits.parse(cells.word64, start, three.astype(np.int64)).astype(np.int64)
        start, length = start + three, length - three
        values = read_clock(cells.word64, start) + hundreds * _HUNDRED_HOURS
        if (length > _CLOCK).any():
            values += read_fraction(cells, start + _CLOCK, length - _CLOCK)
        np.negative(values, out=values, where=negative)
        return cells.to_array(self.type, values)

    def decode_binary(self, cells: Cells) -> pa.Array:
        """Sign, days, hour, minute, second, microseconds; zeros at the end are left out."""
        require_lengths(cells, (0, _BINARY, _BINARY + 4), "time")
        word = masked_word(cells)
        days = ((word >> np.uint64(8)) & np.uint64(0xFFFFFFFF)).astype(np.int64)
        if (days > _MOST_DAYS).any() or (word & np.uint64(0xFE)).any():
            raise invalid_value("time")
        values = days * DAY + read_binary_clock(word, 5, 23)
        if cells.length.max(initial=0) > _BINARY:
            values += read_binary_fraction(cells, _BINARY)
        np.negative(values, out=values, where=(word & np.uint64(1)) != 0)
        return cells.to_array(self.type, values)

    def decode_one(self, value: bytes) -> int:
        """Microseconds."""
        if not value:
            return 0
        days = int.from_bytes(value[1:5], "little")
        if len(value) not in (_BINARY, _BINARY + 4) or value[0] > 1 or days > _MOST_DAYS:
            raise ValueError(value)
        duration = days * DAY + clock_of(value[5:])
        return -duration if value[0] else duration
