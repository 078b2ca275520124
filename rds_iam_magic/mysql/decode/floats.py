"""FLOAT and DOUBLE → float64, correctly rounded from the server's text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder
from rds_iam_magic.mysql.decode.errors import invalid_value
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.mysql.decode.cells import Cells
    from rds_iam_magic.mysql.wire.column import Column

_FLOAT = 4
_NOT_FIXED = 31  # as the number of decimals


class Floats(ColumnDecoder):
    """Arrow's own parser: correctly rounded, exponents included.

    The server prints a FLOAT with six digits (16777216 as 16777200), whatever its value; that is told.
    """

    def __init__(self, column: Column) -> None:
        self.type = pa.float64()
        self._column = column
        self._rounded = False

    def decode(self, cells: Cells) -> pa.Array:
        """Every value is a number: MySQL has neither infinities nor NaN."""
        values = parse(cells)
        self._rounded = self._column.type_code == _FLOAT
        return values

    def warning(self) -> str:
        """That the server rounds a FLOAT; adding 0e0 works on every version, CAST(… AS DOUBLE) does not."""
        if not self._rounded:
            return ""
        column = self._column
        if column.decimals < _NOT_FIXED:  # FLOAT(7,2), which prints as many decimals as it declares
            kept = "1 decimal" if column.decimals == 1 else f"{column.decimals} decimals"
        else:
            kept = "six digits"
        exact = f"{_as_sql(column.org_name)} + 0e0" if column.org_table else "adding 0e0 to it"
        return f"column {column.name}: the server sends FLOAT values rounded to {kept}; {exact} gives them exactly."


def _as_sql(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) else quote_name(name)


def parse(cells: Cells) -> pa.Array:
    """Texts of numbers → float64.

    Raises:
        InvalidValueError: A text is no number, or an infinite one.
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
