"""Rows beside an INSERT's text, and rows as literals in it: the tables have the same, and the same is refused."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.connection.frames.own_statements import OwnStatements
from rds_iam_magic.errors import OptionError, RdsIamError
from tests.support.dataframes import ARROW, NULLABLE, NUMPY, OBJECTS, frames
from tests.support.logins import through_text

pytestmark = pytest.mark.slow  # servers and kernels

EVERY = [*NUMPY, *NULLABLE, *ARROW, *OBJECTS]
TYPES = [
    *("TINYINT", "INT UNSIGNED", "BIGINT", "BIGINT UNSIGNED", "DECIMAL(20, 5)", "FLOAT", "DOUBLE", "BIT(8)", "YEAR"),
    *("DATE", "DATETIME", "DATETIME(6)", "TIMESTAMP(6) NULL", "TIME", "TIME(6)"),
    *("CHAR(5)", "VARCHAR(40)", "VARCHAR(40) CHARACTER SET latin1", "TEXT", "VARBINARY(40)", "BLOB", "JSON"),
    *("ENUM('a', '5', 'é')", "SET('a', '5')"),
]


@pytest.fixture
def used(monkeypatch):
    """The INSERTs of the loads."""
    seen = []
    plain = OwnStatements.insert

    def insert(own, insert, head):
        seen.append(insert)
        return plain(own, insert, head)

    monkeypatch.setattr(OwnStatements, "insert", insert)
    return seen


@pytest.fixture
def as_text(scratch, notes):
    """A connection that prepares nothing."""
    with Connection(through_text(scratch.login()), notify=notes.append) as connection:
        yield connection


@pytest.fixture(autouse=True)
def no_tables(db):
    yield
    db.execute("DROP TABLE IF EXISTS beside, texts")
    assert not db.query("SHOW TABLES LIKE '\\_rds%'").size


def loaded(connection, frame, table, how, *, db=None):
    """What became of it: the rows as they are stored, which `db` reads if not `connection` itself, or the error."""
    try:
        connection.load(frame, table, if_exists=how)
    except RdsIamError as error:
        return type(error), error.cause
    return (db or connection).query_arrow(f"SELECT * FROM {table}").to_pydict()


@given(frame=frames(EVERY))
@settings(max_examples=25, deadline=None)
def test_new_tables(db, as_text, frame):
    beside = loaded(db, frame, "beside", "replace")
    texts = loaded(as_text, frame, "texts", "replace", db=db)
    assert repr(beside) == repr(texts)  # by repr: NaN, -0.0
    assert isinstance(beside, dict)
    both = [db.query_arrow(f"CHECKSUM TABLE {name} EXTENDED")["Checksum"].to_pylist() for name in ("beside", "texts")]
    assert both[0] == both[1]


@given(frame=frames(EVERY), kind=st.sampled_from(TYPES))
@settings(max_examples=60, deadline=None)
def test_tables_of_other_types(db, as_text, frame, kind):
    columns = ", ".join(f"{name} {kind}" for name in frame.columns)
    db.execute(f"CREATE OR REPLACE TABLE beside ({columns}); CREATE OR REPLACE TABLE texts ({columns})")
    assert repr(loaded(db, frame, "beside", "append")) == repr(loaded(as_text, frame, "texts", "append", db=db))


def test_which_way(scratch, notes, db, as_text, used):
    frame = pd.DataFrame({"a": ["é"]})

    def ways(connection):
        used.clear()
        connection.load(frame, "beside", if_exists="replace")
        return {bool(insert.beside) for insert in used}

    assert ways(db) == {True}
    assert ways(as_text) == {False}
    with scratch.connect(notes, compress="zlib") as compressed:
        assert ways(compressed) == {True}
    for charset in ("latin1", "utf8mb3"):
        db.execute(f"SET NAMES {charset}")
        assert ways(db) == {False}
    db.execute("SET NAMES utf8mb4")
    db._session.state = db._session.state.renewed()
    assert ways(db) == {True}


def test_a_server_that_prepares_nothing_now(sandbox, db, used):
    """Each INSERT goes as text instead; and none leaves a prepared statement behind."""
    rows = 40_000
    frame = pd.DataFrame({"a": np.arange(rows), "b": [f"{i:060}" for i in range(rows)]})
    with sandbox.server.root() as root:
        root.execute("SELECT @@GLOBAL.max_prepared_stmt_count")
        (most,) = root.fetchone()
        root.execute("SET GLOBAL max_prepared_stmt_count = 0")
        try:
            db.load(frame, "beside")
        finally:
            root.execute(f"SET GLOBAL max_prepared_stmt_count = {most}")
    assert {bool(insert.beside) for insert in used} == {True, False}
    assert sum(insert.rows for insert in used if not insert.beside) == rows
    used.clear()
    db.load(frame, "texts")
    assert {bool(insert.beside) for insert in used} == {True}
    assert loaded(db, frame[:0], "beside", "append") == loaded(db, frame[:0], "texts", "append")


@pytest.mark.parametrize("compress", ["off", "zlib"])
def test_values_of_every_size(scratch, notes, used, compress):
    """The largest row is too large for one packet: it goes as text."""
    sizes = [0, 1, 250, 251, 65_535, 65_536, 1_100_000, 16_777_200, 16_777_216, 0]
    random = np.random.default_rng(1)
    frame = pd.DataFrame({"n": range(len(sizes)), "v": [random.bytes(size) for size in sizes], "t": ["é'\\\n"] * 10})
    with scratch.connect(notes, compress=compress) as connection:
        connection.max_memory = "4 GB"
        connection.load(frame, "beside")
        assert connection.query_arrow("SELECT * FROM beside ORDER BY n").to_pydict() == pa.table(frame).to_pydict()
    assert [insert.first for insert in used if not insert.beside] == [7, 8]
    assert [insert.rows for insert in used if not insert.beside] == [1, 1]
    assert sum(insert.rows for insert in used) == len(sizes)


def test_a_row_that_the_server_refuses_is_named(db, monkeypatch):
    monkeypatch.setattr("rds_iam_magic.ingest.rows.SIZE", 60)
    db.execute("CREATE TABLE beside (a TINYINT, b VARCHAR(9))")
    frame = pd.DataFrame({"a": [*range(100), 128], "b": "x"})
    with pytest.raises(OptionError, match="Out of range value for column 'a' at row 101 "):
        db.load(frame, "beside", if_exists="append")
    assert db.query("SELECT * FROM beside").empty
