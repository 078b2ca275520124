"""What a decoder raises for a value that does not fit its column's type."""

from __future__ import annotations


class InvalidValueError(ValueError):
    """A value that does not fit its column's type; `Decoder` makes a `DecodeError` of it, with the value's place.

    Attributes:
        kind: What the value should be.
        remedy: SQL that gives the value in a form that can be read; `{}` stands for the column.
        row: Which of the cells it is, if that is known; the `Decoder` looks for it otherwise.
        message: What is wrong, where it is not that the value is no `kind`; goes on after "Row 3 of column b: '0' ".
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
    """The error for a value whose text does not fit the column's type; bytes that are no text can be had as bytes."""
    return InvalidValueError(kind, remedy="CAST({} AS BINARY)" if kind.endswith("text") else "CAST({} AS CHAR)")
