"""What may be written in SQL at the cursor, in order of likelihood, by a catalog. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from rds_iam_magic.notebook.completion import keywords, sql_place
from rds_iam_magic.notebook.completion.sql_place import SqlPlace, place_in
from rds_iam_magic.notebook.completion.suggestion import MOST, Suggestion, Suggestions, begins, first_of
from rds_iam_magic.schema.catalog.catalog import Catalog, SchemaNames
from rds_iam_magic.sql.functions import BUILT_IN
from rds_iam_magic.sql.quoting import quote_name
from rds_iam_magic.sql.tables import TableReference

_PLAIN = re.compile(r"(?!\d+\Z)[0-9A-Za-z_$\x80-\U0010ffff]+")
_USER_VARIABLE = re.compile(r"@([\w$.]+)")
_SYSTEM = frozenset({"information_schema", "mysql", "performance_schema", "sys"})
_FUNCTIONS = tuple(dict.fromkeys([*keywords.COMMON_FUNCTIONS, *sorted(BUILT_IN)]))
_EVERY_KEYWORD = tuple(sorted(word for word in keywords.RESERVED if len(word) > 2))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known around the SQL.

    Attributes:
        catalog: What the server has.
        database: The default schema, or None.
        variables: The notebook's variables, the likeliest first.
    """

    catalog: Catalog
    database: str | None = None
    variables: Sequence[str] = ()


def complete_sql(sql: str, at: int, around: Surroundings) -> Suggestions:
    """What may be written at an offset of SQL.

    Args:
        sql: A text of one or more statements.
        at: The cursor's offset.
        around: What is known around it.
    """
    place = place_in(sql, at)
    if place is None:
        return Suggestions(at, [])
    if place.mark == ":":
        return Suggestions(place.start, first_of(_of("variable", around.variables, place.fragment)))
    if place.mark == "@":
        names = dict.fromkeys(name for name in _USER_VARIABLE.findall(sql) if name != place.fragment)
        return Suggestions(place.start, first_of(_of("variable", names, place.fragment)))
    items = first_of(
        _qualified(place, around) if place.qualifiers else chain.from_iterable(_unqualified(place, around))
    )
    if place.is_quoted:
        items = [item._replace(text=quote_name(item.text)) for item in items if item.kind in _NAMED]
    return Suggestions(place.start, items)


_NAMED = frozenset({"column", "table", "schema", "alias", "function", "procedure"})


def _qualified(place: SqlPlace, around: Surroundings) -> Iterator[Suggestion]:
    """What may follow `table.`, `schema.` or `schema.table.`."""
    *schemas, name = place.qualifiers
    if schemas:
        yield from _columns(around, TableReference(schemas[0], name, name), place)
        return
    is_table = False
    for table in (*place.scope.tables, *place.scope.outer):
        if name.lower() in (table.alias.lower(), table.name.lower()) and table.name != place.fragment:
            is_table = True
            yield from _columns(around, table, place)
    if is_table and place.kind != sql_place.TABLE:
        return
    schema = around.catalog.schema(name)
    if schema is not None:
        if place.kind != sql_place.PROCEDURE:
            yield from _names("table", schema.tables.beginning(place.fragment, MOST), place)
        if place.kind == sql_place.VALUE:
            yield from _names("function", _beginning(schema.functions, place), place)
        if place.kind == sql_place.PROCEDURE:
            yield from _names("procedure", _beginning(schema.procedures, place), place)
    elif place.kind != sql_place.TABLE:
        yield from _columns(around, TableReference("", name, name), place)


def _unqualified(place: SqlPlace, around: Surroundings) -> Iterator[Iterable[Suggestion]]:
    """Groups of suggestions, the likeliest first."""
    kind = place.kind
    following = keywords.FOLLOWING.get(place.word, ())
    if following:
        yield _keywords(following, place)
    if kind == sql_place.NOTHING:
        return
    if kind == sql_place.START:
        yield _keywords(keywords.STATEMENTS, place)
        if place.clause in ("FROM", "JOIN"):
            yield _tables(place, around)
    elif kind == sql_place.TYPE:
        yield _keywords(keywords.TYPES, place)
    elif kind == sql_place.SCHEMA:
        yield _schemas(place, around)
    elif kind == sql_place.TABLE:
        yield _tables(place, around)
        yield _schemas(place, around)
        yield _keywords(("SELECT", "LATERAL", "IF EXISTS", "IF NOT EXISTS", "IGNORE", "DUAL"), place)
    elif kind == sql_place.PROCEDURE:
        schema = around.catalog.schema(around.database)
        yield _names("procedure", _beginning(schema.procedures if schema else (), place), place)
        yield _schemas(place, around)
    elif kind == sql_place.VALUE:
        yield from _values(place, around)
    else:
        yield from _behind(place, around)


