"""Which columns of a result may hold NULL: what the server says of them, as far as it can be believed.

Servers call a column NOT NULL by its table, and send NULL in it all the same where the statement adds some: in the
totals of WITH ROLLUP, and (MySQL) behind an outer join over a derived table or a view. Expressions (COUNT, a UNION, a
literal) are called NOT NULL by rules that differ from server to server. So the dtype would follow from the values.
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
    """For each column whether it may hold NULL.

    A NOT NULL is believed of a table's own column, in a query without WITH ROLLUP and outer joins.

    Args:
        columns: As the server describes them.
        words: The statement's, in upper case.
    """
    if all(column.nullable for column in columns):
        return (True,) * len(columns)
    is_plain = _is_plain_read(words)
    return tuple(column.nullable or not (is_plain and _is_stored(column)) for column in columns)


def _is_plain_read(words: Sequence[str]) -> bool:
    """Whether nothing in the statement makes NULLs of what is stored; what CALL and EXECUTE run is not seen."""
    if not words or words[0] not in _READS or not _TOTALS.isdisjoint(words):
        return False
    return not any(pair in _OUTER for pair in pairwise(words))


def _is_stored(column: Column) -> bool:
    """Whether a column is a table's own.

    Derived tables name no table of a schema. Merged views pass their expressions off as columns; as every expression
    that is a number, those have the BINARY flag.
    """
    if not (column.org_name and column.org_table) or column.schema.lower() in _VIEWS:
        return False
    return not (column.type_code in _INTEGERS and column.flags & _BINARY_FLAG)
