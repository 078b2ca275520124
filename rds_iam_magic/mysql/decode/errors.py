"""`InvalidValueError`: what a decoder raises for a value that is not valid for its column's type."""

from __future__ import annotations


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
