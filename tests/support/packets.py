"""MySQL's packets as a server sends them, and rows as the decoder gets them.

https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np

from rds_iam_magic.mysql.wire.column import Column
from rds_iam_magic.mysql.wire.events import PAD, Rows
from rds_iam_magic.mysql.wire.packets import MAX_PACKET

INT, DOUBLE, DECIMAL, DATE, DATETIME, TIME, TEXT, BIT = 3, 5, 246, 10, 12, 11, 253, 16
UTF8 = 45
CLEAR_PASSWORD_SWITCH = b"\xfemysql_clear_password\x00"
_TLS, _LONG_PASSWORD = 0x0800, 0x00000001
_CAPABILITIES = 0x00000008 | 0x00000200 | 0x00008000 | 0x00080000 | 0x00002000


def packet(sequence: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([sequence & 0xFF]) + payload


def packets(payloads: Iterable[bytes], sequence: int = 1) -> bytes:
    """Payloads as packets; those of 16 MiB and more as several."""
    out = bytearray()
    for payload in payloads:
        while True:
            part, payload = payload[:MAX_PACKET], payload[MAX_PACKET:]
            out += packet(sequence, part)
            sequence += 1
            if len(part) < MAX_PACKET:
                break
    return bytes(out)


def encoded(value: bytes | None) -> bytes:
    """A length-encoded string; None as NULL."""
    return b"\xfb" if value is None else length(len(value)) + value


def length(number: int) -> bytes:
    """A length-encoded integer."""
    if number < 251:
        return bytes([number])
    if number < 1 << 16:
        return b"\xfc" + struct.pack("<H", number)
    if number < 1 << 24:
        return b"\xfd" + struct.pack("<I", number)[:3]
    return b"\xfe" + struct.pack("<Q", number)


def column(name="c", kind=INT, *, flags=0, decimals=0, length=20, charset=UTF8) -> Column:
    return Column(name, kind, charset, length, flags, decimals)


def definition(column: Column) -> bytes:
    texts = [b"def", b"s", b"t", b"t", column.name.encode(), column.name.encode()]
    fixed = struct.pack("<HIBHB", column.charset, column.length, column.type_code, column.flags, column.decimals)
    return b"".join(map(encoded, texts)) + b"\x0c" + fixed + b"\0\0"


def eof(status: int = 2) -> bytes:
    return b"\xfe" + struct.pack("<HH", 0, status)


def ok(rows: int = 1, status: int = 2) -> bytes:
    return b"\x00" + bytes([rows, 0]) + struct.pack("<HH", status, 0)


def err(code: int = 1317, message: bytes = b"Query execution was interrupted") -> bytes:
    return b"\xff" + struct.pack("<H", code) + b"#70100" + message


def result(columns: list[Column], rows: Iterable[list[bytes | None]], end: bytes | None = None) -> list[bytes]:
    """The payloads of a result set."""
    head = [length(len(columns)), *map(definition, columns), eof()]
    return [*head, *(b"".join(map(encoded, row)) for row in rows), eof() if end is None else end]


def greeting(*, tls: bool, offers: int = 0, mariadb: bool = False, version: str = "8.0.36-listener") -> bytes:
    """MariaDB tells itself apart by a flag that it does not set, whatever its version's text."""
    capabilities = _CAPABILITIES | (_TLS if tls else 0) | offers | (0 if mariadb else _LONG_PASSWORD)
    return packet(
        0,
        b"\x0a"
        + version.encode()
        + b"\x00"
        + struct.pack("<I", 7)
        + b"12345678\x00"
        + struct.pack("<HBHHB", capabilities & 0xFFFF, UTF8, 2, capabilities >> 16, 21)
        + b"\x00" * 10
        + b"123456789012\x00"
        + b"mysql_native_password\x00",
    )


def rows_of(values: Iterable[bytes | None]) -> Rows:
    """The values as one column's rows, as the parser hands them on."""
    data, starts, ends = b"\0" * 4, [], []
    for value in values:
        starts.append(len(data))
        data += encoded(value)
        ends.append(len(data))
        data += b"\0" * 4
    array = np.frombuffer(data + b"\0" * PAD, np.uint8)
    return Rows(array, np.array(starts, np.int64), np.array(ends, np.int64))
