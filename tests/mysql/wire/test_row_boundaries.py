"""Where rows begin and end: in whichever way they are found, at exactly the bytes that were written."""

import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.wire.events import PAD, ResultSetEnd, Rows, ServerError
from rds_iam_magic.mysql.wire.response import ResponseParser
from rds_iam_magic.mysql.wire.row_boundaries import RowBoundaries
from tests.support.packets import TEXT, column, eof, err, packet, packets, result

HEAD = result([column("v", TEXT)], [])[:-1]
FIRST = 1 + len(HEAD)  # the sequence number of the first row
MORE_RESULTS = 8


class Reader:
    """A parser that is fed bit by bit, and the rows that it has given so far."""

    def __init__(self, chunk_bytes: int = 4096) -> None:
        self.parser = ResponseParser(chunk_bytes=chunk_bytes)
        self.rows: list[bytes] = []
        self.ends: list[object] = []

    def feed(self, data: bytes) -> None:
        while data:
            space = self.parser.get_buffer()
            assert len(space), "there is room for more"
            part, data = data[: len(space)], data[len(space) :]
            space[: len(part)] = part
            self.take(self.parser.buffer_updated(len(part)))

    def feed_pieces(self, data: bytes, cuts, takes=()) -> None:
        """In pieces that end where `cuts` says; after those of `takes` the rows so far are asked for."""
        start = 0
        for number, stop in enumerate(sorted({min(cut, len(data)) for cut in cuts} | {len(data)})):
            self.feed(data[start:stop])
            start = stop
            if number in takes:
                self.take(self.parser.take_rows())
                assert self.parser.rows_seen == len(self.rows)

    def take(self, events) -> None:
        for event in events:
            if isinstance(event, Rows):
                assert len(event), "no empty chunk"
                assert len(event.data) >= event.ends[-1] + PAD
                self.rows += [event.data[s:e].tobytes() for s, e in zip(event.starts, event.ends, strict=True)]
            elif isinstance(event, (ResultSetEnd, ServerError)):
                self.ends.append(event)


def read(rows, *, end=None, cuts=(), chunk_bytes=4096, takes=()) -> Reader:
    reader = Reader(chunk_bytes)
    reader.feed_pieces(packets([*HEAD, *rows, eof() if end is None else end]), cuts, takes)
    return reader


def check(rows, **how) -> None:
    reader = read(rows, **how)
    assert reader.parser.done, "nothing more is waited for"
    assert reader.rows == rows
    assert len(reader.ends) == 1
    assert reader.parser.rows_seen == len(rows)


