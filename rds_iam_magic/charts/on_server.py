"""Counts and quartiles by the server, around the user's query: as `counting.py` has them, without reading the rows.

What is drawn comes from one statement, so from one moment. The bins are chosen by a statement before it; if a value
has come meanwhile that is beyond them, both are asked again.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from rds_iam_magic.charts.columns import GREATEST, microseconds_of, text_of
from rds_iam_magic.charts.counting import (
    Boxes,
    Counted,
    Key,
    Quartiles,
    bins_for,
    counted_fields,
    quartiles_of,
)
from rds_iam_magic.errors import OptionError, ResultError, StatementError
from rds_iam_magic.parallel.divisible import check_derivable, is_random, statement_of
from rds_iam_magic.sql.effects import effects_of
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.charts.bins import Bins
    from rds_iam_magic.charts.fields import Field
    from rds_iam_magic.charts.layout import Layout
    from rds_iam_magic.results.formats import DecimalMode
    from rds_iam_magic.sql.statement import Statement

MOST_GROUPS = 5_000
"""More of them are no chart, and not worth sending."""

_ROUNDS = 3
_REFUSALS = {
    1060,  # two columns of the same name: no derived table
    1064,  # no window functions (MySQL 5.7), or a statement that cannot stand in parentheses
    1235,  # not supported there
}


# Optimizer hints that count only at the top: a statement's time, and variables that may change its values.
_HINTS_ALONE = re.compile(r"/\*\+[^*]*\b(MAX_EXECUTION_TIME|RESOURCE_GROUP|SET_VAR)\b", re.IGNORECASE)


class Asks(Protocol):
    """A connection, as far as it is used here."""

    def _statements(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Statement]: ...

    def run(self, sql: str, *, decimal: DecimalMode = ...) -> Iterator[Any]:
        """The results of statements."""


class Query:
    """A query whose rows can be counted where they are.

    Args:
        db: Runs statements.
        sql: The query, with its parameters bound.
    """

    def __init__(self, db: Asks, sql: str) -> None:
        self._db = db
        self._sql = sql

    @classmethod
    def of(cls, db: Asks, sql: str, params: Mapping[str, Any] | None = None) -> Query | None:
        """The query of a text; None if others cannot be put around it, or would see other values than itself gives.

        It must be one query that is certain to change nothing.
        """
        statements = db._statements(sql, params)  # noqa: SLF001 - as schema/ does
        try:
            statement = check_derivable([(each, effects_of(each)) for each in statements])
        except OptionError:
            return None
        if is_random(statement) or _HINTS_ALONE.search(statement.text):
            return None
        return cls(db, statement.text)

    def schema(self) -> pa.Schema | None:
        """The columns, without reading a row; None if the query cannot stand in another one, or is wrong itself.

        Then it is for the query itself to fail, with the server's words about what the user wrote.
        """
        try:
            table = self._ask(statement_of(self._sql, then="LIMIT 0"))
        except StatementError:
            return None
        return None if table is None else table.schema

    def count(self, layout: Layout) -> Counted | None:
        """Count the rows; None if that is not possible there.

        Raises:
            StatementError: The server refused the query.
            OptionError: There are too many combinations of values.
            ResultError: The rows change too fast.
        """
        fields = counted_fields(layout)
        if not all(map(_can_be_asked, fields)):
            return None
        for _ in range(_ROUNDS):
            bounds = self._bounds(fields)
            if bounds is None:
                return None
            bins = bins_for(fields, layout, bounds)
            groups = self._groups(fields, bins)
            if groups is None:
                return None
            if all(map(_within, zip(*groups, strict=True), bins)):
                more = len(groups) > MOST_GROUPS
                if more and len(fields) > 1:
                    names = " and ".join(field.name for field in fields)
                    raise OptionError(f"{names} have more than {MOST_GROUPS:,} pairs of values.", "Plot fewer of them.")
                return Counted(fields, tuple(bins), groups, tuple(bounds), more)
        raise ResultError(
            "The rows changed while they were counted.", "Assign the result to a variable: its rows are counted here."
        )

    def _bounds(self, fields: Sequence[Field]) -> list[tuple[float, float] | None] | None:
        binned = [field for field in fields if field.scale != "category"]
        if not binned:
            return [None for _ in fields]
        selected = ", ".join(f"MIN({_value(field)}), MAX({_value(field)})" for field in binned)
        table = self._ask(statement_of(self._sql, select=selected))
        if table is None:
            return None
        found = iter([column[0].as_py() for column in table.columns])
        pairs = {field: (next(found), next(found)) for field in binned}
        if not all(map(_has_place, itertools.chain(*pairs.values()))):
            return None
        return [
            None
            if field not in pairs or pairs[field][0] is None
            else (_float(pairs[field][0]), _float(pairs[field][1]))
            for field in fields
        ]

    def _groups(self, fields: Sequence[Field], bins: Sequence[Bins | None]) -> dict[tuple[Key, ...], int] | None:
        """The rows of each group. A text counts byte by byte, by its digest, not as its collation compares it.

        Those with the most rows come first, behind NULL: there may be one more than `MOST_GROUPS`.
        """
        inner, outer, by = [], [], []
        for place, (field, each) in enumerate(zip(fields, bins, strict=True)):
            inner.append(f"{_value(field) if each is None else each.sql(_value(field))} AS k{place}")
            if field.scale == "category" and not field.is_bool:  # of integers, too
                outer.append(f"MIN(k{place})")
                by.append(f"MD5(k{place})")
            else:
                outer.append(f"k{place}")
                by.append(f"k{place}")
        derived = statement_of(self._sql, select=", ".join(inner))
        table = self._ask(
            f"SELECT {', '.join(outer)}, COUNT(*) FROM (\n{derived}\n) AS grouped "  # noqa: S608 - the user's, and ours
            f"GROUP BY {', '.join(by)} ORDER BY {outer[0]} IS NULL DESC, COUNT(*) DESC LIMIT {MOST_GROUPS + 1}"
        )
        if table is None:
            return None
        columns = [
            [_key(value, field) for value in table.column(place).to_pylist()] for place, field in enumerate(fields)
        ]
        counts = [int(value) for value in table.column(len(fields)).to_pylist()]
        return dict(zip(zip(*columns, strict=True), counts, strict=True))

    def quartiles(self, layout: Layout) -> Boxes | None:
        """The boxes, by one statement; None if that is not possible there.

        Raises:
            StatementError: The server refused the query.
        """
        (y,) = layout.y if len(layout.y) == 1 else (None,)
        if y is None or not _can_be_asked(y) or (layout.x is not None and not layout.x.is_plain):
            return None
        table = self._ask(_boxes(self._sql, y, layout.x))
        if table is None:
            return None
        found: dict[tuple[Key, Field], Quartiles] = {}
        nulls = 0
        for key, count, rows, *values in zip(*(column.to_pylist() for column in table.columns), strict=True):
            nulls += int(rows) - int(count or 0)
            if count:
                pairs = [(float(low), float(high)) for low, high in zip(values[::2], values[1::2], strict=True)]
                found["" if layout.x is None else text_of(key), y] = quartiles_of(pairs, int(count))
        return Boxes(found, nulls, more=table.num_rows > MOST_GROUPS)

    def _ask(self, sql: str) -> pa.Table | None:
        """A statement's rows; None if the server cannot run it around the query."""
        try:
            results = list(self._db.run(sql, decimal="exact"))
        except StatementError as error:
            if error.code in _REFUSALS:
                return None
            raise
        table: pa.Table = results[-1].to_arrow()
        return table


