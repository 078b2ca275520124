"""`ColumnDecoder`: the base of all column decoders; `InvalidValueError`: what they raise for an invalid value.

Each family of types has a file, with a decoder for each wire format.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.mysql.decode.cells import Cells


class ColumnDecoder(ABC):
    """Decodes one column; created once per result set, used for each chunk.

    Attributes:
        type: The Arrow type; it follows from the column definition alone, so an empty result has it too.
        takes_long: Whether a value takes so many steps that those for NULLs are worth avoiding.
    """

    type: pa.DataType
    takes_long = False

    @abstractmethod
    def decode(self, cells: Cells) -> pa.Array:
        """Decode to an array of `type`, of the same length; at least one cell is not NULL.

        Raises:
            ValueError: A value is not valid for the column's type; `InvalidValueError` also says how to select it.
        """

    def decode_binary(self, cells: Cells) -> pa.Array:
        """As `decode`, for the binary protocol; only numbers, dates and times differ there."""
        return self.decode(cells)

    def decode_one(self, value: bytes) -> Any:
        """A value of the binary protocol as a Python object that Arrow takes for `type`.

        For a few rows this takes less time than `decode_binary`, which gives the same.

        Raises:
            ValueError: The value needs `decode_binary`: it is invalid, counted for a warning, or not worth the code.
        """
        raise ValueError(value)

    def warning(self) -> str:
        """A sentence about values decoded so far that differ from the server's; "" for none."""
        return ""


class InvalidValueError(ValueError):
    """A value that is not valid for its column's type; `Decoder` turns it into a `DecodeError` with row and column.

    Attributes:
        kind: What the value should be.
        remedy: SQL that selects the value in a readable form; `{}` stands for the column.
        row: The index of the cell, if known; otherwise `Decoder` searches for it.
        message: What is wrong; continues "Row 3 of column b: '0' ". Default: "is not a valid {kind}."
    """

    def __init__(
        self, kind: str, *, remedy: str = "CAST({} AS CHAR)", message: str = "", row: int | None = None
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.remedy = remedy
        self.row = row
        self.message = message or f"is not a valid {kind}."


def invalid_value(kind: str) -> InvalidValueError:
    """The error for a value that is not a valid `kind`; invalid text can be selected as BINARY."""
    return InvalidValueError(kind, remedy="CAST({} AS BINARY)" if kind.endswith("text") else "CAST({} AS CHAR)")
