"""Reads a `Catalog` by a few short queries, each of which the server can end: names first, then columns.

MySQL 5.7 and MariaDB open a table's file for its columns, so these are read schema by schema, the default one first,
for `MOST_TABLES` in `MOST_SCHEMAS` at most; afterwards only for the tables that a statement may have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from rds_iam_magic.errors import RdsIamError
from rds_iam_magic.schema.catalog.catalog import Catalog, SchemaNames, schemas_of
from rds_iam_magic.sql.quoting import quote_text

Fetch = Callable[[str], list[list[str | None]]]
"""Runs a query, and returns its rows as texts."""

MOST_TABLES = 50_000
MOST_ROUTINES = 10_000
MOST_SCHEMAS = 100
ONE_BY_ONE = 20
"""So many tables are looked up by name; for more, their schema is read."""

# 4,096 columns of 64 characters, at four bytes each.
_SETTINGS = "SET SESSION group_concat_max_len = 1100000"


def read_catalog(
    fetch: Fetch, known: Catalog, database: str | None, changed: Collection[str] | None
) -> Iterator[Catalog]:
    """Yield the catalog as it grows: after the names, then after the columns of each schema.

    Args:
        fetch: Runs a query on a session that is used for nothing else.
        known: What was known before.
        database: The default schema, which comes first.
        changed: Words in lower case, among them the names of the tables that may have changed since; None to read all.

    Raises:
        ConnectionLostError: The server does not answer.
    """
    fetch(_SETTINGS)
    catalog = _names(fetch, known, database)
    yield catalog
    filled = [schema for schema, names in catalog.schemas.items() if names.tables]
    for schema in sorted(filled, key=lambda name: name != database)[:MOST_SCHEMAS]:
        names = catalog.schemas[schema]
        columns = _columns(fetch, schema, names, changed)
        if columns is not None:
            catalog = catalog.with_schema(schema, names.with_columns(columns))
            yield catalog


_UNREAD = "('mysql', 'performance_schema', 'sys')"
"""Schemas of the servers' own that hardly anybody queries, as a list in SQL: only their names are kept."""


def _names(fetch: Fetch, known: Catalog, database: str | None) -> Catalog:
    first = quote_text(database or "")
    tables = _allowed(
        fetch,
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES "  # noqa: S608 - a constant and a quoted text
        f"WHERE TABLE_SCHEMA NOT IN {_UNREAD} ORDER BY TABLE_SCHEMA <> {first}, TABLE_SCHEMA, TABLE_NAME "
        f"LIMIT {MOST_TABLES}",
    )
    return schemas_of(
        [name or "" for (name,) in _allowed(fetch, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA LIMIT 10000")],
        [(schema or "", table or "") for schema, table in tables],
        [
            (schema or "", name or "", kind or "")
            for schema, name, kind in _allowed(
                fetch,
                "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES "  # noqa: S608 - constants
                f"WHERE ROUTINE_SCHEMA NOT IN {_UNREAD} LIMIT {MOST_ROUTINES}",
            )
        ],
        known,
    )


def _columns(fetch: Fetch, schema: str, names: SchemaNames, changed: Collection[str] | None) -> dict[str, str] | None:
    """The columns of a schema's tables; None if there is nothing to read."""
    if changed is None or not names.columns:
        return dict(_read_columns(fetch, f"TABLE_SCHEMA = {quote_text(schema)}"))
    wanted = [table for table in names.tables if table not in names.columns or table.lower() in changed]
    if not wanted:
        return None
    if len(wanted) > ONE_BY_ONE:
        return dict(_read_columns(fetch, f"TABLE_SCHEMA = {quote_text(schema)}"))
    columns = {table: known for table, known in names.columns.items() if table not in wanted}
    for table in wanted:
        columns.update(
            _read_columns(fetch, f"TABLE_SCHEMA = {quote_text(schema)} AND TABLE_NAME = {quote_text(table)}")
        )
    return columns


def _read_columns(fetch: Fetch, where: str) -> Iterator[tuple[str, str]]:
    rows = _allowed(
        fetch,
        # By the names' bytes: `a` and `A` are one name by their collation, and may be two tables.
        "SELECT MIN(TABLE_NAME), GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION SEPARATOR 0x00) "  # noqa: S608 - quoted
        f"FROM information_schema.COLUMNS WHERE {where} GROUP BY CAST(TABLE_NAME AS BINARY) LIMIT {MOST_TABLES}",
    )
    for table, columns in rows:
        if table and columns:
            yield table, columns


def _allowed(fetch: Fetch, sql: str) -> list[list[str | None]]:
    """The rows; none where the server refuses, or ends the query because it takes too long."""
    try:
        return fetch(sql)
    except RdsIamError as error:
        if error.cause != "own-query-failed":
            raise
        return []
