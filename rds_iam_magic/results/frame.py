"""Arrow columns → pandas: the only table of dtypes.

| Arrow | default | `numpy_nullable` | `pyarrow` |
|---|---|---|---|
| int64, uint64 | int64, uint64; Int64, UInt64 where NULL may be | Int64, UInt64 | int64, uint64 |
| float64 | float64, NULL is NaN | Float64 | double |
| decimal | object of Decimal | object of Decimal | decimal128, decimal256 |
| whole decimal (scale 0), unless `decimal="exact"` | Int64 | Int64 | – |
| date32 | datetime64[s] | datetime64[s] | date32 |
| timestamp[us] | datetime64[us] | datetime64[us] | timestamp[us] |
| duration[us] | timedelta64[us] | timedelta64[us] | duration[us] |
| large_string | str, NULL is NaN | string | string |
| large_binary | object of bytes | object of bytes | binary |
| bool | boolean | boolean | bool |
| null | object of None | object of None | null |

A whole decimal column with a value beyond 63 bits becomes float64 (Float64): the only dtype that depends on values.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from rds_iam_magic.results.formats import DtypeBackend


def to_pandas(
    batches: list[pa.RecordBatch],
    schema: pa.Schema,
    nullable: Sequence[bool],
    dtype_backend: DtypeBackend | None = None,
    *,
    whole_as_integers: bool = False,
) -> pd.DataFrame:
    """A DataFrame with the dtypes of the table above; duplicate names are kept.

    Args:
        batches: Emptied along the way, which releases Arrow's memory.
        schema: The batches' schema; also that of an empty result.
        nullable: Which columns may contain NULL.
        dtype_backend: As in `pandas.read_sql`.
        whole_as_integers: Whether decimals of scale 0 become integers instead of Decimal objects.
    """
    builder = FrameBuilder(
        schema,
        nullable,
        dtype_backend,
        whole_as_integers=whole_as_integers,
        room=sum(batch.num_rows for batch in batches),
    )
    batches.reverse()
    while batches:
        builder.add(batches.pop())
    return builder.finish()


class FrameBuilder:
    """Makes the DataFrame of `to_pandas` batch by batch: numbers and dates are copied to where they stay.

    So a large result is in memory once, not as batches and as a DataFrame, and copying takes place while the server
    still sends.

    Args:
        schema, nullable, dtype_backend, whole_as_integers: As in `to_pandas`.
        room: The number of rows to expect; more are no error.
    """

    def __init__(
        self,
        schema: pa.Schema,
        nullable: Sequence[bool],
        dtype_backend: DtypeBackend | None = None,
        *,
        whole_as_integers: bool = False,
        room: int = 0,
    ) -> None:
        self.rows = 0
        self._names = tuple(schema.names)
        self._columns: list[_Copied | _Kept] = []
        for kind, can_be_null in zip(schema.types, nullable, strict=True):
            if kind.id not in _NUMPY or dtype_backend == "pyarrow":
                self._columns.append(_Kept(kind, dtype_backend, whole_as_integers=whole_as_integers))
            else:
                is_masked = dtype_backend is not None or kind.id == _BOOL or (can_be_null and kind.id != _DOUBLE)
                self._columns.append(_Copied(kind.id, room, masked=is_masked and kind.id in _MASKED))

    def add(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        for column, array in zip(self._columns, batch.columns, strict=True):
            column.add(array)
        self.rows += batch.num_rows

    def finish(self) -> pd.DataFrame:
        """The DataFrame; call this once."""
        values = [column.take() for column in self._columns]
        # A view, since the user may change the index's name.
        return _frame(values, pd.RangeIndex(self.rows), _names(self._names).view())


class _Copied:
    """A column of numbers or dates, as a NumPy array or as pandas' masked array over one."""

    def __init__(self, kind: int, room: int, *, masked: bool) -> None:
        self._kind = kind
        self._masked = masked
        self._rows = 0
        self._array, self._values = _room_for(kind, room)
        self._mask: np.ndarray | None = None  # until there is a NULL

    def add(self, array: pa.Array) -> None:
        end = self._rows + len(array)
        if end > len(self._values):
            self._grow(end)
        part = slice(self._rows, end)
        self._rows = end
        if array.null_count and self._kind in _MASKED and (self._masked or self._kind != _DOUBLE):
            self._add_nulls(array, part)
        else:
            self._values[part] = array.to_numpy(zero_copy_only=False)

    def take(self) -> Any:
        values = self._values[: self._rows]
        if not self._masked:
            return self._array if self._rows == len(self._array) else values
        mask = np.zeros(self._rows, bool) if self._mask is None else self._mask[: self._rows]
        return _MASKED[self._kind](values, mask)

    def _add_nulls(self, array: pa.Array, part: slice) -> None:
        """NULL in a column declared NOT NULL, too, must not become a number."""
        if self._mask is None:
            self._mask = np.zeros(len(self._values), bool)
            self._masked = True
        self._mask[part] = null = array.is_null().to_numpy(zero_copy_only=False)
        if self._kind == _BOOL:
            self._values[part] = array.fill_null(False).to_numpy(zero_copy_only=False)
        else:
            self._values[part] = np.frombuffer(array.buffers()[1], self._values.dtype)[array.offset :][: len(array)]
            self._values[part][null] = 1  # as in pandas: np.log of masked values must not warn

    def _grow(self, rows: int) -> None:
        """Make room for so many rows, and for as many again: what is not used takes no memory, only addresses."""
        room = 2 * rows
        values = np.empty(room, self._values.dtype)
        values[: self._rows] = self._values[: self._rows]
        self._array = self._values = values
        if self._mask is not None:
            mask = np.zeros(room, bool)
            mask[: self._rows] = self._mask[: self._rows]
            self._mask = mask


