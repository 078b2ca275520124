"""FLOAT and DOUBLE → float64, correctly rounded from the server's text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.database.decode import digits

if TYPE_CHECKING:
    from rds_iam_magic.database.decode.cells import Cells


class Floats:
    """Arrow's own parser: correctly rounded, exponents included."""

    def __init__(self) -> None:
        self.type = pa.float64()

    def decode(self, cells: Cells) -> pa.Array:
        """Every value is a number: MySQL has neither infinities nor NaN."""
        return parse(cells)

    def finding(self) -> str:
        """Nothing: the server's text is read exactly."""
        return ""


def parse(cells: Cells) -> pa.Array:
    """Texts of numbers → float64.

    Raises:
        ProtocolError: A text is no number, or an infinite one.
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
