"""`Execution`: a statement to run, and how; `executions_of`: those of a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any, get_args

from rds_iam_magic.errors import OptionError
from rds_iam_magic.results.formats import DecimalMode
from rds_iam_magic.sql.binding import bind, may_have_parameters
from rds_iam_magic.sql.effects import Effects, effects_of
from rds_iam_magic.sql.lexer import tokenize
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
        rows: Many rows for the statement's `?`, as COM_STMT_BULK_EXECUTE sends them; b"" if it has no `?`.
    """

    statement: Statement
    effects: Effects
    position: int
    count: int
    decimal: DecimalMode
    limit: int | None
    as_frame: bool = False
    words_after: Sequence[str] = ()
    rows: bytes = b""

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


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: one or more statements, with the values of their parameters, and how to return rows.

    Attributes:
        sql: The text.
        decimal: How DECIMAL is decoded.
        limit: The maximum number of rows of each statement, or None for all.
        params: The values by name; None binds nothing.
        as_frame: Whether the rows are for a DataFrame with the default dtypes.
    """

    sql: str
    decimal: DecimalMode = "float"
    limit: int | None = None
    params: Mapping[str, Any] | None = None
    as_frame: bool = False


def executions_of(
    request: Request, *, backslash_escapes: bool = True, notify: Callable[[str], None] = lambda _: None
) -> list[Execution]:
    """A text's statements, in order, with all parameters bound; `notify` is called with the notes on them.

    Raises:
        OptionError: An argument is not valid, or there is no SQL.
    """
    require_decimal_mode(request.decimal)
    limit = request.limit
    if limit is not None and limit < 1:
        raise OptionError(f"limit={limit} is not valid; it must be at least 1.", "Omit it to read all rows.")
    sql = request.sql
    statements = (_classified_again if len(sql) < _SHORT else _classified)(sql, backslash_escapes)
    if not statements:
        raise OptionError("There is no SQL to run.", cause="sql-missing")
    if request.params is not None and (may_have_parameters(sql) or not isinstance(request.params, Mapping)):
        statements = _bound(statements, request, notify, backslash_escapes=backslash_escapes)
    pairs = zip_longest(statements, statements[1:])
    return [
        Execution(
            statement,
            effects,
            position,
            len(statements),
            request.decimal,
            limit,
            request.as_frame,
            after[0].words if after else (),
        )
        for position, ((statement, effects), after) in enumerate(pairs, 1)
    ]


def _bound(
    statements: _Statements, request: Request, notify: Callable[[str], None], *, backslash_escapes: bool
) -> _Statements:
    """The statements with literals in the place of their parameters, classified by what is sent."""
    if not isinstance(request.params, Mapping):
        raise OptionError(
            f"params is a {type(request.params).__name__}, not a dict of values by name.",
            'Write :name in the SQL, and params={"name": value}.',
        )
    mode_may_change = "sql_mode" in request.sql.lower()
    bound: list[tuple[Statement, Effects]] = []
    notes: list[str] = []
    for statement, effects in statements:
        filled = bind(
            statement.text, request.params, backslash_escapes=backslash_escapes, mode_may_change=mode_may_change
        )
        notes += filled.notes
        if filled.text == statement.text:
            bound.append((statement, effects))
        else:
            tokens = tuple(tokenize(filled.text, backslash_escapes=backslash_escapes))
            sent = Statement(filled.text, tokens, filled.with_placeholders)
            bound.append((sent, effects_of(sent)))
    for note in dict.fromkeys(notes):
        notify(note)
    return tuple(bound)


_Statements = tuple[tuple[Statement, Effects], ...]


def _classified(sql: str, backslash_escapes: bool) -> _Statements:
    statements = split(sql, backslash_escapes=backslash_escapes)
    return tuple((statement, effects_of(statement)) for statement in statements)


_classified_again = lru_cache(maxsize=128)(_classified)  # a cell is run again and again
_SHORT = 4096  # characters


def require_decimal_mode(decimal: str) -> None:
    """Check how DECIMAL is to be decoded.

    Raises:
        OptionError: There is no such way.
    """
    if decimal not in _DECIMAL_MODES:
        raise OptionError(f"decimal={decimal!r} is not valid.", "Use 'float' or 'exact'.")


_DECIMAL_MODES = get_args(DecimalMode)