class _Kept:
    """A column whose arrays are converted at the end: texts, decimals, bytes, NULL; with `pyarrow` any."""

    def __init__(self, kind: pa.DataType, dtype_backend: DtypeBackend | None, *, whole_as_integers: bool) -> None:
        self._kind, self._dtype_backend = kind, dtype_backend
        self._is_whole = whole_as_integers and pa.types.is_decimal(kind) and kind.scale == 0
        self._arrays: list[pa.Array] = []

    def add(self, array: pa.Array) -> None:
        self._arrays.append(array)

    def take(self) -> Any:
        column = one_type(self._arrays, self._kind)
        self._arrays.clear()
        if self._is_whole:
            return _whole(column, self._dtype_backend)
        if column.type != self._kind:  # texts, for decimals that no Arrow decimal holds
            return _decimal_objects(column)
        if self._dtype_backend == "pyarrow":
            return pd.arrays.ArrowExtensionArray(column.cast(_PLAIN.get(self._kind, self._kind)))
        if self._kind.id == _TEXT:
            return _texts(column, _NAN_TEXTS if self._dtype_backend is None else _NA_TEXTS)
        values = np.empty(len(column), object)
        values[:] = column.to_pylist()
        return values


def _frame(columns: list[Any], index: pd.Index, names: pd.Index) -> pd.DataFrame:
    frame = pd.DataFrame(dict(enumerate(columns)), index=index, copy=False)
    frame.columns = names
    return frame


def _frame_of_blocks(columns: list[Any], index: pd.Index, names: pd.Index) -> pd.DataFrame:
    """The same in half the time, since nothing is inferred."""
    blocks = [
        (column.reshape(1, -1) if isinstance(column, np.ndarray) else column, np.array([place]))
        for place, column in enumerate(columns)
    ]
    return create_dataframe_from_blocks(blocks, index, names)


