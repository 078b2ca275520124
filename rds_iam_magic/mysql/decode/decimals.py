"""DECIMAL → float64, correctly rounded, or exact Arrow decimals.

A whole DECIMAL (scale 0, such as SUM of integers) is decoded exactly in both modes; pandas gets it as Int64.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.hints import Note
from rds_iam_magic.mysql.decode import digits, floats
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder, invalid_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.decode.cells import Cells
    from rds_iam_magic.mysql.wire.column import Column

_MINUS, _POINT = ord("-"), ord(".")
_EXACT_MANTISSA = np.uint64(
    2**53
)  # integers below it, and 10**22, are exact doubles, so their quotient is rounded once
_EXACT_SCALE = 22
_SAFE_DIGITS = 15  # every decimal of up to 15 digits survives a round trip through a double
_MAX_PRECISION = 76  # of decimal256
_MOST_DIGITS = 65  # the maximum precision of DECIMAL in MySQL and MariaDB


def decimal_type(column: Column) -> pa.DataType:
    """The Arrow decimal type of a column's declared precision and scale.

    The column's length counts the digits, a decimal point if there is a scale, and a sign unless it is unsigned.
    """
    scale = min(column.decimals, _MAX_PRECISION)
    precision = column.length - (scale > 0) - (not column.unsigned)
    if not column.org_name and precision >= _MOST_DIGITS:
        precision = _MAX_PRECISION  # an expression, such as a / 3, may have more digits than it can declare
    precision = min(max(precision, scale, 1), _MAX_PRECISION)
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


class _Decimals(ColumnDecoder):
    """Reads decimals as scaled integers, if every value has exactly `scale` fractional digits and fits 64 bits."""

    takes_long = True

    def __init__(self, column: Column) -> None:
        self._scale = min(column.decimals, _MAX_PRECISION)
        self._name = column.name

    def _mantissa(self, cells: Cells) -> tuple[NDArray[np.uint64], NDArray[np.bool_]] | None:
        """The absolute values times 10**scale (uint64), and which are negative (bool).

        None unless every value has exactly `scale` fractional digits and fits 64 bits: then Arrow's parser is used.
        (Expressions may have fewer fractional digits than their column declares.)
        """
        scale, start, length = self._scale, cells.start, cells.length
        longest = int(length.max(initial=0))
        if longest > digits.MAX_DIGITS or scale > digits.MAX_DIGITS:
            return None
        empty = length == 0
        if empty.any() and (cells.null is None or not cells.null[empty].all()):
            raise invalid_value("number")
        negative = (cells.data[start] == _MINUS) & ~empty
        if negative.any():
            start, length = start + negative, length - negative
        if scale == 0:
            return digits.parse(cells.word64, start, length), negative
        if longest <= digits.MAX_WITH_POINT and scale <= digits.MAX_FRACTION:
            values = digits.parse_with_point(cells.word64, start, length, scale)
            return None if values is None else (values, negative)
        whole = length - scale - 1
        if ((cells.data[start + np.maximum(whole, 0)] != _POINT) & ~empty).any() or ((whole < 1) & ~empty).any():
            return None
        fraction = np.where(empty, 0, scale)
        values = digits.parse(cells.word64, start, np.where(empty, 0, whole)) * digits.POWERS[scale]
        return values + digits.parse(cells.word64, start + whole + 1, fraction), negative


def _plain_number(value: bytes, most_digits: int) -> str:
    """The text of a decimal number without surprises.

    Raises:
        ValueError: It has more digits, or is not a number as servers write it.
    """
    text = value.decode("ascii")
    number = text[1:] if text[:1] == "-" else text
    whole, point, fraction = number.partition(".")
    if not (whole.isdigit() and (fraction.isdigit() or not point)) or len(whole) + len(fraction) > most_digits:
        raise ValueError(value)
    return text


class FloatDecimals(_Decimals):
    """As float64, as in `pandas.read_sql`; values with more digits than a double preserves are counted."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.type = pa.float64()
        self._rounded = 0

    def decode(self, cells: Cells) -> pa.Array:
        """Correctly rounded by either parser."""
        read = self._mantissa(cells) if self._scale <= _EXACT_SCALE else None
        if read is None or (read[0] >= _EXACT_MANTISSA).any():
            texts = pa.Array.from_buffers(pa.large_string(), len(cells), cells.to_bytes().buffers())
            values = floats.parse(cells)  # first, because it validates them
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

    def decode_one(self, value: bytes) -> float:
        """Up to as many digits as a double preserves."""
        return float(_plain_number(value, _SAFE_DIGITS))

    def warning(self) -> str:
        """The number of values with more digits than a double preserves."""
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
    """As exact decimal128 or decimal256; as text, with a warning, where a value does not fit the type."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self.type = decimal_type(column)
        self._too_wide = False

    def decode(self, cells: Cells) -> pa.Array:
        """Values below 2**63 as scaled integers, others by Arrow's parser."""
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

    def decode_one(self, value: bytes) -> Decimal:
        """Up to as many digits as fit 64 bits."""
        return Decimal(_plain_number(value, digits.MAX_DIGITS - 1))

    def warning(self) -> str:
        """Whether values are returned as text."""
        if not self._too_wide:
            return ""
        return (
            f"column {self._name}: values with more digits than {self.type} can hold are returned as text "
            "(in a DataFrame as decimal.Decimal)."
        )

    def _parse(self, cells: Cells) -> pa.Array:
        texts = pa.Array.from_buffers(pa.large_string(), len(cells), cells.to_bytes().buffers())
        try:
            return pc.cast(texts.cast(pa.string()), self.type)
        except pa.ArrowInvalid:
            floats.parse(cells)  # raises if a value is not a number
            self._too_wide = True
            return texts


class WholeDecimals(ExactDecimals):
    """Scale 0, for pandas: as Int64; a column with a value beyond 63 bits becomes float64."""

    def __init__(self, column: Column) -> None:
        super().__init__(column)
        self._beyond = False

    def decode(self, cells: Cells) -> pa.Array:
        """Exact; `frame.py` chooses the dtype."""
        values = super().decode(cells)
        self._beyond = self._beyond or not fits_int64(values)
        return values

    def warning(self) -> str:
        """Whether a value exceeds 63 bits."""
        if not self._beyond:
            return ""
        return Note(
            "column {column}: a value exceeds 63 bits, so the column became float64; {option:exact-decimals} keeps "
            "every digit.",
            column=self._name,
        )


def fits_int64(values: pa.Array | pa.ChunkedArray) -> bool:
    """Whether all whole decimals (or their texts) fit int64."""
    try:
        pc.cast(values, pa.int64())
    except pa.ArrowInvalid:
        return False
    return True


def _count_long(texts: pa.Array) -> int:
    """The number of values with more than 15 significant digits."""
    significant = pc.utf8_rtrim(pc.utf8_ltrim(texts, "-0."), "0")
    count = pc.subtract(pc.binary_length(significant), pc.cast(pc.match_substring(significant, "."), pa.int64()))
    return int(pc.sum(pc.greater(count, _SAFE_DIGITS)).as_py() or 0)


def _count_long_mantissas(mantissa: NDArray[np.uint64]) -> int:
    long = mantissa[mantissa >= digits.POWERS[_SAFE_DIGITS]]
    while len(long) and (trailing := long % np.uint64(10) == 0).any():
        long = np.where(trailing, long // np.uint64(10), long)
        long = long[long >= digits.POWERS[_SAFE_DIGITS]]
    return len(long)
