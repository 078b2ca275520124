"""Which columns of a result may hold NULL: what the server says of them, as far as it can be believed.

Servers call a column NOT NULL by its table, and send NULL in it all the same where the statement adds some: in the
totals of WITH ROLLUP, and (MySQL) behind an outer join over a derived table or a view. Expressions (COUNT, a UNION, a
literal) are called NOT NULL by rules that differ from server to server. So the dtype would follow from the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rds_iam_magic.database.protocol import Column

_OUTER = {
    ("LEFT", "JOIN"),
    ("LEFT", "OUTER"),
    ("RIGHT", "JOIN"),
    ("RIGHT", "OUTER"),
    ("FULL", "JOIN"),
    ("FULL", "OUTER"),
}


def nullable_columns(columns: Sequence[Column], words: Sequence[str]) -> tuple[bool, ...]:
    """For each column whether it may hold NULL.

    A NOT NULL is believed of a table's own column, in a statement without WITH ROLLUP and outer joins.

    Args:
        columns: As the server describes them.
        words: The statement's, in upper case.
    """
    if all(column.nullable for column in columns):
        return (True,) * len(columns)
    is_plain = not ({"ROLLUP", "CUBE"} & set(words) or any(pair in _OUTER for pair in pairwise(words)))
    return tuple(column.nullable or not (is_plain and column.org_table and column.org_name) for column in columns)
