"""Frames into tables and back: equal, or refused before the table has a row."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rds_iam_magic.connection.frames import loader
from rds_iam_magic.errors import OptionError, RdsIamError, ResultError
from rds_iam_magic.ingest.columns import frame_of
from rds_iam_magic.ingest.comparing import first_difference
from rds_iam_magic.mysql.session_settings import SessionSettings
from tests.support.dataframes import ARROW, NULLABLE, NUMPY, OBJECTS, frames

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture(autouse=True)
def nothing_of_ours_is_left(db):
    """No table of a load's own, no setting, no state."""
    before = settings_of(db)
    yield
    if not db.closed:
        assert not [name for name in tables_of(db) if name.startswith(loader.OF_OURS)]
        assert settings_of(db) == before
        assert db._session.state.left == frozenset()
        db.execute("DROP TABLE IF EXISTS loaded, loaded_child, loaded_parent")


def settings_of(db):
    return db.query("SELECT @@sql_mode AS m, @@time_zone AS z, @@sql_select_limit AS n").iloc[0].tolist()


def tables_of(db):
    return db.query("SHOW TABLES").iloc[:, 0].tolist()


def declared(db):
    return dict(db.columns("loaded")[["column", "type"]].itertuples(index=False))


def assert_equal(db, frame):
    """What the table has is what the frame has, as a query of the user's own gets it; the server is in UTC."""
    came = db.query_arrow("SELECT * FROM loaded").combine_chunks()
    assert came.num_rows == len(frame)
    for batch in came.to_batches():
        assert first_difference(frame_of(frame).columns, 0, batch) is None


@pytest.mark.parametrize("families", [NUMPY, NULLABLE, ARROW, OBJECTS], ids=["numpy", "nullable", "arrow", "objects"])
@given(data=st.data())
@settings(max_examples=15)
def test_every_dtype_comes_back_equal(db, families, data):
    frame = data.draw(frames(families))
    assert db.load(frame, "loaded", if_exists="replace") == len(frame)
    assert_equal(db, frame)
    assert db.load(frame, "loaded", if_exists="append") == len(frame)
    assert_equal(db, pd.concat([frame, frame], ignore_index=True))


def test_default_dtypes_are_the_very_same(db):
    """What our own queries return goes back, and comes again, as it was."""
    db.execute(
        "CREATE TABLE loaded (a BIGINT NOT NULL, b INT, c DOUBLE, d VARCHAR(9), e DATETIME(6), f TIME(6), "
        "g VARBINARY(9), h BIGINT UNSIGNED)"
    )
    db.execute("INSERT INTO loaded VALUES (1, NULL, 0.1, 'a', '2020-01-01 00:00:00.5', '-838:00:00', 'b', 1 << 63)")
    db.execute("INSERT INTO loaded (a) VALUES (2)")
    frame = db.query("SELECT * FROM loaded")
    db.load(frame, "loaded", if_exists="replace")
    back = db.query("SELECT * FROM loaded")
    pd.testing.assert_frame_equal(back.astype({"b": frame["b"].dtype}), frame)


def test_types_and_what_is_told(db, notes):
    frame = pd.DataFrame(
        {
            "id": np.arange(2),
            "name": ["Zoë", None],
            "price": [Decimal("19.90"), Decimal("5")],
            "at": pd.to_datetime(["2020-07-01", None]).tz_localize("Europe/Berlin"),
        }
    )
    assert db.load(frame, "loaded") == 2
    assert declared(db) == {
        "id": "bigint(20)",
        "name": "varchar(16)",
        "price": "decimal(4,2)",
        "at": "timestamp(6)",
    }
    assert notes == ["sized by the longest values: name VARCHAR(16), price DECIMAL(4, 2)."]
    db.execute("SET time_zone = '+02:00'")
    assert db.query("SELECT at FROM loaded")["at"].tolist()[0] == pd.Timestamp("2020-07-01")
    db.execute("SET time_zone = @@GLOBAL.time_zone")
    db._session.state = db._session.state.renewed()


def test_fail_is_the_default(db):
    frame = pd.DataFrame({"a": [1]})
    db.load(frame, "loaded")
    with pytest.raises(OptionError, match="Table loaded already exists") as caught:
        db.load(frame, "scratch.loaded")
    assert caught.value.cause == "load-table-exists"
    assert len(db.query("SELECT * FROM loaded")) == 1
    with pytest.raises(OptionError, match="if_exists='drop' is not valid"):
        db.load(frame, "loaded", if_exists="drop")


