"""`Comparison`: whether the rows that a table gives back are those that were sent, value for value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from rds_iam_magic.ingest.column import Column

if TYPE_CHECKING:
    import pyarrow as pa


class Difference(NamedTuple):
    """Where what came back is something else: the column, the row from 0, and both values."""

    column: str
    row: int
    sent: Any
    came: Any


def first_difference(columns: Sequence[Column], start: int, batch: pa.RecordBatch) -> Difference | None:
    """Compare a batch of rows that have come back with those that were sent from row `start` on.

    A value that the table's type writes in another way is the same if it converts to what was sent: `5` to '5'.
    """
    for column, came in zip(columns, batch.columns, strict=True):
        sent = column.values.slice(start, len(came))
        row = _first_unequal(sent, came)
        if row is not None:
            return Difference(column.name, start + row, sent[row].as_py(), came[row].as_py())
    return None


def same_rows(columns: Sequence[Column], batches: Sequence[pa.RecordBatch]) -> bool:
    """Whether the rows are the same in some order."""
    import pyarrow as pa

    if not batches:
        return not len(columns[0].values)
    came = pa.Table.from_batches(list(batches))
    names = [str(i) for i in range(len(columns))]
    arrays = [
        _alike(column.values, values.combine_chunks()) for column, values in zip(columns, came.columns, strict=True)
    ]
    if any(pair is None for pair in arrays):
        return False
    tables = [pa.table([pair[side] for pair in arrays if pair], names=names) for side in (0, 1)]
    if tables[0].num_rows != tables[1].num_rows:
        return False
    first, second = (table.sort_by([(name, "ascending") for name in names]) for table in tables)
    return bool(first.equals(second))


def _first_unequal(sent: pa.Array, came: pa.Array) -> int | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(sent.type):
        row = pc.index(pc.is_valid(came), True).as_py()
        return row if row >= 0 else None
    pair = _alike(sent, came)
    if pair is None:
        return _first_of_values(sent, came)
    one, two = pair
    if one.equals(two):
        return None
    differs = pc.not_equal(one, two)
    differs = pc.if_else(pc.is_valid(differs), differs, pc.xor(pc.is_null(one), pc.is_null(two)))
    row = pc.index(differs, True).as_py()
    if row < 0:
        return None
    return _first_of_json(one, two) if pa.types.is_large_string(one.type) and _is_json(two[row].as_py()) else row


def _alike(sent: pa.Array, came: pa.Array) -> tuple[pa.Array, pa.Array] | None:
    """Both as the type of what was sent, or of what came, whichever can say the other's values; None if neither can."""
    import pyarrow as pa

    if pa.types.is_boolean(sent.type):
        sent = sent.cast(pa.int8())
    if pa.types.is_time(sent.type) and pa.types.is_duration(came.type):  # a TIME may be longer than a day
        sent = sent.cast(pa.int64()).cast(pa.duration("us"))
    if pa.types.is_timestamp(sent.type) and sent.type.tz is not None:
        sent = sent.cast(pa.timestamp(sent.type.unit))
    if sent.type.equals(came.type):
        return sent, came
    with suppress(pa.ArrowException):
        return sent, came.cast(sent.type)
    with suppress(pa.ArrowException):
        return sent.cast(came.type), came
    return None


def _first_of_values(sent: pa.Array, came: pa.Array) -> int | None:
    """Value by value, for types that do not convert as a whole."""
    for row in range(len(sent)):
        if not (sent[row].is_valid or came[row].is_valid):
            continue
        pair = _alike(sent.slice(row, 1), came.slice(row, 1))
        if pair is None or not pair[0].equals(pair[1]):
            return row
    return None


def _first_of_json(sent: pa.Array, came: pa.Array) -> int | None:
    """A column of JSON writes spaces of its own."""
    for row, (one, two) in enumerate(zip(sent.to_pylist(), came.to_pylist(), strict=True)):
        if one != two and (one is None or two is None or not _is_same_json(one, two)):
            return row
    return None


def _is_json(text: Any) -> bool:
    return isinstance(text, str) and text[:1] in ("{", "[", '"')


def _is_same_json(one: str, two: str) -> bool:
    try:
        return bool(json.loads(one) == json.loads(two))
    except ValueError:
        return False
