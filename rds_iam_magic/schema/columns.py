"""One table: its columns, a few of its rows, the statement that creates it.

SHOW answers for temporary tables too, unlike information_schema, and an unknown table is the server's own error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import OptionError
from rds_iam_magic.schema.asking import Asks
from rds_iam_magic.schema.names import Table, parse_table
from rds_iam_magic.schema.text import Text

if TYPE_CHECKING:
    import pandas as pd

SAMPLE = 10
"""How many rows a preview has."""

_NAMES = {
    "Field": "column",
    "Type": "type",
    "Null": "null",
    "Key": "key",
    "Default": "default",
    "Extra": "extra",
    "Comment": "comment",
}


def list_columns(db: Asks, table: str) -> pd.DataFrame:
    """The columns of a table or view, in order; see `SchemaReads.columns`."""
    return show_columns(db, parse_table(table))[list(_NAMES.values())]


def show_columns(db: Asks, table: Table) -> pd.DataFrame:
    """The same with `Collation` and `Privileges`."""
    return db.query(f"SHOW FULL COLUMNS FROM {table.sql}").rename(columns=_NAMES)


def preview(db: Asks, table: str, rows: int = SAMPLE) -> pd.DataFrame:
    """The first rows that the server gives; see `SchemaReads.preview`.

    Raises:
        OptionError: `rows` is less than 1, or the name cannot be understood.
    """
    if rows < 1:
        raise OptionError(f"rows={rows} is not valid; it must be at least 1.", f"Omit it to see {SAMPLE}.")
    return db.query(f"SELECT * FROM {parse_table(table).sql} LIMIT {rows:d}")  # noqa: S608 - a quoted name


def create_statement(db: Asks, table: str) -> Text:
    """The statement that creates a table or view, as the server writes it."""
    return Text(_second(db.query(f"SHOW CREATE TABLE {parse_table(table).sql}")))


def _second(row: Any) -> str:
    return str(row.iloc[0, 1])
