"""Decimal digits → integers, a whole column at once and eight digits at a time (SWAR: one uint64 holds eight)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rds_iam_magic.mysql.decode.column_decoder import invalid_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_DIGITS = 19
"""The number of digits that always fit an unsigned 64-bit integer."""

MAX_WITH_POINT, MAX_FRACTION = 16, 6
"""The most characters, and the most behind the point, that `parse_with_point` reads."""

_U = np.uint64
_WORD = 8
_POINT = _U(ord("."))
POWERS = np.array([10**k for k in range(MAX_DIGITS + 1)], np.uint64)
_LOW, _ZEROS = _U(0x0F0F0F0F0F0F0F0F), _U(0x3030303030303030)
_ABOVE_NINE, _HIGH_BITS = _U(0x7676767676767676), _U(0x8080808080808080)
_SHIFTS = np.array([64 - 8 * count for count in range(9)], np.uint64)  # by the number of digits in a word
_FILLS = np.array([0x3030303030303030 & ((1 << (64 - 8 * count)) - 1) for count in range(9)], np.uint64)
_PAIRS, _QUADS = _U(0x00FF00FF00FF00FF), _U(0x0000FFFF0000FFFF)


def parse(word64: NDArray[np.uint64], start: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The numbers (uint64, shape (rows,)) whose `length` digits begin at `start`; 0 where the length is 0.

    Args:
        word64: As in `Cells`.
        start: int64, shape (rows,).
        length: int64, shape (rows,), at most `MAX_DIGITS`.

    Raises:
        InvalidValueError: A character is not a digit.
    """
    longest = int(length.max(initial=0))
    if longest <= 8:
        return _parse_word(word64[start], length)
    total = _parse_word(word64[start], np.minimum(length, 8))
    for done in range(8, longest, 8):
        count = np.clip(length - done, 0, 8)
        total = total * POWERS[count] + _parse_word(word64[start + done], count)
    return total


def parse_with_point(
    word64: NDArray[np.uint64], start: NDArray[np.int64], length: NDArray[np.int64], scale: int
) -> NDArray[np.uint64] | None:
    """The numbers times 10**scale (uint64), whose digits and point begin at `start`; 0 where the length is 0.

    The last eight characters are read as one word, in which the point has the same place for all.

    Args:
        word64: As in `Cells`.
        start: int64, shape (rows,).
        length: int64, shape (rows,), at most `MAX_WITH_POINT`.
        scale: The digits behind the point, 1 to `MAX_FRACTION`.

    Returns:
        None if one has its point elsewhere, or no digit before it.

    Raises:
        InvalidValueError: Another character is not a digit.
    """
    is_long = int(length.max(initial=0)) > _WORD
    count = np.minimum(length, _WORD) if is_long else length
    word = word64[start + (length - count)] if is_long else word64[start]
    word = (word << _SHIFTS.take(count)) | _FILLS.take(count)
    place = 8 * (7 - scale)
    other = ((word >> _U(place)) & _U(0xFF) != _POINT) | (length < scale + 2)
    if other.any() and (other & (length > 0)).any():
        return None
    fraction = _U(0xFFFFFFFFFFFFFFFF << (place + 8) & 0xFFFFFFFFFFFFFFFF)
    tail = _number((word & fraction) | ((word << _U(8)) & ~fraction) | _U(0x30))
    if not is_long:
        return tail
    number: NDArray[np.uint64] = _parse_word(word64[start], length - count) * POWERS[_WORD - 1] + tail
    return number


def pair(word: NDArray[np.uint64], byte: int) -> NDArray[np.int64]:
    """The two-digit number (int64) in bytes `byte` and `byte + 1` of words; the caller has checked the digits."""
    tens = (word >> _U(8 * byte)) & _U(0x0F)
    ones = (word >> _U(8 * byte + 8)) & _U(0x0F)
    number: NDArray[np.int64] = (tens * _U(10) + ones).astype(np.int64)
    return number


def require_digits(word: NDArray[np.uint64], mask: int = 0xFFFFFFFFFFFFFFFF) -> None:
    """Check that the bytes covered by `mask` are digits.

    Raises:
        InvalidValueError: One is not.
    """
    other = (word ^ _ZEROS) & _U(mask)
    if (((other + _ABOVE_NINE) | other) & _HIGH_BITS).any():
        raise invalid_value("number")


def _parse_word(word: NDArray[np.uint64], count: NDArray[np.int64]) -> NDArray[np.uint64]:
    # The first digit is in the lowest byte. Shifting the last one into the highest byte makes missing leading digits
    # zeros. (A shift by 64 gives 0 in NumPy.)
    return _number((word << _SHIFTS.take(count)) | _FILLS.take(count))


def _number(word: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Eight digits, the first one in the lowest byte."""
    require_digits(word)
    value = word & _LOW
    value = (value * _U(10) + (value >> _U(8))) & _PAIRS
    value = (value * _U(100) + (value >> _U(16))) & _QUADS
    number: NDArray[np.uint64] = (value * _U(10_000) + (value >> _U(32))) & _U(0xFFFFFFFF)
    return number
