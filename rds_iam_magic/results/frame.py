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
        batches: Emptied column by column, which releases Arrow's memory along the way.
        schema: The batches' schema; also that of an empty result.
        nullable: Which columns may contain NULL.
        dtype_backend: As in `pandas.read_sql`.
        whole_as_integers: Whether decimals of scale 0 become integers instead of Decimal objects.
    """
    length = sum(batch.num_rows for batch in batches)
    chunks = [[batch.column(place) for batch in batches] for place in range(len(schema))]
    batches.clear()
    made: dict[int, Any] = {}  # by place: names may repeat
    for place, kind in enumerate(schema.types):
        column = one_type(chunks[place], kind)
        chunks[place].clear()
        if whole_as_integers and pa.types.is_decimal(kind) and kind.scale == 0:
            made[place] = _whole(column, dtype_backend)
            continue
        if kind != column.type:  # texts, for decimals that no Arrow decimal holds
            made[place] = _decimal_objects(column)
            continue
        # A NULL in a column declared NOT NULL must not become a number.
        may_be_null = nullable[place] or column.null_count > 0
        made[place] = _convert(column, nullable=may_be_null, dtype_backend=dtype_backend)
    # A view, since the user may change the index's name.
    return _frame(list(made.values()), pd.RangeIndex(length), _names(tuple(schema.names)).view())


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
        return _masked(pc.cast(column, pa.int64()), pa.int64().id)
    except pa.ArrowInvalid:
        numbers = pc.cast(pc.cast(column, pa.string()), pa.float64())
    kind = pa.float64().id
    return _masked(numbers, kind) if dtype_backend == "numpy_nullable" else _plain(numbers, kind)


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


def _convert(column: pa.ChunkedArray, *, nullable: bool, dtype_backend: DtypeBackend | None) -> Any:
    kind = column.type
    if dtype_backend == "pyarrow":
        return pd.arrays.ArrowExtensionArray(column.cast(_PLAIN.get(kind, kind)))
    is_nullable = dtype_backend == "numpy_nullable"
    if kind.id == _TEXT:
        return _texts(column, _NA_TEXTS if is_nullable else _NAN_TEXTS)
    if kind.id in _MASKED and (is_nullable or kind.id == _BOOL or (kind.id in _INTEGERS and nullable)):
        return _masked(column, kind.id)
    return _plain(column, kind.id)


# By Arrow's type id: comparing the types themselves takes longer than converting a few values.
_TEXT, _BOOL, _DATE, _TIMESTAMP = (kind.id for kind in (pa.large_string(), pa.bool_(), pa.date32(), pa.timestamp("us")))
_INTEGERS = (pa.int64().id, pa.uint64().id)
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


def _texts(column: pa.ChunkedArray, dtype: pd.StringDtype) -> Any:
    return pd.array(column, dtype=dtype)


if _IS_PANDAS_3:

    def _texts(column: pa.ChunkedArray, dtype: pd.StringDtype) -> Any:
        return pd.arrays.ArrowStringArray(column, dtype=dtype)  # without the checks


# Arrow's standard types for the decoder's large ones.
_PLAIN = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}


def _masked(column: pa.ChunkedArray, kind: int) -> Any:
    """A pandas masked array, filled chunk by chunk."""
    values = np.zeros(len(column), _NUMPY[kind])
    mask = np.zeros(len(column), bool)
    offset = 0
    for chunk in column.chunks:
        part = slice(offset, offset + len(chunk))
        offset += len(chunk)
        if chunk.null_count:
            mask[part] = chunk.is_null().to_numpy(zero_copy_only=False)
            # As in pandas: np.log of masked values must not warn.
            chunk = chunk.fill_null(False if kind == _BOOL else 1)
        values[part] = chunk.to_numpy(zero_copy_only=False)
    return _MASKED[kind](values, mask)


def _plain(column: pa.ChunkedArray, kind: int) -> Any:
    dtype = _NUMPY.get(kind)
    if dtype is None:  # decimals, bytes, NULL
        values = np.empty(len(column), object)
        values[:] = column.to_pylist()
        return values
    if kind == _DATE:
        column = pc.cast(column, pa.timestamp("s"))
    values = np.empty(len(column), dtype)
    offset = 0
    for chunk in column.chunks:
        values[offset : offset + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        offset += len(chunk)
    return values
