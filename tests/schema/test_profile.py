"""Profiles of real tables: of every type, wide, empty, large."""

import datetime as dt
from decimal import Decimal

import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import ResultError
from rds_iam_magic.schema import profile
from rds_iam_magic.schema.profile import SHOWN
from tests.support.logins import through_text

pytestmark = pytest.mark.slow  # servers and kernels

# Each type with the SQL of a value, and of a greater one.
TYPES = {
    "TINYINT": ("-1", "1"),
    "BIGINT UNSIGNED": ("1", "18446744073709551615"),
    "BOOLEAN": ("0", "1"),
    "BIT(1)": ("b'0'", "b'1'"),
    "BIT(64)": ("b'1'", "b'11'"),
    "FLOAT": ("-1.5", "1e30"),
    "DOUBLE": ("-1.5", "1e300"),
    "DECIMAL(10,2)": ("-1.10", "1.10"),
    "DECIMAL(65,30)": ("-1.1", "99999999999999999999999999999999999.5"),
    "DATE": ("'0000-00-00'", "'9999-12-31'"),
    "DATETIME(6)": ("'0000-00-00'", "'2024-02-29 01:02:03.000004'"),
    "TIMESTAMP NULL": ("'0000-00-00'", "'2024-02-29 01:02:03'"),
    "TIME(3)": ("'-838:59:59'", "'838:59:59'"),
    "YEAR": ("'0000'", "2024"),
    "CHAR(3)": ("'a'", "'表'"),
    "VARCHAR(20) CHARACTER SET latin1": ("'a'", "'é'"),
    "VARCHAR(255)": ("''", "'b'"),
    "VARCHAR(2000)": ("'a'", "REPEAT('b', 1500)"),
    "TINYTEXT": ("'a'", "'b'"),
    "LONGTEXT": ("'a'", "REPEAT('é', 100000)"),
    "ENUM('b','a')": ("'a'", "'b'"),
    "SET('x','y')": ("''", "'x,y'"),
    "JSON": ("'{}'", "'{\"a\": [1, 2]}'"),
    "BINARY(3)": ("'a'", "X'FF'"),
    "VARBINARY(300)": ("X'00'", "X'FF'"),
    "LONGBLOB": ("X'00'", "REPEAT(X'FF', 100000)"),
    "GEOMETRY": ("POINT(1, 2)", "ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))')"),
    "POINT": ("POINT(1, 2)", "POINT(3, 4)"),
    "UUID": ("'00000000-0000-0000-0000-000000000001'", "'ffffffff-0000-0000-0000-000000000001'"),
    "INET6": ("'::1'", "'ff::1'"),
}


def create_of_all_types(db, create):
    columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(TYPES))
    small = ", ".join(values[0] for values in TYPES.values())
    great = ", ".join(values[1] for values in TYPES.values())
    nothing = ", ".join("NULL" for _ in TYPES)
    db.execute("SET sql_mode = ''")
    return create(columns, f"({small}), ({small}), ({great}), ({nothing})")


@pytest.mark.parametrize("protocol", ["binary", "text"])
def test_every_type_has_a_profile(scratch, db, create, notes, protocol):
    table = create_of_all_types(db, create)
    login = scratch.login() if protocol == "binary" else through_text(scratch.login())
    with Connection(login, notify=notes.append) as connection:
        figures = connection.profile(table)
    figures.index = list(TYPES)
    assert figures["count"].tolist() == [3] * len(TYPES)
    assert figures["nulls"].tolist() == [1] * len(TYPES)
    dated = ["DATE", "DATETIME(6)", "TIMESTAMP NULL"]
    assert figures["distinct"].drop(dated).tolist() == [2] * (len(TYPES) - len(dated))
    assert figures["distinct"][dated].tolist() == [1, 1, 1], "zero dates are no values; a note says so"
    assert len([note for note in notes if "2 invalid dates" in note]) == 3
    assert [top[0][1] for top in figures["top"].drop(dated)] == [2] * (len(TYPES) - len(dated))
    assert figures["max"]["BIGINT UNSIGNED"] == 2**64 - 1
    assert figures["min"]["DECIMAL(10,2)"] == figures["50%"]["DECIMAL(10,2)"] == Decimal("-1.10")
    assert figures["max"]["DATE"] == dt.date(9999, 12, 31)
    assert figures["max"]["DATETIME(6)"] == dt.datetime.fromisoformat("2024-02-29 01:02:03.000004")
    assert figures["max"]["TIME(3)"] == dt.timedelta(hours=838, minutes=59, seconds=59)
    assert figures["max"]["VARCHAR(2000)"] == "b" * SHOWN + "…"
    assert figures["max"]["LONGTEXT"] == "é" * SHOWN + "…"
    assert figures["max"]["LONGBLOB"] == b"\xff" * SHOWN + "…".encode()
    assert figures["top"]["POINT"] == [("POINT(1 2)", 2), ("POINT(3 4)", 1)]
    assert figures["min"]["POINT"] is None


