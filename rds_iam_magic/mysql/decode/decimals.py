"""DECIMAL → float64, correctly rounded, or Arrow decimals, digit for digit.

A whole DECIMAL (scale 0: SUM of integers) is decoded digit for digit in both modes; pandas gets it as Int64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.hints import Note
from rds_iam_magic.mysql.decode import digits, floats
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder
from rds_iam_magic.mysql.decode.errors import invalid_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.decode.cells import Cells
    from rds_iam_magic.mysql.wire.column import Column

_MINUS, _POINT = ord("-"), ord(".")
_EXACT_MANTISSA = np.uint64(2**53)  # below it, an integer is a double, and so is 10**22: their quotient rounds once
_EXACT_SCALE = 22
_SAFE_DIGITS = 15  # every decimal of so many digits comes back from a double
_MAX_PRECISION = 76  # of decimal256
_MOST_DIGITS = 65  # of a DECIMAL, as MySQL and MariaDB declare it


def decimal_type(column: Column) -> pa.DataType:
    """The Arrow decimal of a column's declared precision and scale.

    The column's length is that of the longest text: the digits, a point if there is a scale, a sign unless unsigned.
    """
    scale = min(column.decimals, _MAX_PRECISION)
    precision = column.length - (scale > 0) - (not column.unsigned)
    if not column.org_name and precision >= _MOST_DIGITS:
        precision = _MAX_PRECISION  # the digits of an expression may be more than it can declare: those of a / 3
    precision = min(max(precision, scale, 1), _MAX_PRECISION)
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


class _Decimals(ColumnDecoder):
    """Reads a decimal's text into a scaled integer, where it is regular and fits."""

    def __init__(self, column: Column) -> None:
        self._scale = min(column.decimals, _MAX_PRECISION)
        self._name = column.name

    def _mantissa(self, cells: Cells) -> tuple[NDArray[np.uint64], NDArray[np.bool_]] | None:
        """Values times ten to the scale, and which are negative; None where that needs more than 64 bits.

        Expressions may have fewer digits behind the point than their column says; those are left to the other way.
        """
        scale, start, length = self._scale, cells.start, cells.length
        if length.max(initial=0) > digits.MAX_DIGITS or scale > digits.MAX_DIGITS:
            return None
        empty = length == 0
        if empty.any() and (cells.null is None or not cells.null[empty].all()):
            raise invalid_value("number")
        negative = (cells.data[start] == _MINUS) & ~empty
        if negative.any():
            start, length = start + negative, length - negative
        if scale == 0:
            return digits.parse(cells.word64, start, length), negative
        whole = length - scale - 1
        if ((cells.data[start + np.maximum(whole, 0)] != _POINT) & ~empty).any() or ((whole < 1) & ~empty).any():
            return None
        fraction = np.where(empty, 0, scale)
        values = digits.parse(cells.word64, start, np.where(empty, 0, whole)) * digits.POWERS[scale]
        return values + digits.parse(cells.word64, start + whole + 1, fraction), negative


class FloatDecimals(_Decimals):
    """As float64, as `pandas.read_sql` has them; values that a double cannot give back are counted."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.type = pa.float64()
        self._rounded = 0

    def decode(self, cells: Cells) -> pa.Array:
        """Correctly rounded, whichever way."""
        read = self._mantissa(cells) if self._scale <= _EXACT_SCALE else None
        if read is None or (read[0] >= _EXACT_MANTISSA).any():
            texts = pa.Array.from_buffers(pa.large_string(), len(cells), cells.to_bytes().buffers())
            values = floats.parse(cells)  # first, for it checks them
            self._rounded += _count_long(texts)
            return values
        mantissa, negative = read
        self._rounded += _count_long_mantissas(mantissa)
        values = mantissa.astype(np.float64)
        if self._scale:
            values /= 10.0**self._scale
        if negative.any():
            np.negative(values, out=values, where=negative)
        return cells.to_array(self.type, values)

    def warning(self) -> str:
        """How many values have more digits than a double gives back."""
        if not self._rounded:
            return ""
        values = (
            "1 value with more than 15 digits was"
            if self._rounded == 1
            else (f"{self._rounded:,} values with more than 15 digits were")
        )
        return Note(
            "column {column}: {values} rounded to float64; {option:exact-decimals} keeps them.",
            column=self._name,
            values=values,
        )


class ExactDecimals(_Decimals):
    """As decimal128 or decimal256, digit for digit; as text where even that is too narrow, which is told."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.type = decimal_type(column)
        self._too_wide = False

    def decode(self, cells: Cells) -> pa.Array:
        """Small ones as scaled integers, others by Arrow's own parser."""
        read = self._mantissa(cells) if pa.types.is_decimal128(self.type) else None
        if read is None or (read[0] >= np.uint64(2**63)).any():
            return self._parse(cells)
        values = read[0].astype(np.int64)
        if read[1].any():
            np.negative(values, out=values, where=read[1])
        wide = np.empty((len(values), 2), np.int64)  # little-endian 128 bits
        wide[:, 0] = values
        wide[:, 1] = values >> 63
        return cells.to_array(self.type, wide)

    def warning(self) -> str:
        """That values came as texts."""
        if not self._too_wide:
            return ""
        return (
            f"column {self._name}: values with more digits than {self.type} holds came as text "
            "(in a DataFrame as decimal.Decimal)."
        )

    def _parse(self, cells: Cells) -> pa.Array:
        texts = pa.Array.from_buffers(pa.large_string(), len(cells), cells.to_bytes().buffers())
        try:
            return pc.cast(texts.cast(pa.string()), self.type)
        except pa.ArrowInvalid:
            floats.parse(cells)  # raises if one of them is no number
            self._too_wide = True
            return texts


class WholeDecimals(ExactDecimals):
    """Those without a fraction, for pandas: as Int64; a column with a value beyond 63 bits becomes float64."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self._beyond = False

    def decode(self, cells: Cells) -> pa.Array:
        """Digit for digit; `frame.py` chooses the dtype."""
        values = super().decode(cells)
        self._beyond = self._beyond or not fits_int64(values)
        return values

    def warning(self) -> str:
        """That a value is beyond 63 bits."""
        if not self._beyond:
            return ""
        return Note(
            "column {column}: a value exceeds 63 bits, so the column became float64; {option:exact-decimals} keeps "
            "every digit.",
            column=self._name,
        )


def fits_int64(values: pa.Array | pa.ChunkedArray) -> bool:
    """Whether all whole decimals (or their texts) are 64-bit integers."""
    try:
        pc.cast(values, pa.int64())
    except pa.ArrowInvalid:
        return False
    return True


def _count_long(texts: pa.Array) -> int:
    """Values of more than 15 digits, leading and trailing zeros aside."""
    shown = pc.utf8_rtrim(pc.utf8_ltrim(texts, "-0."), "0")
    count = pc.subtract(pc.binary_length(shown), pc.cast(pc.match_substring(shown, "."), pa.int64()))
    return int(pc.sum(pc.greater(count, _SAFE_DIGITS)).as_py() or 0)


def _count_long_mantissas(mantissa: NDArray[np.uint64]) -> int:
    long = mantissa[mantissa >= digits.POWERS[_SAFE_DIGITS]]
    while len(long) and (trailing := long % np.uint64(10) == 0).any():
        long = np.where(trailing, long // np.uint64(10), long)
        long = long[long >= digits.POWERS[_SAFE_DIGITS]]
    return len(long)
