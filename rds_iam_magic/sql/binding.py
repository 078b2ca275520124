"""Binds parameters: a statement with `:name`, and values, become a statement with literals; no I/O.

Everything is decided before anything runs: an unknown name, a value that MySQL does not have, a list where none can
stand. A list expands in `IN :ids` and `IN (:ids)`, among the arguments of a function, and behind VALUES.
"""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from types import ModuleType
from typing import Any

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.literals import has_time_zone, is_null, literal
from rds_iam_magic.sql.parameters import Parameter, Piece, Step, find_parameters, may_have_parameters
from rds_iam_magic.sql.placeholders import (
    MOST_VALUES,
    WithPlaceholders,
    are_in_conditions,
    is_compared_otherwise,
    plain,
)

__all__ = ["Bound", "bind", "may_have_parameters"]

_SPACE = r"(?:[\s\x00-\x20]|/\*.*?\*/)*"
_BEHIND_IN = re.compile(rf"(?<![\w$])IN{_SPACE}\Z", re.IGNORECASE | re.DOTALL)
_BEHIND_VALUES = re.compile(rf"(?<![\w$])VALUES?{_SPACE}\Z", re.IGNORECASE | re.DOTALL)
_BEHIND_TYPE = re.compile(r"(?<![\w$.])(?:DATE|TIME|TIMESTAMP)[\s\x00-\x20]*\Z", re.IGNORECASE)
_TYPED = re.compile("[A-Z]+'")
_BEHIND_BY = re.compile(rf"(?<![\w$])(?:ORDER|GROUP){_SPACE}BY{_SPACE}\Z", re.IGNORECASE | re.DOTALL)
_BEHIND_COMPARISON = re.compile(r"(?<![:<])(?:=|<>|!=)[\s\x00-\x20]*\Z")
_CLAUSE = re.compile(r"(?<![\w$])(?:(WHERE|HAVING|ON(?!\s+DUPLICATE))|SET|VALUES|SELECT)(?![\w$])", re.IGNORECASE)
_BEHIND_OPERATOR = re.compile(r"(?<!:)(?:[=<>]|(?<![\w$])LIKE)[\s\x00-\x20]*\Z", re.IGNORECASE)
_BEHIND_OPERAND = re.compile(
    rf"{_SPACE}(?:\)|;|\Z|--|\#|(?:AND|OR|GROUP|HAVING|ORDER|LIMIT)(?![\w$]))", re.IGNORECASE | re.DOTALL
)
# Where the grammar has a text, not an expression: hexadecimal digits without a character set, or quotes only.
_BEHIND_SEPARATOR = re.compile(
    rf"(?<![\w$])(?:SEPARATOR|(?:TERMINATED|ENCLOSED|ESCAPED|STARTING){_SPACE}BY){_SPACE}\Z", re.I
)
_BEHIND_QUOTED = re.compile(
    rf"\A{_SPACE}(?:SHOW(?![\w$]).*(?<![\w$])LIKE|(?:CREATE|ALTER)(?![\w$]).*(?<![\w$])"
    rf"(?:COMMENT(?:{_SPACE}=)?|IDENTIFIED{_SPACE}BY)|.*(?<![\w$])(?:IN|OUT|DUMP)FILE){_SPACE}\Z",
    re.IGNORECASE | re.DOTALL,
)
_HEX = "_utf8mb4 "
_BEHIND_COMMA = re.compile(rf"[(,]{_SPACE}\Z", re.DOTALL)
_COMMA = re.compile(rf"{_SPACE}[),]", re.DOTALL)
_OPENS = re.compile(rf"[\w$`]{_SPACE}\($", re.DOTALL)
_QUERY_BEGINS = re.compile(rf"{_SPACE}(?:SELECT|WITH|TABLE)(?![\w$])", re.IGNORECASE | re.DOTALL)
_STANDS_APART = re.compile(r"[\s\x00-\x20(),;=<>+\-*/%!~|&^]")
_SIMPLE = frozenset({int, float, str, bytes, Decimal, dt.date})
_MOST_BEFORE = 200  # characters looked back


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement whose parameters are bound.

    Attributes:
        text: The statement as it is sent, with literals.
        names: The names that were bound.
        notes: What the user should know.
        with_placeholders: The same with its values apart, if they may be bound by the server.
    """

    text: str
    names: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    with_placeholders: WithPlaceholders | None = None


def bind(
    sql: str, values: Mapping[str, Any], *, backslash_escapes: bool = True, mode_may_change: bool = False
) -> Bound:
    r"""Bind a statement's parameters to values.

    Args:
        sql: One statement.
        values: The values by name. A name with two underscores in front is never taken from there.
        backslash_escapes: Whether a backslash escapes in the statement's strings.
        mode_may_change: Whether that may be another way when the statement runs.

    Raises:
        OptionError: A name has no value, or its value cannot stand where it is; nothing was run.
    """
    if not may_have_parameters(sql):
        return Bound(sql)
    pieces = find_parameters(sql, backslash_escapes=backslash_escapes, mode_may_change=mode_may_change)
    notes: list[str] = []
    doubles = backslash_escapes and not mode_may_change
    places = {
        piece: _Place(sql, piece.parameter, notes, doubles=doubles) for piece in pieces if piece.parameter is not None
    }
    text = _joined(sql, pieces, {piece: place.filled(values) for piece, place in places.items()})
    return Bound(
        text,
        frozenset(piece.parameter.name for piece in places if piece.parameter is not None),
        tuple(dict.fromkeys(notes)),
        _with_placeholders(sql, pieces, places, backslash_escapes=backslash_escapes),
    )


def _joined(sql: str, pieces: list[Piece], texts: Mapping[Piece, str]) -> str:
    """A statement with texts in the place of its parameters; an escaped colon loses its backslash."""
    parts, done = [], 0
    for piece in pieces:
        parts += [sql[done : piece.start], texts.get(piece) or sql[piece.start + 1 : piece.end]]
        done = piece.end
    return "".join([*parts, sql[done:]])


def _with_placeholders(
    sql: str, pieces: list[Piece], places: Mapping[Piece, _Place], *, backslash_escapes: bool
) -> WithPlaceholders | None:
    found = [piece.parameter for piece in places if piece.parameter is not None]
    values = [value for place in places.values() for value in place.values]
    if not 0 < len(values) <= MOST_VALUES or not all(place.is_operand() for place in places.values()):
        return None
    if not are_in_conditions(sql, found, backslash_escapes=backslash_escapes):
        return None
    try:
        plain_values = tuple(map(plain, values))
    except ValueError:  # such as an aware date, whose literal is an expression
        return None
    if is_compared_otherwise(sql, plain_values):
        return None
    texts = {piece: place.with_placeholders() for piece, place in places.items()}
    return WithPlaceholders(_joined(sql, pieces, texts), plain_values)


class _Place:
    """Where a parameter stands, and what it becomes there.

    Args:
        sql, parameter: The statement, and what stands in it.
        notes: Gets what the user should know.
        doubles: Whether a doubled backslash in quotes is known to be one.
    """

    def __init__(self, sql: str, parameter: Parameter, notes: list[str], *, doubles: bool) -> None:
        self._sql = sql
        self._parameter = parameter
        self._notes = notes
        self._doubles = doubles
        self._value: Any = None
        self._write: Callable[[object], str] = literal
        self.values: list[object] = []  # in their order, as they were given
        self._shown = sql[parameter.start : parameter.end]
        self._before = sql[max(0, parameter.start - _MOST_BEFORE) : parameter.start]
        self._after = sql[parameter.end : parameter.end + 1]

    def filled(self, values: Mapping[str, Any]) -> str:
        """The parameter as SQL, with spaces around it where it would else grow together with what stands there."""
        self._value = value_of(self._parameter, values, self._shown)
        return self._written()

    def with_placeholders(self) -> str:
        """The same with a `?` for each value."""
        self._write = lambda _: "?"
        return self._written()

    def is_operand(self) -> bool:
        """Whether it is one side of a comparison, or in IN beside nothing else, with values of one type."""
        alone = bool(_BEHIND_OPERATOR.search(self._before) or _BEHIND_IN.search(self._before))
        if not alone and self._group_is_of(_BEHIND_IN):
            alone = self._before.rstrip().endswith("(") and _COMMA.match(self._sql, self._parameter.end) is not None
        return alone and _BEHIND_OPERAND.match(self._sql, self._parameter.end) is not None and self._is_of_one_type()

    def _is_of_one_type(self) -> bool:
        return len({type(value) for value in self.values}) <= 1

    def _written(self) -> str:
        value = self._value
        text = self._list(value) if is_list(value) else self._single(value)
        before = self._before[-1:]
        front = "" if not before or (_STANDS_APART.match(before) and not (before == text[0] == "-")) else " "
        back = "" if not self._after or _STANDS_APART.match(self._after) else " "
        return f"{front}{text}{back}"

    def _single(self, value: object) -> str:
        in_list = self._is_in()
        if is_null(value):
            self._check_null(in_list=in_list)
        if has_time_zone(value):
            self._notes.append(f"{self._shown} has a time zone; the server converts it to the session's.")
        text = self._without_charset(self._literal(value))
        if "'" in text and _BEHIND_BY.search(self._before):
            self._notes.append(
                f"{self._shown} is a value, the same in each row; ORDER BY and GROUP BY need a column's name."
            )
        if _TYPED.match(text) and _BEHIND_TYPE.search(self._before):
            text = text[text.find("'") :]  # DATE :day is DATE '2024-05-01'
        return f"({text})" if _BEHIND_IN.search(self._before) else text

    def _without_charset(self, text: str) -> str:
        """A text that is written in hexadecimal, in places where no character set may stand in front."""
        if not text.startswith(_HEX):
            return text
        if _BEHIND_SEPARATOR.search(self._before):
            return text.removeprefix(_HEX)
        if self._doubles and _BEHIND_QUOTED.match(self._sql[: self._parameter.start]):
            value = bytes.fromhex(text.removeprefix(_HEX)[2:-1]).decode()
            return "'" + value.replace("\\", r"\\").replace("'", "''") + "'"
        return text

    def _check_null(self, *, in_list: bool) -> None:
        if in_list:
            raise self._null_in_list()
        if _BEHIND_COMPARISON.search(self._before) and self._is_in_condition():
            self._notes.append(
                f"{self._shown} is NULL, and nothing is equal or unequal to NULL: write IS NULL, or <=> {self._shown}."
            )

    def _is_in_condition(self) -> bool:
        clauses = _CLAUSE.findall(self._sql, 0, self._parameter.start)
        return bool(clauses and clauses[-1])

    def _list(self, value: Any) -> str:
        items = elements(value)
        if not items:
            raise OptionError(f"{self._shown} is empty, and a list in SQL is not.", cause="parameter-list-empty")
        rows = [isinstance(item, (tuple, list)) for item in items]
        if any(rows) and not all(rows):
            raise OptionError(
                f"{self._shown} has both single values and rows of several.", cause="parameter-list-mixed"
            )
        joined = ", ".join(map(self._row, items) if all(rows) else self._items(items))
        if self._is_among_others():
            return joined
        if _BEHIND_VALUES.search(self._before):
            return joined if all(rows) else f"({joined})"
        if _BEHIND_IN.search(self._before):
            return f"({joined})"
        raise OptionError(
            f"{self._shown} is a list of {len(items):,}, which cannot stand there.", cause="parameter-list-place"
        )

    def _items(self, items: list[Any]) -> list[str]:
        if _SIMPLE.issuperset(map(type, items)):  # nothing else is to be asked of these; there may be many
            with suppress(OptionError):  # raised again below, with the value's number
                texts = list(map(self._write, items))
                self.values += items
                return texts
        return [self._item(item, number) for number, item in enumerate(items, 1)]

    def _row(self, row: Sequence[Any]) -> str:
        if not row:
            raise OptionError(f"{self._shown} has an empty row.", cause="parameter-list-empty")
        return f"({', '.join(self._item(item) for item in row)})"

    def _item(self, value: object, number: int = 0) -> str:
        if is_null(value) and self._is_in():
            raise self._null_in_list()
        if is_list(value):
            raise OptionError(f"{self._shown} is a list of lists of lists.", cause="parameter-list-mixed")
        if has_time_zone(value):
            self._notes.append(f"{self._shown} has a time zone; the server converts it to the session's.")
        return self._literal(value, f" (number {number:,})" if number else "")

    def _literal(self, value: object, which: str = "") -> str:
        self.values.append(value)
        try:
            return self._write(value)
        except OptionError as error:
            message, cause = error.message, error.cause
        raise OptionError(f"{self._shown}{which} {message}", cause=cause)

    def _null_in_list(self) -> OptionError:
        return OptionError(
            f"{self._shown} has a NULL: in IN it matches no row, and with NOT IN no row matches at all.",
            cause="parameter-list-null",
        )

    def _is_in(self) -> bool:
        """Whether the parameter stands in the list of an IN."""
        return bool(_BEHIND_IN.search(self._before) or self._group_is_of(_BEHIND_IN))

    def _is_among_others(self) -> bool:
        """Whether a list may stand there without parentheses: IN (:ids), VALUES (:row), f(a, :list)."""
        group = self._parameter.group
        if not group or not _BEHIND_COMMA.search(self._before) or not _COMMA.match(self._sql, self._parameter.end):
            return False
        opens = _OPENS.search(self._sql[max(0, group - _MOST_BEFORE) : group])
        return opens is not None and not _QUERY_BEGINS.match(self._sql, group)

    def _group_is_of(self, pattern: re.Pattern[str]) -> bool:
        group = self._parameter.group
        return bool(group) and pattern.search(self._sql[max(0, group - 1 - _MOST_BEFORE) : group - 1]) is not None


def value_of(parameter: Parameter, values: Mapping[str, Any], shown: str) -> Any:
    """The value that a parameter stands for.

    Raises:
        OptionError: There is none.
    """
    name = parameter.name
    if name.startswith("__") or name not in values:
        known = [each for each in values if isinstance(each, str) and not each.startswith("_")]
        raise _unknown(f"There is no value for :{name}.", name, known)
    value = values[name]
    for step in parameter.steps:
        value = _step(value, step, shown)
    if callable(value) or isinstance(value, ModuleType):
        raise OptionError(f"{shown} is a {type(value).__name__}, which is not a value of SQL.", cause="parameter-type")
    return value


def _step(value: Any, step: Step, shown: str) -> Any:
    key = step.key
    by_key = isinstance(value, Mapping) or not step.is_attribute
    try:
        return value[key] if by_key else getattr(value, str(key))
    except Exception:  # noqa: BLE001 - whatever the class of the value raises; it may show the value
        known = value if isinstance(value, Mapping) else [] if by_key else dir(value)
    names = [each for each in known if isinstance(each, str) and not each.startswith("_")]
    raise _unknown(f"There is no value for {shown}: a {type(value).__name__} without {key!r}.", str(key), names)


def _unknown(message: str, name: str, known: Collection[str]) -> OptionError:
    import difflib

    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    error = OptionError(message, cause="parameter-unknown")
    if near:
        error.put_before_hint(f"Did you mean {' or '.join(near)}?")
    return error


def is_list(value: object) -> bool:
    """Whether a value stands for several: a list, tuple or set; a Series, Index, array or DataFrame."""
    if isinstance(value, (list, tuple, Set, range)):
        return True
    return _is_array(value)


def _is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return bool(value.ndim)
    for module, kinds in _COLUMNS.items():
        loaded = sys.modules.get(module)
        if loaded is not None and isinstance(value, tuple(filter(None, (getattr(loaded, k, None) for k in kinds)))):
            return True
    return False


_COLUMNS = {
    "pandas": ("Series", "Index", "DataFrame"),
    "pandas.api.extensions": ("ExtensionArray",),
    "pyarrow": ("Array", "ChunkedArray"),
    "polars": ("Series",),
}


def elements(value: Any) -> list[Any]:
    """The values of a list; the rows of a table with several columns, as tuples."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _of_array(value)
    if hasattr(value, "itertuples"):  # a DataFrame
        if value.shape[1] == 1:
            return elements(value.iloc[:, 0])
        return list(value.itertuples(index=False, name=None))
    if hasattr(value, "to_pylist"):  # pyarrow
        return list(value.to_pylist())
    return list(value)


def _of_array(array: Any) -> list[Any]:
    items = list(array) if array.ndim == 1 else list(map(tuple, array))
    return array.tolist() if array.ndim == 1 and array.dtype.kind in "biufUS" else items
