"""Recorded answers, split anywhere; broken and hostile ones: refused, never a crash, a hang or a value."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rds_iam_magic.errors import ConnectionLostError, DecodeError, ProtocolError, StatementError
from rds_iam_magic.mysql.decode import DecodeOptions, Decoder
from rds_iam_magic.mysql.wire.commands import COM_STMT_EXECUTE, COM_STMT_PREPARE
from rds_iam_magic.mysql.wire.events import (
    Ok,
    Prepared,
    PrepareFailed,
    ResultSetEnd,
    ResultSetStart,
    Rows,
    ServerError,
)
from rds_iam_magic.mysql.wire.response import MAX_COLUMNS
from tests.support import binary
from tests.support.packets import DECIMAL, TEXT, column, definition, eof, err, ok, packets, result
from tests.support.responses import feed

MORE = 0x0008


def values(events):
    """The answer's meaning, without how its rows were cut into pieces."""
    found, decoder = [], None
    for event in events:
        if isinstance(event, ResultSetStart):
            decoder = Decoder(event.columns, DecodeOptions(binary=event.binary))
            found.append([])
        elif isinstance(event, Rows):
            found[-1] += decoder.decode(event).to_pylist()
        else:
            found.append(event)
    return found


COLUMNS = [column("a"), column("t", TEXT), column("d", DECIMAL, decimals=2, length=14)]
ROWS = [[b"1", b"x", b"1.50"], [None, b"", b"-0.01"], [b"-7", "é".encode(), None]]
SAME_ROWS = [[1, b"x", b"1.50"], [None, b"", b"-0.01"], [-7, "é".encode(), None]]
MANY = 120
PREPARED = packets(binary.prepared(COLUMNS))
RECORDED = {
    "ok": packets([ok()]),
    "error": packets([err()]),
    "empty": packets(result(COLUMNS, [])),
    "rows": packets(result(COLUMNS, ROWS)),
    "error in the rows": packets(result(COLUMNS, ROWS[:1], err())),
    "several": packets(
        [*result(COLUMNS[:1], [[b"1"]], eof(2 | MORE)), *result(COLUMNS[1:2], [[b"y"]], eof(MORE)), ok()]
    ),
    "long text": packets(result(COLUMNS[1:2], [[b"z" * 251], [b"w" * 400], [b""]])),
    "many": packets(result(COLUMNS[:1], [[str(n).encode()] for n in range(MANY)])),
    "prepared: empty": binary.response(COLUMNS, []),
    "prepared: rows": binary.response(COLUMNS, SAME_ROWS),
    "prepared: error": PREPARED + packets([err()]),
    "prepared: error in the rows": binary.response(COLUMNS, SAME_ROWS[:1], err()),
    "prepared: ok": packets(binary.prepared([])) + packets([ok()]),
    "prepared: long text": binary.response(COLUMNS[1:2], [[b"z" * 251], [b"w" * 400], [b""]]),
    "prepared: many": binary.response(COLUMNS[:1], [[n] for n in range(MANY)]),
    "prepared: parameters": packets(binary.prepared(COLUMNS, 3)) + packets([err(1210)]),
    "not prepared": packets([err(1295)]) + packets([err(1243)]),
    "only prepared": PREPARED,
    "only prepared: parameters": packets(binary.prepared([], 2)),
    "only prepared: no rows": packets(binary.prepared([])),
    "only prepared: error": packets([err(1064)]),
    "only executed": packets(binary.result(COLUMNS, SAME_ROWS)),
}


def how(name: str) -> dict:
    """The command that a recorded answer is one to."""
    if name.startswith("only executed"):
        return {"command": COM_STMT_EXECUTE}
    if "prepared" in name:
        return {"command": COM_STMT_PREPARE, "then_execute": not name.startswith("only")}
    return {}


@pytest.mark.parametrize("name", RECORDED)
def test_split_at_every_byte(name, every):
    data = RECORDED[name]
    expected = values(feed(data, **how(name)))
    for place in range(1, len(data), every if len(data) < 1000 else 3 * every):
        assert values(feed(data, [place], **how(name))) == expected
    assert values(feed(data, range(len(data)), **how(name))) == expected, "byte by byte"


