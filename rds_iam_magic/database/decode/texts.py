"""CHAR, VARCHAR, TEXT, ENUM, SET, JSON → large_string; BINARY, VARBINARY, BLOB, GEOMETRY, VECTOR → large_binary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.database.decode import digits

if TYPE_CHECKING:
    from rds_iam_magic.database.decode.cells import Cells
    from rds_iam_magic.database.protocol import Column


class Texts:
    """The connection asks for utf8mb4; a `SET NAMES` of the user's is honoured by the column's own character set."""

    def __init__(self, column: Column) -> None:
        self.type = pa.large_string()
        self._encoding = _encoding(column.charset)

    def decode(self, cells: Cells) -> pa.Array:
        """Checked: what is no text of the column's character set is refused."""
        found = cells.to_bytes()
        if self._encoding is not None:
            return _decode_each(found, self._encoding)
        try:
            return pc.cast(found, self.type)
        except pa.ArrowInvalid:
            raise digits.not_a("UTF-8 text") from None

    def finding(self) -> str:
        """Nothing: exact."""
        return ""


class Bytes:
    """Values as they came."""

    def __init__(self) -> None:
        self.type = pa.large_binary()

    def decode(self, cells: Cells) -> pa.Array:
        """Bytes."""
        return cells.to_bytes()

    def finding(self) -> str:
        """Nothing: exact."""
        return ""


def _encoding(collation: int) -> str | None:
    """Python's name for a collation's character set; None for UTF-8, and for those that are not known here."""
    from pymysql.charset import charset_by_id

    try:
        charset = charset_by_id(collation)
    except KeyError:
        return None
    return None if charset.encoding == "utf8" or charset.is_binary else str(charset.encoding)


def _decode_each(found: pa.Array, encoding: str) -> pa.Array:
    try:
        values = [None if value is None else value.decode(encoding) for value in found.to_pylist()]
    except (UnicodeDecodeError, LookupError):
        raise digits.not_a(f"{encoding} text") from None
    return pa.array(values, pa.large_string())
