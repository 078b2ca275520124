"""`Key`: the column that ranges are made of: how it is compared on the server, and how its values are written.

The server alone compares: a part's rows are those for which `key >= boundary` holds and `key >= next boundary` does
not. So parts are exact for any boundaries that ascend as the server compares them with the key, even where a boundary
is not exactly a value of the key, such as a FLOAT rounded to six digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import OptionError
from rds_iam_magic.parallel.divisible import PART, statement_of
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.mysql.wire.column import Column

Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a query and returns its rows."""

PRIMARY_FLAG = 0x0002
UNIQUE_FLAG = 0x0004
_INDEX_FLAG = 0x0008
_ENUM_FLAG, _SET_FLAG = 0x0100, 0x0800

INTEGERS = frozenset((1, 2, 3, 8, 9, 13))  # TINY … LONGLONG, INT24, YEAR
_FLOATS = frozenset((4, 5))
_DECIMALS = frozenset((0, 246))
_TIMESTAMPS = frozenset((7, 17))
_TEMPORAL = {10: "DATE", 14: "DATE", 12: "TIMESTAMP", 18: "TIMESTAMP", 11: "TIME", 19: "TIME"}
_YEAR = 13  # which reads numbers below 100 as other years
_BIT = 16
_TEXTS = frozenset((15, 247, 248, 249, 250, 251, 252, 253, 254))
_NULL = 6

_LONGEST = 100  # characters of a text that a boundary has


@dataclass(frozen=True, slots=True)
class Key:
    """How a key is compared and read.

    Attributes:
        name: The column's name.
        compared: The expression that is compared with boundaries.
        read: The expression whose value, as text, becomes a boundary; "" if the key has no values but NULL.
        literal: Writes such a value as SQL.
        is_integer: Whether boundaries may be computed.
        is_unique: Whether the column is a unique key of its table.
    """

    name: str
    compared: str
    read: str
    literal: Callable[[str], str]
    is_integer: bool = False
    is_unique: bool = False


def find_key(columns: Sequence[Column], on: str | None) -> Column:
    """The column that the user named, or an integer key of the only table.

    Raises:
        OptionError: There is no such column, or none can be chosen.
    """
    names = [column.name for column in columns]
    lowered = [name.lower() for name in names]
    repeated = sorted({name for name in names if lowered.count(name.lower()) > 1})
    if repeated:
        raise OptionError(
            f"Two columns are named {repeated[0]}; the statement of a part needs names that differ.",
            cause="duplicate-columns",
        )
    if on is None:
        return _default_key(columns)
    if on.lower() not in lowered:
        raise OptionError(f"The query has no column {on!r}; it has {', '.join(names)}.", cause="parts-key-unknown")
    return columns[lowered.index(on.lower())]


def _default_key(columns: Sequence[Column]) -> Column:
    tables = {(c.schema, c.org_table, c.table) for c in columns if c.org_table}
    if len(tables) == 1:
        for flag in (PRIMARY_FLAG, UNIQUE_FLAG):
            for column in columns:
                if column.org_table and column.flags & flag and column.type_code in INTEGERS:
                    return column
    why = "no integer key" if len(tables) == 1 else "columns of several tables" if tables else "no table's own columns"
    raise OptionError(f"The query selects {why}, so the column to divide by is not clear.", cause="parts-key-missing")


def key_of(column: Column, sql: str, ask: Ask, *, unstable: bool, views: Collection[str] = ()) -> Key:
    """The key that a column of the query is.

    Args:
        column: The column.
        sql: The query.
        ask: Runs queries.
        unstable: Whether what the query computes may have another value in another part.
        views: Names of the views that it reads: the server reports what they compute as columns of theirs.

    Raises:
        OptionError: Its values have no order that ranges could follow, or differ from part to part.
    """
    is_indexed = bool(column.flags & (PRIMARY_FLAG | UNIQUE_FLAG | _INDEX_FLAG))  # nothing that is computed is
    is_stored = bool(column.org_name and column.org_table) and (is_indexed or column.org_table not in views)
    if not is_stored and (unstable or column.type_code in _FLOATS):
        raise OptionError(
            f"Column {column.name} is computed, and may have another value in another part.", cause="parts-key-unstable"
        )
    name = f"{PART}.{quote_name(column.name)}"
    kind = column.type_code
    if kind in INTEGERS:
        is_unique = bool(column.flags & (PRIMARY_FLAG | UNIQUE_FLAG))
        return Key(column.name, name, name, _number, is_integer=kind != _YEAR, is_unique=is_unique)
    if kind in _DECIMALS:
        return Key(column.name, name, f"CAST({name} AS CHAR)", _number)
    if kind in _FLOATS:
        return Key(column.name, name, f"CAST({name} AS CHAR)", _double)
    if kind in _TEMPORAL:
        return Key(column.name, name, f"CAST({name} AS CHAR)", _temporal(_TEMPORAL[kind]))
    if kind in _TIMESTAMPS:
        return _timestamp(column.name, name, ask)
    if kind == _BIT:
        number = f"CAST({name} AS UNSIGNED)"
        return Key(column.name, number, number, _number)
    if kind == _NULL:
        return Key(column.name, name, "", _number)
    return _text_key(column, name, sql, ask)


