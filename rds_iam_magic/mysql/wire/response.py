"""`ResponseParser`: the response to a command, bytes in, events out. No socket, no thread, no decoding of values.

It parses the text protocol of COM_QUERY and the binary protocol of COM_STMT_PREPARE and COM_STMT_EXECUTE with
CLIENT_PROTOCOL_41 and without CLIENT_DEPRECATE_EOF, which PyMySQL does not request. The two differ in the contents of
the rows only, which are not decoded here:
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html

It follows the contract of `asyncio.BufferedProtocol`: the caller reads into `get_buffer()` and reports the number of
bytes with `buffer_updated(n)`, which returns the completed events. Rows are not copied: a chunk is the buffer itself
with each row's offsets in it.
"""

from __future__ import annotations

from enum import Enum

import numpy as np

from rds_iam_magic.errors import ConnectionLostError, ProtocolError
from rds_iam_magic.mysql.wire import charsets, commands
from rds_iam_magic.mysql.wire.column import columns_of
from rds_iam_magic.mysql.wire.events import MORE_RESULTS, PAD, Event, PrepareFailed, ResultSetStart, Rows
from rds_iam_magic.mysql.wire.packets import (
    MAX_PACKET,
    PacketReader,
    packet_length,
    read_eof,
    read_error,
    read_ok,
    read_prepared,
)
from rds_iam_magic.mysql.wire.row_boundaries import RowBoundaries

CHUNK_BYTES = 1 << 20
"""The number of bytes read before their rows are emitted as a chunk."""

MAX_COLUMNS = 4096  # MySQL's and MariaDB's own limit
_FIRST_BYTES = 16 << 10
_LONGEST_ROW = (1 << 30) + (64 << 20)  # max_allowed_packet is at most 1 GiB; a row is a little longer than its value


class _State(Enum):
    FIRST = 1
    DESCRIPTIONS = 2  # of a prepared statement
    COLUMNS = 3
    COLUMNS_END = 4
    ROWS = 5
    LONG_ROW = 6
    DONE = 7