def _boxes(sql: str, y: Field, x: Field | None) -> str:
    """The values around each quartile, among the values of each category in order, and how many there are."""
    value, key = f"{quote_name(y.name)} + 0e0", "''" if x is None else quote_name(x.name)
    inner = statement_of(sql, select=f"{key} AS k, MD5({key}) AS h, {value} AS v")
    ordered = (
        "SELECT k, h, v, ROW_NUMBER() OVER (PARTITION BY h, v IS NULL ORDER BY v) - 1 AS place, "  # noqa: S608 - as above
        f"COUNT(v) OVER (PARTITION BY h) AS n FROM (\n{inner}\n) AS chosen"
    )
    places: list[str] = []
    for k in range(5):
        low, high = f"(n - 1) * {k} DIV 4", f"((n - 1) * {k} + 3) DIV 4"
        places += [f"MAX(CASE WHEN v IS NOT NULL AND place = {each} THEN v END)" for each in (low, high)]
    return (
        f"SELECT MIN(k), MAX(n), COUNT(*), {', '.join(places)} FROM (\n{ordered}\n) AS ordered "  # noqa: S608 - as above
        f"GROUP BY h ORDER BY MIN(k) IS NULL DESC, MAX(n) DESC LIMIT {MOST_GROUPS + 1}"
    )


def _can_be_asked(field: Field) -> bool:
    """Whether it is counted there as here: the texts of categories must be the same."""
    return not field.is_span and (field.scale != "category" or field.is_plain or field.is_bool)


def _value(field: Field) -> str:
    """A column as it is compared: a time as it is shown, without dates of no calendar, which a frame has as missing."""
    name = quote_name(field.name)
    if field.is_bool:
        return f"{name} + 0"
    if field.scale == "time":
        day = f"DAYOFMONTH({name})"
        exists = f"MONTH({name}) > 0 AND {day} > 0 AND {day} <= DAYOFMONTH(LAST_DAY({name}))"  # it warns of zeros
        return f"CASE WHEN {exists} THEN CAST({name} AS DATETIME(6)) END"
    return f"{name} + 0e0" if field.scale == "number" else name


def _key(value: Any, field: Field) -> Key:
    if value is None:
        return None
    if field.is_bool:
        return text_of(bool(value))
    return text_of(value) if field.scale == "category" else int(value)


def _within(keys: Sequence[Key], bins: Bins | None) -> bool:
    return bins is None or all(key is None or 0 <= int(key) < len(bins) for key in keys)


def _has_place(value: Any) -> bool:
    """Whether a number is not too great for an axis, and a time is one that MySQL supports: from the year 1000 on."""
    if isinstance(value, dt.date):
        return value.year >= 1000
    return value is None or abs(value) <= GREATEST


def _float(value: Any) -> float:
    return microseconds_of(value) if isinstance(value, dt.date) else float(value)
