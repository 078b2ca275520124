"""TINYINT … BIGINT and YEAR → int64, or uint64 for unsigned columns; no integer ever becomes a float."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rds_iam_magic.mysql.decode import digits
from rds_iam_magic.mysql.decode.binary_rows import WIDTHS
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder, invalid_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.decode.cells import Cells
    from rds_iam_magic.mysql.wire.column import Column

_MINUS = ord("-")
_LONGLONG = 8


class Integers(ColumnDecoder):
    """Only BIGINT UNSIGNED is uint64; all other types fit int64."""

    def __init__(self, column: Column) -> None:
        self._unsigned = column.unsigned and column.type_code == _LONGLONG
        self._signed = not column.unsigned
        self._kind = f"<{'u' if column.unsigned else 'i'}{WIDTHS[column.type_code]}"
        self._into = np.dtype(np.uint64 if self._unsigned else np.int64)
        self.type = pa.uint64() if self._unsigned else pa.int64()

    def decode_binary(self, cells: Cells) -> pa.Array:
        """Decode numbers of one to eight bytes, little-endian."""
        return cells.to_array(self.type, cells.numbers(self._kind, self._into))

    def decode_one(self, value: bytes) -> int:
        """Little-endian, like `decode_binary`."""
        return int.from_bytes(value, "little", signed=self._signed)

    def decode(self, cells: Cells) -> pa.Array:
        """Decode signed, unsigned and ZEROFILL values over the full range."""
        start, length = cells.start, cells.length
        negative = (cells.data[start] == _MINUS) & (length > 0)
        has_negative = bool(negative.any())
        if has_negative:
            if self._unsigned:
                raise invalid_value("unsigned integer")
            start, length = start + negative, length - negative
        self._require_some(cells, length)
        if length.max(initial=0) > digits.MAX_DIGITS:
            values = parse_long(cells, start, length)
        else:
            values = digits.parse(cells.word64, start, length)
        if not self._unsigned:
            self._require_signed_range(values, negative)
        if has_negative:
            values = np.where(negative, ~values + np.uint64(1), values)  # two's complement
        return cells.to_array(self.type, values)

    @staticmethod
    def _require_some(cells: Cells, length: NDArray[np.int64]) -> None:
        missing = length == 0
        if (missing if cells.null is None else missing & ~cells.null).any():
            raise invalid_value("integer")

    @staticmethod
    def _require_signed_range(values: NDArray[np.uint64], negative: NDArray[np.bool_]) -> None:
        limit = np.uint64(2**63 - 1)
        if (values > limit).any() and (values > limit + negative.astype(np.uint64)).any():
            raise invalid_value("64-bit integer")


def parse_long(cells: Cells, start: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Numbers (uint64) that may have 20 digits or ZEROFILL's leading zeros; the long ones are parsed one by one."""
    values = digits.parse(cells.word64, start, np.where(length > digits.MAX_DIGITS, 0, length))
    for row in np.flatnonzero(length > digits.MAX_DIGITS):
        text = cells.data[start[row] : start[row] + length[row]].tobytes()
        if not text.isdigit() or int(text) >= 2**64:
            raise invalid_value("64-bit integer")
        values[row] = int(text)
    return values
