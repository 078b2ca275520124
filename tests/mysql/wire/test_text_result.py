"""Recorded answers, split anywhere; broken and hostile ones: refused, never a crash, a hang or a value.

And columns that hypothesis makes up, against Python's own readings of the texts.
"""

import datetime as dt
import struct
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rds_iam_magic.errors import ConnectionLostError, DecodeError, ProtocolError
from rds_iam_magic.mysql.decode import DecodeOptions, Decoder
from rds_iam_magic.mysql.wire.charsets import Announced
from rds_iam_magic.mysql.wire.events import Ok, ResultSetEnd, ResultSetStart, Rows, ServerError
from rds_iam_magic.mysql.wire.text_result import MAX_COLUMNS, ResponseParser
from tests.support.packets import (
    BIT,
    DATE,
    DATETIME,
    DECIMAL,
    DOUBLE,
    INT,
    TEXT,
    TIME,
    column,
    definition,
    encoded,
    eof,
    err,
    ok,
    packets,
    result,
    rows_of,
)

MORE = 0x0008


def feed(data, cut=None, piece=4096):
    """All events of a stream of bytes, fed in parts that end where `cut` says."""
    response, events, at = ResponseParser(chunk_bytes=piece), [], 0
    ends = sorted({*(cut or []), len(data)})
    while at < len(data):
        space = response.get_buffer()
        end = next((e for e in ends if e > at), len(data))
        part = data[at : min(end, at + len(space))]
        space[: len(part)] = part
        events += response.buffer_updated(len(part))
        at += len(part)
    if not response.done:
        response.eof_received()
    return events


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
    "many": packets(result(COLUMNS[:1], [[str(n).encode()] for n in range(300)])),
}


def changed(*variables, rest=b""):
    """An OK packet with what a session tracker says: of MySQL one entry a variable, of MariaDB all in one."""
    entries = b"".join(b"\x00" + encoded(b"".join(map(encoded, pair))) for pair in variables)
    return b"\x00\x00\x00" + struct.pack("<HH", 2 | 0x4000, 0) + b"\x04info" + encoded(entries + rest)


TRACKED = [(b"character_set_client", b"latin1"), (b"character_set_results", b"latin1")]


@pytest.mark.parametrize(
    "packet",
    [
        changed(*TRACKED),
        changed((*TRACKED[0], *TRACKED[1])),
        changed(*TRACKED, rest=b"\x01" + encoded(encoded(b"scratch")) + b"\x02\x02\x011"),
    ],
    ids=["an entry each", "one entry", "and a schema, and a state"],
)
def test_the_servers_words_on_the_character_sets(packet):
    announced = Announced(tracked=True)
    response = ResponseParser(announced=announced)
    data = packets([packet])
    response.get_buffer()[: len(data)] = data
    (event,) = response.buffer_updated(len(data))
    assert (event.info, event.affected_rows, event.status) == ("info", 0, 2 | 0x4000)
    assert (announced.client.name, announced.results.name) == ("latin1", "latin1")
    assert feed(packets([err(message=b"gr\xf6\xdfe")]))[0].message == "gr\\xf6\\xdfe", "another session's"


@pytest.mark.parametrize("tracked", [False, True])
def test_the_info_behind_its_length(tracked):
    response = ResponseParser(announced=Announced(tracked=tracked))
    data = packets([ok() + b"\x28Rows matched: 2  Changed: 2  Warnings: 0"])
    response.get_buffer()[: len(data)] = data
    assert response.buffer_updated(len(data))[0].info == "Rows matched: 2  Changed: 2  Warnings: 0"


@pytest.mark.parametrize("cut", range(1, 40))
def test_such_words_that_break_off(cut):
    packet = changed(*TRACKED)
    response = ResponseParser(announced=Announced(tracked=True))
    data = packets([packet[:-cut]])
    response.get_buffer()[: len(data)] = data
    with pytest.raises(ProtocolError):
        response.buffer_updated(len(data))


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
    with pytest.raises((ProtocolError, ConnectionLostError, DecodeError)):
        values(feed(HOSTILE[name]))


@pytest.mark.parametrize(
    "row",
    [
        b"\x05123",
        b"\x01\x31\x01\x32",
        b"\xfc\xff\xff1",
        b"\xfd\xff\xff\xff1",
        b"\xfe" + b"\xff" * 8,
        b"\xfe" + struct.pack("<Q", 2**63) + b"1",
        b"\xff",
        b"\x00\x00\x00",
        b"\x021x",
        b"\x01-",
        b"\x13" + b"9" * 19,
        b"\x14" + b"9" * 20,
        b"\x02 1",
    ],
)
def test_rows_that_are_no_integers_of_one_column(row):
    """As the second row as well, where there is a right one before it."""
    for before in ([], [b"\x011"]):
        data = packets([*result([column()], [])[:-1], *before, row, eof()])
        with pytest.raises((ProtocolError, ConnectionLostError, DecodeError)):
            values(feed(data))


@settings(max_examples=400)
@given(data=st.data(), name=st.sampled_from(sorted(RECORDED)))
def test_mutated_answers_never_crash(data, name):
    damaged = bytearray(RECORDED[name])
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        values(feed(bytes(damaged), piece=data.draw(st.integers(256, 5000))))
    except (ProtocolError, ConnectionLostError, DecodeError):
        return


@settings(max_examples=400)
@given(data=st.binary(min_size=1, max_size=300))
def test_random_bytes_never_crash(data):
    try:
        values(feed(data))
    except (ProtocolError, ConnectionLostError, DecodeError):
        return


