"""Whether a query's parameters may be bound by the server, as `?`, with the very same result as with literals.

Only what conditions (WHERE, HAVING, ON) compare with may: among the columns a `?` gives one another name, and changes
whether it may be NULL; behind ORDER BY and GROUP BY a number is a column's position, which a `?` is not.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from rds_iam_magic.sql.lexer import WORD, Token, tokenize, upper
from rds_iam_magic.sql.literals import from_numpy_time, is_null
from rds_iam_magic.sql.parameters import Parameter

MOST_VALUES = 250
"""With more values, literals take less time."""

_CONDITIONS = frozenset({"WHERE", "HAVING", "ON"})
_CLAUSES = _CONDITIONS | {
    "SELECT", "FROM", "GROUP", "ORDER", "LIMIT", "OFFSET", "FETCH", "WINDOW", "UNION", "EXCEPT", "INTERSECT", "VALUES",
    "TABLE", "WITH", "SET", "PROCEDURE", "FOR", "INTO", "PARTITION", "OVER", "CASE", "INTERVAL", "MATCH",
}  # fmt: skip
_PLAIN = (int, float, Decimal, str, bytes, dt.date, dt.datetime, dt.timedelta)


@dataclass(frozen=True, slots=True)
class WithPlaceholders:
    """A statement with `?`, and the values in their order, of Python's own types."""

    sql: str
    values: tuple[object, ...]


def are_in_conditions(sql: str, parameters: Sequence[Parameter], *, backslash_escapes: bool) -> bool:
    """Whether all parameters stand in conditions of a SELECT, and no `?` or executable comment beside them."""
    if "?" in sql or "/*!" in sql or "/*M!" in sql:
        return False
    clauses = [
        (token.start, upper(token.text))
        for token in tokenize(sql, backslash_escapes=backslash_escapes)
        if token.kind == WORD and upper(token.text) in _CLAUSES and not _is_dotted(sql, token)
    ]
    before_conditions = next((n for n, (_, word) in enumerate(clauses) if word in _CONDITIONS), len(clauses))
    # With a subquery among the columns, or in FROM, its text may be a column's name.
    if [word for _, word in clauses[:before_conditions]].count("SELECT") != 1:
        return False
    return all(_clause_of(parameter, clauses) in _CONDITIONS for parameter in parameters)


def is_compared_otherwise(sql: str, values: Sequence[object]) -> bool:
    """Whether MariaDB compares `?` in another way than literals: a text and a number as the ends of one BETWEEN.

    Args:
        sql: The statement.
        values: Its values, of Python's own types.
    """
    has_text = any(isinstance(value, (str, bytes)) for value in values)
    has_number = any(isinstance(value, (int, float, Decimal)) for value in values)
    return has_text and has_number and "BETWEEN" in sql.upper()


def _is_dotted(sql: str, token: Token) -> bool:
    return sql[max(0, token.start - 1) : token.start] in (".", ":")


def _clause_of(parameter: Parameter, clauses: list[tuple[int, str]]) -> str:
    return next((word for start, word in reversed(clauses) if start < parameter.start), "")


def plain(value: object) -> object:
    """A value that has a literal, as one of Python's own types.

    Raises:
        ValueError: It is none of them. NULL, TRUE and FALSE are not: the optimizer knows them as literals only, which
            changes results too.
    """
    if is_null(value):
        raise ValueError(value)
    if isinstance(value, Enum):
        return plain(value.value)
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(value, numpy.generic):
        return plain(_of_numpy(value))
    if pandas is not None and isinstance(value, pandas.Timestamp):
        return plain(value.to_pydatetime())
    if pandas is not None and isinstance(value, pandas.Timedelta):
        return plain(value.to_pytimedelta())
    return _of_python(value)


def _of_python(value: Any) -> object:
    if type(value) is Decimal and int(value.as_tuple().exponent) >= 0:
        return int(value)  # as its literal has no point
    if type(value) is UUID:
        return str(value)
    if type(value) is dt.time:
        return dt.timedelta(0, (value.hour * 60 + value.minute) * 60 + value.second, value.microsecond)
    if type(value) in (str, bytes) and not value:  # EMPTY_STRING_IS_NULL makes a NULL of it, but not of its literal
        raise ValueError("empty")
    is_aware = type(value) is dt.datetime and value.utcoffset() is not None
    if type(value) not in _PLAIN or is_aware:
        raise ValueError(type(value).__name__)
    return value


def _of_numpy(value: Any) -> object:
    return from_numpy_time(value) if value.dtype.kind in "mM" else value.item()
