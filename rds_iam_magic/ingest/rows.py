"""The rows of a frame as INSERT statements, each about a megabyte: as texts, or with the rows beside the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.column import Column
from rds_iam_magic.ingest.literals import literals_of
from rds_iam_magic.ingest.parameters import rows_of, types_of
from rds_iam_magic.wording import bytes_text

if TYPE_CHECKING:
    import pyarrow as pa

SIZE = 1 << 20
"""Bytes of one statement: the server's time for one is far below a second, and for each byte as for larger ones."""

_MOST_BESIDE = (1 << 24) - 1  # bytes of what goes beside a text: one packet
_FRAME = 64  # bytes that the server may need besides
_AT_ONCE = 16_384
"""Rows that are written at a time."""


class Insert(NamedTuple):
    """One INSERT.

    Attributes:
        text: The statement.
        first: The first of its rows, from 0.
        rows: How many they are.
        beside: The rows, as COM_STMT_BULK_EXECUTE sends them for the text's `?`; b"" if the text has literals.
    """

    text: str
    first: int
    rows: int
    beside: bytes = b""


def inserts_of(
    columns: Sequence[Column], head: str, rows: int, *, first: int = 0, max_packet: int = 0
) -> Iterator[Insert]:
    """The statements that insert rows, in order, as texts.

    Args:
        columns: What is inserted.
        head: What stands before the rows: `INSERT INTO … VALUES `.
        rows: The number of rows, those before the first one included.
        first: The first one.
        max_packet: The server's max_allowed_packet, in bytes; 0 if it is unknown.

    Raises:
        OptionError: A row is larger than that.
    """
    most = max_packet - len(head.encode()) - _FRAME if max_packet else 1 << 30
    for start, count, values in _parts(_texts, columns, range(first, rows), min(SIZE, most)):
        if len(values) > most:
            raise OptionError(
                f"Row {start + 1:,} takes {bytes_text(len(values))}, and the server accepts "
                f"{bytes_text(max_packet)} at most (max_allowed_packet); nothing was stored.",
                cause="load-row-too-large",
            )
        yield Insert(head + str(values[:-1], "utf-8"), start, count)  # without the last comma


def prepared_inserts_of(columns: Sequence[Column], head: str, rows: int, *, max_packet: int = 0) -> Iterator[Insert]:
    """The same with the rows beside the text; a row that is too large for that is in a text.

    Raises:
        OptionError: As `inserts_of` does.
    """
    text = f"{head}({', '.join('?' * len(columns))})"
    types = types_of([column.values.type for column in columns])
    most = min(max_packet or _MOST_BESIDE, _MOST_BESIDE) - len(types) - _FRAME
    for start, count, values in _parts(rows_of, columns, range(rows), min(SIZE, most)):
        if len(values) > most:
            yield from inserts_of(columns, head, start + count, first=start, max_packet=max_packet)
        else:
            yield Insert(text, start, count, types + values)


_Write = Callable[[list["pa.Array"]], "pa.Array"]


def _parts(write: _Write, columns: Sequence[Column], rows: range, room: int) -> Iterator[tuple[int, int, memoryview]]:
    """The rows as they are written, as many at a time as there is room for, or one: the first, how many, the bytes."""
    import numpy as np

    for start in range(rows.start, rows.stop, _AT_ONCE):
        written = write([column.values.slice(start, min(_AT_ONCE, rows.stop - start)) for column in columns])
        _, offsets, data = written.buffers()
        ends = np.frombuffer(offsets, "int64")[written.offset : written.offset + len(written) + 1]
        position = 0
        while position < len(written):
            end = max(int(np.searchsorted(ends, ends[position] + room, "right")) - 1, position + 1)
            yield start + position, end - position, memoryview(data)[int(ends[position]) : int(ends[end])]
            position = end


def _texts(columns: list[pa.Array]) -> pa.Array:
    """`(1,'a',NULL),` for each row: together they are what stands behind VALUES."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def text(value: str) -> pa.Scalar:
        return pa.scalar(value, pa.large_string())

    written = [literals_of(values) for values in columns]
    inner = pc.binary_join_element_wise(*written, text(",")) if len(written) > 1 else written[0]
    return pc.binary_join_element_wise(text("("), inner, text("),"), text(""))
