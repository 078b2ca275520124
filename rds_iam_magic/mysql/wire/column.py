"""`Column`: a column definition as the server sends it.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_text_resultset_column_definition.html
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.wire import charsets
from rds_iam_magic.mysql.wire.packets import PacketReader

NOT_NULL_FLAG = 0x0001
UNSIGNED_FLAG = 0x0020
BINARY_CHARSET = 63
_FIXED = struct.Struct("<HIBHB")  # character set, length, type, flags, decimals


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the server describes it (Protocol::ColumnDefinition41).

    Attributes:
        name: The column's alias in the statement; names may repeat.
        org_name, table, org_table, schema: The column's origin; empty for expressions.
        type_code: MySQL's field type (enum_field_types).
        charset: The collation id; 63 is binary.
        length: The maximum display length in bytes.
        flags: NOT_NULL, UNSIGNED and others.
        decimals: Digits after the decimal point; 31 (39 on MariaDB) for floats without a fixed number.
        wide: The values' character set if its code units have two or four bytes (`SET character_set_results = utf16`):
            the server writes numbers and dates in it too.
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
        """Whether the declaration allows NULL."""
        return not self.flags & NOT_NULL_FLAG

    @property
    def unsigned(self) -> bool:
        """Whether its integers are unsigned."""
        return bool(self.flags & UNSIGNED_FLAG)

    @property
    def binary(self) -> bool:
        """Whether its strings are binary."""
        return self.charset == BINARY_CHARSET


def columns_of(definitions: Sequence[bytes], announced: charsets.Announced) -> tuple[Column, ...]:
    """The columns of a result set, by its column definition packets; the names are in the character set that all imply.

    Raises:
        ProtocolError: A definition is malformed.
    """
    if announced.results is None:
        return _columns_in_utf8(tuple(definitions))
    return _columns_of(definitions, announced)


@lru_cache(maxsize=256)  # the same queries are run all day
def _columns_in_utf8(definitions: tuple[bytes, ...]) -> tuple[Column, ...]:
    return _columns_of(definitions, charsets.Announced())


class _Described(NamedTuple):
    """A column definition with undecoded names: their character set may only be known from later columns."""

    catalog: bytes
    names: tuple[bytes, ...]
    charset: int
    numbers: tuple[int, int, int, int]


@lru_cache(maxsize=4096)  # and the same tables by others
def _described(definition: bytes) -> _Described:
    packet = PacketReader(memoryview(definition), 0, len(definition))
    catalog, *names = (packet.take(packet.length_encoded()) for _ in range(6))
    if packet.length_encoded() < 12:
        raise ProtocolError("The server sent a truncated column definition.")
    charset, *numbers = _FIXED.unpack(packet.take(_FIXED.size))
    return _Described(catalog, tuple(names), charset, tuple(numbers))


def _columns_of(definitions: Sequence[bytes], announced: charsets.Announced) -> tuple[Column, ...]:
    described = [_described(definition) for definition in definitions]
    guess = charsets.of_result(described[0].catalog, (each.charset for each in described))
    wide = guess if described[0].catalog != b"def" else None
    columns = []
    texts: dict[bytes, str] = {}  # most definitions are of the same table
    for each in described:
        for raw in each.names:
            if raw not in texts:
                texts[raw] = announced.read(raw, guess)
        schema, table, org_table, name, org_name = (texts[raw] for raw in each.names)
        length, type_code, flags, decimals = each.numbers
        columns.append(
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
    return tuple(columns)
