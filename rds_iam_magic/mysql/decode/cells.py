"""`Cells`: one column of a chunk of rows, as offsets into the received bytes, whatever their format; no copies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True, slots=True)
class Cells:
    """The location of one column's values.

    Attributes:
        data: uint8, shape (bytes,); the whole chunk, padded after the last row.
        word64: uint64, little-endian, shape (bytes - 7,); `word64[i]` holds the eight bytes from offset `i`.
        origin: int64, shape (rows,); the offset of a place in each row.
        length: int64, shape (rows,); in bytes, 0 for NULL.
        null: bool, shape (rows,); None when no value is NULL.
        shift: How many bytes behind `origin` the values are.
        step: The distance of one value from the next, in bytes, if it is the same for all; else 0.
    """

    data: NDArray[np.uint8]
    word64: NDArray[np.uint64]
    origin: NDArray[np.int64]
    length: NDArray[np.int64]
    null: NDArray[np.bool_] | None
    shift: int = 0
    step: int = 0

    def __len__(self) -> int:
        return len(self.origin)

    @property
    def start(self) -> NDArray[np.int64]:
        """int64, shape (rows,); the offset of each value."""
        return self.origin + self.shift if self.shift else self.origin

    def part(self, start: int, stop: int) -> Cells:
        """The cells of the rows from `start` to `stop`."""
        null = None if self.null is None else self.null[start:stop]
        null = None if null is None or not null.any() else null
        return replace(self, origin=self.origin[start:stop], length=self.length[start:stop], null=null)

    def at(self, rows: NDArray[np.intp]) -> Cells:
        """The cells of rows that are not NULL."""
        return replace(self, origin=self.origin[rows], length=self.length[rows], null=None, step=0)

    def numbers(self, kind: DTypeLike, into: DTypeLike) -> NDArray[Any]:
        """Values that are numbers of one width, from `kind`, as they are sent, to `into`; any number where NULL is."""
        kind = np.dtype(kind)
        if self.step:
            shape, offset, step = (len(self),), int(self.origin[0]) + self.shift, self.step
            view: NDArray[Any] = np.ndarray(shape, kind, self.data, offset, (step,)).astype(into)
            return view
        shape = (len(self.data) - self.shift - kind.itemsize + 1,)
        values: NDArray[Any] = np.ndarray(shape, kind, self.data, self.shift, (1,))[self.origin]
        converted: NDArray[Any] = values.astype(into, copy=False)
        return converted

    def value(self, row: int) -> bytes:
        """One value's bytes, for error messages."""
        return self.data[self.start[row] : self.start[row] + self.length[row]].tobytes()

    def validity(self, also_null: NDArray[np.bool_] | None = None) -> pa.Buffer | None:
        """Arrow's validity bitmap; None when no value is NULL."""
        null = self.null if also_null is None else also_null if self.null is None else self.null | also_null
        return None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))

    def to_array(self, kind: pa.DataType, values: NDArray[Any], also_null: NDArray[np.bool_] | None = None) -> pa.Array:
        """An Arrow array over `values`, without a copy; NULL where the cell is NULL or `also_null` is True."""
        return pa.Array.from_buffers(kind, len(self), [self.validity(also_null), pa.py_buffer(values)])

    def to_bytes(self) -> pa.Array:
        """The values as a large_binary array.

        Arrow stores values contiguously. So each value and the gap after it become two elements of an array over the
        received bytes, and `take` gathers every other element in C.
        """
        count = len(self)
        offsets = np.empty(2 * count + 1, np.int64)
        offsets[0:-1:2] = self.start
        offsets[1::2] = self.start + self.length
        offsets[-1] = offsets[-2]
        with_gaps = pa.Array.from_buffers(
            pa.large_binary(), 2 * count, [None, pa.py_buffer(offsets), pa.py_buffer(self.data)]
        )
        indices = np.arange(0, 2 * count, 2)
        return with_gaps.take(self.to_array(pa.int64(), indices))


def word64_of(data: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """For each offset, the eight bytes from there as a little-endian uint64; shape (len(data) - 7,), no copy."""
    word64: NDArray[np.uint64] = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))
    return word64
