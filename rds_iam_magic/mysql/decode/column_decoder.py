"""`ColumnDecoder`: the base of all column decoders, with an Arrow type and a method from cells to an array.

Each family of types has a file, with a decoder for each wire format.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.mysql.decode.cells import Cells


class ColumnDecoder(ABC):
    """Decodes one column; created once per result set, used for each chunk.

    Attributes:
        type: The Arrow type; it follows from the column definition alone, so an empty result has it too.
    """

    type: pa.DataType

    @abstractmethod
    def decode(self, cells: Cells) -> pa.Array:
        """Decode to an array of `type`, of the same length; at least one cell is not NULL.

        Raises:
            ValueError: A value is not valid for the column's type; `InvalidValueError` also says how to select it.
        """

    def warning(self) -> str:
        """A sentence about values decoded so far that differ from the server's; "" for none."""
        return ""
