"""Whether an integer's dtype takes NULLs follows from the column and the statement, not from the values."""

import pandas as pd
import pytest

from rds_iam_magic.mysql.wire.column import NOT_NULL_FLAG, Column
from rds_iam_magic.mysql.wire.nullability import nullable_columns


@pytest.fixture
def tables(db):
    db.execute(
        "CREATE OR REPLACE TABLE nn_a (id INT NOT NULL PRIMARY KEY, g INT NOT NULL); "
        "CREATE OR REPLACE TABLE nn_b (id INT NOT NULL PRIMARY KEY, v INT NOT NULL); "
        "CREATE OR REPLACE VIEW nn_v AS SELECT id, v FROM nn_b; "
        "INSERT INTO nn_a VALUES (1, 1), (2, 1); INSERT INTO nn_b VALUES (1, 10), (2, 20)"
    )
    yield db
    db.execute("DROP VIEW nn_v; DROP TABLE nn_a, nn_b")


STATEMENTS = {
    "SELECT id, g FROM nn_a": ["int64", "int64"],
    "SELECT a.id, b.v FROM nn_a a JOIN nn_b b ON a.id = b.id": ["int64", "int64"],
    "SELECT a.g, b.v FROM nn_a a LEFT JOIN nn_b b ON a.id = b.id": ["Int64", "Int64"],
    "SELECT a.g, d.v FROM nn_a a LEFT JOIN (SELECT id, v FROM nn_b) d ON a.id = d.id": ["Int64", "Int64"],
    "SELECT a.g, d.v FROM nn_a a LEFT OUTER JOIN nn_v d ON a.id = d.id": ["Int64", "Int64"],
    "WITH c AS (SELECT id, v FROM nn_b) SELECT a.g, c.v FROM c RIGHT JOIN nn_a a ON a.id = c.id": ["Int64", "Int64"],
    "SELECT id, COUNT(*) AS n FROM nn_a GROUP BY id WITH ROLLUP": ["Int64", "Int64"],
    "SELECT id FROM nn_a UNION SELECT v FROM nn_b": ["Int64"],
    "SELECT COUNT(*) AS n, 1 AS one, (SELECT v FROM nn_b WHERE id = 1) AS v FROM nn_a": ["Int64", "Int64", "Int64"],
}


@pytest.mark.parametrize("sql", STATEMENTS)
def test_the_same_dtype_every_time_and_in_every_chunk(tables, notes, sql):
    def dtypes():
        return [str(dtype) for dtype in tables.query(sql).dtypes]

    assert dtypes() == STATEMENTS[sql]
    chunks = [[str(dtype) for dtype in chunk.dtypes] for chunk in tables.query(sql, chunksize=1)]
    assert all(chunk == STATEMENTS[sql] for chunk in chunks)
    tables.execute("DELETE FROM nn_b WHERE id = 2")  # outer joins give NULL now
    assert dtypes() == STATEMENTS[sql]
    tables.execute("DELETE FROM nn_a")
    assert dtypes() == STATEMENTS[sql]
    assert notes == []


def column(*, flags=NOT_NULL_FLAG, org_name="id", org_table="t"):
    return Column("id", 3, 63, 11, flags, 0, org_name=org_name, org_table=org_table)


@pytest.mark.parametrize(
    ("described", "words", "nullable"),
    [
        (column(), ["SELECT", "ID", "FROM", "T"], False),
        (column(flags=0), ["SELECT", "ID", "FROM", "T"], True),
        (column(org_name="", org_table=""), ["SELECT"], True),
        (column(org_table=""), ["SELECT", "ID", "FROM", "T", "UNION"], True),
        # As MySQL describes a column of a derived table behind an outer join
        (column(), ["SELECT", "ID", "FROM", "A", "LEFT", "JOIN", "SELECT", "ID", "FROM", "T"], True),
        (column(), ["SELECT", "LEFT", "NAME", "FROM", "T"], False),
        (column(), ["CALL", "P"], True),
        (column(flags=NOT_NULL_FLAG | 0x80), ["SELECT", "ID", "FROM", "V"], True),  # a merged view's expression
    ],
)
def test_what_is_believed(described, words, nullable):
    assert nullable_columns([described], words) == (nullable,)


def test_null_against_the_declaration_is_told_and_no_number(tables, notes, monkeypatch):
    from rds_iam_magic.connection import executor as runner

    monkeypatch.setattr(runner, "nullable_columns", lambda columns, _: tuple(c.nullable for c in columns))
    frame = tables.query("SELECT id, COUNT(*) AS n FROM nn_a GROUP BY id WITH ROLLUP")
    assert frame["id"].isna().sum() == 1
    assert str(frame["id"].dtype) == "Int64"
    assert "although the server declared it NOT NULL" in notes[0]


def test_null_in_a_column_that_says_it_has_none(fresh):
    """The totals of WITH ROLLUP; no integer becomes a float for it."""
    fresh.execute("CREATE OR REPLACE TABLE rolled (id BIGINT NOT NULL PRIMARY KEY, b TINYINT UNSIGNED NOT NULL)")
    fresh.execute("INSERT INTO rolled VALUES (9007199254740993, 1), (9007199254740995, 2)")
    frame = fresh.query("SELECT id, COUNT(*) AS n FROM rolled GROUP BY id WITH ROLLUP")
    assert frame["id"].tolist() == [9007199254740993, 9007199254740995, pd.NA]
    fresh.execute("DROP TABLE rolled")
