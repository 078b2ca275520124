"""`RowBoundaries`: where the row packets begin and end in a buffer; the parser's hottest code.

Three ways, from the fastest to the most general: rows of one length are found by one comparison, rows below 256 bytes
by a loop that reads one byte of each header, all others by a loop that reads the whole header. What the first two
assume is checked with NumPy for many rows at once, so each way finds the same boundaries. It is checked before more
bytes are waited for: who took a row's contents for rows, would wait beside the end of the response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.wire.packets import HEADER, packet_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EOF_LENGTH = 5  # of an EOF packet's payload, in bytes
_NO_ROW = 0xFE  # the smallest first byte of a packet that is no row: EOF, ERR
_LENGTH, _SHORT = 0xFFFFFF, 0x100
_FEWEST = 8  # rows for which one comparison is worth it
_WORTH_IT = 2048  # bytes for which NumPy's first step is, which takes as long as the loop over twenty rows


class RowBoundaries:
    """The row packets of a chunk, in the order of their arrival.

    Attributes:
        count: The number of rows.
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.int64]] = []  # offsets of headers, each row's where the one before it ends
        self._end = 0  # of the last row
        self.count = 0

    def find(self, buffer: bytearray, offset: int, filled: int) -> int:
        """Add the complete row packets from `offset` on; return the offset of the first packet that is not one.

        Args:
            buffer: Holds the packets; readable for a few bytes behind `filled`.
            offset: Where a packet begins.
            filled: Where the received bytes end.
        """
        if filled - offset >= _WORTH_IT:
            length = packet_length(buffer, offset)
            following = offset + 4 + length
            if length and following + 4 <= filled and packet_length(buffer, following) == length:
                offset = self._find_equal(buffer, offset, filled, length)
            if filled - offset >= 5 and packet_length(buffer, offset) < _SHORT:
                offset = self._find_short(buffer, offset, filled)
        self._end = self._find_any(buffer, offset, filled)
        return self._end

    def take(self, buffer: bytearray, sequence: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Remove the rows; there is at least one.

        Args:
            buffer: As in `find`.
            sequence: The sequence number of the first row; None if the numbers are not checked.

        Returns:
            The offsets of the rows' first fields and of their ends, int64, shape (rows,).

        Raises:
            ProtocolError: The packets are out of order.
        """
        headers = self._runs[0] if len(self._runs) == 1 else np.concatenate(self._runs)
        self._runs, self.count = [], 0
        starts = headers + 4
        if sequence is not None:
            _check_sequence(np.frombuffer(buffer, np.uint8)[starts - 1].tobytes(), sequence)
        ends = np.empty_like(headers)
        ends[:-1], ends[-1] = headers[1:], self._end
        return starts, ends

    def _add(self, headers: NDArray[np.int64]) -> None:
        if len(headers):
            self._runs.append(headers)
            self.count += len(headers)

    def _find_equal(self, buffer: bytearray, offset: int, filled: int, length: int) -> int:
        """Rows of one length: their headers lie at equal distances."""
        stride = 4 + length
        count = (filled - offset) // stride
        if count < _FEWEST:
            return offset
        lengths: NDArray[np.uint32] = np.ndarray((count,), "<u4", buffer, offset, (stride,))
        first: NDArray[np.uint8] = np.ndarray((count,), np.uint8, buffer, offset + 4, (stride,))
        equal = ((lengths & np.uint32(_LENGTH)) == length) & (first < _NO_ROW)
        if not equal.all():
            count = int(equal.argmin())
        end = offset + count * stride
        self._add(np.arange(offset, end, stride))
        return end

    def _find_short(self, buffer: bytearray, offset: int, filled: int) -> int:
        """Rows below 256 bytes, as if all were: a longer one leads astray, and is recognised by its header."""
        start, last = offset, filled - 5  # with a header and a byte
        lengths = bytearray()
        add = lengths.append
        while offset <= last:
            length = buffer[offset]
            add(length)
            offset += length + 4
        if offset > filled:
            offset -= lengths.pop() + 4
        headers = _headers(start, lengths)
        if not _are_short_rows(buffer, headers, lengths):
            headers = headers[: _count_short_rows(buffer, headers)]
            offset = int(headers[-1]) + 4 + buffer[headers[-1]] if len(headers) else start
        self._add(headers)
        return offset

    def _find_any(self, buffer: bytearray, offset: int, filled: int) -> int:
        headers: list[int] = []
        unpack, add = HEADER.unpack_from, headers.append
        while True:
            # The padding makes a truncated header readable; its length then points past `filled` as well.
            following = offset + 4 + (unpack(buffer, offset)[0] & _LENGTH)
            if following > filled or following == offset + 4 or buffer[offset + 4] >= _NO_ROW:
                break
            add(offset)
            offset = following
        self._add(np.array(headers, np.int64))
        return offset


def _check_sequence(numbers: bytes, first: int) -> None:
    expected = (_NUMBERS * (len(numbers) // len(_NUMBERS) + 2))[first : first + len(numbers)]
    if numbers != expected:
        wrong, right = next(pair for pair in zip(numbers, expected, strict=True) if pair[0] != pair[1])
        raise ProtocolError("The server's packets are out of order.", detail=f"packet {wrong} instead of {right}")


_NUMBERS = bytes(range(256))  # of packets, over and over


def _headers(start: int, lengths: bytearray) -> NDArray[np.int64]:
    """The offsets of headers, the first of which is at `start`."""
    sizes = np.frombuffer(lengths, np.uint8).astype(np.int64) + 4
    headers: NDArray[np.int64] = np.cumsum(sizes) - sizes + start
    return headers


def _are_short_rows(buffer: bytearray, headers: NDArray[np.int64], lengths: bytearray) -> bool:
    """Whether all packets are below 256 bytes, and none of them can be the end of the rows."""
    if not lengths:
        return True
    if _EOF_LENGTH in lengths or 0 in lengths or buffer[headers[-1] + 4] >= _NO_ROW:
        return False
    middle: NDArray[np.uint16] = np.ndarray((len(buffer) - 2,), "<u2", buffer, 1, (1,))
    return not middle[headers].any()


def _count_short_rows(buffer: bytearray, headers: NDArray[np.int64]) -> int:
    """How many packets, from the first one on, are rows below 256 bytes."""
    data = np.frombuffer(buffer, np.uint8)
    right = (data[headers + 1] | data[headers + 2]) == 0
    right &= (data[headers] != 0) & (data[headers + 4] < _NO_ROW)
    return len(headers) if right.all() else int(right.argmin())
