"""What a server answers to a statement: bytes in, events out. No socket, no thread, no decoding of values.

`Response` reads the text protocol of COM_QUERY with CLIENT_PROTOCOL_41 and without CLIENT_DEPRECATE_EOF, which PyMySQL
does not ask for:
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset.html

The caller reads into `space()` and tells with `received(n)` how much came; rows come back as whole pieces of the very
buffer that was read into, with the place of each row in it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rds_iam_magic.database import charsets
from rds_iam_magic.errors import ConnectionLostError, ProtocolError

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE_BYTES = 2 << 20
"""How much is read before its rows are handed on."""

PAD = 64
"""Zeros behind the last row of a piece, so that fixed windows over the last fields stay inside of the buffer."""

MAX_COLUMNS = 4096  # MySQL's and MariaDB's own limit
COM_QUERY, COM_STATISTICS, COM_SET_OPTION = 0x03, 0x09, 0x1B
_FIRST_BYTES = 16 << 10
MAX_PACKET = 0xFFFFFF
MORE_RESULTS = 0x0008
_SESSION_STATE_CHANGED = 0x4000
_SYSTEM_VARIABLES = 0

NOT_NULL_FLAG = 0x0001
UNSIGNED_FLAG = 0x0020
BINARY_CHARSET = 63


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the server describes it (Protocol::ColumnDefinition41).

    Attributes:
        name: As the statement names it; names may repeat.
        org_name, table, org_table, schema: Where it comes from; empty for expressions.
        type_code: MySQL's field type.
        charset: The collation's number; 63 is binary.
        length: The longest value in bytes, as displayed.
        flags: NOT_NULL, UNSIGNED and others.
        decimals: Digits behind the point; 31 (39 on MariaDB) for floats without a fixed number.
        wide: The character set of its values, if that has no single bytes (`SET character_set_results = utf16`): the
            server writes numbers and dates in it, too.
    """

    name: str
    type_code: int
    charset: int
    length: int
    flags: int
    decimals: int
    org_name: str = ""
    table: str = ""
    org_table: str = ""
    schema: str = ""
    wide: charsets.Charset | None = None

    @property
    def nullable(self) -> bool:
        """Whether its declaration allows NULL."""
        return not self.flags & NOT_NULL_FLAG

    @property
    def unsigned(self) -> bool:
        """Whether its numbers are unsigned."""
        return bool(self.flags & UNSIGNED_FLAG)

    @property
    def binary(self) -> bool:
        """Whether its texts are bytes."""
        return self.charset == BINARY_CHARSET


@dataclass(frozen=True, slots=True)
class Ok:
    """A statement without rows has run."""

    affected_rows: int
    insert_id: int
    status: int
    warnings: int
    info: str


@dataclass(frozen=True, slots=True)
class Head:
    """A result set begins."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A piece of rows.

    Attributes:
        data: uint8; the buffer that was read into, `PAD` bytes longer than the last row.
        starts: int64; where each row's first field begins.
        ends: int64; where each row ends.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class End:
    """A result set has come to its end."""

    status: int
    warnings: int


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server refused the statement, or gave it up in the middle of its rows; the answer ends with it."""

    code: int
    sqlstate: str
    message: str


Event = Ok | Head | Rows | End | ServerError


class _State(Enum):
    FIRST = 1
    COLUMNS = 2
    COLUMNS_END = 3
    ROWS = 4
    LONG_ROW = 5
    DONE = 6


