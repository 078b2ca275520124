"""Tables, views and schemas, as the real server lists them."""

import pytest

import rds_iam_magic
from rds_iam_magic.errors import StatementError
from rds_iam_magic.schema.names import Table

pytestmark = pytest.mark.slow  # servers and kernels

COLUMNS = ["schema", "table", "type", "rows_estimate", "bytes", "comment"]
ODD = ["odd name", "t`b", "a.b", "per%cent", "under_score", "été", "表", "Upper", "it's", 'quo"ted']


def names(frame):
    return frame["table"].tolist()


def test_the_shops_tables(shop):
    tables = shop.tables()
    assert list(tables.columns) == COLUMNS
    assert names(tables) == ["customers", "orders", "order_lines", "products"]
    assert set(tables["type"]) == {"table"}
    assert 40_000 < tables["rows_estimate"][1] < 60_000
    assert tables["bytes"][1] > 1_000_000
    assert {str(kind) for kind in tables.dtypes} == {"str", "UInt64"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("ord%", ["orders", "order_lines"]),
        ("ORD*", ["orders", "order_lines"]),
        ("order_*", ["order_lines"]),
        ("shop.prod*", ["products"]),
        ("sh*.products", ["products"]),
        ("orders", ["orders"]),
        ("`orders`", ["orders"]),
        ("x%", []),
    ],
)
def test_a_pattern(shop, pattern, expected):
    assert names(shop.tables(pattern)) == expected


def test_without_a_default_schema_all_that_are_no_systems(inside):
    assert inside.server.pid
    with rds_iam_magic.connect("sandbox", user="reader") as connection:
        tables = connection.tables()
        assert set(tables["schema"]) == {"shop"}
        assert "TABLES" in names(connection.tables("information_schema.*"))


@pytest.mark.parametrize("name", ODD)
def test_odd_names(db, create, name):
    create("a INT COMMENT 'c'", name=name)
    assert names(db.tables(Table(None, name).sql)) == [name]
    assert names(db.tables(Table(db.database, name).sql)) == [name]


def test_in_any_sql_mode(db, create):
    name = create("a INT", name="it's a_b")
    db.execute("SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'")
    assert names(db.tables("it's*a_b")) == [name]


def test_views_and_comments(db, create):
    base = create("a INT")
    db.execute(f"ALTER TABLE `{base}` COMMENT = 'what it is\nfor'")
    db.execute(f"CREATE VIEW `{base}_v` AS SELECT * FROM `{base}`")
    try:
        tables = db.tables(f"{base}*")
        assert tables["type"].tolist() == ["table", "view"]
        assert tables["comment"].tolist() == ["what it is\nfor", ""]
        assert tables["rows_estimate"].isna().tolist() == [False, True]
    finally:
        db.execute(f"DROP VIEW `{base}_v`")


@pytest.mark.parametrize("name", ["ordes", "shop.ordes", "`Ordres`"])
def test_a_name_that_is_none_is_an_error_with_the_nearest(shop, name):
    with pytest.raises(StatementError) as caught:
        shop.tables(name)
    assert caught.value.cause == "unknown-table"
    assert caught.value.hint.startswith("Did you mean `orders`?")


def test_the_name_of_a_schema_is_told_from_one_of_a_table(shop, inside):
    with rds_iam_magic.connect("sandbox", user="reader") as without_default:
        for connection in (shop, without_default):
            with pytest.raises(StatementError) as caught:
                connection.tables("shop")
            assert caught.value.hint == "shop is a schema; `shop`.* has its tables."
            assert len(connection.tables("`shop`.*")) == 4
    assert inside


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("customers.*", 'customers is a table, not a schema; db.columns("customers") shows its columns.'),
        ("`nobody's`.x%", "there is no schema `nobody's`; db.databases() lists those that you can see."),
        ("x%.y%", None),
        ("shop.y%", None),
        ("y%", None),
    ],
)
def test_what_is_no_schema_is_told(shop, pattern, told):
    notes = []
    shop.notify = notes.append
    assert names(shop.tables(pattern)) == []
    assert notes == ([told] if told else [])


def test_what_is_no_schema_without_a_default_one(inside):
    notes = []
    with rds_iam_magic.connect("sandbox", user="reader", notify=notes.append) as connection:
        assert inside.server.pid
        assert names(connection.tables("customers.*")) == []
    assert notes == ["there is no schema customers; db.databases() lists those that you can see."]


def test_a_temporary_table_by_its_name(db):
    db.execute("CREATE TEMPORARY TABLE of_mine (a INT)")
    found = db.tables("of_mine")
    assert found["type"].str.lower().tolist() == ["temporary"]
    assert found["schema"].tolist() == [db.database]
    assert found.dtypes.equals(db.tables().dtypes)


def test_an_analyst_sees_what_is_granted(limited):
    assert names(limited.tables()) == ["orders", "people", "rich"]
    assert names(limited.tables("kept_empty.*")) == []
    for name in ("hidden", "nothing.here"):
        with pytest.raises(StatementError, match="denied"):
            limited.tables(name)
    with pytest.raises(StatementError) as caught:
        limited.tables("ordes")
    assert caught.value.hint.startswith("Did you mean `orders`?")


def test_a_view_over_nothing_is_listed_and_told(db, create, notes):
    table = create("a INT")
    db.execute(f"CREATE VIEW `{table}_v` AS SELECT a FROM `{table}`; DROP TABLE `{table}`")
    try:
        assert names(db.tables(f"{table}*")) == [f"{table}_v"]
        assert "references invalid" in notes[0]
        with pytest.raises(StatementError, match="references invalid"):
            db.columns(f"{table}_v")
    finally:
        db.execute(f"DROP VIEW `{table}_v`")


def test_a_sequence_is_one(db):
    db.execute("CREATE OR REPLACE SEQUENCE numbers_")
    try:
        assert db.tables("numbers_")["type"].tolist() == ["sequence"]
        assert len(db.preview("numbers_")) == 1
        assert len(db.profile("numbers_")) == 8
    finally:
        db.execute("DROP SEQUENCE numbers_")
