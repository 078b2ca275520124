"""BIT(1) → bool, BIT(n) → uint64, and columns that are NULL only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rds_iam_magic.database.decode import digits

if TYPE_CHECKING:
    from rds_iam_magic.database.decode.cells import Cells
    from rds_iam_magic.database.protocol import Column


class Bits:
    """A BIT is one to eight bytes, the most significant first."""

    def __init__(self, column: Column) -> None:
        self.type = pa.bool_() if column.length == 1 else pa.uint64()

    def decode(self, cells: Cells) -> pa.Array:
        """Up to 64 bits."""
        if (cells.length > 8).any():
            raise digits.not_a("BIT")
        shift = ((8 - cells.length) << 3).astype(np.uint64)
        values = cells.words[cells.start].byteswap() >> shift
        if self.type != pa.bool_():
            return cells.to_array(self.type, values)
        if (values > 1).any():
            raise digits.not_a("BIT(1)")
        return cells.to_array(self.type, np.packbits(values.astype(bool), bitorder="little"))

    def finding(self) -> str:
        """Nothing: exact."""
        return ""


class Nulls:
    """An expression that is NULL whatever the rows hold."""

    def __init__(self) -> None:
        self.type = pa.null()

    def decode(self, cells: Cells) -> pa.Array:
        """As many NULLs."""
        if cells.null is None or not cells.null.all():
            raise digits.not_a("NULL")
        return pa.nulls(len(cells))

    def finding(self) -> str:
        """Nothing: exact."""
        return ""
