"""FLOAT and DOUBLE → float64, correctly rounded from the server's text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.database.decode import digits
from rds_iam_magic.database.decode.family import Family
from rds_iam_magic.database.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.database.decode.cells import Cells
    from rds_iam_magic.database.protocol import Column

_FLOAT = 4


class Floats(Family):
    """Arrow's own parser: correctly rounded, exponents included.

    The server prints a FLOAT with six digits (16777216 as 16777200), whatever it has; that is told.
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

    def finding(self) -> str:
        """That a FLOAT's digits were cut by the server; adding the DOUBLE 0e0 works on every version."""
        if not self._rounded:
            return ""
        name = self._column.name
        exact = f"{_as_sql(self._column.org_name)} + 0e0" if self._column.org_name else "adding 0e0 to it"
        return f"column {name}: the server sends FLOAT values rounded to six digits; {exact} gives them exactly."


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
        raise digits.not_a("number") from None
    if not np.isfinite(values.to_numpy(zero_copy_only=False)[~_null(cells)]).all():
        raise digits.not_a("number")
    return values


def _null(cells: Cells) -> np.ndarray:
    return np.zeros(len(cells), bool) if cells.null is None else cells.null