class Response:
    """Reads the answer to one command: to a COM_QUERY all of its result sets.

    Args:
        sequence: The number of the answer's first packet: one more than the last of the statement's.
        command: COM_QUERY; or one of ours whose answer is a single packet, COM_STATISTICS or COM_SET_OPTION.
        piece_bytes: How much is read before its rows are handed on.
        announced: The session's character sets; what the answer tells of them is noted there.

    Raises:
        ProtocolError: From `received`, for bytes that are no such answer; the connection is of no more use then.
    """

    def __init__(
        self,
        *,
        sequence: int = 1,
        command: int = COM_QUERY,
        piece_bytes: int = PIECE_BYTES,
        announced: charsets.Announced | None = None,
    ) -> None:
        self._announced = announced or charsets.Announced()
        self._command = command
        self._piece_bytes = max(piece_bytes, 256)
        self._buffer = bytearray(min(_FIRST_BYTES, self._piece_bytes) + PAD)
        self._at = 0  # where the next packet begins
        self._filled = 0
        self._sequence = sequence & 0xFF  # of the next packet
        self._state = _State.FIRST
        self._columns: list[_Described] = []
        self._column_count = 0
        self._starts: list[int] = []  # headers of the rows that are not handed on yet
        self._long = _LongRow()
        self.rows_seen = 0

    @property
    def done(self) -> bool:
        """Whether the whole answer has been read."""
        return self._state is _State.DONE

    def space(self) -> memoryview:
        """Where the next bytes are to be read; never empty."""
        return memoryview(self._buffer)[self._filled : len(self._buffer) - PAD]

    def received(self, count: int) -> list[Event]:
        """Take `count` bytes that were read into `space()`, and tell what they complete."""
        self._filled += count
        events: list[Event] = []
        while self._step(events):
            pass
        if self.done and self._at != self._filled:
            raise ProtocolError("The server sent more than its answer.", detail=f"{self._filled - self._at} bytes")
        if not self.done and self._filled == len(self._buffer) - PAD:
            self._make_room(events)
        return events

    def closed(self) -> list[Event]:
        """The stream has ended, in the middle of the answer.

        Raises:
            ConnectionLostError: Always; a short result is no result.
        """
        raise ConnectionLostError("The server closed the connection in the middle of an answer.")

    def flush(self) -> Rows | None:
        """The complete rows that were not handed on yet, though the piece is not full."""
        if not self._starts:
            return None
        return self._hand_over()

    def _step(self, events: list[Event]) -> bool:
        """Read on as far as possible within a state; returns whether there may be more to read."""
        if self._state is _State.ROWS:
            return self._read_rows(events)
        if self._state is _State.LONG_ROW:
            return self._read_long_row(events)
        if self._state is _State.DONE:
            return False
        packet = self._packet()
        if packet is None:
            return False
        if self._state is _State.FIRST:
            self._read_first(packet, events)
        elif self._state is _State.COLUMNS:
            self._read_column(packet)
        else:
            self._read_columns_end(packet, events)
        return True

    def _packet(self) -> _Reader | None:
        """The next packet, if it is complete; of those that are not rows."""
        if self._filled - self._at < 4:
            return None
        length = _length(self._buffer, self._at)
        if length in (0, MAX_PACKET):
            raise ProtocolError("The server sent a packet of an impossible length.", detail=str(length))
        start, end = self._at + 4, self._at + 4 + length
        if end > self._filled:
            return None
        self._check_sequence(self._buffer[self._at + 3])
        self._at = end
        return _Reader(self._buffer, start, end)

    def _check_sequence(self, sequence: int) -> None:
        if sequence != self._sequence:
            raise ProtocolError(
                "The server's packets are out of order.", detail=f"packet {sequence} instead of {self._sequence}"
            )
        self._sequence = (sequence + 1) & 0xFF

    def _read_first(self, packet: _Reader, events: list[Event]) -> None:
        kind = packet.peek()
        if self._command == COM_STATISTICS and kind != 0xFF:
            self._state = _State.DONE  # a line of text
        elif self._command == COM_SET_OPTION and kind == 0xFE:
            events.append(_read_eof(packet))
            self._state = _State.DONE
        elif kind == 0x00:
            ok = _read_ok(packet, self._announced)
            events.append(ok)
            self._state = _State.FIRST if ok.status & MORE_RESULTS else _State.DONE
        elif kind == 0xFF:
            events.append(_read_error(packet, self._announced))
            self._state = _State.DONE
        elif kind == 0xFB:
            raise ProtocolError(
                "The server asked for a file of this machine (LOAD DATA LOCAL); files are not sent.",
                "Load the data with INSERT statements or from S3.",
            )
        else:
            self._column_count = packet.length_encoded()
            if not 1 <= self._column_count <= MAX_COLUMNS or packet.left():
                raise ProtocolError("The server announced an impossible number of columns.")
            self._columns = []
            self._state = _State.COLUMNS

    def _read_column(self, packet: _Reader) -> None:
        if packet.peek() == 0xFF:
            raise ProtocolError(
                "The server broke off the description of the columns.", detail=str(_read_error(packet, self._announced))
            )
        self._columns.append(_read_column(packet))
        if len(self._columns) == self._column_count:
            self._state = _State.COLUMNS_END

    def _read_columns_end(self, packet: _Reader, events: list[Event]) -> None:
        _read_eof(packet)
        events.append(Head(_columns(self._columns, self._announced)))
        self._state = _State.ROWS

    def _read_rows(self, events: list[Event]) -> bool:
        """Follow the packets' headers; the tight loop of the whole way, so it does nothing else."""
        buffer, at, filled = self._buffer, self._at, self._filled
        unpack, add, before = _HEADER.unpack_from, self._starts.append, len(self._starts)
        while True:
            # The padding keeps a header that is cut off readable; its length then leads past `filled` as well.
            behind = at + 4 + (unpack(buffer, at)[0] & 0xFFFFFF)
            if behind > filled or buffer[at + 4] >= 0xFE:
                break
            add(at)
            at = behind
        self._at = at
        self.rows_seen += len(self._starts) - before
        return self._read_row_end(behind, events)

    def _read_row_end(self, behind: int, events: list[Event]) -> bool:
        """What stopped the loop: the end of what was read, of the rows, or a row with a first field over 16 MiB."""
        if self._filled - self._at < 4:
            return False
        length = behind - self._at - 4
        if length == MAX_PACKET:
            self._hand_on(events)
            self._state = _State.LONG_ROW
            return True
        if behind > self._filled:
            return False
        kind = self._buffer[self._at + 4]
        if length == 0 or (kind == 0xFE and length >= 9):
            raise ProtocolError("The server sent a row of an impossible shape.")
        self._hand_on(events)
        packet = self._packet()
        assert packet is not None  # noqa: S101 - it is complete, as checked above; for mypy
        if kind == 0xFF:
            events.append(_read_error(packet, self._announced))
            self._state = _State.DONE
            return False
        end = _read_eof(packet)
        events.append(end)
        self._state = _State.FIRST if end.status & MORE_RESULTS else _State.DONE
        return True

    def _read_long_row(self, events: list[Event]) -> bool:
        """Collect the packets of a row of 16 MiB or more."""
        row = self._long
        if row.left == 0:
            if self._filled - self._at < 4:
                return False
            self._check_sequence(self._buffer[self._at + 3])
            row.begin(_length(self._buffer, self._at))
            self._at += 4
        taken = min(row.left, self._filled - self._at)
        row.add(memoryview(self._buffer)[self._at : self._at + taken])
        self._at += taken
        if row.complete:
            events.append(row.take())
            self.rows_seen += 1
            self._state = _State.ROWS
            return True
        if self._at == self._filled:
            self._at = self._filled = 0  # all of the buffer is used up
        return row.left == 0

    def _hand_on(self, events: list[Event]) -> None:
        if self._starts:
            events.append(self._hand_over())

    def _hand_over(self) -> Rows:
        """The rows so far, with their buffer; the rest of it moves to a new one."""
        self._starts.append(self._at)
        bounds = np.array(self._starts, np.int64)
        headers, ends = bounds[:-1], bounds[1:]
        data = np.frombuffer(self._buffer, np.uint8)
        expected = np.arange(self._sequence, self._sequence + len(headers)).astype(np.uint8)  # modulo 256
        if (data[headers + 3] != expected).any():
            raise ProtocolError("The server's packets are out of order.")
        self._sequence = (self._sequence + len(headers)) & 0xFF
        starts = headers + 4
        if (starts == ends).any():
            raise ProtocolError("The server sent a row of an impossible shape.")
        self._starts = []
        self._renew(min(self._piece_bytes, 4 * len(self._buffer)))
        return Rows(data, starts, ends)

    def _renew(self, size: int) -> None:
        """Go on in a new buffer, with what is not read yet."""
        rest = memoryview(self._buffer)[self._at : self._filled]
        buffer = bytearray(max(size, len(rest) + 256) + PAD)
        buffer[: len(rest)] = rest
        self._buffer, self._at, self._filled = buffer, 0, len(rest)

    def _make_room(self, events: list[Event]) -> None:
        if self._starts:
            self._hand_on(events)
        elif self._state is _State.LONG_ROW:
            self._renew(self._piece_bytes)
        else:
            # A packet that is larger than the buffer: make room for all of it.
            known = self._filled - self._at >= 4
            self._renew(max(len(self._buffer), 4 + _length(self._buffer, self._at) if known else 0))