def test_the_figures_of_a_table(shop):
    figures = shop.profile("orders").set_index("column")
    assert figures["count"]["id"] == figures["distinct"]["id"] == 50_000
    assert figures["top"]["id"] == []
    assert figures.loc["id", ["min", "25%", "50%", "75%", "max", "mean"]].tolist() == [
        1,
        12500,
        25000,
        37500,
        50000,
        25000.5,
    ]
    asked = shop.query(
        "SELECT COUNT(note) AS n, COUNT(DISTINCT note) AS d, SUM(note IS NULL) AS z, MIN(ordered_at) AS t FROM orders"
    )
    assert figures.loc["note", ["count", "distinct", "nulls"]].tolist() == asked.loc[0, ["n", "d", "z"]].tolist()
    assert figures["min"]["ordered_at"] == asked["t"][0]
    frequent = shop.query("SELECT status, COUNT(*) AS n FROM orders GROUP BY status ORDER BY n DESC")
    assert figures["top"]["status"] == list(frequent.itertuples(index=False, name=None))


def test_a_long_text_differs_by_what_is_not_shown(db, create):
    table = create("a TEXT", "(CONCAT(REPEAT('x', 200), 'a')), (CONCAT(REPEAT('x', 200), 'b'))", "(REPEAT('x', 100))")
    figures = db.profile(table)
    assert figures["distinct"].tolist() == [3]
    assert figures["min"].tolist() == ["x" * 100]


def test_a_wide_table_is_read_by_one_statement(db, create):
    table = create(", ".join(f"c{number} INT" for number in range(200)), f"({', '.join(map(str, range(200)))})")
    before = db.query("SHOW SESSION STATUS LIKE 'Com_stmt_execute'").iloc[0, 1]
    figures = db.profile(table)
    after = db.query("SHOW SESSION STATUS LIKE 'Com_stmt_execute'").iloc[0, 1]
    assert figures["max"].tolist() == list(range(200))
    assert int(after) - int(before) <= 2, "the estimate and the values"


def test_a_view_and_a_view_that_groups(db, create):
    table = create("a INT", "(1), (1), (2)")
    db.execute(f"CREATE VIEW `{table}_v` AS SELECT a, COUNT(*) AS n FROM `{table}` GROUP BY a")
    try:
        assert db.profile(f"{table}_v")["max"].tolist() == [2, 2]
    finally:
        db.execute(f"DROP VIEW `{table}_v`")


@pytest.fixture
def smaller(monkeypatch):
    """As if the shop's tables were large."""
    monkeypatch.setattr(profile, "MOST_ROWS", 10_000)
    monkeypatch.setattr(profile, "SAMPLE", 2_000)


@pytest.mark.usefixtures("smaller")
def test_a_large_table_is_sampled_and_that_is_told(inside):
    import rds_iam_magic

    notes = []
    with rds_iam_magic.connect("sandbox", user="reader", database="shop", notify=notes.append) as shop:
        figures = shop.profile("orders").set_index("column")
        assert 1_500 < figures["count"]["id"] < 2_500
        assert 20_000 < figures["50%"]["id"] < 30_000
        (note,) = notes
        assert note.startswith("these are the figures of a random sample: ")
        assert note.endswith("sample=False reads all.")
        notes.clear()
        assert shop.profile("orders", sample=False)["count"][0] == 50_000
        assert len(shop.profile("customers")) == 7
        assert notes == []
    assert inside


@pytest.mark.usefixtures("smaller")
def test_an_estimate_that_is_far_too_high(shop, monkeypatch):
    monkeypatch.setattr(profile, "_estimate", lambda *_: 10**9)
    assert shop.profile("customers")["count"][0] == 4_000


@pytest.mark.usefixtures("smaller")
def test_where_there_is_no_estimate_the_first_rows_are_read(db, create, notes):
    table = create("a INT")
    db.execute(
        f"INSERT INTO `{table}` SELECT seq FROM seq_1_to_10001; CREATE VIEW `{table}_v` AS SELECT a FROM `{table}`"
    )
    try:
        assert db.profile(f"{table}_v")["count"].tolist() == [10_000]
        assert notes == ["these are the figures of the first 10,000 rows; there are more. sample=False reads all."]
    finally:
        db.execute(f"DROP VIEW `{table}_v`")


def test_all_rows_within_the_memory(shop):
    shop.max_memory = 1_000_000
    with pytest.raises(ResultError) as caught:
        shop.profile("orders", sample=False)
    assert caught.value.cause == "result-too-large"