def test_replace_is_one_step(db):
    db.load(pd.DataFrame({"a": [1]}), "loaded")
    db.load(pd.DataFrame({"b": ["x", "y"]}), "loaded", if_exists="replace")
    assert db.query("SELECT * FROM loaded")["b"].tolist() == ["x", "y"]


def test_append_makes_a_table_that_is_missing(db):
    assert db.load(pd.DataFrame({"a": [1]}), "loaded", if_exists="append") == 1


def test_append_by_the_tables_columns(db):
    db.execute(
        "CREATE TABLE loaded (id INT AUTO_INCREMENT PRIMARY KEY, price DECIMAL(6, 2), d DATE, e ENUM('x','y'), "
        "n INT NOT NULL DEFAULT 7, j JSON, f FLOAT)"
    )
    frame = pd.DataFrame(
        {"PRICE": [1.25, None], "d": pd.to_datetime(["2020-01-01", None]), "e": ["y", "x"], "f": [0.5, 2.0]}
    )
    assert db.load(frame, "loaded", if_exists="append") == 2
    back = db.query("SELECT * FROM loaded ORDER BY id")
    assert back["n"].tolist() == [7, 7]
    assert back["price"].tolist()[0] == 1.25
    assert back["id"].tolist() == [1, 2]
    assert db.load(pd.DataFrame({"id": [0]}), "loaded", if_exists="append") == 1  # 0 is 0
    assert 0 in db.query("SELECT id FROM loaded")["id"].tolist()


