"""A table's profile: one statement reads the columns once, and they are summarized here.

So the server sorts and groups nothing, and a table of 200 columns takes one pass, too. Of long values (texts, JSON,
BLOBs, geometries) only the beginning is read, and a digest that tells which are equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rds_iam_magic.hints import Note
from rds_iam_magic.schema.asking import Asks
from rds_iam_magic.schema.columns import show_columns
from rds_iam_magic.schema.names import Table, parse_table
from rds_iam_magic.schema.summary import QUANTILES, summarize, summarize_long
from rds_iam_magic.sql.quoting import quote_name, quote_text
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST_ROWS = 1_000_000
"""Larger tables are sampled, unless all of their rows are asked for."""

SAMPLE = 200_000
"""How many rows a sample has, about."""

MOST_CELLS = 40_000_000
"""Wider tables are sampled sooner."""

SHOWN = 100
"""How many characters are read of a long value."""

_QUARTILES = tuple(f"{share:.0%}" for share in QUANTILES)
_NAMES = ("column", "type", "count", "nulls", "distinct", "top", "min", *_QUARTILES, "max", "mean")
_LONG_TEXT = re.compile(r"(text|mediumtext|longtext|json)\b|(var)?char\((\d{4,}|[3-9]\d\d|2[6-9]\d|25[6-9])\)")
_LONG_BYTES = re.compile(r"(blob|mediumblob|longblob|vector)\b|(var)?binary\((\d{4,}|[3-9]\d\d|2[6-9]\d|25[6-9])\)")
_GEOMETRY = re.compile(r"geometry|point|linestring|polygon|multi|geomcollection")
_CALENDAR = re.compile(r"date|timestamp")  # whose zero dates are read as missing


@dataclass(frozen=True, slots=True)
class _Column:
    """A column, and what is read of it.

    Attributes:
        name: Its name.
        type: Its type, as declared.
        read: The expressions that are selected.
        is_long: Whether they are what is shown, and a digest.
        has_order: Whether what is shown has the values' order.
        with_nulls: Whether the second expression tells which are NULL.
    """

    name: str
    type: str
    read: tuple[str, ...]
    is_long: bool = False
    has_order: bool = True
    with_nulls: bool = False

    @classmethod
    def of(cls, name: str, kind: str) -> _Column:
        """The column of a name and a type."""
        quoted = quote_name(name)
        if _GEOMETRY.match(kind):
            shown = f"LEFT(ST_AsText({quoted}), {SHOWN + 1}) AS {quoted}"
            return cls(name, kind, (shown, f"MD5(ST_AsBinary({quoted}))"), is_long=True, has_order=False)
        if kind.startswith("vector"):
            return cls(name, kind, (f"LEFT(HEX({quoted}), {SHOWN + 1}) AS {quoted}", f"MD5({quoted})"), True, False)
        if _LONG_TEXT.match(kind) or _LONG_BYTES.match(kind):
            shown = f"LEFT({quoted}, {SHOWN + 1}) AS {quoted}"
            return cls(name, kind, (shown, f"MD5({quoted})"), is_long=True, has_order=not kind.startswith("json"))
        if _CALENDAR.match(kind):
            return cls(name, kind, (quoted, f"{quoted} IS NULL"), with_nulls=True)
        return cls(name, kind, (quoted,))

    def row(self, values: list[pa.ChunkedArray], rows: int) -> tuple[Any, ...]:
        """The profile's row, from what was read."""
        summary = (
            summarize_long(values[1], values[0], has_order=self.has_order) if self.is_long else summarize(values[0])
        )
        nulls = _number_of_ones(values[1]) if self.with_nulls else rows - summary.count
        return (
            self.name,
            self.type,
            rows - nulls,
            nulls,
            summary.distinct,
            [(_cut(value), count) for value, count in summary.top],
            _cut(summary.least),
            *summary.quantiles,
            _cut(summary.greatest),
            summary.mean,
        )


def profile(db: Asks, table: str, *, sample: bool = True) -> pd.DataFrame:
    """What is in each column of a table; see `SchemaReads.profile`.

    Raises:
        OptionError: The name cannot be understood.
        StatementError: There is no such table, or the user may not read it.
    """
    import pandas as pd

    name = parse_table(table)
    columns = _columns(db, name)
    sql = f"SELECT {', '.join(each for column in columns for each in column.read)} FROM {name.sql}"  # noqa: S608 - quoted names
    rows = _bounded(db, name, sql, min(MOST_ROWS, MOST_CELLS // len(columns))) if sample else _read(db, sql)
    return pd.DataFrame(list(_rows(columns, rows)), columns=_NAMES).astype({"column": "str", "type": "str"})


def _columns(db: Asks, name: Table) -> list[_Column]:
    """The columns that the user may read."""
    shown = show_columns(db, name)
    readable = shown[shown["Privileges"].str.contains("select", case=False, na=False)]
    shown = readable if len(readable) else shown  # the server says what is missing
    return [_Column.of(column, kind.lower()) for column, kind in zip(shown["column"], shown["type"], strict=True)]


def _estimate(db: Asks, name: Table) -> int:
    """The number of rows, as the server estimates it; 0 for a view."""
    schema = name.schema or db.database or ""
    found = db.query(
        "SELECT TABLE_ROWS FROM information_schema.TABLES "  # noqa: S608 - quoted texts
        f"WHERE TABLE_SCHEMA = {quote_text(schema)} AND TABLE_NAME = {quote_text(name.name)}"
    )["TABLE_ROWS"].dropna()
    return int(found.iloc[0]) if len(found) else 0


def _bounded(db: Asks, name: Table, sql: str, most: int) -> pa.Table:
    """All rows if there are at most so many, else a random sample, else the first ones; with a note if not all."""
    estimate = _estimate(db, name)
    if estimate > most:
        share = min(SAMPLE, most) / estimate
        rows = _read(db, f"{sql} WHERE RAND() < {share:.9f} LIMIT {most}")
        if rows.num_rows > share * estimate / 2:  # else the estimate was far too high
            _tell(db, "a random sample: {rows} of about {all}", rows, all=f"{estimate:,}")
            return rows
    rows = _read(db, f"{sql} LIMIT {most + 1}")
    if rows.num_rows > most:
        rows = rows.slice(0, most)
        _tell(db, "the first {rows}; there are more", rows)
    return rows


def _tell(db: Asks, what: str, rows: pa.Table, **facts: str) -> None:
    text = f"these are the figures of {what}. {{option:all-rows}} reads all."
    db.notify(Note(text, rows=count_of(rows.num_rows, "row"), **facts))


def _read(db: Asks, sql: str) -> pa.Table:
    (result,) = db.run(sql, decimal="exact")
    return result.to_arrow()


def _rows(columns: list[_Column], table: pa.Table) -> Any:
    place = 0
    for column in columns:
        values = [table.column(place + offset) for offset in range(len(column.read))]
        place += len(column.read)
        yield column.row(values, table.num_rows)


def _number_of_ones(values: pa.ChunkedArray) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(values).as_py() or 0)


def _cut(value: Any) -> Any:
    """A long value's beginning."""
    if isinstance(value, str) and len(value) > SHOWN:
        return value[:SHOWN] + "…"
    return value[:SHOWN] + "…".encode() if isinstance(value, bytes) and len(value) > SHOWN else value
