"""The schemas that a user sees, and the tables and views in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rds_iam_magic.errors import StatementError
from rds_iam_magic.hints import Note
from rds_iam_magic.schema.asking import Asks
from rds_iam_magic.schema.columns import show_columns
from rds_iam_magic.schema.databases import SYSTEM
from rds_iam_magic.schema.names import Part, Pattern, Table, like, parse_pattern
from rds_iam_magic.sql.quoting import quote_name, quote_text

if TYPE_CHECKING:
    import pandas as pd


def list_tables(db: Asks, pattern: str | None = None) -> pd.DataFrame:
    """The tables and views that match a pattern; see `SchemaReads.tables`.

    Raises:
        OptionError: The pattern cannot be understood.
        StatementError: It is a name, and there is no such table.
    """
    wanted = Pattern(None, Part("%")) if pattern is None else parse_pattern(pattern)
    tables = db.query(
        "SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS `table`, "  # noqa: S608 - patterns are text literals
        "CASE TABLE_TYPE WHEN 'BASE TABLE' THEN 'table' ELSE LOWER(TABLE_TYPE) END AS `type`, "
        "TABLE_ROWS AS rows_estimate, DATA_LENGTH + INDEX_LENGTH AS bytes, "
        "CASE TABLE_COMMENT WHEN 'VIEW' THEN '' ELSE TABLE_COMMENT END AS `comment` "
        f"FROM information_schema.TABLES WHERE {_in_schemas(db, wanted.schema)} AND {like('TABLE_NAME', wanted.name)} "
        "ORDER BY TABLE_SCHEMA, TABLE_NAME"
    )
    if not len(tables) and wanted.is_name:
        return _temporary(db, wanted, tables)
    if not len(tables) and wanted.schema is not None:
        _tell_of_no_schema(db, wanted.schema)
    return tables


def _tell_of_no_schema(db: Asks, schema: Part) -> None:
    """A note that there is no such schema, if it is a name; what is written like one may be a table."""
    if not Pattern(None, schema).is_name or _is_schema(db, schema.text):
        return
    name = schema.text if schema.text.isidentifier() else quote_name(schema.text)
    if db.database is not None and _is_table(db, db.database, schema.text):
        db.notify(Note("{table} is a table, not a schema; {command:columns} shows its columns.", table=name))
    else:
        db.notify(Note("there is no schema {table}; {command:databases} lists those that you can see.", table=name))


def _temporary(db: Asks, name: Pattern, empty: pd.DataFrame) -> pd.DataFrame:
    """A temporary table, which most servers do not list; else the server's error, with the nearest name."""
    schema = None if name.schema is None else name.schema.text
    try:
        show_columns(db, Table(schema, name.name.text))
    except StatementError as error:
        if schema is None and _is_schema(db, name.name.text):
            error.hint = f"{name.name.text} is a schema; {quote_name(name.name.text)}.* has its tables."
        raise
    found = empty.reindex([0])
    found.loc[0, ["schema", "table", "type", "comment"]] = [schema or db.database, name.name.text, "temporary", ""]
    return found


def _is_table(db: Asks, schema: str, name: str) -> bool:
    where = f"TABLE_SCHEMA = {quote_text(schema)} AND TABLE_NAME = {quote_text(name)}"
    return len(db.query(f"SELECT 1 AS found FROM information_schema.TABLES WHERE {where}")) > 0  # noqa: S608 - quoted


def _is_schema(db: Asks, name: str) -> bool:
    where = f"SCHEMA_NAME = {quote_text(name)}"
    return len(db.query(f"SELECT 1 AS found FROM information_schema.SCHEMATA WHERE {where}")) > 0  # noqa: S608 - quoted


def _in_schemas(db: Asks, schema: Part | None) -> str:
    if schema is not None:
        return like("TABLE_SCHEMA", schema)
    if db.database is not None:
        return f"TABLE_SCHEMA = {quote_text(db.database)}"
    return f"TABLE_SCHEMA NOT IN {SYSTEM}"
