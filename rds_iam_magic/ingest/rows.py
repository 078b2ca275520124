"""`inserts_of`: the rows of a frame as the texts of INSERT statements, each about a megabyte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.column import Column
from rds_iam_magic.ingest.literals import literals_of
from rds_iam_magic.wording import bytes_text

if TYPE_CHECKING:
    import pyarrow as pa

SIZE = 1 << 20
"""Bytes of one statement: the server's time for one is far below a second, and for each byte as for larger ones."""

_AT_ONCE = 16_384
"""Rows that are written as text at a time."""


class Insert(NamedTuple):
    """One INSERT: its text, the first of its rows, and how many they are."""

    text: str
    first: int
    rows: int


def inserts_of(columns: Sequence[Column], head: str, rows: int, *, max_packet: int = 0) -> Iterator[Insert]:
    """The statements that insert all rows, in order.

    Args:
        columns: What is inserted.
        head: What stands before the rows: `INSERT INTO … VALUES `.
        rows: The number of rows.
        max_packet: The server's max_allowed_packet, in bytes; 0 if it is unknown.

    Raises:
        OptionError: A row is larger than that.
    """
    import numpy as np

    most = max_packet - len(head.encode()) - 64 if max_packet else 1 << 30
    room = min(SIZE, most)
    for start in range(0, rows, _AT_ONCE):
        texts = _rows(columns, start, min(_AT_ONCE, rows - start))
        _, offsets, data = texts.buffers()
        ends = np.frombuffer(offsets, "int64")[texts.offset : texts.offset + len(texts) + 1]
        position = 0
        while position < len(texts):
            end = max(int(np.searchsorted(ends, ends[position] + room, "right")) - 1, position + 1)
            size = int(ends[end] - ends[position])
            if size > most:
                raise OptionError(
                    f"Row {start + position + 1:,} takes {bytes_text(size)}, and the server accepts "
                    f"{bytes_text(max_packet)} at most (max_allowed_packet); nothing was stored.",
                    cause="load-row-too-large",
                )
            values = memoryview(data)[int(ends[position]) : int(ends[end]) - 1]  # without the last comma
            yield Insert(head + str(values, "utf-8"), start + position, end - position)
            position = end


def _rows(columns: Sequence[Column], start: int, rows: int) -> pa.Array:
    """`(1,'a',NULL),` for each row: together they are what stands behind VALUES."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def text(value: str) -> pa.Scalar:
        return pa.scalar(value, pa.large_string())

    written = [literals_of(column.values.slice(start, rows)) for column in columns]
    inner = pc.binary_join_element_wise(*written, text(",")) if len(written) > 1 else written[0]
    return pc.binary_join_element_wise(text("("), inner, text("),"), text(""))
