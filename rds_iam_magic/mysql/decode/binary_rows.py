"""Rows of the binary protocol → `Cells`, column by column.

A row is the byte 0x00, a bitmap of the NULLs (column i is bit i + 2), and the values that are not NULL. Numbers have
the width of their type, dates and times a byte of length in front; everything else is a length-encoded string:
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.decode.cells import Cells, word64_of
from rds_iam_magic.mysql.decode.text_rows import LONGEST_ROW, read_length_encoded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.wire.events import Rows

WIDTHS = {1: 1, 2: 2, 13: 2, 3: 4, 9: 4, 4: 4, 8: 8, 5: 8, 6: 0}
"""The width of a number in bytes, by field type: TINY, SHORT, YEAR, LONG, INT24, FLOAT, LONGLONG, DOUBLE, NULL."""

_ALL_WIDTHS = np.arange(9).tobytes()
_DATED = frozenset((7, 10, 11, 12, 14, 17, 18, 19))  # with one byte of length, at most 12
_LONGEST_DATED = 12
_FIRST_BIT = 2


def is_text(kind: int) -> bool:
    """Whether values of this field type are sent as in the text protocol."""
    return kind not in WIDTHS and kind not in _DATED


def locate(rows: Rows, types: Sequence[int]) -> Iterator[Cells]:
    """Yield the cells of each column in turn.

    Args:
        rows: The rows.
        types: The columns' field types.

    Raises:
        ProtocolError: A value exceeds its row, a row has the wrong length, or its NULL bitmap is malformed.
    """
    data, ends = rows.data, rows.ends
    word64 = word64_of(data)
    # Numbers that are not NULL move all rows on alike: the next value is `shift` bytes behind `origin`, and nothing is
    # computed for each row. `room` is how many bytes there are behind `origin`, in the row that has the fewest.
    origin, shift = rows.starts, 1 + (len(types) + 7 + _FIRST_BIT) // 8
    room, step = _room(origin, ends), _step(rows)
    if room < shift or data[rows.starts].any():
        raise ProtocolError("The server sent a malformed row.")
    nulls = _nulls(data, rows.starts + 1, len(types))
    for kind, null in zip(types, nulls, strict=True):
        width = WIDTHS.get(kind)
        if width is not None and null is None:
            length = np.ndarray(
                (len(rows),), np.int64, _ALL_WIDTHS, 8 * width, (0,)
            )  # one number, read again and again
            cells = Cells(data, word64, origin, length, None, shift, step)
            shift += width
        else:
            start = origin + shift
            if width is not None:
                length = _fixed(width, null)
            elif kind in _DATED:
                start, length = _dated(data, start, null)
            else:
                start, length = _strings(data, word64, start, null)
            cells = Cells(data, word64, start, length, null)
            room = _room(start, ends - length)
            origin, shift, step = start + length, 0, 0
        if room < shift:
            raise ProtocolError("The server sent a field that is longer than its row.")
        yield cells
    if (origin + shift != ends).any():
        raise ProtocolError("The server sent a row with too many fields.")


def _room(start: NDArray[np.int64], end: NDArray[np.int64]) -> int:
    return int((end - start).min(initial=LONGEST_ROW))


def _step(rows: Rows) -> int:
    """The distance between rows of one length that follow each other; 0 if they differ."""
    if len(rows) < 2:
        return 0
    step = int(rows.starts[1] - rows.starts[0])
    if rows.starts[-1] - rows.starts[0] != step * (len(rows) - 1):  # most often known by this
        return 0
    return step if (np.diff(rows.starts) == step).all() and (np.diff(rows.ends) == step).all() else 0


def values_of(rows: Rows, types: Sequence[int]) -> list[list[bytes | None]]:
    """The values of each column, for a few rows; what `locate` finds for many.

    Raises:
        ValueError: A row is malformed; `locate` says how.
        IndexError: A row breaks off.
    """
    widths = [WIDTHS.get(kind, -1) for kind in types]
    columns: list[list[bytes | None]] = [[] for _ in types]
    size = (len(types) + 7 + _FIRST_BIT) // 8
    plan = [(width, column.append) for width, column in zip(widths, columns, strict=True)]
    for start, end in zip(rows.starts.tolist(), rows.ends.tolist(), strict=True):
        row = rows.data[start:end].tobytes()
        nulls, offset = int.from_bytes(row[1 : 1 + size], "little"), 1 + size
        if row[0] or nulls & ((1 << _FIRST_BIT) - 1) or nulls >> (len(types) + _FIRST_BIT):
            raise ValueError(row)
        nulls >>= _FIRST_BIT
        for width, add in plan:
            if nulls & 1:
                add(None)
            else:
                if width < 0:
                    width = row[offset]
                    offset += 1
                    if width >= _TEXT_NULL:
                        raise ValueError(row)
                add(row[offset : offset + width])
                offset += width
            nulls >>= 1
        if offset != len(row):
            raise ValueError(row)
    return columns


def _nulls(data: NDArray[np.uint8], start: NDArray[np.int64], columns: int) -> Iterator[NDArray[np.bool_] | None]:
    """For each column, which of its values are NULL; None if none is."""
    bits = columns + _FIRST_BIT
    for byte in range((bits + 7) // 8):
        group = data[start + byte]
        some = int(np.bitwise_or.reduce(group, initial=0))
        first = _FIRST_BIT if byte == 0 else 0
        end = min(8, bits - 8 * byte)
        if some >> end or some & ((1 << first) - 1):
            raise ProtocolError("The server sent a malformed row.", detail="NULL bitmap")
        for bit in range(first, end):
            yield (group >> np.uint8(bit)) & np.uint8(1) != 0 if some >> bit & 1 else None


def _fixed(width: int, null: NDArray[np.bool_] | None) -> NDArray[np.int64]:
    assert null is not None  # noqa: S101 - for mypy
    length: NDArray[np.int64] = np.multiply(~null, width, dtype=np.int64)
    return length


def _dated(
    data: NDArray[np.uint8], offset: NDArray[np.int64], null: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    length = data[offset].astype(np.int64)
    start = offset + 1
    if null is not None:
        length[null] = 0
        start -= null
    if length.max(initial=0) > _LONGEST_DATED:
        raise ProtocolError("The server sent a date or time of an impossible length.")
    return start, length


def _strings(
    data: NDArray[np.uint8], word64: NDArray[np.uint64], offset: NDArray[np.int64], null: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first = data[offset]
    start = offset + 1
    if null is not None:
        first[null] = 0
        start -= null
    if (first == _TEXT_NULL).any():
        raise ProtocolError("The server sent a field of an impossible length.")
    return start, read_length_encoded(word64, first, start)


_TEXT_NULL = 0xFB  # NULL in the text protocol
