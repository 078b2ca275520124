"""Recorded answers, split anywhere; broken and hostile ones: refused, never a crash, a hang or a value."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rds_iam_magic.errors import ConnectionLostError, DecodeError, ProtocolError, StatementError
from rds_iam_magic.mysql.decode import Decoder
from rds_iam_magic.mysql.wire.events import Ok, ResultSetEnd, ResultSetStart, Rows, ServerError
from rds_iam_magic.mysql.wire.response import MAX_COLUMNS
from tests.support.packets import DECIMAL, TEXT, column, definition, eof, err, ok, packets, result
from tests.support.responses import feed

MORE = 0x0008


def values(events):
    """The answer's meaning, without how its rows were cut into pieces."""
    found, decoder = [], None
    for event in events:
        if isinstance(event, ResultSetStart):
            decoder = Decoder(event.columns)
            found.append([])
        elif isinstance(event, Rows):
            found[-1] += decoder.decode(event).to_pylist()
        else:
            found.append(event)
    return found


COLUMNS = [column("a"), column("t", TEXT), column("d", DECIMAL, decimals=2, length=14)]
RECORDED = {
    "ok": packets([ok()]),
    "error": packets([err()]),
    "empty": packets(result(COLUMNS, [])),
    "rows": packets(result(COLUMNS, [[b"1", b"x", b"1.50"], [None, b"", b"-0.01"], [b"-7", "é".encode(), None]])),
    "error in the rows": packets(result(COLUMNS, [[b"1", b"x", b"1.50"]], err())),
    "several": packets(
        [*result(COLUMNS[:1], [[b"1"]], eof(2 | MORE)), *result(COLUMNS[1:2], [[b"y"]], eof(MORE)), ok()]
    ),
    "long text": packets(result(COLUMNS[1:2], [[b"z" * 251], [b"w" * 400], [b""]])),
    "many": packets(result(COLUMNS[:1], [[str(n).encode()] for n in range(120)])),
}


@pytest.mark.parametrize("name", RECORDED)
def test_split_at_every_byte(name):
    data = RECORDED[name]
    expected = values(feed(data))
    for place in range(1, len(data)):
        assert values(feed(data, [place])) == expected
    assert values(feed(data, range(len(data)))) == expected, "byte by byte"


@given(name=st.sampled_from(sorted(RECORDED)), cuts=st.lists(st.integers(1, 2000)), piece=st.integers(256, 600))
def test_split_anywhere_into_pieces_of_any_size(name, cuts, piece):
    assert values(feed(RECORDED[name], cuts, piece)) == values(feed(RECORDED[name]))


def test_what_a_recorded_answer_says():
    assert values(feed(RECORDED["rows"])) == [
        [{"a": 1, "t": "x", "d": 1.5}, {"a": None, "t": "", "d": -0.01}, {"a": -7, "t": "é", "d": None}],
        ResultSetEnd(2, 0),
    ]
    assert values(feed(RECORDED["ok"])) == [Ok(1, 0, 2, 0, "")]
    (error,) = values(feed(RECORDED["error"]))
    assert (error.code, error.sqlstate, error.message) == (1317, "70100", "Query execution was interrupted")
    assert isinstance(values(feed(RECORDED["error in the rows"]))[-1], ServerError)


def test_a_short_answer_is_a_lost_connection():
    data = RECORDED["rows"]
    for end in range(1, len(data)):
        with pytest.raises(ConnectionLostError):
            feed(data[:end])