class _LongRow:
    """A row of several packets: all but the last are of the greatest length, and the last may be empty."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._last = False
        self.left = 0  # bytes of the current packet that are still to come

    @property
    def complete(self) -> bool:
        return self._last and self.left == 0

    def begin(self, length: int) -> None:
        if len(self._data) + length > _LONGEST_ROW:
            raise ProtocolError("The server sent a row that is longer than any row can be.")
        self.left, self._last = length, length < MAX_PACKET

    def add(self, part: memoryview) -> None:
        self._data += part
        self.left -= len(part)

    def take(self) -> Rows:
        end = len(self._data)
        data = np.frombuffer(self._data + bytes(PAD), np.uint8)
        self._data, self._last = bytearray(), False
        return Rows(data, np.zeros(1, np.int64), np.array([end], np.int64))


_HEADER = struct.Struct("<I")  # three bytes of length, one of sequence
_COLUMN = struct.Struct("<HIBHB")  # character set, length, type, flags, decimals
_LONGEST_ROW = (1 << 30) + (64 << 20)  # max_allowed_packet is at most 1 GiB; a row is a little longer than its value


def _length(buffer: bytearray, at: int) -> int:
    return int(_HEADER.unpack_from(buffer, at)[0]) & 0xFFFFFF


class _Reader:
    """Reads the fields of one packet, never past its end."""

    def __init__(self, buffer: bytearray | memoryview, at: int, end: int) -> None:
        self._buffer, self._at, self._end = buffer, at, end

    def left(self) -> int:
        return self._end - self._at

    def peek(self) -> int:
        return self._buffer[self._at]

    def take(self, count: int) -> bytes:
        if count > self.left():
            raise ProtocolError("The server sent a field that reaches past the end of its packet.")
        self._at += count
        return bytes(self._buffer[self._at - count : self._at])

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def length_encoded(self) -> int:
        """An integer of one to nine bytes.

        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html
        """
        first = self.number(1)
        if first < 0xFB:
            return first
        if first in _INTEGER_SIZES:
            return self.number(_INTEGER_SIZES[first])
        raise ProtocolError("The server sent a length that is none.")

    def text(self) -> str:
        return self.take(self.length_encoded()).decode("utf-8", "backslashreplace")

    def part(self) -> _Reader:
        """A reader of what a length in front embraces."""
        part = self.take(self.length_encoded())
        return _Reader(memoryview(part), 0, len(part))


_INTEGER_SIZES = {0xFC: 2, 0xFD: 3, 0xFE: 8}


def _read_ok(packet: _Reader, announced: charsets.Announced) -> Ok:
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
        info = info[1:] if info[0] == len(info) - 1 else info  # servers write its length, unlike their manual
    return Ok(affected_rows, insert_id, status, warnings, announced.read(info))


def _read_changes(changes: _Reader, announced: charsets.Announced) -> None:
    """https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html, `session_state_info`."""
    while changes.left():
        kind, change = changes.number(1), changes.part()
        while kind == _SYSTEM_VARIABLES and change.left():
            announced.hear(change.text(), change.text())


def _read_eof(packet: _Reader) -> End:
    if packet.peek() != 0xFE or packet.left() != 5:
        raise ProtocolError("The server did not end a list of packets where it should.")
    packet.take(1)
    warnings = packet.number(2)
    return End(packet.number(2), warnings)


def _read_error(packet: _Reader, announced: charsets.Announced) -> ServerError:
    packet.take(1)
    code = packet.number(2)
    sqlstate = ""
    if packet.left() and packet.peek() == ord("#"):
        sqlstate = packet.take(min(6, packet.left()))[1:].decode("ascii", "backslashreplace")
    return ServerError(code, sqlstate, announced.read(packet.take(packet.left())))


class _Described(NamedTuple):
    """A column's description as it came; the names' character set may show in the columns after it only."""

    catalog: bytes
    names: list[bytes]
    charset: int
    numbers: tuple[int, int, int, int]


def _read_column(packet: _Reader) -> _Described:
    catalog, *names = (packet.take(packet.length_encoded()) for _ in range(6))
    if packet.length_encoded() < 12:
        raise ProtocolError("The server described a column in too few bytes.")
    charset, *numbers = _COLUMN.unpack(packet.take(_COLUMN.size))
    return _Described(catalog, names, charset, tuple(numbers))


def _columns(described: list[_Described], announced: charsets.Announced) -> tuple[Column, ...]:
    guess = charsets.of_result(described[0].catalog, (each.charset for each in described))
    wide = guess if described[0].catalog != b"def" else None
    found = []
    for each in described:
        schema, table, org_table, name, org_name = (announced.read(raw, guess) for raw in each.names)
        length, type_code, flags, decimals = each.numbers
        found.append(
            Column(
                charset=each.charset,
                length=length,
                type_code=type_code,
                flags=flags,
                decimals=decimals,
                name=name,
                org_name=org_name,
                table=table,
                org_table=org_table,
                schema=schema,
                wide=wide,
            )
        )
    return tuple(found)


def texts(rows: Rows, row: int) -> list[str | None]:
    """One row as texts, NULL as None; for short answers of the package's own statements."""
    packet = _Reader(rows.data.data, int(rows.starts[row]), int(rows.ends[row]))
    found: list[str | None] = []
    while packet.left():
        if packet.peek() == 0xFB:
            packet.take(1)
            found.append(None)
        else:
            found.append(packet.text())
    return found
