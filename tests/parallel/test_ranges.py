"""Any table, any key: the parts together are the rows, each once, with the dtypes of the whole."""

from collections import Counter
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.parallel.key import Key
from rds_iam_magic.parallel.ranges import conditions

# Letters that collations take for equal, and spaces, which PAD SPACE collations ignore at the end.
LETTERS = st.text(alphabet="aAäÄbBßsS zZéeE\t\0ñ", max_size=4)
FEW = st.integers(-3, 3)
TINY_DATES = st.dates(date(1999, 1, 1), date(1999, 1, 9)) | st.dates(date(1000, 1, 1), date(9999, 12, 31))
MIDNIGHT = datetime(2023, 10, 29)  # noqa: DTZ001 - as MySQL has it, without a zone
MOMENTS = st.timedeltas(timedelta(0), timedelta(hours=4)).map(MIDNIGHT.__add__) | st.timedeltas(
    timedelta(days=-19000), timedelta(days=4000)
).map(MIDNIGHT.__add__)
KEYS = {
    "INT": FEW | st.integers(-(2**31), 2**31 - 1),
    "BIGINT UNSIGNED": FEW.map(abs) | st.integers(2**63 - 2, 2**64 - 1),
    "INT(6) ZEROFILL": st.integers(0, 40),
    "YEAR": st.sampled_from([0, 1901, 1999, 2000, 2001, 2069, 2155]),
    "DECIMAL(65,30)": st.decimals(-5, 5, places=30) | st.sampled_from([Decimal("-0"), Decimal("1E-30")]),
    "DECIMAL(20)": st.integers(-(2**63), 2**63 - 1),
    "FLOAT": st.floats(width=32, allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 16777217.0]),
    "DOUBLE": st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False) | st.sampled_from([0.0, -0.0]),
    "DATE": TINY_DATES | st.just("0000-00-00"),
    "DATETIME(6)": MOMENTS | st.just("0000-00-00"),
    "TIMESTAMP(3) NULL": MOMENTS,
    "TIME(6)": st.timedeltas(-timedelta(hours=838), timedelta(hours=838)).map(lambda t: t.total_seconds()),
    "BIT(64)": st.integers(0, 3) | st.integers(2**63 - 1, 2**64 - 1),
    "ENUM('z','b','a','')": st.sampled_from(["z", "b", "a", ""]),
    "SET('z','b','a')": st.sampled_from(["", "z", "b", "a,b", "z,a", "z,b,a"]),
    "VARCHAR(9) COLLATE utf8mb4_unicode_ci": LETTERS,
    "VARCHAR(9) COLLATE utf8mb4_bin": LETTERS,
    "VARCHAR(9) COLLATE utf8mb4_unicode_520_nopad_ci": LETTERS,
    "CHAR(9) CHARACTER SET latin1 COLLATE latin1_german2_ci": LETTERS,
    "VARCHAR(9) CHARACTER SET utf16 COLLATE utf16_czech_ci": LETTERS | st.sampled_from(["c", "ch", "h", "CH"]),
    "TEXT": LETTERS | st.tuples(st.just("ß" * 1200), LETTERS).map("".join),
    "VARBINARY(9)": st.binary(max_size=3),
    "BINARY(3)": st.binary(max_size=3),
    "BLOB": st.binary(max_size=3) | st.tuples(st.just(b"x" * 1200), st.binary(max_size=2)).map(b"".join),
}


def fill(db, kind, values):
    db.execute(f"CREATE OR REPLACE TABLE ranges (place INT, `the key` {kind}, KEY (`the key`{prefix(kind)}))")
    literals = ", ".join(f"({place}, {literal(value)})" for place, value in enumerate(values))
    if values:
        db.execute(f"SET sql_mode = ''; INSERT INTO ranges VALUES {literals}; SET sql_mode = DEFAULT")
        db._session.state = db._session.state.renewed()  # what was set is as before


def prefix(kind):
    return "(20)" if kind in ("TEXT", "BLOB") else ""


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, str):
        return f"_utf8mb4 X'{value.encode().hex()}'"
    if isinstance(value, float):
        return f"{value!r}"
    return f"{value}" if isinstance(value, int | Decimal) else f"'{value}'"


def parts_of(db, sql, on, n):
    return db._planner().plan(sql, on, n, "n")


def check(db, sql, on, n, by="place"):
    whole = db.query(sql)
    plan = parts_of(db, sql, on, n)
    assert 1 <= len(plan.parts) <= n
    parts = [plan.shape.result(next(db.run(part)).batches, "float").to_pandas() for part in plan.parts]
    assert Counter(row for part in parts for row in part[by]) == Counter(whole[by])
    for part in parts:
        pd.testing.assert_series_equal(part.dtypes, whole.dtypes)
    return parts


@pytest.mark.parametrize("kind", KEYS)
def test_parts_are_the_rows_each_once(db, kind):
    @settings(max_examples=20)
    @given(st.lists(st.none() | KEYS[kind], max_size=30), st.integers(1, 40))
    @example([], 3)
    @example([None, None], 2)
    def parts_are_the_rows(values, n):
        fill(db, kind, values)
        check(db, "SELECT * FROM ranges", "the key", n)

    parts_are_the_rows()


