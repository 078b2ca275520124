"""`Execution`: a statement to run, and how; `executions_of`: those of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import get_args

from rds_iam_magic.errors import OptionError
from rds_iam_magic.results.formats import DecimalMode
from rds_iam_magic.sql.effects import Effects, effects_of
from rds_iam_magic.sql.statement import Statement, split


@dataclass(frozen=True, slots=True)
class Execution:
    """A statement to run, and how to return its rows.

    Attributes:
        statement: One statement.
        effects: What it may do.
        position, count: The statement's number in the text, from 1, and the number of statements.
        decimal: How DECIMAL is decoded.
        limit: The maximum number of rows, or None for all.
        as_frame: Whether the rows are for a DataFrame with the default dtypes.
        words_after: The words of the next statement in the same text.
    """

    statement: Statement
    effects: Effects
    position: int
    count: int
    decimal: DecimalMode
    limit: int | None
    as_frame: bool = False
    words_after: Sequence[str] = ()

    @property
    def verb(self) -> str:
        """The statement's first word in upper case, or `CREATE TABLE`."""
        words = self.statement.words
        return "CREATE TABLE" if words[:1] == ["CREATE"] and "TABLE" in words[:5] else "".join(words[:1])

    def progress(self) -> list[str]:
        """What is to be said of the statements before it, if there are some."""
        if self.position == 1:
            return []
        before = self.position - 1
        return ["The statement before it has run." if before == 1 else f"The {before} statements before it have run."]


def executions_of(
    sql: str, decimal: DecimalMode, limit: int | None, *, as_frame: bool = False, backslash_escapes: bool = True
) -> list[Execution]:
    """A text's statements, in order.

    Raises:
        OptionError: An argument is not valid, or there is no SQL.
    """
    require_decimal_mode(decimal)
    if limit is not None and limit < 1:
        raise OptionError(f"limit={limit} is not valid; it must be at least 1.", "Omit it to read all rows.")
    statements = (_classified_again if len(sql) < _SHORT else _classified)(sql, backslash_escapes)
    if not statements:
        raise OptionError("There is no SQL to run.", cause="sql-missing")
    pairs = zip_longest(statements, statements[1:])
    return [
        Execution(
            statement, effects, position, len(statements), decimal, limit, as_frame, after[0].words if after else ()
        )
        for position, ((statement, effects), after) in enumerate(pairs, 1)
    ]


def _classified(sql: str, backslash_escapes: bool) -> tuple[tuple[Statement, Effects], ...]:
    statements = split(sql, backslash_escapes=backslash_escapes)
    return tuple((statement, effects_of(statement)) for statement in statements)


_classified_again = lru_cache(maxsize=128)(_classified)  # a cell is run again and again
_SHORT = 4096  # characters


def require_decimal_mode(decimal: str) -> None:
    """Check how DECIMAL is to be decoded.

    Raises:
        OptionError: There is no such way.
    """
    if decimal not in get_args(DecimalMode):
        raise OptionError(f"decimal={decimal!r} is not valid.", "Use 'float' or 'exact'.")
