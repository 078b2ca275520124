"""What every decoder of a column is: an Arrow type that the description declares, and a way from cells to an array.

A family of types has a file. The decoders in it are told apart by the format of the bytes that they read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.mysql.decode.cells import Cells


class ColumnDecoder(ABC):
    """Decodes one column; made once for a result set, used for each of its chunks.

    Attributes:
        type: Follows from the column's description alone, so an empty result has it too.
    """

    type: pa.DataType

    @abstractmethod
    def decode(self, cells: Cells) -> pa.Array:
        """An array of `type`; at least one cell is not NULL.

        Raises:
            ValueError: A value does not fit the column's type; an `InvalidValueError` says how to get at it.
        """

    def warning(self) -> str:
        """What the user must know about the values so far, as a sentence; "" for nothing."""
        return ""
