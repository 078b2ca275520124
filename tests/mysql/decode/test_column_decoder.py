"""A value that cannot be decoded: the error says where it is and what to do, and the session stays as it was."""

import numpy as np
import pytest

from rds_iam_magic.errors import DecodeError
from rds_iam_magic.mysql.decode import Decoder
from rds_iam_magic.mysql.decode.column_decoder import ColumnDecoder
from rds_iam_magic.mysql.decode.integers import Integers
from rds_iam_magic.mysql.wire.column import Column
from rds_iam_magic.mysql.wire.events import PAD, Rows
from tests.support.packets import column, encoded, rows_of

INT, DOUBLE, YEAR, DATE, DATETIME, TIME, BIT, DECIMAL, TEXT = 3, 5, 13, 10, 12, 11, 16, 246, 253
UNREADABLE = "MAX(b) OVER () AS x"  # 53 of a BIT(8) comes as the byte "5", which may be the number 5, too


@pytest.fixture
def doubtful(db):
    """A connection with a table of rows whose BITs come in a form that is in doubt."""
    db.execute("CREATE OR REPLACE TABLE doubtful (n INT PRIMARY KEY, b BIT(8))")
    db.execute("INSERT INTO doubtful VALUES (1, 53), (2, 53)")
    yield db
    db.execute("ROLLBACK; DROP TABLE doubtful")


def open_state(db):
    """Begin what a lost session would lose; returns how to ask for it."""
    db.execute("CREATE TEMPORARY TABLE mine (a INT); INSERT INTO mine VALUES (7); SET @mine = 8; BEGIN")
    db.execute("INSERT INTO doubtful VALUES (3, 53)")
    sql = "SELECT CONNECTION_ID() AS id, a, @mine AS v, (SELECT COUNT(*) FROM doubtful) AS n FROM mine"
    return lambda: db.query(sql).iloc[0].tolist()


