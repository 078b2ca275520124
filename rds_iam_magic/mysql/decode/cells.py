"""One column of a chunk of rows, as offsets into the bytes that came, whatever their format; nothing is copied yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cells:
    """Where the values of one column are.

    Attributes:
        data: uint8; all of the bytes, padded behind the last row.
        word64: uint64, little-endian; `word64[i]` are the eight bytes from `i` on.
        start: int64, by row.
        length: int64, by row; 0 for NULL.
        null: bool, by row; None when no value is NULL.
    """

    data: NDArray[np.uint8]
    word64: NDArray[np.uint64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    null: NDArray[np.bool_] | None

    def __len__(self) -> int:
        return len(self.start)

    def part(self, start: int, stop: int) -> Cells:
        """The cells of some of the rows."""
        null = None if self.null is None else self.null[start:stop]
        null = None if null is None or not null.any() else null
        return Cells(self.data, self.word64, self.start[start:stop], self.length[start:stop], null)

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


def word64_of(data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The eight bytes from each byte on."""
    word64: NDArray[np.uint64] = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
    return word64
