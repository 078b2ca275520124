"""CHAR, VARCHAR, TEXT, ENUM, SET, JSON → large_string; BINARY, VARBINARY, BLOB, GEOMETRY, VECTOR → large_binary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.mysql.decode.cells import Cells, word64_of
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder
from rds_iam_magic.mysql.wire import charsets
from rds_iam_magic.mysql.wire.events import PAD
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    from rds_iam_magic.mysql.wire.column import Column


class Texts(ColumnDecoder):
    r"""Text in the character set of the column's collation, which the user's `SET NAMES` changes.

    Invalid bytes do not raise: they are escaped as `\xNN`, counted and reported. Arrow's and pandas' strings must be
    valid UTF-8, so they cannot hold the lone surrogates of Python's `surrogateescape`.
    """

    def __init__(self, column: Column) -> None:
        self.type = pa.large_string()
        self._name = column.name
        self._charset = charsets.by_collation(column.charset) or charsets.UTF8
        self._escaped = 0

    def decode(self, cells: Cells) -> pa.Array:
        """Decode a whole chunk at once if it is UTF-8, or ASCII in an ASCII-compatible set; else value by value."""
        raw = cells.to_bytes()
        if self._charset.is_utf8 or (self._charset.keeps_ascii and _is_ascii(raw)):
            try:
                return pc.cast(raw, self.type)
            except pa.ArrowInvalid:
                pass  # a value is not valid UTF-8: decode one by one
        return pa.array([None if value is None else self._decode_one(value) for value in raw.to_pylist()], self.type)

    def decode_one(self, value: bytes) -> str:
        """In the column's character set."""
        return self._charset.decode(value)

    def warning(self) -> str:
        """The number of values with escaped bytes."""
        if not self._escaped:
            return ""
        values, them = (count_of(self._escaped, "value"), "they are" if self._escaped > 1 else "it is")
        hold = "hold" if self._escaped > 1 else "holds"
        return (
            f"column {self._name}: {values} {hold} bytes that are not valid {self._charset.name}; "
            f"{them} shown as \\xNN."
        )

    def _decode_one(self, value: bytes) -> str:
        try:
            return self._charset.decode(value)
        except UnicodeDecodeError:
            self._escaped += 1
            return self._charset.decode(value, "backslashreplace")


class Bytes(ColumnDecoder):
    """Binary values, unchanged."""

    def __init__(self) -> None:
        self.type = pa.large_binary()

    def decode(self, cells: Cells) -> pa.Array:
        """Return the bytes as sent."""
        return cells.to_bytes()

    def decode_one(self, value: bytes) -> bytes:
        """As sent."""
        return value


class Narrowed(ColumnDecoder):
    """Another decoder's values, such as numbers, sent in a character set of two or four bytes per character."""

    def __init__(self, decoder: ColumnDecoder, charset: charsets.Charset) -> None:
        self.type = decoder.type
        self._decoder, self._charset = decoder, charset

    def decode(self, cells: Cells) -> pa.Array:
        """Convert the values to ASCII, then use the other decoder."""
        values = [b"" if value is None else self._narrow(value) for value in cells.to_bytes().to_pylist()]
        length = np.array([len(value) for value in values], np.int64)
        start = np.cumsum(length) - length
        data = np.frombuffer(b"".join([*values, bytes(PAD)]), np.uint8)
        return self._decoder.decode(Cells(data, word64_of(data), start, length, cells.null))

    def decode_binary(self, cells: Cells) -> pa.Array:
        """Numbers, dates and times are in no character set there."""
        has_own = type(self._decoder).decode_binary is not ColumnDecoder.decode_binary
        return self._decoder.decode_binary(cells) if has_own else self.decode(cells)

    def decode_one(self, value: bytes) -> Any:
        """As the other decoder does, unless the value is in the character set."""
        has_own = type(self._decoder).decode_binary is not ColumnDecoder.decode_binary
        return self._decoder.decode_one(value) if has_own else super().decode_one(value)

    def warning(self) -> str:
        """The other decoder's warning."""
        return self._decoder.warning()

    def _narrow(self, value: bytes) -> bytes:
        return self._charset.decode(value, "backslashreplace").encode("ascii", "backslashreplace")


def _is_ascii(raw: pa.Array) -> bool:
    data = raw.buffers()[2]
    return data is None or not len(data) or int(np.frombuffer(data, np.uint8).max()) < 0x80