WAYS = {
    "query": lambda db, sql, _: db.query(sql),
    "arrow": lambda db, sql, _: db.query_arrow(sql),
    "batches": lambda db, sql, _: list(db.batches(sql)),
    "chunks": lambda db, sql, _: list(db.query(sql, chunksize=10)),
    "write": lambda db, sql, path: db.write(sql, path / "x.csv"),
    "run": lambda db, sql, _: list(db.run(sql)),
    "limit": lambda db, sql, _: db.query(sql, limit=1),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_session_stays(doubtful, notes, tmp_path, way):
    state = open_state(doubtful)
    before = state()
    with pytest.raises(DecodeError, match=r"Row 1 of column x: '5' "):
        WAYS[way](doubtful, f"SELECT n, {UNREADABLE} FROM doubtful", tmp_path)
    assert not doubtful.lost
    assert state() == before
    assert doubtful.transaction_since is not None
    assert list(tmp_path.iterdir()) == []
    doubtful.execute("ROLLBACK")
    assert state()[-1] == 2, "the transaction was the same one"
    assert notes == []


def test_what_a_limit_leaves_out_need_not_be_readable(doubtful):
    doubtful.execute("INSERT INTO doubtful VALUES (0, NULL)")
    sql = "SELECT n, MAX(b) OVER (PARTITION BY n) AS x FROM doubtful ORDER BY n"
    assert doubtful.query(sql, limit=1)["n"].tolist() == [0]
    with pytest.raises(DecodeError, match="Row 2 of column x"):
        doubtful.query(sql, limit=2)


@pytest.mark.parametrize("rows", [10, 300_000])
def test_in_the_middle_of_an_answer(doubtful, monkeypatch, protocol, rows):
    """The rest of it is not wanted; the rows are counted over all pieces."""
    name = "decode" if protocol == "text" else "decode_binary"
    decode, bad = getattr(Integers, name), rows - 3

    def refuse(self, cells):
        values = decode(self, cells)
        if bad in values.to_pylist():
            raise ValueError("Arrow's own error")
        return values

    monkeypatch.setattr(Integers, name, refuse)
    monkeypatch.setattr(Integers, "decode_one", ColumnDecoder.decode_one)  # which leaves it to the others
    state_before = open_state(doubtful)
    with pytest.raises(DecodeError) as caught:
        doubtful.query(f"SELECT REPEAT('x', 50) AS t, seq FROM seq_1_to_{rows}")
    monkeypatch.undo()
    shown = f"'{bad}'" if protocol == "text" else f"0x{bad.to_bytes(8, 'little').hex()}"
    assert caught.value.message == f"Row {bad:,} of column seq: {shown} is not a valid value of its type (8)."
    assert (caught.value.column, caught.value.row) == ("seq", bad)
    assert state_before()[1:] == [7, 8, 3]


def test_what_writes_runs_to_its_end(sandbox, doubtful):
    with sandbox.server.root() as root:
        root.execute(
            f"CREATE OR REPLACE PROCEDURE scratch.show_and_add() BEGIN SELECT {UNREADABLE} FROM doubtful; "
            "INSERT INTO doubtful VALUES (9, 1); END"
        )
    with pytest.raises(DecodeError):
        list(doubtful.run("CALL show_and_add()"))
    assert doubtful.query("SELECT COUNT(*) AS n FROM doubtful WHERE n = 9")["n"].tolist() == [1]


def refused(kind, texts, **options):
    decoder = Decoder([column("first"), column("bad", kind, **options)])
    data = bytearray()
    starts = []
    for text in texts:
        starts.append(len(data))
        data += encoded(b"1") + encoded(text)
    rows = Rows(np.frombuffer(bytes(data) + bytes(PAD), np.uint8), np.array(starts), np.array([*starts[1:], len(data)]))
    with pytest.raises(DecodeError) as caught:
        decoder.decode(rows)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "good", "bad", "options"),
    [
        (INT, b"12", b"1x", {}),
        (INT, b"12", b"9223372036854775808", {}),
        (INT, b"12", b"", {}),
        (8, b"12", b"-1", {"flags": 0x20}),
        (YEAR, b"2024", b"zzzz", {}),
        (DOUBLE, b"1.5", b"nan", {}),
        (DECIMAL, b"1.50", b"1,50", {"decimals": 2}),
        (DATE, b"2024-01-01", b"2024-1-01", {}),
        (DATETIME, b"2024-01-01 00:00:00", b"2024-01-01 25:61:00", {}),
        (TIME, b"10:00:00", b"10:0", {}),
        (BIT, b"\xff", b"-1", {"length": 8}),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 6, 9])
def test_every_family_names_the_place(kind, good, bad, options, place):
    texts = [good, None, good, good, None, good, good, good, good, good]
    texts[place] = bad
    error = refused(kind, texts, **options)
    assert (error.column, error.row) == ("bad", place + 1)
    assert error.message.startswith(f"Row {place + 1} of column bad: {bad.decode()!r} is not a valid ")
    assert error.hint.startswith("Select CAST(… AS ")
    assert error.__cause__ is None
    assert "\n" not in error.message


def test_bytes_that_are_no_text_can_be_had_as_bytes():
    error = refused(DATE, [b"\xff\x1b[31m" + b"x" * 10_000])
    assert error.message.startswith("Row 1 of column bad: '\\\\xff\\x1b[31mxxx")
    assert len(error.message) < 120


def test_the_remedy_has_the_columns_own_name():
    decoder = Decoder([Column("shown", DATE, 63, 10, 0, 0, "placed `at`", "o", "orders", "s")])
    with pytest.raises(DecodeError, match="column shown: 'x'") as caught:
        decoder.decode(rows_of([b"x"]))
    assert caught.value.hint == "Select CAST(`placed ``at``` AS CHAR) instead, or omit the column."


def test_a_type_that_is_not_known():
    with pytest.raises(DecodeError, match=r"Column c has an unsupported type \(99\)") as caught:
        Decoder([column("c", 99)])
    assert caught.value.column == "c"
    assert "CAST(… AS CHAR)" in caught.value.hint


def test_rows_are_counted_over_pieces():
    decoder = Decoder([column("c")])
    decoder.decode(rows_of([b"1", b"2", b"3"]))
    decoder.decode(rows_of([b"4"]))
    with pytest.raises(DecodeError, match="Row 6 of column c: 'x'"):
        decoder.decode(rows_of([b"5", b"x", b"y"]))
