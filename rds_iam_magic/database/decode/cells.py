"""One column of a chunk of rows, as places in the bytes that came; nothing is copied yet.

A field is a length-encoded string, NULL is the single byte 0xFB:
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from rds_iam_magic.errors import ProtocolError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.wire.events import Rows

_NULL = 0xFB
_WIDTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}  # first byte → bytes of length behind it


@dataclass(frozen=True, slots=True)
class Cells:
    """Where the values of one column are.

    Attributes:
        data: uint8; all of the bytes, padded behind the last row.
        words: uint64, little-endian; `words[i]` are the eight bytes from `i` on.
        start: int64, by row.
        length: int64, by row; 0 for NULL.
        null: bool, by row; None when no value is NULL.
    """

    data: NDArray[np.uint8]
    words: NDArray[np.uint64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    null: NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.start)

    def part(self, start: int, stop: int) -> Cells:
        """The cells of some of the rows."""
        null = None if self.null is None else self.null[start:stop]
        null = None if null is None or not null.any() else null
        return Cells(self.data, self.words, self.start[start:stop], self.length[start:stop], null)

    def value(self, row: int) -> bytes:
        """One value as it came; for error messages."""
        return self.data[self.start[row] : self.start[row] + self.length[row]].tobytes()

    def validity(self, also_null: NDArray[np.bool_] | None = None) -> pa.Buffer | None:
        """Arrow's validity bitmap; None when every value is there."""
        null = self.null if also_null is None else also_null if self.null is None else self.null | also_null
        return None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))

    def to_array(self, kind: pa.DataType, values: NDArray[Any], also_null: NDArray[np.bool_] | None = None) -> pa.Array:
        """An Arrow array over `values`, without a copy; NULL where a field is NULL or `also_null` says so."""
        return pa.Array.from_buffers(kind, len(self), [self.validity(also_null), pa.py_buffer(values)])

    def to_bytes(self) -> pa.Array:
        """The values as a large_binary array.

        Arrow wants values one behind the other. So each value and the gap behind it are two elements of an array over
        the bytes as they came, and `take` gathers every other one at the speed of C.
        """
        count = len(self)
        offsets = np.empty(2 * count + 1, np.int64)
        offsets[0:-1:2] = self.start
        offsets[1::2] = self.start + self.length
        offsets[-1] = offsets[-2]
        with_gaps = pa.Array.from_buffers(
            pa.large_binary(), 2 * count, [None, pa.py_buffer(offsets), pa.py_buffer(self.data)]
        )
        places = np.arange(0, 2 * count, 2)
        return with_gaps.take(self.to_array(pa.int64(), places))


def words_of(data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The eight bytes from each byte on."""
    words: NDArray[np.uint64] = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
    return words


def locate(rows: Rows, columns: int) -> Iterator[Cells]:
    """Give the cells of one column after the other.

    Raises:
        ProtocolError: A field leads out of its row, or a row has another number of fields.
    """
    data, ends = rows.data, rows.ends
    words = words_of(data)
    at = rows.starts
    for _ in range(columns):
        if (at >= ends).any():
            raise ProtocolError("The server sent a row with too few fields.")
        first = data[at]
        start = at + 1
        null: NDArray[np.bool_] | None = None
        length = first.astype(np.int64)
        if first.max(initial=0) >= _NULL:
            null = first == _NULL
            length[null] = 0
            _read_long_lengths(words, first, start, length)
            null = null if null.any() else None
        at = start + length
        if (length > ends - start).any() or (length < 0).any():
            raise ProtocolError("The server sent a field that is longer than its row.")
        yield Cells(data, words, start, length, null)
    if (at != ends).any():
        raise ProtocolError("The server sent a row with too many fields.")


def _read_long_lengths(
    words: NDArray[np.uint64], first: NDArray[np.uint8], start: NDArray[np.int64], length: NDArray[np.int64]
) -> None:
    """Put the lengths of 251 bytes and more into `length`, and move `start` behind them; both in place."""
    for marker, width in _WIDTHS.items():
        long = np.flatnonzero(first == marker)
        if len(long):
            mask = np.uint64((1 << (8 * width)) - 1)
            length[long] = (words[start[long]] & mask).astype(np.int64)
            start[long] += width
    if (first == 0xFF).any():
        raise ProtocolError("The server sent a field of an impossible length.")
