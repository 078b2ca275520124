"""Rows of the text protocol → `Cells`, column by column.

A field is a length-encoded string, NULL is the single byte 0xFB:
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.decode.cells import Cells, word64_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.wire.events import Rows

LONGEST_ROW = 1 << 40
"""More bytes than any row has."""

_NULL = 0xFB
_WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}  # first byte → bytes of length behind it


def locate(rows: Rows, columns: int) -> Iterator[Cells]:
    """Yield the cells of each column in turn.

    Raises:
        ProtocolError: A field exceeds its row, or a row has the wrong number of fields.
    """
    data, ends = rows.data, rows.ends
    word64 = word64_of(data)
    offset = rows.starts
    for _ in range(columns):
        if (offset >= ends).any():
            raise ProtocolError("The server sent a row with too few fields.")
        first = data[offset]
        start = offset + 1
        null: NDArray[np.bool_] | None = None
        if first.max(initial=0) >= _NULL:
            null = first == _NULL
            first[null] = 0
            null = null if null.any() else None
        length = read_length_encoded(word64, first, start)
        offset = start + length
        if (length > ends - start).any():
            raise ProtocolError("The server sent a field that is longer than its row.")
        yield Cells(data, word64, start, length, null)
    if (offset != ends).any():
        raise ProtocolError("The server sent a row with too many fields.")


def read_length_encoded(
    word64: NDArray[np.uint64], first: NDArray[np.uint8], start: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The lengths, in bytes (int64, shape (rows,)), of length-encoded strings that are not NULL.

    Args:
        word64: As in `Cells`.
        first: uint8, shape (rows,); the first byte of each.
        start: int64, shape (rows,); the offsets behind those bytes; moved on, in place, where the length is longer.

    Raises:
        ProtocolError: A first byte is 0xFF.
    """
    length = first.astype(np.int64)
    if first.max(initial=0) < _NULL:
        return length
    for marker, width in _WIDTHS.items():
        long = np.flatnonzero(first == marker)
        if len(long):
            mask = np.uint64((1 << (8 * width)) - 1)
            sent = word64[start[long]] & mask
            if sent.max() > LONGEST_ROW:  # which also keeps sums of offsets and lengths within 64 bits
                raise ProtocolError("The server sent a field that is longer than its row.")
            length[long] = sent.astype(np.int64)
            start[long] += width
    if (first == 0xFF).any():
        raise ProtocolError("The server sent a field of an impossible length.")
    return length