def one_type(chunks: Sequence[pa.Array], kind: pa.DataType) -> pa.ChunkedArray:
    """One column's chunks as one array: of type `kind`, or text if one of them is."""
    if all(chunk.type == kind for chunk in chunks):
        return pa.chunked_array(chunks, kind)
    return pa.chunked_array([chunk.cast(pa.large_string()) for chunk in chunks], pa.large_string())


def _whole(column: pa.ChunkedArray, dtype_backend: DtypeBackend | None) -> Any:
    try:
        made = _Copied(pa.int64().id, len(column), masked=True)
        column = pc.cast(column, pa.int64())
    except pa.ArrowInvalid:
        made = _Copied(_DOUBLE, len(column), masked=dtype_backend == "numpy_nullable")
        column = pc.cast(pc.cast(column, pa.string()), pa.float64())
    for array in column.chunks:
        made.add(array)
    return made.take()


def _decimal_objects(column: pa.ChunkedArray) -> Any:
    values = np.empty(len(column), object)
    values[:] = [None if text is None else Decimal(text) for text in column.to_pylist()]
    return values


def _names(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


_IS_PANDAS_3 = int(pd.__version__.split(".")[0]) >= 3
if _IS_PANDAS_3:
    from pandas.api.internals import create_dataframe_from_blocks

    _frame = _frame_of_blocks
    # Kept, because making it costs more than the rest of a small frame; not by older pandas, where what is behind an
    # index can be written to: df.columns.values[0] = …
    _names = functools.lru_cache(maxsize=64)(_names)


# By Arrow's type id: comparing the types themselves takes longer than converting a few values.
_TEXT, _BOOL, _DATE, _TIMESTAMP, _DOUBLE = (
    kind.id for kind in (pa.large_string(), pa.bool_(), pa.date32(), pa.timestamp("us"), pa.float64())
)
_NAN_TEXTS, _NA_TEXTS = (pd.StringDtype("pyarrow", na_value=value) for value in (np.nan, pd.NA))
_NUMPY = {
    pa.int64().id: np.dtype(np.int64),
    pa.uint64().id: np.dtype(np.uint64),
    pa.float64().id: np.dtype(np.float64),
    _BOOL: np.dtype(bool),
    _DATE: np.dtype("datetime64[s]"),
    _TIMESTAMP: np.dtype("datetime64[us]"),
    pa.duration("us").id: np.dtype("timedelta64[us]"),
}
_MASKED = {
    pa.int64().id: pd.arrays.IntegerArray,
    pa.uint64().id: pd.arrays.IntegerArray,
    pa.float64().id: pd.arrays.FloatingArray,
    _BOOL: pd.arrays.BooleanArray,
}


def _room_for(kind: int, rows: int) -> tuple[Any, np.ndarray]:
    """An array for pandas to keep, and its values, to be filled."""
    if kind in _ONE:
        array = _ONE[kind].repeat(rows)
        return array, np.asarray(array)
    values = np.empty(rows, _NUMPY[kind])
    return values, values


def _shows_its_memory(array: Any) -> bool:
    values = np.asarray(array)
    return bool(values.flags.writeable) and np.shares_memory(values, np.asarray(array))


# pandas keeps dates and durations as arrays of its own. Two of them take it as long as the rest of a small frame, when
# they are made of NumPy's, and next to nothing when of one of their kind.
_ONE = {
    kind: array
    for kind, dtype in _NUMPY.items()
    if _IS_PANDAS_3 and dtype.kind in "Mm" and _shows_its_memory(array := pd.array(np.zeros(1, dtype), dtype))
}


def _texts(column: pa.ChunkedArray, dtype: pd.StringDtype) -> Any:
    return pd.array(column, dtype=dtype)


if _IS_PANDAS_3:

    def _texts(column: pa.ChunkedArray, dtype: pd.StringDtype) -> Any:
        return pd.arrays.ArrowStringArray(column, dtype=dtype)  # without the checks


# Arrow's standard types for the decoder's large ones.
_PLAIN = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}
