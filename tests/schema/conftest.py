"""Tables of the test's own in the scratch schema."""

import contextlib
import uuid

import pytest

from rds_iam_magic.schema.names import Table


@pytest.fixture
def create(db):
    """Creates a table from its columns (and rows), under a name of its own or a given one; dropped afterwards."""
    created = []

    def make(columns: str, *rows: str, name: str = "") -> str:
        table = Table(None, name or f"t_{uuid.uuid4().hex[:10]}")
        db.execute(f"CREATE TABLE {table.sql} ({columns})")
        created.append(table)
        for row in rows:
            db.execute(f"INSERT INTO {table.sql} VALUES {row}")
        return table.name

    yield make
    for table in created:
        with contextlib.suppress(Exception):
            db.execute(f"DROP TABLE {table.sql}")
