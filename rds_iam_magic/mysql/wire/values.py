"""Values as COM_STMT_EXECUTE sends them to a prepared statement: each with its type, none as a part of the SQL.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

_NULL, DOUBLE, LONGLONG, _DATE, _TIME, _DATETIME = 0x06, 0x05, 0x08, 0x0A, 0x0B, 0x0C
_NEWDECIMAL, BLOB, VAR_STRING = 0xF6, 0xFC, 0xFD
UNSIGNED = 0x8000
_NEW_TYPES = b"\x01"

Field = tuple[int, bytes]
"""A value's type, with the flag for unsigned integers, and its bytes."""


def parameters(values: Sequence[object]) -> bytes:
    """What stands behind the head of a COM_STMT_EXECUTE: the NULLs, the types and the values.

    Args:
        values: Of the very types int (from -2**63 to 2**64 - 1), float, Decimal, str, bytes, date, datetime and
            timedelta, or None.

    Raises:
        ValueError: A value is of another type, or an integer too large.
    """
    fields = [_field(value) for value in values]
    nulls = bytearray((len(fields) + 7) // 8)
    for index, (kind, _) in enumerate(fields):
        nulls[index // 8] |= (kind == _NULL) << index % 8
    types = b"".join(struct.pack("<H", kind) for kind, _ in fields)
    return bytes(nulls) + _NEW_TYPES + types + b"".join(data for _, data in fields)


def _field(value: object) -> Field:
    write = _WRITERS.get(type(value))
    if write is None:
        raise ValueError(type(value).__name__)
    return write(value)


def _int(value: int) -> Field:
    if value >= 1 << 64 or value < -1 << 63:
        raise ValueError(value)
    if value >= 1 << 63:
        return LONGLONG | UNSIGNED, struct.pack("<Q", value)
    return LONGLONG, struct.pack("<q", value)


def _bytes(kind: int, data: bytes) -> Field:
    size = len(data)
    if size < 251:
        return kind, bytes([size]) + data
    marker, width = (0xFC, 2) if size < 1 << 16 else (0xFD, 3)
    return kind, bytes([marker]) + size.to_bytes(width, "little") + data


def _date(value: dt.date) -> Field:
    return _DATE, struct.pack("<BHBB", 4, value.year, value.month, value.day)


def _datetime(value: dt.datetime) -> Field:
    fields = (value.year, value.month, value.day, value.hour, value.minute, value.second)
    if value.microsecond:
        return _DATETIME, struct.pack("<BHBBBBBI", 11, *fields, value.microsecond)
    return _DATETIME, struct.pack("<BHBBBBB", 7, *fields)


def _timedelta(value: dt.timedelta) -> Field:
    size = abs(value)
    hours, minutes, seconds = size.seconds // 3600, size.seconds // 60 % 60, size.seconds % 60
    data = struct.pack("<BIBBBI", value < dt.timedelta(0), size.days, hours, minutes, seconds, size.microseconds)
    return _TIME, bytes([len(data)]) + data


_WRITERS: dict[type, Callable[[Any], Field]] = {
    type(None): lambda _: (_NULL, b""),
    int: _int,
    float: lambda value: (DOUBLE, struct.pack("<d", value)),
    Decimal: lambda value: _bytes(_NEWDECIMAL, Decimal.__format__(value, "f").encode()),
    str: lambda value: _bytes(VAR_STRING, value.encode()),
    bytes: lambda value: _bytes(BLOB, value),
    dt.date: _date,
    dt.datetime: _datetime,
    dt.timedelta: _timedelta,
}