@given(name=st.sampled_from(sorted(RECORDED)), cuts=st.lists(st.integers(1, 2000)), piece=st.integers(256, 600))
def test_split_anywhere_into_pieces_of_any_size(name, cuts, piece):
    assert values(feed(RECORDED[name], cuts, piece, **how(name))) == values(feed(RECORDED[name], **how(name)))


@pytest.mark.parametrize("name", ["empty", "rows", "error in the rows", "long text", "many"])
def test_both_protocols_say_the_same(name):
    prepared, *rest = values(feed(RECORDED[f"prepared: {name}"], **how("prepared")))
    assert isinstance(prepared, Prepared)
    assert rest == values(feed(RECORDED[name]))


def test_what_preparing_says():
    def read(name):
        return values(feed(RECORDED[name], **how(name)))

    assert read("only prepared") == [Prepared(1, 0, 3)]
    assert read("only prepared: parameters") == [Prepared(1, 2, 0)]
    assert read("only prepared: no rows") == [Prepared(1, 0, 0)]
    (failed,) = read("only prepared: error")
    assert isinstance(failed, PrepareFailed)
    assert failed.error.code == 1064
    failed, error = read("not prepared")
    assert (type(failed), failed.error.code, error.code) == (PrepareFailed, 1295, 1243)
    assert [type(event) for event in read("prepared: error")] == [Prepared, ServerError]
    assert read("prepared: ok") == [Prepared(1, 0, 0), Ok(1, 0, 2, 0, "")]
    assert [type(event) for event in read("prepared: parameters")] == [Prepared, ServerError]


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
    for name in ("rows", "prepared: rows", "prepared: parameters", "not prepared", "only prepared"):
        data = RECORDED[name]
        for end in range(1, len(data)):
            with pytest.raises(ConnectionLostError):
                feed(data[:end], **how(name))


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
    "prepared: wrong sequence": PREPARED + packets([err()], sequence=2),
    "prepared: sequence that goes on": packets([*binary.prepared(COLUMNS), *binary.result(COLUMNS, [])]),
    "prepared: a cut first packet": packets([b"\0\1\0\0\0\1\0"]),
    "prepared: neither": packets([eof()]),
    "prepared: LOAD DATA LOCAL": packets([b"\xfb/etc/passwd"]),
    "prepared: a row of nothing": PREPARED + packets([*binary.result(COLUMNS, [])[:-1], b"", eof()]),
    "prepared: text rows": PREPARED + packets(result(COLUMNS, ROWS)),
    "prepared: an empty description": packets([binary.prepared(COLUMNS)[0], b""]),
    "prepared: LOAD DATA LOCAL at last": PREPARED + packets([b"\xfb/etc/passwd"]),
    "prepared: a second answer": binary.response(COLUMNS, []) + packets([ok()]),
    "not prepared: a second answer": packets([err(1295)]) + packets([err(1243), ok()]),
    "only prepared: rows": binary.response(COLUMNS, SAME_ROWS),
    "only prepared: error and more": packets([err(1064), err(1064)]),
    "only executed: text rows": packets(result(COLUMNS, ROWS)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers(name):
    with pytest.raises(ProtocolError):
        values(feed(HOSTILE[name], **how(name)))


@pytest.mark.parametrize(("parameters", "columns"), [(0xFFFF, 0), (0, 0xFFFF), (0xFFFF, 0xFFFF), (3, 1)])
def test_more_descriptions_announced_than_sent(parameters, columns):
    """What is missing is waited for: the response to the execution is not taken for descriptions without a word."""
    head = b"\0" + struct.pack("<IHHBH", 1, columns, parameters, 0, 0)
    data = packets([head, *binary.prepared(COLUMNS)[1:]]) + packets(binary.result(COLUMNS, SAME_ROWS))
    with pytest.raises(ProtocolError):
        values(feed(data, **how("prepared")))


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
        values(feed(bytes(damaged), piece=data.draw(st.integers(256, 5000)), **how(name)))
    except (ProtocolError, ConnectionLostError, DecodeError):
        return


@settings(max_examples=4 * settings.default.max_examples)
@given(
    data=st.binary(min_size=1, max_size=300), name=st.sampled_from(["ok", "prepared", "only prepared", "only executed"])
)
def test_random_bytes_never_crash(data, name):
    try:
        values(feed(data, **how(name)))
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