def letters(count: int) -> bytes:
    return (b"\0" + b"abcdefghijklmnopqrstuvwxyz" * (count // 26 + 1))[:count]


# Numbers that may pass for the bytes of a header, 5 for the length of an EOF packet, and what no row begins with.
BYTES = st.sampled_from([0, 0, 0, 1, 2, 4, 5, 9, 0x20, 0xFA, 0xFB, 0xFE, 0xFF])
LENGTHS = st.sampled_from([1, 2, 4, 5, 6, 9, 30, 249, 254, 255, 256, 257, 260, 300, 511, 512, 513, 700])
CONTENTS = st.builds(lambda count, some: (b"\0" + bytes(some) * (count // len(some) + 1))[:count], LENGTHS,
                     st.lists(BYTES | st.integers(0, 255), min_size=1, max_size=12))  # fmt: skip
LOOK_ALIKES = st.builds(
    lambda first, number, count, more: bytes([first]) + packet(number, letters(count)) * more,
    st.integers(0, 0xFA), st.integers(FIRST, FIRST + 9), st.integers(0, 60), st.integers(1, 9))  # fmt: skip
EOF_LIKE = st.sampled_from([b"\0" + b"\0\0\2\0", b"\x04" + eof()[1:], b"\0" + packet(FIRST, eof()), b"\0\xfe\0\0\2"])
RUNS = st.builds(lambda row, count: [row] * count, CONTENTS | EOF_LIKE, st.integers(1, 40))
SINGLE = st.builds(lambda row: [row], CONTENTS | LOOK_ALIKES | EOF_LIKE)
ROWS = st.lists(RUNS | SINGLE, max_size=12).map(lambda runs: [row for run in runs for row in run])
HOW = st.fixed_dictionaries(
    {
        "cuts": st.lists(st.integers(1, 6000), max_size=12),
        "chunk_bytes": st.sampled_from([256, 300, 1000, 4096, 1 << 21]),
        "takes": st.sets(st.integers(0, 12), max_size=4),
    }
)


@settings(max_examples=4 * settings.default.max_examples)
@given(rows=ROWS, how=HOW)
def test_rows_of_any_length_in_pieces_of_any_size(rows, how):
    check(rows, **how)


def astray(count: int, *, at: int = 1, behind: int = 250) -> list[bytes]:
    """Short rows, and a longer one among them whose contents look like rows to who takes it for a short one.

    Args:
        count: The number of rows.
        at: The place of the longer one.
        behind: The byte where the next header would be looked for.
    """
    low = 44  # of 300 bytes
    longer = bytearray(letters(300))
    longer[low : low + 4] = struct.pack("<HBB", 60, 0, (FIRST + at + 1) & 0xFF)
    longer[low + 4 + 60] = behind
    rows = [letters(10 + n % 3) for n in range(count)]
    rows[at] = bytes(longer)
    return rows


@pytest.mark.parametrize("count", [2, 3, 9, 300])
@pytest.mark.parametrize("behind", [250, 5, 0, 255])
@pytest.mark.parametrize("end", [eof(), err(), err(1105, b"x" * 300)], ids=["EOF", "error", "long error"])
def test_a_row_whose_contents_look_like_rows(count, behind, end):
    for at in {1, count // 2, count - 1} - {0}:
        check(astray(count, at=at, behind=behind), end=end)
        check(astray(count, at=at, behind=behind), end=end, cuts=range(1, 2000, 7), takes=range(0, 300, 2))


def test_addresses_that_look_like_headers():
    """10.0.0.N as INT UNSIGNED is the header of a packet of N bytes with sequence number 10."""
    address = struct.pack("<I", 0x0A000005 | 0x12)
    check([letters(9)] * 3 + [b"\0\0" + address * 80] * 20 + [letters(9)] * 300)


@given(rows=ROWS, how=HOW, code=st.sampled_from([1317, 1105]), size=st.integers(0, 600))
def test_an_error_behind_the_rows_is_seen_at_once(rows, how, code, size):
    reader = read(rows, end=err(code, b"x" * size), **how)
    assert reader.parser.done
    assert reader.rows == rows
    assert [end.code for end in reader.ends] == [code]


@given(first=ROWS, second=ROWS, piece=st.integers(1, 5000), chunk=st.sampled_from([256, 4096]))
def test_result_sets_behind_each_other(first, second, piece, chunk):
    data = packets([*HEAD, *first, eof(2 | MORE_RESULTS), *HEAD, *second, eof()])
    reader = Reader(chunk)
    for start in range(0, len(data), piece):
        reader.feed(data[start : start + piece])
    assert reader.parser.done
    assert reader.rows == first + second
    assert len(reader.ends) == 2


@pytest.mark.parametrize("size", [1, 5, 254, 255, 256, 257, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("neighbour", [1, 5, 200, 256, 65_536])
def test_rows_around_the_sizes_of_a_length(size, neighbour):
    one, other = letters(size), letters(neighbour)
    check([one] * 20, chunk_bytes=1 << 21)
    check([other, one, other, other, one] * 3, cuts=(700, 9_000, 300_000))
    check([one, *[other] * 12, one], chunk_bytes=300)


@pytest.mark.parametrize("size", [1, 100, 300])
def test_sequence_numbers_wrap(size):
    check([letters(size)] * 1000)
    check([letters(size + n % 2) for n in range(1000)], cuts=range(0, 300_000, 997))


@settings(max_examples=2 * settings.default.max_examples)
@given(rows=ROWS.filter(bool), how=HOW, number=st.integers(1, 255), place=st.integers(0, 500), many=st.booleans())
def test_a_packet_out_of_order(rows, how, number, place, many):
    """One packet of another number, or all from there on: never rows of another answer."""
    place %= len(rows)
    parts = [packet(FIRST + n + (number if n == place or (many and n > place) else 0), r) for n, r in enumerate(rows)]
    data = packets(HEAD) + b"".join(parts) + packet(FIRST + len(rows) + number * many, eof())
    reader = Reader(how["chunk_bytes"])
    with pytest.raises(ProtocolError, match="out of order"):
        reader.feed_pieces(data, how["cuts"])
    assert reader.rows == rows[: len(reader.rows)]
    assert len(reader.rows) <= place


@given(rows=ROWS.filter(bool), place=st.integers(0, 500), count=st.sampled_from([1, 20]), how=HOW)
def test_an_empty_packet_is_no_row(rows, place, count, how):
    place %= len(rows)
    with pytest.raises(ProtocolError):
        read([*rows[:place], *[b""] * count, *rows[place:]], **how)


@given(rows=ROWS.filter(bool), cut=st.integers(0, 8000))
def test_every_way_finds_the_complete_rows_and_no_more(rows, cut):
    """Without a parser around: the offset to go on from is that of the first packet that is no complete row."""
    data = packets([*rows, eof()], FIRST)
    filled = min(cut, len(data))
    buffer = bytearray(data[:filled] + b"\xa5" * PAD)
    boundaries = RowBoundaries()
    complete, ends = 0, [0]
    for each in rows:
        ends.append(ends[-1] + 4 + len(each))
        complete += ends[-1] <= filled
    offset = boundaries.find(buffer, 0, filled)
    assert boundaries.count == complete
    assert offset == ends[complete]
    if complete:
        starts, stops = boundaries.take(buffer, FIRST)
        assert starts.tolist() == [end + 4 for end in ends[:complete]]
        assert stops.tolist() == ends[1 : complete + 1]
        assert boundaries.count == 0


@example(limit=3, rows=astray(40))
@given(limit=st.integers(0, 60), rows=ROWS)
def test_a_limit_counts_rows_not_what_looks_like_rows(limit, rows):
    """What the reader does for `--limit`: at more rows than it, take those that there are."""
    data, reader, start = packets([*HEAD, *rows, eof()]), Reader(), 0
    is_cut = False
    while start < len(data) and not is_cut:
        reader.feed(data[start : start + 500])
        start += 500
        if reader.parser.rows_seen > limit:
            reader.take(reader.parser.take_rows())
            is_cut = reader.parser.rows_seen > limit
    assert is_cut == (len(rows) > limit)
    assert reader.rows[: limit + 1] == rows[: limit + 1]
