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
from dataclasses import dataclass
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
    columns: list[Any] = [
        one_type([batch.column(place) for batch in batches], kind) for place, kind in enumerate(schema.types)
    ]
    batches.clear()
    alike: dict[_Target, list[int]] = {}  # places: names may repeat
    blocks: list[_Block] = []
    for place, kind in enumerate(schema.types):
        column, columns[place] = columns[place], None
        if whole_as_integers and pa.types.is_decimal(kind) and kind.scale == 0:
            blocks.append((_whole(column, dtype_backend), [place]))
        elif kind != column.type:  # texts, for decimals that no Arrow decimal holds
            blocks.append((_decimal_objects(column), [place]))
        else:
            # A NULL in a column declared NOT NULL must not become a number.
            may_be_null = nullable[place] or column.null_count > 0
            made = _convert(column, nullable=may_be_null, dtype_backend=dtype_backend)
            if isinstance(made, _Target):
                alike.setdefault(made, []).append(place)
                columns[place] = column
            else:
                blocks.append((made, [place]))
        del column
    for target, places in alike.items():
        # One array for all columns alike: where it is large, the system gives it in large pages, which takes a third of
        # the time.
        values = np.empty((len(places), length), target.dtype)
        masks = np.zeros((len(places), length), bool) if target.masked else values
        for row, mask, place in zip(values, masks, places, strict=True):
            if target.masked:
                _fill_masked(row, mask, columns[place])
                blocks.append((target.masked(row, mask), [place]))
            else:
                _fill(row, columns[place])
            columns[place] = None
        if not target.masked:
            blocks.append((values, places))
    # A view, since the user may change the index's name.
    return _frame(blocks, pd.RangeIndex(length), _names(tuple(schema.names)).view())


@dataclass(frozen=True)
class _Target:
    """What a column that is copied is copied to: an array of a dtype, or pandas' masked array over one."""

    dtype: np.dtype[Any]
    masked: Any = None


_Block = tuple[Any, list[int]]
"""Columns, and their places in the DataFrame: one, or a NumPy array of shape (columns, rows)."""


def _frame(blocks: list[_Block], index: pd.Index, names: pd.Index) -> pd.DataFrame:
    columns = {
        place: column
        for values, places in blocks
        for place, column in zip(places, values if getattr(values, "ndim", 1) == 2 else [values], strict=True)
    }
    frame = pd.DataFrame(dict(sorted(columns.items())), index=index, copy=False)
    frame.columns = names
    return frame


def _frame_of_blocks(blocks: list[_Block], index: pd.Index, names: pd.Index) -> pd.DataFrame:
    """The same in half the time, since nothing is inferred."""
    made = [
        (values.reshape(len(places), -1) if isinstance(values, np.ndarray) else values, np.array(places))
        for values, places in blocks
    ]
    return create_dataframe_from_blocks(made, index, names)


def one_type(chunks: Sequence[pa.Array], kind: pa.DataType) -> pa.ChunkedArray:
    """One column's chunks as one array: of type `kind`, or text if one of them is."""
    if all(chunk.type == kind for chunk in chunks):
        return pa.chunked_array(chunks, kind)
    return pa.chunked_array([chunk.cast(pa.large_string()) for chunk in chunks], pa.large_string())


def _whole(column: pa.ChunkedArray, dtype_backend: DtypeBackend | None) -> Any:
    try:
        return _masked(pc.cast(column, pa.int64()))
    except pa.ArrowInvalid:
        numbers = pc.cast(pc.cast(column, pa.string()), pa.float64())
    if dtype_backend == "numpy_nullable":
        return _masked(numbers)
    values = np.empty(len(numbers), np.float64)
    _fill(values, numbers)
    return values


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
    """The column for pandas, or what it is to be copied to."""
    kind = column.type
    if dtype_backend == "pyarrow":
        return pd.arrays.ArrowExtensionArray(column.cast(_PLAIN.get(kind, kind)))
    is_nullable = dtype_backend == "numpy_nullable"
    if kind.id == _TEXT:
        return _texts(column, _NA_TEXTS if is_nullable else _NAN_TEXTS)
    if kind.id in _MASKED and (is_nullable or kind.id == _BOOL or (kind.id in _INTEGERS and nullable)):
        return _Target(_NUMPY[kind.id], _MASKED[kind.id])
    if kind.id in _NUMPY:
        return _Target(_NUMPY[kind.id])
    values = np.empty(len(column), object)  # decimals, bytes, NULL
    values[:] = column.to_pylist()
    return values


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


def _masked(column: pa.ChunkedArray) -> Any:
    kind = column.type.id
    values, mask = np.empty(len(column), _NUMPY[kind]), np.zeros(len(column), bool)
    _fill_masked(values, mask, column)
    return _MASKED[kind](values, mask)


def _fill_masked(values: np.ndarray, mask: np.ndarray, column: pa.ChunkedArray) -> None:
    """Write a column's values and where it is NULL into arrays; the mask is False before."""
    is_bool = column.type.id == _BOOL
    offset = 0
    for chunk in column.chunks:
        part = slice(offset, offset + len(chunk))
        offset += len(chunk)
        if not chunk.null_count:
            values[part] = chunk.to_numpy(zero_copy_only=False)
            continue
        mask[part] = null = chunk.is_null().to_numpy(zero_copy_only=False)
        if is_bool:
            values[part] = chunk.fill_null(False).to_numpy(zero_copy_only=False)
        else:
            values[part] = np.frombuffer(chunk.buffers()[1], values.dtype)[chunk.offset :][: len(chunk)]
            values[part][null] = 1  # as in pandas: np.log of masked values must not warn


def _fill(values: np.ndarray, column: pa.ChunkedArray) -> None:
    """Write a column of one of the types in `_NUMPY` into an array."""
    if column.type.id == _DATE:
        column = pc.cast(column, pa.timestamp("s"))
    offset = 0
    for chunk in column.chunks:
        values[offset : offset + len(chunk)] = chunk.to_numpy(zero_copy_only=False)
        offset += len(chunk)
