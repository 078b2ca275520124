"""FLOAT and DOUBLE → float64, correctly rounded from the server's text."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder, invalid_value
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.mysql.decode.cells import Cells
    from rds_iam_magic.mysql.wire.column import Column

_FLOAT = 4
_SINGLE, _DOUBLE = struct.Struct("<f"), struct.Struct("<d")
_NOT_FIXED = 31  # in `decimals`: no fixed number


class Floats(ColumnDecoder):
    """Parsed by Arrow: correctly rounded, exponents included.

    The server sends FLOAT values rounded to six digits (16777216 as 16777200); a warning says so.
    """

    def __init__(self, column: Column) -> None:
        self.type = pa.float64()
        self._column = column
        self._rounded = False

    def decode(self, cells: Cells) -> pa.Array:
        """Every value must be finite: MySQL has neither infinities nor NaN."""
        values = parse(cells)
        self._rounded = self._column.type_code == _FLOAT
        return values

    def decode_binary(self, cells: Cells) -> pa.Array:
        """Four or eight bytes of IEEE 754, little-endian: exact."""
        kind = "<f4" if self._column.type_code == _FLOAT else "<f8"
        values = cells.numbers(kind, kind)
        finite = np.isfinite(values)
        if not finite.all():
            if not (finite | _null(cells)).all():
                raise invalid_value("number")
            values[~finite] = 0  # where NULL is, any bytes are; NumPy warns of casting a signalling NaN
        return cells.to_array(self.type, values.astype(np.float64, copy=False))

    def decode_one(self, value: bytes) -> float:
        """Of four or eight bytes, and finite."""
        number: float = (_SINGLE if self._column.type_code == _FLOAT else _DOUBLE).unpack(value)[0]
        if number - number != 0:  # infinite, or not a number
            raise ValueError(value)
        return number

    def warning(self) -> str:
        """The server's rounding of FLOAT; adding 0e0 avoids it on every version, CAST(… AS DOUBLE) does not."""
        if not self._rounded:
            return ""
        column = self._column
        if column.decimals < _NOT_FIXED:  # FLOAT(7,2) is sent with the declared number of decimals
            kept = "1 decimal" if column.decimals == 1 else f"{column.decimals} decimals"
        else:
            kept = "six digits"
        exact = f"{_as_sql(column.org_name)} + 0e0" if column.org_table else "adding 0e0 to it"
        return f"column {column.name}: the server sends FLOAT values rounded to {kept}; {exact} gives them exactly."


def _as_sql(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else quote_name(name)


def parse(cells: Cells) -> pa.Array:
    """Decimal texts → float64.

    Raises:
        InvalidValueError: A value is not a finite number.
    """
    texts = pa.Array.from_buffers(pa.large_string(), len(cells), cells.to_bytes().buffers())
    try:
        values = pc.cast(texts, pa.float64())
    except pa.ArrowInvalid:
        raise invalid_value("number") from None
    if not np.isfinite(values.to_numpy(zero_copy_only=False)[~_null(cells)]).all():
        raise invalid_value("number")
    return values


def _null(cells: Cells) -> np.ndarray:
    return np.zeros(len(cells), bool) if cells.null is None else cells.null