@pytest.mark.parametrize("kind", ["INT", "VARCHAR(9) COLLATE utf8mb4_unicode_ci", "DATE", "DOUBLE"])
def test_parts_are_about_equal(db, kind):
    fill(db, kind, [place if kind != "DATE" else date(2000, 1, 1) + timedelta(place) for place in range(100)])
    assert [len(part) for part in check(db, "SELECT * FROM ranges", "the key", 4)] == [25, 25, 25, 25]


def test_gaps_and_duplicates_do_not_make_parts_unequal(db):
    fill(db, "INT", [*range(90), *[10**9 + place for place in range(10)]])
    assert max(len(part) for part in check(db, "SELECT * FROM ranges", "the key", 5)) == 20
    fill(db, "INT", [1] * 50 + [2] * 2 + [*range(3, 51)])
    assert [len(part) for part in check(db, "SELECT * FROM ranges", "the key", 4)] == [50, 25, 25]


@pytest.fixture
def summer(sandbox):
    """A time zone whose summer time ends on 2023-10-29 at 01:00 UTC, when 03:00 becomes 02:00."""
    tables = ("time_zone", "time_zone_name", "time_zone_transition", "time_zone_transition_type")
    with sandbox.server.root() as root:
        root.execute("INSERT INTO mysql.time_zone VALUES (77, 'N')")
        root.execute("INSERT INTO mysql.time_zone_name VALUES ('Test/Summer', 77)")
        root.execute("INSERT INTO mysql.time_zone_transition_type VALUES (77, 0, 7200, 1, 'S'), (77, 1, 3600, 0, 'W')")
        root.execute("INSERT INTO mysql.time_zone_transition VALUES (77, 1679792400, 0), (77, 1698541200, 1)")
        yield "Test/Summer"
        for table in tables:
            root.execute(f"DELETE FROM mysql.{table} WHERE Time_zone_id = 77")


def test_a_summer_time_that_ends(scratch, notes, summer):
    """02:30 comes twice: by the session's clock the rows are not in their own order."""
    with scratch.connect(notes) as db:
        moments = [f"2023-10-29 {hour:02}:{minute}:00" for hour in range(4) for minute in (10, 30, 50)]
        db.execute("CREATE OR REPLACE TABLE ranges (place INT, k TIMESTAMP NULL, KEY (k)); SET time_zone = '+00:00'")
        rows = ", ".join(f"({place}, '{moment}')" for place, moment in enumerate(moments))
        db.execute(f"INSERT INTO ranges VALUES {rows}")
    settings = SessionSettings(time_zone=summer)
    with closing(Connection(scratch.login(), settings=settings, notify=notes.append)) as db:
        assert db.query("SELECT k FROM ranges ORDER BY place")["k"].is_monotonic_increasing is False
        for n in range(1, 14):
            check(db, "SELECT * FROM ranges", "k", n)
            check(db, "SELECT * FROM ranges IGNORE INDEX (k)", "k", n)


def test_odd_days_of_dates(db):
    db.execute("CREATE OR REPLACE TABLE ranges (place INT, k DATE NOT NULL)")
    db.execute(
        "SET sql_mode = 'ALLOW_INVALID_DATES'; INSERT INTO ranges VALUES (1, '2024-02-31'), (2, '2024-00-00'), "
        "(3, '0000-00-00'), (4, '2024-02-30'), (5, '2024-03-01'), (6, '2024-02-28'); SET sql_mode = DEFAULT"
    )
    db._session.state = db._session.state.renewed()
    for n in range(1, 9):
        check(db, "SELECT place, k FROM ranges", "k", n)


def test_names_and_texts_of_any_kind(db):
    db.execute("CREATE OR REPLACE TABLE `odd ``table` (place INT, `a ``b. c` INT, `part` VARCHAR(5))")
    db.execute("INSERT INTO `odd ``table` VALUES (1, 1, 'x'), (2, 2, ')'), (3, 3, NULL), (4, NULL, 'y')")
    for sql in (
        "SELECT * FROM `odd ``table` -- every (row",
        "SELECT * FROM scratch.`odd ``table`; -- x",
        "/* ( */ SELECT *, ')' AS x, '(' AS y FROM `odd ``table` # )\n",
        "(SELECT * FROM `odd ``table`)",
        "WITH x AS (SELECT * FROM `odd ``table`) SELECT * FROM x",
        "SELECT * FROM `odd ``table` UNION ALL SELECT * FROM `odd ``table`",
    ):
        check(db, sql, "A `B. C", 3)
    check(db, "SELECT * FROM `odd ``table`", "part", 3)


def test_the_key_of_an_aggregate_and_of_a_join(db):
    fill(db, "INT", [1, 1, 2, 3, None, 5, 5])
    check(db, "SELECT `the key` AS k, COUNT(*) AS place FROM ranges GROUP BY `the key`", "k", 3)
    check(db, "SELECT a.place, b.`the key` k FROM ranges a LEFT JOIN ranges b USING (place)", "k", 3)


def test_conditions():
    key = Key("k", "k", "k", str)
    assert conditions(key, []) == [""]
    assert conditions(key, ["1", "5"]) == ["(k < 1 OR k IS NULL)", "k >= 1 AND k < 5", "k >= 5"]
