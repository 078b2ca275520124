"""BIT(1) → bool, BIT(n) → uint64, and the NULL type → null.

A stored BIT(n) is sent as ceil(n / 8) bytes. Many expressions have type BIT too, but are sent as decimal text: on
MariaDB MAX, MIN, IF, CASE, COALESCE, NULLIF, GREATEST and others, on MySQL COALESCE, IFNULL, GREATEST and others. So
129 may be sent as the byte 0x81 or as the text "129", and "5" may be the number 5 or the byte of 53. All rows of a
column have the same form; values that are possible in only one form reveal it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rds_iam_magic.mysql.decode import digits
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder, InvalidValueError, invalid_value
from rds_iam_magic.mysql.decode.integers import parse_long

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.decode.cells import Cells
    from rds_iam_magic.mysql.wire.column import Column

_BINARY_FLAG = 0x0080
_U = np.uint64
_ZEROS, _ABOVE_NINE, _HIGH_BITS = _U(0x3030303030303030), _U(0x7676767676767676), _U(0x8080808080808080)
_REMEDY = "CAST({} AS UNSIGNED)"


class Form(Enum):
    """How the values of a BIT column are sent."""

    BYTES = "bytes"
    TEXT = "text"


def expected_form(column: Column, *, mariadb: bool, words: Callable[[], Sequence[str]]) -> Form | None:
    """The form that follows from the column definition and the statement; None if either is possible.

    Observed on MariaDB 10.11: columns read from a table (temporary ones included) lack the BINARY flag and are sent as
    bytes. Expressions have the flag and are sent as text, except window functions, LAST_VALUE, and subqueries whose
    value is cached for a second use, in ORDER BY, HAVING, or the WHERE around a view.

    Args:
        column: The column definition.
        mariadb: Whether the server is known to be MariaDB.
        words: Returns the statement's words, in upper case.
    """
    if not column.flags & _BINARY_FLAG:
        return Form.BYTES if mariadb or column.org_name else None
    keywords = words() if mariadb else ()
    if not keywords or keywords[0] not in _READS or not _AS_BYTES.isdisjoint(keywords):
        return None
    if column.org_name:  # a column of a view or derived table may stand for a subquery
        return Form.TEXT if _SECOND_USES.isdisjoint(keywords) else None
    return Form.TEXT if keywords.count("SELECT") < 2 or _SORTS.isdisjoint(keywords) else None


_READS = {"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "REPLACE", "DELETE"}  # INSERT … RETURNING
_AS_BYTES = {"OVER", "LAST_VALUE"}
_SORTS = {"ORDER", "HAVING"}
_SECOND_USES = {*_SORTS, "WHERE", "ON", "USING", "GROUP", "DISTINCT"}


class Bits(ColumnDecoder):
    """One to 64 bits, sent as one to eight big-endian bytes or as decimal text.

    Args:
        column: The column definition.
        form: The result of `expected_form`; the values may overrule it.
    """

    def __init__(self, column: Column, form: Form | None) -> None:
        self.type = pa.bool_() if column.length == 1 else pa.uint64()
        self._length = (column.length + 7) // 8
        self._largest = _U((1 << min(column.length, 64)) - 1)
        self._kind = f"BIT({column.length})"
        self._form = form
        self._proven = False

    def decode(self, cells: Cells) -> pa.Array:
        """Decode all values in the column's one form."""
        there = np.ones(len(cells), bool) if cells.null is None else ~cells.null
        self._require(there & ((cells.length > digits.MAX_DIGITS + 1) | (cells.length == 0)))
        raw = _read_bytes(cells)
        number = _is_number(cells)
        other_length = cells.length != self._length
        text = there & number & (other_length | (raw > self._largest))
        as_bytes = there & ~number
        self._require(as_bytes & (other_length | (raw > self._largest)))
        if self._settle(text, as_bytes, there) is Form.TEXT:
            raw = self._read_text(cells)
        if self.type != pa.bool_():
            return cells.to_array(self.type, raw)
        return cells.to_array(self.type, np.packbits(raw.astype(bool), bitorder="little"))

    def _settle(self, text: NDArray[np.bool_], as_bytes: NDArray[np.bool_], there: NDArray[np.bool_]) -> Form:
        """Determine the column's form from the values that are possible in only one."""
        form = Form.TEXT if text.any() else Form.BYTES if as_bytes.any() else None
        if form is Form.TEXT:
            self._require(as_bytes)  # both
        if form is not None and self._form not in (None, form) and self._proven:
            self._require(text | as_bytes)
        self._form = form or self._form
        if self._form is None:
            raise InvalidValueError(
                self._kind,
                remedy=_REMEDY,
                message="may be the number or raw bytes: the server sends BIT expressions as either.",
                row=int(np.flatnonzero(there)[0]),
            )
        # Values decoded by expectation fix the form: another form later would mean that they were decoded wrongly.
        self._proven = True
        return self._form

    def _read_text(self, cells: Cells) -> NDArray[np.uint64]:
        values = parse_long(cells, cells.start, cells.length)
        self._require(values > self._largest)
        return values

    def _require(self, wrong: NDArray[np.bool_]) -> None:
        """Raise for the first wrong value."""
        if wrong.any():
            raise InvalidValueError(self._kind, remedy=_REMEDY, row=int(np.flatnonzero(wrong)[0]))


class Nulls(ColumnDecoder):
    """An expression of the NULL type."""

    def __init__(self) -> None:
        self.type = pa.null()

    def decode(self, cells: Cells) -> pa.Array:
        """Raise: `Decoder` itself handles columns that are all NULL, so some cell here is not NULL."""
        del cells
        raise invalid_value("NULL")


def _read_bytes(cells: Cells) -> NDArray[np.uint64]:
    """The values read as big-endian bytes; meaningless for values over eight bytes, which are text."""
    shift = ((8 - np.minimum(cells.length, 8)) << 3).astype(np.uint64)
    values: NDArray[np.uint64] = cells.word64[cells.start].byteswap() >> shift
    return values


def _is_number(cells: Cells) -> NDArray[np.bool_]:
    """Which values are decimal numbers as the server writes them: only digits, no leading zero."""
    fits = np.ones(len(cells), bool)
    for done in range(0, int(cells.length.max(initial=0)), 8):
        count = np.clip(cells.length - done, 0, 8)
        word = np.where(count > 0, cells.word64[np.where(count > 0, cells.start + done, 0)], _ZEROS)
        other = (word ^ _ZEROS) & _MASKS.take(count)
        fits &= ((other + _ABOVE_NINE) | other) & _HIGH_BITS == 0
    numbers: NDArray[np.bool_] = fits & ((cells.data[cells.start] != ord("0")) | (cells.length == 1))
    return numbers


_MASKS = np.array([(1 << (8 * count)) - 1 for count in range(9)], np.uint64)  # by the number of digits in a word
