"""One table: columns, rows, the statement that creates it; against the real server."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError, StatementError
from rds_iam_magic.schema.names import Table

pytestmark = pytest.mark.slow  # servers and kernels

# What a table may be named: the Basic Multilingual Plane, no space at the end.
NAMES = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"], max_codepoint=0xFFFF), min_size=1, max_size=40
).filter(lambda name: name == name.rstrip())


def test_columns_are_those_of_describe(db, create):
    table = create(
        "a INT PRIMARY KEY AUTO_INCREMENT, b VARCHAR(9) DEFAULT 'x' COMMENT 'what it is', c INT NOT NULL, KEY (c)"
    )
    columns = db.columns(table)
    assert list(columns.columns) == ["column", "type", "null", "key", "default", "extra", "comment"]
    assert columns["column"].tolist() == ["a", "b", "c"]
    assert columns["null"].tolist() == ["NO", "YES", "NO"]
    assert columns["key"].tolist() == ["PRI", "", "MUL"]
    assert columns["extra"].tolist() == ["auto_increment", "", ""]
    assert columns["comment"].tolist() == ["", "what it is", ""]
    assert columns["default"][1] == "x"
    assert columns["default"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("look", "arguments"), [("columns", ()), ("preview", ()), ("ddl", ()), ("profile", ()), ("preview", (3,))]
)
@pytest.mark.parametrize(("name", "nearest"), [("ordes", "orders"), ("shop.prodcuts", "products")])
def test_an_unknown_table_is_an_error_with_the_nearest_one(shop, look, arguments, name, nearest):
    with pytest.raises(StatementError) as caught:
        getattr(shop, look)(name, *arguments)
    assert caught.value.hint.startswith(f"Did you mean `{nearest}`?")


def test_an_unknown_schema_is_an_error_with_the_nearest_one(shop):
    with pytest.raises(StatementError) as caught:
        shop.columns("shp.orders")
    assert caught.value.hint.startswith("Did you mean `shop`?")


def test_a_preview(shop):
    assert len(shop.preview("orders")) == 10
    rows = shop.preview("shop.orders", 3)
    assert rows["id"].tolist() == [1, 2, 3]
    assert str(rows["ordered_at"].dtype).startswith("datetime64")
    with pytest.raises(OptionError, match="at least 1"):
        shop.preview("orders", 0)


def test_the_statement_that_creates_a_table(db, create):
    table = create("a INT, b TEXT COMMENT 'it''s\nhere'")
    created = db.ddl(table)
    assert created.splitlines()[0] == f"CREATE TABLE `{table}` ("
    db.execute(f"DROP TABLE `{table}`; {created}")
    assert db.ddl(table) == created


def test_a_temporary_table(db):
    db.execute("CREATE TEMPORARY TABLE of_mine (a INT); INSERT INTO of_mine VALUES (1)")
    assert db.columns("of_mine")["column"].tolist() == ["a"]
    assert db.preview("of_mine")["a"].tolist() == [1]
    assert "CREATE TEMPORARY TABLE" in db.ddl("of_mine")
    assert db.profile("of_mine")["max"].tolist() == [1]


def test_an_empty_table(db, create):
    table = create("a INT, b TEXT, c DATE")
    assert len(db.preview(table)) == 0
    figures = db.profile(table)
    assert figures["count"].tolist() == figures["nulls"].tolist() == figures["distinct"].tolist() == [0, 0, 0]
    assert figures[["min", "50%", "max", "mean"]].isna().all(axis=None)


@given(name=NAMES)
@settings(max_examples=40)
def test_any_name(db, name):
    table = Table(db.database, name)
    db.execute(f"CREATE OR REPLACE TABLE {table.sql} ({Table(None, name.lower()).sql} INT, `x``y` INT)")
    try:
        assert db.columns(table.sql)["column"].tolist() == [name.lower(), "x`y"]
        assert list(db.preview(table.sql).columns) == [name.lower(), "x`y"]
        assert db.profile(table.sql)["column"].tolist() == [name.lower(), "x`y"]
        assert db.tables(table.sql)["table"].tolist() == [name]
        assert db.ddl(table.sql)
    finally:
        db.execute(f"DROP TABLE {table.sql}")


def test_without_a_default_schema(scratch, notes):
    with scratch.connect(notes, database=None) as connection, pytest.raises(StatementError) as caught:
        connection.columns("orders")
    assert caught.value.cause == "no-database-selected"


def test_what_an_analyst_may_see(limited):
    assert limited.columns("people")["column"].tolist() == ["id", "name"]
    assert limited.profile("people")["column"].tolist() == ["id", "name"]
    assert limited.columns("rich")["column"].tolist() == ["id"]
    assert limited.preview("rich")["id"].tolist() == [1, 2]
    with pytest.raises(StatementError, match="denied") as caught:
        limited.ddl("rich")  # without SHOW VIEW
    assert caught.value.hint == "Ask for the grant; SHOW GRANTS lists yours."
    with pytest.raises(StatementError, match="denied"):
        limited.preview("people")  # of all columns


def test_nothing_in_the_session_changes(db, create):
    table = create("id INT PRIMARY KEY AUTO_INCREMENT, a INT", "(NULL, 1)")
    db.execute("CREATE TEMPORARY TABLE mine (a INT); SET @mine = 5; SET sql_mode = 'ANSI_QUOTES'")
    db.execute(f'START TRANSACTION; INSERT INTO "{table}" (a) VALUES (2)')
    state = "SELECT CONNECTION_ID(), DATABASE(), @@sql_mode, @mine, @@autocommit, LAST_INSERT_ID()"
    before, since, changed = db.query(state), db.transaction_since, db.rows_changed
    for look in (db.columns, db.preview, db.ddl, db.profile, db.tables):
        look(table)
    db.databases()
    db.explain(f'SELECT * FROM "{table}"', analyze=True)
    pd.testing.assert_frame_equal(db.query(state), before)
    assert (db.transaction_since, db.rows_changed) == (since, changed)
    assert db.preview("mine").columns.tolist() == ["a"]
    db.execute("ROLLBACK")
    assert len(db.preview(table)) == 1