class ResponseParser:
    """Parses the response to one command; for a COM_QUERY, all of its result sets.

    Args:
        sequence: The sequence number of the response's first packet: one more than the command's last packet. None
            within compressed frames, whose own numbers are checked: a flush sets the packets' number to the frames'.
        command: COM_QUERY; COM_STMT_PREPARE or COM_STMT_EXECUTE; COM_STATISTICS or COM_SET_OPTION, whose responses are
            single packets.
        then_execute: After COM_STMT_PREPARE: COM_STMT_EXECUTE was sent with it, so its response follows.
        chunk_bytes: The number of bytes read before their rows are emitted as a chunk.
        announced: The session's character sets; changes reported in the response are recorded there.

    Raises:
        ProtocolError: From `buffer_updated`, for a malformed response; the connection cannot be used afterwards.
    """

    def __init__(
        self,
        *,
        sequence: int | None = 1,
        command: int = commands.COM_QUERY,
        then_execute: bool = False,
        chunk_bytes: int = CHUNK_BYTES,
        announced: charsets.Announced | None = None,
    ) -> None:
        self._announced = announced or charsets.Announced()
        self._command = command
        self._then_execute = then_execute
        self._chunk_bytes = max(chunk_bytes, 256)
        self._buffer = bytearray(min(_FIRST_BYTES, self._chunk_bytes) + PAD)
        self._offset = 0  # start of the next packet
        self._filled = 0
        self._sequence = None if sequence is None else sequence & 0xFF  # of the next packet
        self._state = _State.FIRST
        self._columns: list[bytes] = []  # their definitions
        self._column_count = 0
        self._descriptions = 0  # packets left that describe a prepared statement
        self._rows = RowBoundaries()  # not yet emitted
        self._long = _LongRow()
        self._rows_emitted = 0

    @property
    def done(self) -> bool:
        """Whether the whole response has been read."""
        return self._state is _State.DONE

    @property
    def rows_seen(self) -> int:
        """The number of rows so far."""
        return self._rows_emitted + self._rows.count

    def get_buffer(self, sizehint: int = -1) -> memoryview:  # noqa: ARG002 - the contract's signature
        """The free part of the buffer, to read the next bytes into; never empty."""
        return memoryview(self._buffer)[self._filled : len(self._buffer) - PAD]

    def buffer_updated(self, count: int) -> list[Event]:
        """Parse `count` bytes that were read into `get_buffer()`; return the events that they complete."""
        self._filled += count
        events: list[Event] = []
        self._parse(events)
        if self.done and self._offset != self._filled:
            raise ProtocolError(
                "The server sent more than one response.", detail=f"{self._filled - self._offset} bytes"
            )
        if not self.done and self._filled == len(self._buffer) - PAD:
            self._grow_buffer(events)
        return events

    def eof_received(self) -> list[Event]:
        """The stream has ended in the middle of the response.

        Raises:
            ConnectionLostError: Always: a truncated result is not a result.
        """
        raise ConnectionLostError("The server closed the connection in the middle of a response.")

    def take_rows(self) -> list[Event]:
        """The events of the complete rows not yet emitted, although the chunk is not full."""
        events: list[Event] = []
        self._emit_rows(events)
        return events

    def _parse(self, events: list[Event]) -> None:
        while self._step(events):
            pass

    def _step(self, events: list[Event]) -> bool:
        """Parse as far as possible within the current state; return whether to call it again."""
        if self._state is _State.ROWS:
            return self._read_rows(events)
        if self._state is _State.LONG_ROW:
            return self._read_long_row(events)
        if self._state is _State.COLUMNS:
            return self._read_columns()
        if self._state is _State.DESCRIPTIONS:
            return self._skip_descriptions()
        if self._state is _State.DONE:
            return False
        packet = self._packet()
        if packet is None:
            return False
        if self._state is _State.FIRST and self._command == commands.COM_STMT_PREPARE:
            self._read_prepared(packet, events)
        elif self._state is _State.FIRST:
            self._read_first(packet, events)
        else:
            self._read_columns_end(packet, events)
        return True

    def _packet(self) -> PacketReader | None:
        """The next packet that is not a row, if it is complete."""
        start = self._offset + 4
        return PacketReader(self._buffer, start, self._offset) if self._pass_packet() else None

    def _pass_packet(self) -> bool:
        """Move behind the next packet that is not a row; return False if it is not complete."""
        offset = self._offset
        if self._filled - offset < 4:
            return False
        length = packet_length(self._buffer, offset)
        if length in (0, MAX_PACKET):
            raise ProtocolError("The server sent a packet of an impossible length.", detail=str(length))
        end = offset + 4 + length
        if end > self._filled:
            return False
        self._check_sequence(self._buffer[offset + 3])
        self._offset = end
        return True

    def _check_sequence(self, sequence: int) -> None:
        if self._sequence is None:
            return
        if sequence != self._sequence:
            raise ProtocolError(
                "The server's packets are out of order.", detail=f"packet {sequence} instead of {self._sequence}"
            )
        self._sequence = (sequence + 1) & 0xFF

    def _read_prepared(self, packet: PacketReader, events: list[Event]) -> None:
        """The first packet after COM_STMT_PREPARE; the descriptions behind it are repeated by COM_STMT_EXECUTE."""
        if packet.peek() == 0xFF:
            events.append(PrepareFailed(read_error(packet, self._announced)))
        else:
            prepared = read_prepared(packet)
            events.append(prepared)
            # Each list of descriptions ends with an EOF packet.
            self._descriptions = sum(count + 1 for count in (prepared.parameters, prepared.columns) if count)
        self._state = _State.DESCRIPTIONS
        if not self._descriptions:
            self._end_prepare()

    def _skip_descriptions(self) -> bool:
        while self._descriptions:
            if not self._pass_packet():
                return False
            self._descriptions -= 1
        self._end_prepare()
        return True

    def _end_prepare(self) -> None:
        self._state = _State.FIRST if self._then_execute else _State.DONE
        self._command = commands.COM_STMT_EXECUTE
        self._sequence = None if self._sequence is None else 1

    def _read_first(self, packet: PacketReader, events: list[Event]) -> None:
        kind = packet.peek()
        if self._command == commands.COM_STATISTICS and kind != 0xFF:
            self._state = _State.DONE  # a line of text
        elif self._command == commands.COM_SET_OPTION and kind == 0xFE:
            events.append(read_eof(packet))
            self._state = _State.DONE
        elif kind == 0x00:
            ok = read_ok(packet, self._announced)
            events.append(ok)
            self._state = _State.FIRST if ok.status & MORE_RESULTS else _State.DONE
        elif kind == 0xFF:
            events.append(read_error(packet, self._announced))
            self._state = _State.DONE
        elif kind == 0xFB:
            raise ProtocolError(
                "The server asked for a local file (LOAD DATA LOCAL); local files are never sent.",
                "Load the data with INSERT statements or from S3.",
            )
        else:
            self._column_count = packet.length_encoded()
            if not 1 <= self._column_count <= MAX_COLUMNS or packet.left():
                raise ProtocolError("The server announced an impossible number of columns.")
            self._columns = []
            self._state = _State.COLUMNS

    def _read_columns(self) -> bool:
        """The column definitions; one by one, since each may be the last that has come."""
        while len(self._columns) < self._column_count:
            start = self._offset + 4
            if not self._pass_packet():
                return False
            if self._buffer[start] == 0xFF:
                error = read_error(PacketReader(self._buffer, start, self._offset), self._announced)
                raise ProtocolError("The server ended the column definitions early.", detail=str(error))
            self._columns.append(bytes(self._buffer[start : self._offset]))
        self._state = _State.COLUMNS_END
        return True

    def _read_columns_end(self, packet: PacketReader, events: list[Event]) -> None:
        read_eof(packet)
        columns = columns_of(self._columns, self._announced)
        events.append(ResultSetStart(columns, binary=self._command == commands.COM_STMT_EXECUTE))
        self._state = _State.ROWS

    def _read_rows(self, events: list[Event]) -> bool:
        self._offset = self._rows.find(self._buffer, self._offset, self._filled)
        return self._read_row_end(events)

    def _read_row_end(self, events: list[Event]) -> bool:
        """Handle what is not a row: no more data, no more rows, or a row whose first field exceeds 16 MiB."""
        if self._filled - self._offset < 4:
            return False
        length = packet_length(self._buffer, self._offset)
        is_long = length == MAX_PACKET
        if not is_long and self._offset + 4 + length > self._filled:
            return False
        self._emit_rows(events, are_last=not is_long)
        if is_long:
            self._state = _State.LONG_ROW
            return True
        kind = self._buffer[self._offset + 4]
        if length == 0 or (kind == 0xFE and length >= 9):
            raise ProtocolError("The server sent a malformed row.")
        packet = self._packet()
        assert packet is not None  # noqa: S101 - it is complete, as checked above; for mypy
        if kind == 0xFF:
            events.append(read_error(packet, self._announced))
            self._state = _State.DONE
            return False
        end = read_eof(packet)
        events.append(end)
        self._state = _State.FIRST if end.status & MORE_RESULTS else _State.DONE
        return True

    def _read_long_row(self, events: list[Event]) -> bool:
        """Collect the packets of a row of 16 MiB or more."""
        row = self._long
        if row.remaining == 0:
            if self._filled - self._offset < 4:
                return False
            self._check_sequence(self._buffer[self._offset + 3])
            row.begin(packet_length(self._buffer, self._offset))
            self._offset += 4
        count = min(row.remaining, self._filled - self._offset)
        row.add(memoryview(self._buffer)[self._offset : self._offset + count])
        self._offset += count
        if row.complete:
            events.append(row.take())
            self._rows_emitted += 1
            self._state = _State.ROWS
            return True
        if self._offset == self._filled:
            self._offset = self._filled = 0  # the whole buffer has been consumed
        return row.remaining == 0

    def _emit_rows(self, events: list[Event], *, are_last: bool = False) -> None:
        """Emit the rows so far, with their buffer; unparsed bytes move to a new one."""
        if not self._rows.count:
            return
        starts, ends = self._rows.take(self._buffer, self._sequence)
        if self._sequence is not None:
            self._sequence = (self._sequence + len(starts)) & 0xFF
        self._rows_emitted += len(starts)
        data = np.frombuffer(self._buffer, np.uint8)
        self._start_buffer(_FIRST_BYTES // 4 if are_last else min(self._chunk_bytes, 4 * len(self._buffer)))
        events.append(Rows(data, starts, ends))

    def _start_buffer(self, size: int) -> None:
        """Continue in a new buffer that begins with the unparsed bytes."""
        rest = memoryview(self._buffer)[self._offset : self._filled]
        buffer = bytearray(max(size, len(rest) + 256) + PAD)
        buffer[: len(rest)] = rest
        self._buffer, self._offset, self._filled = buffer, 0, len(rest)

    def _grow_buffer(self, events: list[Event]) -> None:
        if self._rows.count:
            self._emit_rows(events)
        elif self._state is _State.LONG_ROW:
            self._start_buffer(self._chunk_bytes)
        else:
            # The packet is larger than the buffer: make room for all of it.
            known = self._filled - self._offset >= 4
            self._start_buffer(max(len(self._buffer), 4 + packet_length(self._buffer, self._offset) if known else 0))


class _LongRow:
    """A row in several packets: all but the last have the maximum length, and the last may be empty."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._last = False
        self.remaining = 0  # missing bytes of the current packet

    @property
    def complete(self) -> bool:
        return self._last and self.remaining == 0

    def begin(self, length: int) -> None:
        if len(self._data) + length > _LONGEST_ROW:
            raise ProtocolError("The server sent a row longer than the protocol's limit.")
        self.remaining, self._last = length, length < MAX_PACKET

    def add(self, part: memoryview) -> None:
        self._data += part
        self.remaining -= len(part)

    def take(self) -> Rows:
        end = len(self._data)
        data = np.frombuffer(self._data + bytes(PAD), np.uint8)
        self._data, self._last = bytearray(), False
        return Rows(data, np.zeros(1, np.int64), np.array([end], np.int64))
