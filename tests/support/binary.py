"""The binary protocol as a server speaks it: rows, and the responses to COM_STMT_PREPARE and COM_STMT_EXECUTE.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_prepare.html
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rds_iam_magic.mysql.wire.column import Column
from rds_iam_magic.mysql.wire.events import PAD, Rows
from tests.support.packets import column, definition, encoded, eof, length, packets

TINY, SHORT, FLOAT, NULL, LONGLONG, INT24, YEAR = 1, 2, 4, 6, 8, 9, 13
_NUMBERS = {1: "b", 2: "h", 13: "h", 3: "i", 9: "i", 8: "q"}
_FLOATS = {4: "<f", 5: "<d"}
_DATES, _TIMES = {7, 10, 12, 14, 17, 18}, {11, 19}


@dataclass(frozen=True)
class Sent:
    """A value that Python has no type for, as it is sent: such as 2024-00-00."""

    text: bytes
    binary: bytes


def zero_date(year: int, month: int, day: int) -> Sent:
    """A date as the server stores it, possible or not."""
    parts = struct.pack("<HBB", year, month, day)
    return Sent(b"%04d-%02d-%02d" % (year, month, day), encoded(parts if any(parts) else b""))


def value(column: Column, value: Any) -> bytes:
    """A value that is not NULL."""
    kind = column.type_code
    if isinstance(value, Sent):
        return value.binary
    if isinstance(value, bytes):
        return encoded(value)
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
    if isinstance(value, Sent):
        return value.text
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


def prepared(columns: Sequence[Column], parameters: int = 0, statement_id: int = 1, warnings: int = 0) -> list[bytes]:
    """The payloads of the response to COM_STMT_PREPARE."""
    head = b"\0" + struct.pack("<IHHBH", statement_id, len(columns), parameters, 0, warnings)
    lists = [[column("?")] * parameters, columns]
    return [head, *(payload for some in lists if some for payload in [*map(definition, some), eof()])]


def response(columns: Sequence[Column], rows: Iterable[Sequence[Any]], end: bytes | None = None) -> bytes:
    """The responses to COM_STMT_PREPARE and to the COM_STMT_EXECUTE sent with it."""
    return packets(prepared(columns)) + packets(result(columns, rows, end))


def rows_of(*rows: bytes) -> Rows:
    """Rows of either protocol as the parser hands them on, with other bytes between and behind them."""
    data, starts, ends = b"", [], []
    for each in rows:
        data += b"\xff\x7f\xa0\xff"
        starts.append(len(data))
        data += each
        ends.append(len(data))
    return Rows(np.frombuffer(data + b"\xff" * PAD, np.uint8), np.array(starts, np.int64), np.array(ends, np.int64))