def _values(place: SqlPlace, around: Surroundings) -> Iterator[Iterable[Suggestion]]:
    yield _columns_of_tables(place, around)
    tables = (*place.scope.tables, *place.scope.outer)
    yield _of("alias", dict.fromkeys(table.alias for table in tables), place.fragment)
    schema = around.catalog.schema(around.database) or SchemaNames()
    if not tables and place.fragment:  # SELECT is written before FROM
        yield _names("column", schema.all_columns.beginning(place.fragment, MOST), place)
    yield _keywords(("*",) if place.word == "SELECT" and not place.fragment else (), place)
    yield _functions(keywords.COMMON_FUNCTIONS, place)
    yield _keywords(keywords.OPERANDS, place)
    yield _names("function", _beginning(schema.functions, place), place)
    if place.fragment:
        yield _functions(_FUNCTIONS, place)
        yield _keywords(keywords.OPERATORS.get(place.clause, ()), place)
        yield _keywords(_EVERY_KEYWORD, place)
        if not tables:
            yield _tables(place, around)
        yield _schemas(place, around)


def _behind(place: SqlPlace, around: Surroundings) -> Iterator[Iterable[Suggestion]]:
    """What may follow a value or a table."""
    if place.word == "INTERVAL":
        yield _keywords(keywords.UNITS, place)
    clause = "FROM" if place.clause in ("JOIN", "STRAIGHT_JOIN") else place.clause
    yield _keywords(keywords.OPERATORS.get(clause, ()), place)
    if place.kind == sql_place.AFTER_VALUE:
        yield _keywords(keywords.BETWEEN_VALUES, place)
    if place.fragment:
        yield _keywords(_EVERY_KEYWORD, place)
        yield _columns_of_tables(place, around)


def _columns_of_tables(place: SqlPlace, around: Surroundings) -> Iterator[Suggestion]:
    """The columns of the tables in reach, a subquery's own first: its names hide those of what is around it."""
    hidden: set[str] = set()
    for tables in (place.scope.tables, place.scope.outer):
        columns = {table: _columns_of(table, place, around) for table in dict.fromkeys(tables)}
        yield from _columns_of_level(columns, hidden, place)
        hidden.update(name.lower() for names in columns.values() for name in names)


def _columns_of_level(
    columns: dict[TableReference, list[str]], hidden: set[str], place: SqlPlace
) -> Iterator[Suggestion]:
    """The columns of tables side by side; one that several of them have, behind the aliases of each."""
    count: dict[str, int] = {}
    for names in columns.values():
        for name in names:
            count[name.lower()] = count.get(name.lower(), 0) + 1
    behind = []
    for table, names in columns.items():
        for name in names:
            if not begins(name, place.fragment):
                continue
            is_clear = count[name.lower()] == 1 and name.lower() not in hidden
            if is_clear or place.is_quoted or place.clause == "USING":
                yield Suggestion(_written(name, place), "column")
            else:
                behind.append(Suggestion(f"{_written(table.alias, place)}.{_written(name, place)}", "column"))
    yield from behind


def _columns(around: Surroundings, table: TableReference, place: SqlPlace) -> Iterator[Suggestion]:
    names = _columns_of(table, place, around)
    return _names("column", (name for name in names if begins(name, place.fragment)), place)


def _columns_of(
    table: TableReference, place: SqlPlace, around: Surroundings, seen: frozenset[str] = frozenset()
) -> list[str]:
    """The columns of a table: of one of the statement's own, as its subquery gives them, else of the catalog's."""
    name = table.name.lower()
    if not table.schema and name in place.scope.columns and name not in seen:
        columns: dict[str, None] = {}
        for column in place.scope.columns[name]:
            if isinstance(column, str):
                columns[column] = None
            else:
                for each in column.tables:
                    columns.update(dict.fromkeys(_columns_of(each, place, around, seen | {name})))
        return list(columns)
    schema = around.catalog.schema(table.schema or around.database)
    return schema.columns_of(table.name) if schema is not None else []


def _tables(place: SqlPlace, around: Surroundings) -> Iterator[Suggestion]:
    yield from _names("table", (name for name in place.common if begins(name, place.fragment)), place)
    schema = around.catalog.schema(around.database)
    if schema is not None:
        yield from _names("table", schema.tables.beginning(place.fragment, MOST), place)


def _schemas(place: SqlPlace, around: Surroundings) -> Iterator[Suggestion]:
    names = sorted(around.catalog.schemas, key=lambda name: (name.lower() in _SYSTEM, name))
    return _names("schema", _beginning(names, place), place)


def _functions(names: Iterable[str], place: SqlPlace) -> Iterator[Suggestion]:
    return (item._replace(kind="function") for item in _keywords(names, place))


def _keywords(words: Iterable[str], place: SqlPlace) -> Iterator[Suggestion]:
    """Keywords in the case that the statement has."""
    for word in words:
        if begins(word, place.fragment):
            yield Suggestion(word.lower() if place.is_lower else word, "keyword")


def _beginning(names: Iterable[str], place: SqlPlace) -> Iterator[str]:
    return (name for name in names if begins(name, place.fragment))


def _of(kind: str, names: Iterable[str], fragment: str) -> Iterator[Suggestion]:
    return (Suggestion(name, kind) for name in names if begins(name, fragment))


def _names(kind: str, names: Iterable[str], place: SqlPlace) -> Iterator[Suggestion]:
    return (Suggestion(_written(name, place), kind) for name in names)


def _written(name: str, place: SqlPlace) -> str:
    """A name as SQL has it: in backquotes where it needs them, and they are not there yet."""
    if place.is_quoted or (_PLAIN.fullmatch(name) and (place.qualifiers or name.upper() not in keywords.RESERVED)):
        return name
    return quote_name(name)