@pytest.mark.parametrize(
    ("declaration", "values", "message"),
    [
        ("VARCHAR(2)", ["ab", "abc"], "Data too long for column 'c' at row 2"),
        ("TINYINT", [1, 128], "Out of range value for column 'c' at row 2"),
        ("DECIMAL(5, 1)", [1.5, 1.26], "column c, row 2: 1.26 came back as Decimal"),
        ("INT", [1.0, 2.5], "column c, row 2: 2.5 came back as 3|2"),
        ("FLOAT", [0.5, 0.1], "column c, row 2: 0.1 came back as 0.1"),
        ("DATE", [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01 05:00")], "column c, row 2"),
        ("DATETIME", [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-01 00:00:00.5")], "column c, row 2"),
        ("ENUM('a')", ["a", "b"], "for column 'c' at row 2|c` at row 2"),
        ("VARCHAR(9) CHARACTER SET latin1", ["a", "😀"], "at row 2"),
        ("CHAR(3)", ["a", "b "], "column c, row 2: 'b ' came back as 'b'"),
        ("BINARY(3)", [b"abc", b"b"], "column c, row 2"),
        ("INT NOT NULL", [1, None], "Column c, row 2: there is no value"),
        ("INT UNIQUE", [5, 5], "Duplicate entry"),
        ("INT CHECK (c < 2)", [1, 2], "CONSTRAINT"),
    ],
)
def test_what_does_not_fit_the_table(db, declaration, values, message):
    db.execute(f"SET SESSION sql_mode = ''; CREATE TABLE loaded (c {declaration})")
    with pytest.raises(RdsIamError, match=message):
        db.load(pd.DataFrame({"c": values}), "loaded", if_exists="append")
    assert db.query("SELECT * FROM loaded").empty
    assert db.transaction_since is None
    db.execute("SET SESSION sql_mode = @@GLOBAL.sql_mode")
    db._session.state = db._session.state.renewed()


def test_rows_are_counted_over_all_statements(db, monkeypatch):
    monkeypatch.setattr("rds_iam_magic.ingest.rows.SIZE", 100)
    db.execute("CREATE TABLE loaded (c VARCHAR(5))")
    with pytest.raises(OptionError, match="at row 91 ") as caught:
        db.load(pd.DataFrame({"c": ["ok"] * 90 + ["too long"]}), "loaded", if_exists="append")
    assert caught.value.cause == "load-value"


@pytest.mark.parametrize("how", ["fail", "append", "replace"])
@pytest.mark.parametrize(
    "values",
    [
        [1.0, np.inf],
        [1, "a"],
        [[1]],
        pd.Series(["\ud800"], dtype=object),
        [10**65],
        pd.to_datetime(["2020-01-01 00:00:00.000000001"]),
    ],
)
def test_what_no_table_can_hold(db, how, values):
    db.execute("CREATE TABLE loaded (c VARCHAR(99)); INSERT INTO loaded VALUES ('kept')")
    with pytest.raises(OptionError):
        db.load(pd.DataFrame({"c": values}), "loaded", if_exists=how)
    assert db.query("SELECT c FROM loaded")["c"].tolist() == ["kept"]


def test_the_users_transaction(db, notes):
    db.execute("CREATE TABLE loaded (c INT); BEGIN; INSERT INTO loaded VALUES (1)")
    frame = pd.DataFrame({"c": [2, 3]})
    with pytest.raises(OptionError, match="A transaction is open") as caught:
        db.load(frame, "loaded", if_exists="replace")
    assert caught.value.cause == "load-in-transaction"
    db.load(frame, "loaded", if_exists="append")
    assert "part of the open transaction" in notes[-1]
    with pytest.raises(OptionError, match="'x' for column `c` at row 1"):
        db.load(pd.DataFrame({"c": ["x"]}), "loaded", if_exists="append")
    with pytest.raises(RdsIamError):
        db.load(pd.DataFrame({"c": [1.5]}), "loaded", if_exists="append")
    assert len(db.query("SELECT * FROM loaded")) == 3
    db.execute("ROLLBACK")
    assert db.query("SELECT * FROM loaded").empty


def test_without_autocommit(scratch, db, notes):
    db.execute("CREATE TABLE loaded (c INT)")
    with scratch.connect(notes) as other:
        other._session.settings = SessionSettings(autocommit=False)
        other.execute("SET autocommit = 0")
        other.load(pd.DataFrame({"c": [1]}), "loaded", if_exists="append")
        assert db.query("SELECT * FROM loaded").empty
        other.execute("COMMIT")
    assert len(db.query("SELECT * FROM loaded")) == 1


def test_tables_that_are_none(db):
    frame = pd.DataFrame({"id": [1]})
    db.execute("CREATE VIEW loaded AS SELECT 1 AS id")
    try:
        for how in ("replace", "append"):
            with pytest.raises(OptionError, match="loaded is a view"):
                db.load(frame, "loaded", if_exists=how)
    finally:
        db.execute("DROP VIEW loaded")
    db.execute("CREATE TABLE loaded_parent (id INT PRIMARY KEY)")
    db.execute("CREATE TABLE loaded_child (id INT, FOREIGN KEY (id) REFERENCES loaded_parent (id))")
    with pytest.raises(OptionError, match="loaded_child has a foreign key"):
        db.load(frame, "loaded_parent", if_exists="replace")
    db.execute("CREATE TABLE loaded (id INT) ENGINE=MyISAM")
    with pytest.raises(OptionError, match="engine MyISAM"):
        db.load(frame, "loaded", if_exists="append")
    db.execute("DROP TABLE loaded; CREATE TEMPORARY TABLE loaded (id INT)")
    with pytest.raises(OptionError, match="is a temporary table"):
        db.load(frame, "loaded", if_exists="append")
    db.execute("DROP TEMPORARY TABLE loaded")
    db._session.state = db._session.state.renewed()


def test_names_that_need_quotes(db):
    frame = pd.DataFrame({"a`b": [1], "select": ["x"], "größe; --": [2.5]})
    try:
        db.load(frame, "`odd ``name`")
        pd.testing.assert_frame_equal(db.query("SELECT * FROM `odd ``name`"), frame, check_dtype=False)
    finally:
        db.execute("DROP TABLE IF EXISTS `odd ``name`")


def test_what_comes_back_otherwise_is_not_stored(db, monkeypatch):
    """A trigger-less stand-in for a server that stores something else: what was compared is what decides."""
    monkeypatch.setattr(loader, "first_difference", lambda *_: loader.Difference("a", 0, 1, 2))
    monkeypatch.setattr(loader, "same_rows", lambda *_: False)
    for how in ("fail", "append"):
        with pytest.raises(ResultError, match="column a, row 1: 1 came back as 2; nothing was stored") as caught:
            db.load(pd.DataFrame({"a": [1]}), "loaded", if_exists=how)
        assert caught.value.cause == "load-differs"
        assert "loaded" not in tables_of(db)


def test_a_wide_and_a_long_frame(db):
    wide = pd.DataFrame({f"c{i}": ["x" * 900] for i in range(60)})
    assert db.load(wide, "loaded") == 1
    rows = 30_000
    long = pd.DataFrame({"a": np.arange(rows), "b": [f"{i:040}" for i in range(rows)]})
    seen = []
    db.watch = seen.append
    assert db.load(long, "loaded", if_exists="replace") == rows
    assert db.query("SELECT COUNT(*) AS n, SUM(a) AS s FROM loaded").iloc[0].tolist() == [rows, rows * (rows - 1) // 2]
    told = [progress for progress in seen if progress.stage == "loading 30,000 rows"]
    assert told
    assert [p.rows for p in told] == sorted(p.rows for p in told)


def test_a_temporary_table(db):
    assert db.load_temporary(pd.DataFrame({"a": [1, 2]}), "mine") == 2
    assert db.load_temporary(pd.DataFrame({"b": ["x"]}), "mine") == 1
    assert db.query("SELECT * FROM mine")["b"].tolist() == ["x"]
    assert "temporary tables" in db._session.state.left
    with pytest.raises(OptionError, match="in the default schema"):
        db.load_temporary(pd.DataFrame({"a": [1]}), "scratch.mine")
    with pytest.raises(OptionError, match="is a temporary table"):
        db.load(pd.DataFrame({"a": [1]}), "mine")
    db.execute("DROP TEMPORARY TABLE mine; CREATE TABLE loaded (a INT)")
    with pytest.raises(OptionError, match="which the temporary one would hide"):
        db.load_temporary(pd.DataFrame({"a": [1]}), "loaded")
    db._session.state = db._session.state.renewed()


def test_a_temporary_table_that_is_not_complete_is_none(db, monkeypatch):
    monkeypatch.setattr(loader, "first_difference", lambda *_: loader.Difference("a", 0, 1, 2))
    monkeypatch.setattr(loader, "same_rows", lambda *_: False)
    with pytest.raises(ResultError):
        db.load_temporary(pd.DataFrame({"a": [1]}), "mine")
    with pytest.raises(RdsIamError, match="mine"):
        db.query("SELECT * FROM mine")


def test_without_a_schema(scratch, notes):
    with scratch.connect(notes, database=None) as other:
        for load in (other.load, other.load_temporary):
            with pytest.raises(OptionError, match="No schema is chosen"):
                load(pd.DataFrame({"a": [1]}), "loaded")
        other.load(pd.DataFrame({"a": [1]}), "scratch.loaded")


def test_frames_of_polars_and_arrow(db):
    polars = pytest.importorskip("polars")
    table = pa.table({"a": [1, None], "t": ["x", "y"]})
    for frame in (table, polars.from_arrow(table)):
        assert db.load(frame, "loaded", if_exists="replace") == 2
        assert db.query_arrow("SELECT * FROM loaded").to_pylist() == table.to_pylist()


def test_whatever_the_session_is_set_to(db):
    """Quotes, backslashes, character sets and empty strings mean what they are, whatever the user has set."""
    modes = "ANSI_QUOTES,EMPTY_STRING_IS_NULL,PAD_CHAR_TO_FULL_LENGTH"
    db.execute(f"SET SESSION sql_mode = '{modes}', time_zone = '+05:00'; SET NAMES latin1")
    frame = pd.DataFrame({"a": ["", "\\'\"", "é"], "t": pd.to_datetime(["2020-01-01"] * 3).tz_localize("Asia/Tokyo")})
    db.load(frame, "loaded")
    mode, zone, _ = settings_of(db)
    assert (set(mode.split(",")), zone) == (set(modes.split(",")), "+05:00")
    assert "session variables that were SET" in db._session.state.left
    db.execute("SET NAMES utf8mb4; SET SESSION sql_mode = @@GLOBAL.sql_mode, time_zone = @@GLOBAL.time_zone")
    back = db.query("SELECT a, UNIX_TIMESTAMP(t) AS t FROM loaded")
    assert back["a"].tolist() == frame["a"].tolist()
    assert back["t"].tolist() == [1577804400.0] * 3
    db.execute("SET NAMES latin1")
    with pytest.raises(RdsIamError):
        db.load(pd.DataFrame({"a": ["😀"]}), "loaded", if_exists="replace")
    assert len(db.query("SELECT * FROM loaded")) == 3
    db.execute("SET NAMES utf8mb4")
    db._session.state = db._session.state.renewed()


def test_a_session_that_reads_few_rows(db):
    """The rows are all read back, and all copied."""
    db.execute("SET SESSION sql_select_limit = 2")
    frame = pd.DataFrame({"a": range(5)})
    for how in ("fail", "append", "replace"):
        assert db.load(frame, "loaded", if_exists=how) == 5
    assert db.load_temporary(frame, "few") == 5
    assert db.query("SELECT COUNT(*), @@sql_select_limit FROM few, loaded").iloc[0].tolist() == [25, 2]
    db.execute("DROP TEMPORARY TABLE few; SET SESSION sql_select_limit = DEFAULT")
    db._session.state = db._session.state.renewed()
