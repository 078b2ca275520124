"""The binary protocol as a server speaks it: rows, and the responses to COM_STMT_PREPARE and COM_STMT_EXECUTE.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from rds_iam_magic.mysql.wire.column import Column
from tests.support.packets import column, definition, encoded, eof, length, packets

TINY, SHORT, FLOAT, NULL, LONGLONG, INT24, YEAR = 1, 2, 4, 6, 8, 9, 13
_NUMBERS = {1: "b", 2: "h", 13: "h", 3: "i", 9: "i", 8: "q"}
_FLOATS = {4: "<f", 5: "<d"}
_DATES, _TIMES = {7, 10, 12, 14, 17, 18}, {11, 19}


def value(column: Column, value: Any) -> bytes:
    """A value that is not NULL; bytes in the place of a number, a date or a time are what is sent for it."""
    kind = column.type_code
    if isinstance(value, bytes):
        is_raw = kind in _NUMBERS or kind in _FLOATS or kind in _DATES | _TIMES or kind == NULL
        return value if is_raw else encoded(value)
    if kind in _NUMBERS:
        return struct.pack("<" + (_NUMBERS[kind].upper() if column.unsigned else _NUMBERS[kind]), value)
    if kind in _FLOATS:
        return struct.pack(_FLOATS[kind], value)
    if kind in _DATES:
        return _date(value)
    if kind in _TIMES:
        return _time(value)
    return encoded(str(value).encode())


def text(column: Column, value: Any) -> bytes | None:
    """The same value as the text protocol has it; None for NULL."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, dt.timedelta):
        seconds, micros = divmod(abs(value) // dt.timedelta(microseconds=1), 1_000_000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return (("-" if value < dt.timedelta(0) else "") + clock + (f".{micros:06}" if micros else "")).encode()
    if isinstance(value, dt.datetime):
        return value.isoformat(" ").encode()
    return (repr(value) if column.type_code in _FLOATS else str(value)).encode()


def _date(value: dt.date) -> bytes:
    day = struct.pack("<HBB", value.year, value.month, value.day)
    clock = fraction = b""
    if isinstance(value, dt.datetime):
        fraction = struct.pack("<I", value.microsecond) if value.microsecond else b""
        clock = bytes([value.hour, value.minute, value.second])
    return encoded(day + (clock if any(clock) or fraction else b"") + fraction)


def _time(value: dt.timedelta) -> bytes:
    absolute = abs(value)
    if not absolute:
        return encoded(b"")
    hours, rest = divmod(absolute.seconds, 3600)
    clock = struct.pack("<BIBBB", value < dt.timedelta(0), absolute.days, hours, *divmod(rest, 60))
    return encoded(clock + (struct.pack("<I", absolute.microseconds) if absolute.microseconds else b""))


def row(columns: Sequence[Column], values: Sequence[Any]) -> bytes:
    """A row; None is NULL."""
    bitmap = bytearray((len(columns) + 9) // 8)
    for index, each in enumerate(values):
        if each is None:
            bitmap[(index + 2) // 8] |= 1 << (index + 2) % 8
    there = [value(*pair) for pair in zip(columns, values, strict=True) if pair[1] is not None]
    return b"\0" + bytes(bitmap) + b"".join(there)


def result(columns: Sequence[Column], rows: Iterable[Sequence[Any]], end: bytes | None = None) -> list[bytes]:
    """The payloads of the response to COM_STMT_EXECUTE."""
    head = [length(len(columns)), *map(definition, columns), eof()]
    return [*head, *(row(columns, each) for each in rows), eof() if end is None else end]


def prepared(columns: Sequence[Column], parameters: int = 0, statement_id: int = 1) -> list[bytes]:
    """The payloads of the response to COM_STMT_PREPARE."""
    head = b"\0" + struct.pack("<IHHBH", statement_id, len(columns), parameters, 0, 0)
    lists = [[column("?")] * parameters, columns]
    return [head, *(payload for some in lists if some for payload in [*map(definition, some), eof()])]


def response(columns: Sequence[Column], rows: Iterable[Sequence[Any]], end: bytes | None = None) -> bytes:
    """The responses to COM_STMT_PREPARE and to the COM_STMT_EXECUTE sent with it."""
    return packets(prepared(columns)) + packets(result(columns, rows, end))