def _text_key(column: Column, name: str, sql: str, ask: Ask) -> Key:
    if column.type_code in (247, 248) or column.flags & (_ENUM_FLAG | _SET_FLAG):
        number = f"{name} + 0"  # ENUM and SET sort by number, but are compared with texts as texts
        return Key(column.name, number, number, _double)
    if column.type_code not in _TEXTS:
        raise _no_order(column)
    if column.binary:
        return Key(column.name, name, f"HEX(LEFT({name}, {_LONGEST}))", lambda text: f"_binary X'{_hex(text)}'")
    rows = ask(
        statement_of(
            sql,
            f"{name} IS NOT NULL",
            select=f"CHARSET({name}), COLLATION({name}), HEX({name}) = HEX(CONCAT({name}, ''))",
            then="LIMIT 1",
        )
    )
    if not rows:
        return Key(column.name, name, "", _number)
    charset, collation, is_text = rows[0]
    if not is_text or not re.fullmatch(r"\w+", charset) or not re.fullmatch(r"\w+", collation):
        raise _no_order(column)  # UUID, INET6: stored as other bytes than they are shown as

    def literal(text: str) -> str:
        return f"_{charset} X'{_hex(text)}' COLLATE {collation}"

    return Key(column.name, name, f"HEX(LEFT({name}, {_LONGEST}))", literal)


def _no_order(column: Column) -> OptionError:
    return OptionError(f"Column {column.name} has a type that cannot be divided into ranges.", cause="parts-key-type")


def _timestamp(column: str, name: str, ask: Ask) -> Key:
    """TIMESTAMP: where the session's time zone has a summer time, its clock runs an hour twice."""
    ((zone, system),) = ask("SELECT @@time_zone, @@system_time_zone")
    zone = system if zone == "SYSTEM" else zone
    if zone == "UTC" or re.fullmatch(r"[+-]\d\d:\d\d", zone):
        return Key(column, name, f"CAST({name} AS CHAR)", _temporal("TIMESTAMP"))
    seconds = f"UNIX_TIMESTAMP({name})"
    return Key(column, seconds, f"CAST({seconds} AS CHAR)", _number)


def _number(text: str) -> str:
    if not re.fullmatch(r"-?\d+(\.\d+)?", text):
        raise ValueError(f"not a number: {text!r}")
    return text


def _double(text: str) -> str:
    if not re.fullmatch(r"-?\d+(\.\d+)?(e[-+]?\d+)?", text):
        raise ValueError(f"not a number: {text!r}")
    return text if "e" in text else f"{text}e0"


def _temporal(kind: str) -> Callable[[str], str]:
    def literal(text: str) -> str:
        if not re.fullmatch(r"-?[\d:. -]+", text):
            raise ValueError(f"not a {kind}: {text!r}")
        return f"{kind}'{text if kind == 'TIME' else _real_day(text)}'"

    return literal


def _real_day(text: str) -> str:
    """The text with a day of the calendar: MySQL also stores 2024-00-00 and, if told to, 2024-02-31."""
    year, month, day = int(text[:4]), max(1, int(text[5:7])), max(1, int(text[8:10]))
    try:
        date(max(4, year), month, day)
    except ValueError:
        day = 28
    return f"{year:04}-{month:02}-{day:02}{text[10:]}"


def _hex(text: str) -> str:
    if not re.fullmatch(r"[0-9A-F]*", text):
        raise ValueError(f"not hexadecimal: {text!r}")
    return text