HOSTILE = {
    "no columns": packets([b"\x00"[:0] or b"\xfc\x00\x00"]),
    "4,097 columns": packets([b"\xfc" + struct.pack("<H", MAX_COLUMNS + 1)]),
    "endless columns": packets([b"\xfe" + b"\xff" * 8]),
    "LOAD DATA LOCAL": packets([b"\xfb/etc/passwd"]),
    "empty packet": packets([b""]),
    "wrong sequence": packets([ok()], sequence=2),
    "sequence that jumps": packets(result(COLUMNS[:1], [])[:2]) + packets([eof()], sequence=9),
    "more than an answer": packets([ok(), ok()]),
    "error in the columns": packets([b"\x02", definition(COLUMNS[0]), err()]),
    "a cut definition": packets([b"\x01", definition(COLUMNS[0])[:9], eof()]),
    "a definition that leads out": packets([b"\x01", b"\xfe" + b"\xff" * 8, eof()]),
    "no end of the columns": packets([b"\x01", definition(COLUMNS[0]), b"\x01\x31"]),
    "a cut error": packets([b"\xff\x01"]),
    "a cut ok": packets([b"\x00\x01"]),
    "a row of nothing": packets([*result(COLUMNS[:1], [])[:-1], b"", eof()]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers(name):
    with pytest.raises(ProtocolError):
        values(feed(HOSTILE[name]))


@pytest.mark.parametrize(
    ("row", "error"),
    [
        (b"\x05123", ProtocolError),
        (b"\x01\x31\x01\x32", ProtocolError),
        (b"\xfc\xff\xff1", ProtocolError),
        (b"\xfd\xff\xff\xff1", ProtocolError),
        (b"\xfe" + b"\xff" * 8, ProtocolError),
        (b"\xfe" + struct.pack("<Q", 2**63) + b"1", ProtocolError),
        (b"\xff", ProtocolError),
        (b"\x00\x00\x00", ProtocolError),
        (b"\x021x", DecodeError),
        (b"\x01-", DecodeError),
        (b"\x13" + b"9" * 19, DecodeError),
        (b"\x14" + b"9" * 20, DecodeError),
        (b"\x02 1", DecodeError),
    ],
)
def test_rows_that_are_no_integers_of_one_column(row, error):
    """As the second row as well, where there is a right one before it."""
    for before in ([], [b"\x011"]):
        data = packets([*result([column()], [])[:-1], *before, row, eof()])
        with pytest.raises(error):
            values(feed(data))


@settings(max_examples=4 * settings.default.max_examples)
@given(data=st.data(), name=st.sampled_from(sorted(RECORDED)))
def test_mutated_answers_never_crash(data, name):
    damaged = bytearray(RECORDED[name])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        values(feed(bytes(damaged), piece=data.draw(st.integers(256, 5000))))
    except (ProtocolError, ConnectionLostError, DecodeError):
        return


@settings(max_examples=4 * settings.default.max_examples)
@given(data=st.binary(min_size=1, max_size=300))
def test_random_bytes_never_crash(data):
    try:
        values(feed(data))
    except (ProtocolError, ConnectionLostError, DecodeError):
        return


@pytest.mark.parametrize("size", [16_777_213, 16_777_214, 16_777_215, 16_777_216, 20_000_000, 33_554_428])
def test_rows_of_several_packets(fresh, size):
    frame = fresh.query(f"SELECT 1 AS a, REPEAT('x', {size}) AS big, 2 AS b UNION ALL SELECT 3, 'small', 4")
    assert frame["big"].str.len().tolist() == [size, 5]
    assert frame["a"].tolist() == [1, 3]
    assert frame["b"].tolist() == [2, 4]


def test_a_first_field_of_sixteen_megabytes(fresh):
    frame = fresh.query("SELECT REPEAT('é', 10000000) AS big, 7 AS a")
    assert len(frame.loc[0, "big"]) == 10_000_000
    assert frame.loc[0, "a"] == 7


def test_an_error_in_the_middle_of_the_rows(fresh):
    fresh.execute("SET max_statement_time = 0.4")
    with pytest.raises(StatementError, match="1969"):
        fresh.query("SELECT seq, REPEAT('x', 1000), SLEEP(0.001) FROM seq_1_to_100000")
    assert fresh.query("SELECT 1 AS a")["a"].tolist() == [1]


def test_several_result_sets_of_a_procedure(sandbox, fresh):
    with sandbox.server.root() as root:
        root.execute("CREATE OR REPLACE PROCEDURE scratch.two() BEGIN SELECT 1 AS a; SELECT 'x' AS b; END")
    first, second, changed = fresh.run("CALL two()")
    assert first.to_pandas()["a"].tolist() == [1]
    assert second.to_pandas()["b"].tolist() == ["x"]
    assert changed.rows == 0


def test_the_rows_of_ten_packets_wrap_the_sequence_numbers(fresh):
    assert len(fresh.query("SELECT seq FROM seq_1_to_1000")) == 1000
