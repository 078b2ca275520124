"""`declarations_of`: the columns of a new table, by their dtypes; the sizes of texts and decimals, by the values.

A dtype that cannot hold a missing value is NOT NULL, so that it comes back as it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.ingest.column import Column
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    import pyarrow as pa

_SIZES = (16, 32, 64, 128, 255, 512, 1024)
_MOST_OF_A_ROW = 60_000  # bytes; MySQL's limit is 65,535, of which short columns take some
_MOST_DIGITS, _MOST_DECIMALS = 65, 30


@dataclass(frozen=True, slots=True)
class Declaration:
    """A column's declaration: its type, whether it is NOT NULL, and whether its size follows from the values."""

    name: str
    type: str
    not_null: bool = False
    sized: bool = False

    @property
    def sql(self) -> str:
        """As CREATE TABLE has it."""
        null = "NOT NULL" if self.not_null else "NULL DEFAULT NULL"  # a TIMESTAMP would have another default
        return f"{quote_name(self.name)} {self.type} {null}"


def declarations_of(columns: Iterable[Column]) -> list[Declaration]:
    """The columns of a table that holds these.

    Raises:
        OptionError: No column of MySQL holds them.
    """
    found = [_declaration(column) for column in columns]
    by_width = sorted((d for d in found if _width(d.type)), key=lambda d: -_width(d.type))
    total = sum(_width(d.type) for d in found)
    for declaration in by_width:
        if total <= _MOST_OF_A_ROW:
            break
        total -= _width(declaration.type)
        kind = "TEXT" if declaration.type.startswith("VARCHAR") else "BLOB"
        found[found.index(declaration)] = Declaration(declaration.name, kind, declaration.not_null, sized=True)
    return found


def sizes_note(declarations: Iterable[Declaration]) -> str:
    """The note on types that follow from the values; "" if none does."""
    sized = [f"{declaration.name} {declaration.type}" for declaration in declarations if declaration.sized]
    return f"sized by the longest values: {', '.join(sized)}." if sized else ""


def _width(kind: str) -> int:
    """The bytes of a row that a text of that type may take; 0 for other types, and for those that take few."""
    name, _, size = kind.rstrip(")").partition("(")
    each = {"VARCHAR": 4, "VARBINARY": 1}.get(name)
    return each * int(size) if each else 0


def _declaration(column: Column) -> Declaration:
    import pyarrow as pa

    kind = column.values.type
    not_null, sized = not column.has_null, False
    if kind in _fixed():
        return Declaration(column.name, _fixed()[kind], not_null)
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        name = "TIME" if pa.types.is_duration(kind) else "DATETIME" if kind.tz is None else "TIMESTAMP"
        return Declaration(column.name, name + {"s": "", "ms": "(3)"}.get(kind.unit, "(6)"), not_null)
    sized = True
    if pa.types.is_decimal(kind):
        declared = _decimal(column)
    elif pa.types.is_null(kind):
        declared = "VARCHAR(255)"
    elif pa.types.is_large_string(kind):
        declared = _text(column.values)
    else:
        declared = _binary(column.values)
    return Declaration(column.name, declared, not_null, sized)


def _fixed() -> dict[pa.DataType, str]:
    import pyarrow as pa

    return {
        pa.bool_(): "TINYINT(1)",
        pa.int8(): "TINYINT",
        pa.int16(): "SMALLINT",
        pa.int32(): "INT",
        pa.int64(): "BIGINT",
        pa.uint8(): "TINYINT UNSIGNED",
        pa.uint16(): "SMALLINT UNSIGNED",
        pa.uint32(): "INT UNSIGNED",
        pa.uint64(): "BIGINT UNSIGNED",
        pa.float32(): "FLOAT",
        pa.float64(): "DOUBLE",
        pa.date32(): "DATE",
        pa.time64("us"): "TIME(6)",
    }


def _text(values: pa.Array) -> str:
    import pyarrow.compute as pc

    longest = pc.max(pc.utf8_length(values)).as_py() or 0
    size = next((size for size in _SIZES if size >= longest), None)
    return f"VARCHAR({size})" if size else _large(pc.max(pc.binary_length(values)).as_py(), "TEXT")


def _binary(values: pa.Array) -> str:
    import pyarrow.compute as pc

    longest = pc.max(pc.binary_length(values)).as_py() or 0
    size = next((size for size in _SIZES if size >= longest), None)
    return f"VARBINARY({size})" if size else _large(longest, "BLOB")


def _large(size: int, name: str) -> str:
    return name if size < 1 << 16 else f"MEDIUM{name}" if size < 1 << 24 else f"LONG{name}"


def _decimal(column: Column) -> str:
    """As many digits as the values have before the point, and as many decimals as the dtype has, if all fit."""
    import pyarrow as pa
    import pyarrow.compute as pc

    precision, scale = column.values.type.precision, column.values.type.scale
    if scale < 0:
        precision, scale = precision - scale, 0
    if scale > _MOST_DECIMALS:
        text = column.values.cast(pa.string())  # scientific, if there are that many zeros
        raise column.refused(
            pc.index(pc.is_valid(text), True).as_py(),
            f"its dtype has {scale} decimals; {_MOST_DECIMALS} are the most that MySQL keeps",
            "Round it first.",
        )
    whole = _digits_before_point(column.values)
    if whole + scale > _MOST_DIGITS:
        row = _digits_before_point(column.values, row=True)
        raise column.refused(
            row, f"it has {whole + scale} digits; {_MOST_DIGITS} are the most that MySQL keeps", "Round it first."
        )
    return f"DECIMAL({max(whole + scale, 1)}, {scale})"


def _digits_before_point(values: pa.Array, *, row: bool = False) -> int:
    """The most digits that a value has before its point, or where it is."""
    import pyarrow.compute as pc

    extremes = pc.min_max(values).as_py()
    largest = max((abs(value) for value in extremes.values() if value is not None), default=None)
    if largest is None:
        return 0
    if row:
        return next(i for i, value in enumerate(values.to_pylist()) if value is not None and abs(value) == largest)
    return max(largest.adjusted() + 1, 0) if largest else 0
