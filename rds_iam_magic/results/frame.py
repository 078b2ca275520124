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
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from rds_iam_magic.results.formats import DtypeBackend

_NULLABLE = {pa.int64(): "Int64", pa.uint64(): "UInt64", pa.float64(): "Float64", pa.bool_(): "boolean"}


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
    frame = pd.DataFrame(made, index=pd.RangeIndex(length), copy=False)
    frame.columns = _names(tuple(schema.names)).view()  # a view, since the user may change the index's name
    return frame


def one_type(chunks: Sequence[pa.Array], kind: pa.DataType) -> pa.ChunkedArray:
    """One column's chunks as one array: of type `kind`, or text if one of them is."""
    if any(chunk.type != kind for chunk in chunks):
        kind = pa.large_string()
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], kind)


def _whole(column: pa.ChunkedArray, dtype_backend: DtypeBackend | None) -> Any:
    try:
        return _masked(pc.cast(column, pa.int64()), "Int64")
    except pa.ArrowInvalid:
        numbers = pc.cast(pc.cast(column, pa.string()), pa.float64())
    return _masked(numbers, "Float64") if dtype_backend == "numpy_nullable" else _plain(numbers)


def _decimal_objects(column: pa.ChunkedArray) -> Any:
    values = np.empty(len(column), object)
    values[:] = [None if text is None else Decimal(text) for text in column.to_pylist()]
    return values


def _names(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


if int(pd.__version__.split(".")[0]) >= 3:
    # Kept, because making it costs more than the rest of a small frame; not by older pandas, where what is behind an
    # index can be written to: df.columns.values[0] = …
    _names = functools.lru_cache(maxsize=64)(_names)


def _convert(column: pa.ChunkedArray, *, nullable: bool, dtype_backend: DtypeBackend | None) -> Any:
    kind = column.type
    if dtype_backend == "pyarrow":
        return pd.arrays.ArrowExtensionArray(column.cast(_PLAIN.get(kind, kind)))
    if kind in _NULLABLE and (
        dtype_backend == "numpy_nullable" or kind == pa.bool_() or (_is_integer(kind) and nullable)
    ):
        return _masked(column, _NULLABLE[kind])
    if kind == pa.large_string():
        na_value: Any = pd.NA if dtype_backend == "numpy_nullable" else np.nan
        return pd.array(column, dtype=pd.StringDtype("pyarrow", na_value=na_value))
    return _plain(column)


# Arrow's standard types for the decoder's large ones.
_PLAIN = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}


def _is_integer(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind))


def _masked(column: pa.ChunkedArray, dtype: str) -> Any:
    """A pandas masked array, filled chunk by chunk."""
    boolean = column.type == pa.bool_()
    values = np.zeros(len(column), bool if boolean else column.type.to_pandas_dtype())
    mask = np.zeros(len(column), bool)
    offset = 0
    for chunk in column.chunks:
        part = slice(offset, offset + len(chunk))
        offset += len(chunk)
        if chunk.null_count:
            mask[part] = chunk.is_null().to_numpy(zero_copy_only=False)
            chunk = chunk.fill_null(False if boolean else 1)  # as in pandas: np.log of masked values must not warn
        values[part] = chunk.to_numpy(zero_copy_only=False)
    make: Callable[..., Any] = pd.array([], dtype=dtype).dtype.construct_array_type()
    return make(values, mask)


def _plain(column: pa.ChunkedArray) -> Any:
    kind = column.type
    if kind == pa.date32():
        column = pc.cast(column, pa.timestamp("s"))
        kind = column.type
    if pa.types.is_decimal(kind) or kind in (pa.large_binary(), pa.null()):
        values = np.empty(len(column), object)
        values[:] = column.to_pylist()
        return values
    dtype = {pa.timestamp("s"): "datetime64[s]", pa.timestamp("us"): "datetime64[us]"}.get(kind)
    dtype = dtype or {pa.duration("us"): "timedelta64[us]"}.get(kind) or kind.to_pandas_dtype()
    values = np.empty(len(column), dtype)
    offset = 0
    for chunk in column.chunks:
        values[offset : offset + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        offset += len(chunk)
    return values