# Columns that are made up, without a server


def decoded(kind, texts, **options):
    decimal = options.pop("decimal", "float")
    decoder = Decoder([column("c", kind, **options)], DecodeOptions(decimal=decimal))
    return decoder.decode(rows_of([None if text is None else text.encode() for text in texts]))["c"]


def nullable(strategy):
    return st.lists(st.none() | strategy, min_size=1, max_size=60)


@given(nullable(st.integers(-(2**63), 2**63 - 1)))
def test_integers(numbers):
    assert decoded(INT, [None if n is None else str(n) for n in numbers]).to_pylist() == numbers


@given(nullable(st.integers(0, 2**64 - 1)), st.integers(0, 40))
def test_unsigned_integers_with_leading_zeros(numbers, width):
    texts = [None if n is None else str(n).zfill(width) for n in numbers]
    assert decoded(8, texts, flags=0x20).to_pylist() == numbers


@given(nullable(st.integers(2**63, 10**40) | st.integers(-(10**40), -(2**63) - 1)))
def test_integers_that_are_none(numbers):
    if any(n is not None for n in numbers):
        with pytest.raises(DecodeError):
            decoded(INT, [None if n is None else str(n) for n in numbers])


@given(nullable(st.floats(allow_nan=False, allow_infinity=False)))
def test_floats(numbers):
    assert decoded(DOUBLE, [None if n is None else repr(n) for n in numbers]).to_pylist() == numbers


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "", "1.5x", "0x10", "1e999", " 1"])
def test_texts_that_are_no_floats(text):
    with pytest.raises(DecodeError):
        decoded(DOUBLE, ["1.5", text])


@given(st.data(), st.integers(0, 30))
def test_decimals(data, scale):
    limit = 10 ** data.draw(st.integers(scale or 1, 38))
    numbers = data.draw(nullable(st.integers(-limit + 1, limit - 1)))
    exact = [None if n is None else Decimal(f"{n}e-{scale}") for n in numbers]
    texts = [None if value is None else f"{value:f}" for value in exact]
    length = 38 + (scale > 0) + 1
    assert decoded(DECIMAL, texts, decimals=scale, length=length, decimal="exact").to_pylist() == exact
    floats = decoded(DECIMAL, texts, decimals=scale, length=length).to_pylist()
    assert floats == (exact if scale == 0 else [None if text is None else float(text) for text in texts])


@given(nullable(st.dates()))
def test_dates(days):
    assert decoded(DATE, [None if d is None else d.isoformat() for d in days]).to_pylist() == days


@given(nullable(st.datetimes()), st.integers(0, 6))
def test_datetimes(moments, digits):
    def shown(moment):
        text = moment.strftime("%H:%M:%S.%f")
        return f"{moment:%Y}".zfill(4) + f"-{moment:%m-%d} " + (text[: 9 + digits] if digits else text[:8])

    unit = 10 ** (6 - digits)
    cut = [None if m is None else m.replace(microsecond=m.microsecond // unit * unit) for m in moments]
    assert decoded(DATETIME, [None if m is None else shown(m) for m in moments], decimals=digits).to_pylist() == cut


@given(nullable(st.integers(-3_020_399_999_999, 3_020_399_999_999)))
def test_times(microseconds):
    def shown(value):
        seconds, fraction = divmod(abs(value), 1_000_000)
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:06d}"
        return f"-{clock}" if value < 0 else clock

    texts = [None if value is None else shown(value) for value in microseconds]
    expected = [None if value is None else dt.timedelta(microseconds=value) for value in microseconds]
    assert decoded(TIME, texts, decimals=6).to_pylist() == expected


@given(nullable(st.text(max_size=300)))
def test_texts(texts):
    assert decoded(TEXT, texts).to_pylist() == texts


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (DATE, "2024-1-01"),
        (DATE, "2024/01/01"),
        (DATE, "20240101"),
        (DATE, "2024-01-0x"),
        (DATETIME, "2024-01-01"),
        (DATETIME, "2024-01-01T00:00:00"),
        (DATETIME, "2024-01-01 00:60:00"),
        (DATETIME, "2024-01-01 00:00:00."),
        (TIME, "1:00:00"),
        (TIME, "00:00"),
        (TIME, "--1:00:00"),
        (TIME, "00:00:00.1234567"),
        (DECIMAL, "1,5"),
        (DECIMAL, "--1"),
        (DECIMAL, ""),
        (BIT, "123456789"),
    ],
)
def test_texts_that_do_not_fit_the_type(kind, text):
    for texts in ([text], [None, text]):
        with pytest.raises(DecodeError):
            decoded(kind, texts, decimals=2 if kind == DECIMAL else 0, length=14)


def test_bytes_that_are_no_text():
    decoder = Decoder([column("c", TEXT)])
    assert decoder.decode(rows_of([b"\xff\xfe"]))["c"].to_pylist() == ["\\xff\\xfe"]
    assert decoder.warnings() == [
        "column c: 1 value holds bytes that are not valid utf8mb4; it is shown as \\xNN.",
    ]


def test_an_unknown_type():
    with pytest.raises(DecodeError, match="unsupported type"):
        Decoder([column("c", 99)])


def test_the_schema_follows_from_the_columns_alone():
    assert Decoder(COLUMNS).schema.types == [pa.int64(), pa.large_string(), pa.float64()]
