"""`Decoder`: which family decodes which column (the only table of it), and pieces of rows → record batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from rds_iam_magic.database.decode.bits import Bits, Nulls
from rds_iam_magic.database.decode.cells import Cells, locate
from rds_iam_magic.database.decode.dates import Dates, DateTimes
from rds_iam_magic.database.decode.decimals import ExactDecimals, FloatDecimals
from rds_iam_magic.database.decode.family import Family
from rds_iam_magic.database.decode.floats import Floats
from rds_iam_magic.database.decode.integers import Integers
from rds_iam_magic.database.decode.texts import Bytes, Narrowed, Texts
from rds_iam_magic.database.decode.times import Times
from rds_iam_magic.database.protocol import Column, Rows
from rds_iam_magic.errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Options:
    """How values are decoded.

    Attributes:
        decimal: DECIMAL as `float` (float64) or `exact` (Arrow decimals).
    """

    decimal: Literal["float", "exact"] = "float"


def _decimals(column: Column, options: Options) -> Family:
    return ExactDecimals(column) if options.decimal == "exact" else FloatDecimals(column)


def _texts(column: Column, options: Options) -> Family:  # noqa: ARG001 - one signature for the table
    # JSON says that it is binary, and is text: MySQL keeps it as utf8mb4.
    return Bytes() if column.binary and column.type_code != _JSON else Texts(column)


_JSON = 245

# https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
_FAMILIES: dict[int, Callable[[Column, Options], Family]] = {
    **dict.fromkeys((1, 2, 3, 8, 9, 13), lambda column, _: Integers(column)),  # TINY … LONGLONG, INT24, YEAR
    **dict.fromkeys((4, 5), lambda *_: Floats()),  # FLOAT, DOUBLE
    **dict.fromkeys((0, 246), _decimals),  # DECIMAL, NEWDECIMAL
    **dict.fromkeys((10, 14), lambda column, _: Dates(column)),  # DATE, NEWDATE
    **dict.fromkeys((7, 12, 17, 18), lambda column, _: DateTimes(column)),  # TIMESTAMP, DATETIME and their successors
    **dict.fromkeys((11, 19), lambda *_: Times()),  # TIME, TIME2
    **dict.fromkeys(
        (15, 245, 247, 248, 249, 250, 251, 252, 253, 254), _texts
    ),  # VARCHAR, JSON, ENUM, SET, BLOBs, STRING
    **dict.fromkeys((242, 255), lambda *_: Bytes()),  # VECTOR, GEOMETRY
    16: lambda column, _: Bits(column),
    6: lambda *_: Nulls(),
}


class Decoder:
    """Decodes one result set.

    Attributes:
        schema: What the columns' descriptions alone say; nullable as they are declared; names may repeat.

    Raises:
        ProtocolError: A column has a type that MySQL and MariaDB do not send.
    """

    def __init__(self, columns: Sequence[Column], options: Options | None = None) -> None:
        self._families = [_family(column, options or Options()) for column in columns]
        self.schema = pa.schema(
            [pa.field(column.name, family.type) for column, family in zip(columns, self._families, strict=True)]
        )

    def decode(self, rows: Rows) -> pa.RecordBatch:
        """A piece of rows as a record batch.

        Raises:
            ProtocolError: The bytes do not fit the columns.
        """
        found = locate(rows, len(self._families))
        # strict: the cells' own check for fields too many comes at their end.
        arrays = [_decode(family, cells) for cells, family in zip(found, self._families, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def findings_text(self) -> list[str]:
        """A line for each column whose values are not all what the server has."""
        return [text for family in self._families if (text := family.finding())]


def _family(column: Column, options: Options) -> Family:
    make = _FAMILIES.get(column.type_code)
    if make is None:
        raise ProtocolError(f"The column {column.name} is of a type that is not known ({column.type_code}).")
    family = make(column, options)
    if column.wide is None or isinstance(family, Texts | Bytes | Bits):
        return family  # those are texts anyway, or bytes that are not converted
    return Narrowed(family, column.wide)


def _decode(family: Family, cells: Cells) -> pa.Array:
    if cells.null is not None and cells.null.all():
        return pa.nulls(len(cells), family.type)
    return family.decode(cells)
