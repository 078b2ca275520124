"""`PacketReader` reads the fields of a packet; functions read OK, EOF and ERR packets and text rows.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
"""

from __future__ import annotations

import struct

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.wire import charsets
from rds_iam_magic.mysql.wire.events import Ok, Prepared, ResultSetEnd, Rows, ServerError

MAX_PACKET = 0xFFFFFF
_SESSION_STATE_CHANGED = 0x4000
_SYSTEM_VARIABLES = 0
HEADER = struct.Struct("<I")  # three bytes of length, one of sequence
_PREPARED, _END = struct.Struct("<IHHBH"), struct.Struct("<BHH")


def packet_length(buffer: bytearray, offset: int) -> int:
    """The payload length, in bytes, of the packet whose header is at `offset`."""
    return int(HEADER.unpack_from(buffer, offset)[0]) & 0xFFFFFF


class PacketReader:
    """Reads the fields of one packet, never past its end."""

    def __init__(self, buffer: bytearray | memoryview, offset: int, end: int) -> None:
        self._buffer, self._offset, self._end = buffer, offset, end

    def left(self) -> int:
        """The number of unread bytes."""
        return self._end - self._offset

    def peek(self) -> int:
        """The next byte, without consuming it."""
        return self._buffer[self._offset]

    def take(self, count: int) -> bytes:
        """The next `count` bytes.

        Raises:
            ProtocolError: There are fewer.
        """
        if count > self.left():
            raise ProtocolError("The server sent a field that reaches past the end of its packet.")
        self._offset += count
        return bytes(self._buffer[self._offset - count : self._offset])

    def number(self, size: int) -> int:
        """A little-endian unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def length_encoded(self) -> int:
        """A length-encoded integer, of one to nine bytes.

        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html
        """
        first = self.number(1)
        if first < 0xFB:
            return first
        if first in _INTEGER_SIZES:
            return self.number(_INTEGER_SIZES[first])
        raise ProtocolError("The server sent an invalid length.")

    def text(self) -> str:
        r"""A length-encoded string; bytes that are not UTF-8 are escaped as `\xNN`."""
        return self.take(self.length_encoded()).decode("utf-8", "backslashreplace")

    def part(self) -> PacketReader:
        """A reader for the contents of the next length-encoded string."""
        part = self.take(self.length_encoded())
        return PacketReader(memoryview(part), 0, len(part))


_INTEGER_SIZES = {0xFC: 2, 0xFD: 3, 0xFE: 8}


def read_ok(packet: PacketReader, announced: charsets.Announced) -> Ok:
    """Read an OK packet; changes to the session's character sets are recorded in `announced`."""
    packet.take(1)
    affected_rows, insert_id = packet.length_encoded(), packet.length_encoded()
    status, warnings = packet.number(2), packet.number(2)
    info = b""
    if announced.tracked:
        info = packet.take(packet.length_encoded()) if packet.left() else info
        if status & _SESSION_STATE_CHANGED:
            _read_changes(packet.part(), announced)
    elif packet.left():
        info = packet.take(packet.left())
        info = info[1:] if info[0] == len(info) - 1 else info  # servers prefix its length, contrary to the manual
    return Ok(affected_rows, insert_id, status, warnings, announced.read(info))


def _read_changes(changes: PacketReader, announced: charsets.Announced) -> None:
    """https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html, `session_state_info`."""
    while changes.left():
        kind, change = changes.number(1), changes.part()
        while kind == _SYSTEM_VARIABLES and change.left():
            announced.hear(change.text(), change.text())


def read_prepared(packet: PacketReader) -> Prepared:
    """Read the first packet of the response to COM_STMT_PREPARE.

    https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html
    """
    if packet.number(1) != 0x00:
        raise ProtocolError("The server answered neither that the statement is prepared nor that it cannot be.")
    statement_id, columns, parameters, _, warnings = _PREPARED.unpack(packet.take(_PREPARED.size))
    return Prepared(statement_id, parameters, columns, warnings)


def read_eof(packet: PacketReader) -> ResultSetEnd:
    """Read an EOF packet."""
    if packet.peek() != 0xFE or packet.left() != 5:
        raise ProtocolError("The server sent no EOF packet where one was due.")
    _, warnings, status = _END.unpack(packet.take(_END.size))
    return ResultSetEnd(status, warnings)


def read_error(packet: PacketReader, announced: charsets.Announced) -> ServerError:
    """Read an ERR packet."""
    packet.take(1)
    code = packet.number(2)
    sqlstate = ""
    if packet.left() and packet.peek() == ord("#"):
        sqlstate = packet.take(min(6, packet.left()))[1:].decode("ascii", "backslashreplace")
    return ServerError(code, sqlstate, announced.read(packet.take(packet.left())))


def read_text_row(rows: Rows, row: int) -> list[str | None]:
    """One row as strings, NULL as None; for the short responses to our own statements."""
    packet = PacketReader(rows.data.data, int(rows.starts[row]), int(rows.ends[row]))
    fields: list[str | None] = []
    while packet.left():
        if packet.peek() == 0xFB:
            packet.take(1)
            fields.append(None)
        else:
            fields.append(packet.text())
    return fields
