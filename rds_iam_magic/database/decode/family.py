"""What every family of types is: a declared Arrow type, and a way from cells to an array of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.database.decode.cells import Cells


class Family(Protocol):
    """Decodes one column; made once for a result set, used for each of its chunks.

    Attributes:
        type: Follows from the column's description alone, so an empty result has it too.
    """

    type: pa.DataType

    def decode(self, cells: Cells) -> pa.Array:
        """An array of `type`; at least one cell is not NULL.

        Raises:
            ValueError: A value does not fit the column's type; an `InvalidValueError` says how to get at it.
        """
        ...

    def finding(self) -> str:
        """What the user must know about the values so far, as a sentence; "" for nothing."""
        return ""
