"""Arrow columns → the rows of a COM_STMT_BULK_EXECUTE, a whole column at a time.

Each value is what its literal (`literals.py`) means to the server: an integer, a double, or a string of the very text
between the quotes. So a column of any type stores the same, whichever way the value came.
https://mariadb.com/kb/en/com_stmt_bulk_execute/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rds_iam_magic.ingest.literals import texts_of
from rds_iam_magic.mysql.wire.values import BLOB, DOUBLE, LONGLONG, UNSIGNED, VAR_STRING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_INTEGERS = {8: 0x01, 16: 0x02, 32: 0x03, 64: LONGLONG}  # by their bits
_VALUE, _NULL = b"\0", b"\1"  # what stands before each value, and in the place of one that is missing
_LENGTHS = ((251, 0, 1), (1 << 16, 0xFC, 2), (1 << 24, 0xFD, 3))  # below which, with which marker, in how many bytes


def types_of(kinds: Sequence[pa.DataType]) -> bytes:
    """The types of the parameters, of two bytes each."""
    return b"".join(_type_of(kind).to_bytes(2, "little") for kind in kinds)


def rows_of(columns: Sequence[pa.Array]) -> pa.Array:
    """The bytes of each row, as Arrow binary without nulls. The values have passed `check_values`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(*[_written(values) for values in columns], pa.scalar(b"", pa.large_binary()))


def _type_of(kind: pa.DataType) -> int:
    import pyarrow as pa

    types = pa.types
    if types.is_boolean(kind):
        return _INTEGERS[8]
    if types.is_integer(kind):
        return _INTEGERS[kind.bit_width] | (UNSIGNED if types.is_unsigned_integer(kind) else 0)
    if types.is_floating(kind):
        return DOUBLE
    return BLOB if types.is_large_binary(kind) else VAR_STRING


def _written(values: pa.Array) -> pa.Array:
    """Each value with what stands before it, as Arrow binary."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(values.type):
        return pa.array([_NULL] * len(values), pa.large_binary())
    if pa.types.is_boolean(values.type):
        written = _numbers(values.cast(pa.int8()))
    elif pa.types.is_integer(values.type):
        written = _numbers(values)
    elif pa.types.is_floating(values.type):
        written = _numbers(values.cast(pa.float64()))
    elif pa.types.is_large_binary(values.type):
        written = _strings(values)
    else:
        written = _strings(texts_of(values).cast(pa.large_binary()))
    if not values.null_count:
        return written
    return pc.if_else(pc.is_valid(values), written, pa.scalar(_NULL, pa.large_binary()))


def _numbers(values: pa.Array) -> pa.Array:
    import numpy as np

    numbers = values.fill_null(0).to_numpy()
    numbers = np.ascontiguousarray(numbers, numbers.dtype.newbyteorder("<"))
    each = np.zeros((len(numbers), 1 + numbers.itemsize), np.uint8)  # _VALUE is 0
    each[:, 1:] = numbers.view(np.uint8).reshape(len(numbers), numbers.itemsize)
    return _binary(each.reshape(-1), np.full(len(numbers), each.shape[1]))


def _strings(values: Any) -> pa.Array:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = pc.binary_length(values).fill_null(0).to_numpy()
    each = np.zeros((len(lengths), 10), np.uint8)  # _VALUE, the marker and 8 bytes of the length are the most
    each[:, 1], each[:, 2:] = 0xFE, lengths.astype("<i8").view(np.uint8).reshape(len(lengths), 8)
    sizes = np.full(len(lengths), 10)
    for most, marker, width in reversed(_LENGTHS):
        fits = lengths < most
        if marker:
            each[fits, 1] = marker
            sizes[fits] = 2 + width
        else:
            each[fits, 1] = lengths[fits]
            sizes[fits] = 1 + width
    taken = np.arange(10) < sizes[:, None]
    before = _binary(each[taken], sizes)
    return pc.binary_join_element_wise(before, values, pa.scalar(b"", pa.large_binary()))


def _binary(data: NDArray[np.uint8], sizes: NDArray[np.int64]) -> pa.Array:
    """Arrow binary of values that stand one behind the other."""
    import numpy as np
    import pyarrow as pa

    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(sizes), buffers)
