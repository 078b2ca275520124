"""Which columns of a result may be NULL: the server's NOT NULL flags, where they can be trusted.

Servers flag a column NOT NULL by its table's declaration, but still send NULL where the statement adds it: in totals
of WITH ROLLUP, and (MySQL) after an outer join over a derived table or a view. For expressions (COUNT, a UNION, a
literal) the flag follows rules that differ between servers. Trusting it would make dtypes depend on the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rds_iam_magic.mysql.wire.column import Column

_OUTER = {
    ("LEFT", "JOIN"),
    ("LEFT", "OUTER"),
    ("RIGHT", "JOIN"),
    ("RIGHT", "OUTER"),
    ("FULL", "JOIN"),
    ("FULL", "OUTER"),
}


_BINARY_FLAG = 0x0080
_INTEGERS = frozenset((1, 2, 3, 8, 9, 13))  # TINY … LONGLONG, INT24, YEAR
_READS = frozenset(("SELECT", "WITH", "TABLE"))
_TOTALS = frozenset(("ROLLUP", "CUBE", "SETS"))  # WITH ROLLUP, GROUPING SETS
_VIEWS = frozenset(("information_schema", "performance_schema", "sys"))  # of outer joins, on MySQL


def nullable_columns(columns: Sequence[Column], words: Sequence[str]) -> tuple[bool, ...]:
    """For each column, whether it may contain NULL.

    NOT NULL is trusted for a table's own column in a query without WITH ROLLUP and outer joins.

    Args:
        columns: The column definitions.
        words: The statement's words, in upper case.
    """
    if all(column.nullable for column in columns):
        return (True,) * len(columns)
    is_plain = _is_plain_read(words)
    return tuple(column.nullable or not (is_plain and _is_stored(column)) for column in columns)


def _is_plain_read(words: Sequence[str]) -> bool:
    """Whether nothing in the statement can add NULLs; statements run by CALL and EXECUTE cannot be seen."""
    if not words or words[0] not in _READS or not _TOTALS.isdisjoint(words):
        return False
    return not any(pair in _OUTER for pair in pairwise(words))


def _is_stored(column: Column) -> bool:
    """Whether a column is a table's own.

    Derived tables have no org_table. Merged views present expressions as columns; numeric ones have the BINARY flag, as
    every numeric expression does.
    """
    if not (column.org_name and column.org_table) or column.schema.lower() in _VIEWS:
        return False
    return not (column.type_code in _INTEGERS and column.flags & _BINARY_FLAG)
