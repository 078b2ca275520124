"""BIT(1) → bool, BIT(n) → uint64, and columns that are NULL only.

A stored BIT(n) comes as ceil(n / 8) bytes. Many expressions are described as BIT, too, but come as decimal text: on
MariaDB MAX, MIN, IF, CASE, COALESCE, NULLIF, GREATEST and others, on MySQL COALESCE, IFNULL, GREATEST and others. So
129 may come as the byte 0x81 or as the text "129", and the text "5" may also be the byte of 53. A column has one form
for all of its rows; values that can only be of one form tell which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rds_iam_magic.mysql.decode import digits
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder
from rds_iam_magic.mysql.decode.errors import InvalidValueError, invalid_value
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
    """How the values of a BIT column come."""

    BYTES = "bytes"
    TEXT = "text"


def expected_form(column: Column, *, mariadb: bool, words: Callable[[], Sequence[str]]) -> Form | None:
    """The form that follows from the column's description and the statement; None if either may come.

    Seen on MariaDB 10.11: what is read from a table, a temporary one included, has no BINARY flag, and comes as bytes.
    Expressions have the flag, and come as text, but for window functions, LAST_VALUE, and subqueries whose value is
    kept because it is used a second time, in ORDER BY, HAVING, or in the WHERE around a view.

    Args:
        column: Its description.
        mariadb: Whether the server is known to be a MariaDB.
        words: Gives the statement's words in upper case.
    """
    if not column.flags & _BINARY_FLAG:
        return Form.BYTES if mariadb or column.org_name else None
    keywords = words() if mariadb else ()
    if not keywords or keywords[0] not in _READS or not _AS_BYTES.isdisjoint(keywords):
        return None
    if column.org_name:  # of a view or a derived table, which may have a subquery in its place
        return Form.TEXT if _SECOND_USES.isdisjoint(keywords) else None
    return Form.TEXT if keywords.count("SELECT") < 2 or _SORTS.isdisjoint(keywords) else None


_READS = {"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "REPLACE", "DELETE"}  # INSERT … RETURNING
_AS_BYTES = {"OVER", "LAST_VALUE"}
_SORTS = {"ORDER", "HAVING"}
_SECOND_USES = {*_SORTS, "WHERE", "ON", "USING", "GROUP", "DISTINCT"}


class Bits(ColumnDecoder):
    """One to 64 bits, as one to eight bytes, the most significant first, or as decimal text.

    Args:
        column: Its description.
        form: What `expected_form` says; the values themselves overrule it.
    """

    def __init__(self, column: Column, form: Form | None) -> None:
        self.type = pa.bool_() if column.length == 1 else pa.uint64()
        self._length = (column.length + 7) // 8
        self._largest = _U((1 << min(column.length, 64)) - 1)
        self._kind = f"BIT({column.length})"
        self._form = form
        self._proven = False

    def decode(self, cells: Cells) -> pa.Array:
        """All of a column's values in the one form that they have."""
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
        """Find the column's form, by the values that can only be of one."""
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
        # What was read by expectation is as good as proven: another form from now on would mean that it was wrong.
        self._proven = True
        return self._form

    def _read_text(self, cells: Cells) -> NDArray[np.uint64]:
        values = parse_long(cells, cells.start, cells.length)
        self._require(values > self._largest)
        return values

    def _require(self, wrong: NDArray[np.bool_]) -> None:
        """Refuse the first of the values that are wrong."""
        if wrong.any():
            raise InvalidValueError(self._kind, remedy=_REMEDY, row=int(np.flatnonzero(wrong)[0]))


class Nulls(ColumnDecoder):
    """An expression that is NULL whatever the rows hold."""

    def __init__(self) -> None:
        self.type = pa.null()

    def decode(self, cells: Cells) -> pa.Array:
        """Refuse it: the `Decoder` makes arrays of NULLs itself, so that one of the cells is none."""
        del cells
        raise invalid_value("NULL")


def _read_bytes(cells: Cells) -> NDArray[np.uint64]:
    """The values as bytes; of longer ones, which are text, nothing that counts."""
    shift = ((8 - np.minimum(cells.length, 8)) << 3).astype(np.uint64)
    values: NDArray[np.uint64] = cells.word64[cells.start].byteswap() >> shift
    return values


def _is_number(cells: Cells) -> NDArray[np.bool_]:
    """Which values are decimal numbers as the server writes them: digits only, and no zero in front."""
    fits = np.ones(len(cells), bool)
    for done in range(0, int(cells.length.max(initial=0)), 8):
        count = np.clip(cells.length - done, 0, 8)
        word = np.where(count > 0, cells.word64[np.where(count > 0, cells.start + done, 0)], _ZEROS)
        other = (word ^ _ZEROS) & _MASKS.take(count)
        fits &= ((other + _ABOVE_NINE) | other) & _HIGH_BITS == 0
    numbers: NDArray[np.bool_] = fits & ((cells.data[cells.start] != ord("0")) | (cells.length == 1))
    return numbers


_MASKS = np.array([(1 << (8 * count)) - 1 for count in range(9)], np.uint64)  # by the number of digits in a word
