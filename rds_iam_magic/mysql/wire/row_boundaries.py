"""`RowBoundaries`: where the row packets begin and end in a buffer; the parser's hottest code.

Three ways, from the fastest to the most general: rows of one length are found by one comparison, rows below 256 bytes
by a loop that reads one byte of each header, all others by a loop that reads the whole header. What the first two
assume is checked with NumPy for many rows at once, so each way finds the same boundaries.
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


class RowBoundaries:
    """The row packets of a chunk, in the order of their arrival.

    Attributes:
        count: The number of rows; an upper bound until `take` has checked it.
    """

    def __init__(self) -> None:
        self._runs: list[NDArray[np.int64] | tuple[int, bytearray]] = []
        self._is_careful = False
        self.count = 0

    def find(self, buffer: bytearray, offset: int, filled: int, sequence: int | None) -> int:
        """Add the complete row packets from `offset` on; return the offset of the first packet that is not one.

        Args:
            buffer: Holds the packets; readable for a few bytes behind `filled`.
            offset: Where a packet begins.
            filled: Where the received bytes end.
            sequence: The sequence number of the chunk's first row; None if the numbers are not checked.
        """
        if not self._is_careful and filled - offset >= 5:
            length = packet_length(buffer, offset)
            following = offset + 4 + length
            if following + 4 <= filled and packet_length(buffer, following) == length:
                offset = self._find_equal(buffer, offset, filled, length)
            if filled - offset >= 5 and packet_length(buffer, offset) < _SHORT:
                offset = self._find_short(buffer, offset, filled, sequence)
        return self._find_any(buffer, offset, filled)

    def take(self, buffer: bytearray, sequence: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        """Remove the rows; there is at least one.

        Returns:
            The offsets of the rows' headers and of their ends, int64, shape (rows,); and the offset to go on from.
            Rows that turn out not to be rows are left out: then it is the end of the last right one.

        Raises:
            ProtocolError: The packets are out of order.
        """
        headers = np.concatenate([_offsets(run) for run in self._runs])
        self._runs, self.count = [], 0
        data = np.frombuffer(buffer, np.uint8)
        words: NDArray[np.uint32] = np.ndarray((len(data) - 3,), "<u4", data, strides=(1,))
        found = words[headers]
        ends = headers + (found & np.uint32(_LENGTH)) + 4
        right = np.ones(len(headers), bool)
        np.equal(headers[1:], ends[:-1], out=right[1:])
        numbers = found >> np.uint32(24)
        if sequence is not None:
            right &= numbers == np.arange(sequence, sequence + len(headers)).astype(np.uint8)  # modulo 256
        if right.all():
            self._is_careful = False
            return headers, ends, int(ends[-1])
        if self._is_careful:
            wrong = int(right.argmin())
            raise ProtocolError(
                "The server's packets are out of order.",
                detail=f"packet {int(numbers[wrong])} as row {wrong} after packet {sequence}",
            )
        # A packet that is longer than its first byte says was stepped into: go on from it, packet by packet.
        self._is_careful = True
        wrong = max(int(right.argmin()) - 1, 0)
        return headers[:wrong], ends[:wrong], int(headers[wrong])

    def _add(self, run: NDArray[np.int64] | tuple[int, bytearray], count: int) -> None:
        if count:
            self._runs.append(run)
            self.count += count

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
        self._add(np.arange(offset, end, stride), count)
        return end

    def _find_short(self, buffer: bytearray, offset: int, filled: int, sequence: int | None) -> int:
        """Rows below 256 bytes, as if all were."""
        start, last = offset, filled - 5  # with a header and a byte
        lengths = bytearray()
        add = lengths.append
        while offset <= last:
            length = buffer[offset]
            add(length)
            offset += length + 4
        if offset > filled:
            offset -= lengths.pop() + 4
        if not self._looks_right(buffer, offset, lengths, sequence):
            lengths = lengths[: _rows_among(buffer, start, lengths)]
            offset = start + 4 * len(lengths) + sum(lengths)
        self._add((start, lengths), len(lengths))
        return offset

    def _looks_right(self, buffer: bytearray, end: int, lengths: bytearray, sequence: int | None) -> bool:
        """Whether no end of the rows is among these packets, and none of them is longer.

        A longer one leads astray, where the last sequence number is most likely wrong; `take` makes sure of it.
        """
        if not lengths or sequence is None or _EOF_LENGTH in lengths or 0 in lengths:
            return not lengths
        last = end - lengths[-1] - 4
        number = (sequence + self.count + len(lengths) - 1) & 0xFF
        return buffer[last + 1 : last + 4] == bytes((0, 0, number)) and buffer[last + 4] < _NO_ROW

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
        self._add(np.array(headers, np.int64), len(headers))
        return offset


def _offsets(run: NDArray[np.int64] | tuple[int, bytearray]) -> NDArray[np.int64]:
    if not isinstance(run, tuple):
        return run
    start, lengths = run
    sizes = np.frombuffer(lengths, np.uint8).astype(np.int64) + 4
    offsets: NDArray[np.int64] = np.cumsum(sizes) - sizes + start
    return offsets


def _rows_among(buffer: bytearray, start: int, lengths: bytearray) -> int:
    """How many packets from `start` on are rows whose headers say these lengths."""
    headers = _offsets((start, lengths))
    data = np.frombuffer(buffer, np.uint8)
    right = (data[headers + 1] | data[headers + 2]) == 0
    right &= (data[headers] != 0) & (data[headers + 4] < _NO_ROW)
    return len(lengths) if right.all() else int(right.argmin())
