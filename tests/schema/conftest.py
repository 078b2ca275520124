"""Tables of the test's own in the scratch schema, and an analyst who may see little of it."""

import contextlib
import uuid

import pytest

import rds_iam_magic
from rds_iam_magic.schema.names import Table


@pytest.fixture
def create(db):
    """Creates a table from its columns and rows, under a name of its own or a given one; dropped afterwards."""
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
        with contextlib.suppress(rds_iam_magic.StatementError):
            db.execute(f"DROP TABLE {table.sql}")


@pytest.fixture
def shop(inside):
    """A connection of the analyst's, to the shop."""
    assert inside.server.pid
    with rds_iam_magic.connect("sandbox", user="reader", database="shop") as connection:
        yield connection


@pytest.fixture
def limited(inside):
    """Connections of a user with one table, one column of another, a view without its definition, an empty schema."""
    user = f"limited_{uuid.uuid4().hex[:6]}"
    with inside.server.root() as root:
        root.execute(f"CREATE USER '{user}'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL")
        for sql in (
            "CREATE DATABASE IF NOT EXISTS kept",
            "CREATE DATABASE IF NOT EXISTS kept_empty",
            "CREATE TABLE kept.orders (id INT, total INT)",
            "CREATE TABLE kept.people (id INT, name VARCHAR(20), salary INT)",
            "CREATE TABLE kept.hidden (id INT)",
            "CREATE VIEW kept.rich AS SELECT id FROM kept.people WHERE salary > 1",
            "INSERT INTO kept.people VALUES (1, 'a', 5), (2, NULL, 7)",
            f"GRANT SELECT ON kept.orders TO '{user}'@'%'",
            f"GRANT SELECT (id, name) ON kept.people TO '{user}'@'%'",
            f"GRANT SELECT ON kept.rich TO '{user}'@'%'",
            f"GRANT SELECT ON kept_empty.* TO '{user}'@'%'",
        ):
            root.execute(sql)
    with rds_iam_magic.connect("sandbox", user=user, database="kept") as connection:
        yield connection
    with inside.server.root() as root:
        for sql in (f"DROP USER '{user}'@'%'", "DROP DATABASE kept", "DROP DATABASE kept_empty"):
            root.execute(sql)
