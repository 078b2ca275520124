"""Frames: whatever goes in comes out, however it is cut; what is malformed is refused, and never grows."""

import tracemalloc
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import ConnectError, ProtocolError
from rds_iam_magic.mysql.wire.compression import ALGORITHMS, FAST_LINK, MAX_FRAME, SMALLEST, Frames, choose, offered
from tests.support.frames import NAMES, ZLIB, ZSTD, FramedSocket, compressed, frame, frame_of

BOTH = pytest.mark.parametrize("capability", [ZLIB, ZSTD], ids=NAMES.get)
TEXTS = st.one_of(st.binary(max_size=300), st.builds(bytes.__mul__, st.binary(max_size=40), st.integers(0, 3000)))


def frames(capability=ZLIB):
    return Frames(ALGORITHMS[NAMES[capability]]())


def feed(receiver, data, sizes=(1 << 20,)):
    """All contents of a stream of bytes that arrives in parts of these sizes, again and again."""
    contents, at, turn = b"", 0, 0
    while at < len(data):
        space = receiver.get_buffer()
        part = data[at : at + min(sizes[turn % len(sizes)], len(space))]
        space[: len(part)] = part
        receiver.buffer_updated(len(part))
        while (piece := receiver.unpack()) is not None:
            contents += piece
        at, turn = at + len(part), turn + 1
    return contents


class Received:
    """The socket of a server that has received these bytes."""

    def __init__(self, data):
        self.data = data

    def recv(self, count):
        part, self.data = self.data[:count], self.data[count:]
        return part


@BOTH
@given(texts=st.lists(TEXTS, max_size=5))
def test_a_server_reads_what_is_sent(capability, texts):
    sender = frames(capability)
    server = FramedSocket(Received(b"".join(map(sender.pack, texts))), capability)
    contents = b""
    while part := server.recv(997):
        contents += part
    assert contents == b"".join(texts)


@BOTH
@given(
    texts=st.lists(TEXTS.filter(bool), max_size=30),
    stored=st.lists(st.booleans(), min_size=1),
    sizes=st.lists(st.integers(1, 70_000), min_size=1),
)
def test_what_a_server_sends_is_read_however_it_arrives(capability, texts, stored, sizes):
    data = b"".join(
        frame(number, text) if stored[number % len(stored)] else frame_of(number, text, capability)
        for number, text in enumerate(texts)
    )
    receiver = frames(capability)
    assert feed(receiver, data, sizes) == b"".join(texts)
    assert receiver.buffered == 0


@pytest.mark.slow  # megabytes
@BOTH
@pytest.mark.parametrize("size", [MAX_FRAME, MAX_FRAME + 1])
def test_the_largest_frames(capability, size):
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    packed = frames(capability).pack(data)
    assert FramedSocket(Received(packed), capability).recv(MAX_FRAME) == data[:MAX_FRAME]
    assert feed(frames(capability), packed) == data
    assert feed(frames(capability), frame(0, data[:MAX_FRAME])) == data[:MAX_FRAME]


def test_small_payloads_and_those_that_do_not_shrink_are_sent_as_they_are():
    text = b"a" * (SMALLEST - 1)
    assert frames().pack(text) == frame(0, text)
    noise = zlib.compress(bytes(range(256)) * 4)
    assert frames().pack(noise) == frame(0, noise)
    assert frames().pack(text + b"a") == frame_of(0, text + b"a", ZLIB)
    assert frames().pack(b"") == b""


def test_a_command_and_its_response_share_one_count():
    both = frames()
    both.start_command()
    assert [both.pack(b"a"), both.pack(b"b")] == [frame(0, b"a"), frame(1, b"b")]
    assert feed(both, frame(2, b"c") + frame(3, b"d")) == b"cd"
    both.start_command()
    assert both.pack(b"e") == frame(0, b"e")
    with pytest.raises(ProtocolError, match="out of order"):
        feed(both, frame(4, b"the last response goes on"))


def test_the_count_wraps():
    both = frames()
    for number in range(300):
        assert both.pack(b"a") == frame(number % 256, b"a")
    assert feed(both, b"".join(frame(number, b"a") for number in range(300, 900))) == b"a" * 600


def test_pipelined_commands_have_their_responses_in_turn():
    both = frames()
    both.start_command()
    both.pack(b"first")
    both.start_command(pipelined=True)
    assert [both.pack(b"second")[3], both.pack(b"second")[3]] == [0, 1]
    assert feed(both, frame(1, b"a") + frame(2, b"b") + frame(3, b"c") + frame(2, b"d") + frame(3, b"e")) == b"abcde"
    with pytest.raises(ProtocolError, match="out of order"):
        feed(both, frame(1, b"no further command"))


@BOTH
@given(
    text=TEXTS.filter(bool),
    count=st.integers(0, 5),
    number=st.integers(0, 255),
    sizes=st.lists(st.integers(1, 99), min_size=1),
)
def test_a_wrong_number_is_refused(capability, text, count, number, sizes):
    data = b"".join(frame_of(n, text, capability) for n in range(count)) + frame_of(number, text, capability)
    if number == count:
        assert feed(frames(capability), data, sizes) == text * (count + 1)
        return
    with pytest.raises(ProtocolError, match="out of order"):
        feed(frames(capability), data, sizes)


@BOTH
@given(text=TEXTS.filter(bool), wrong=st.integers(1, MAX_FRAME))
def test_a_payload_of_another_size_than_announced_is_refused(capability, text, wrong):
    data = frame(0, compressed(text, capability), wrong)
    if wrong == len(text):
        assert feed(frames(capability), data) == text
        return
    with pytest.raises(ProtocolError, match="malformed"):
        feed(frames(capability), data)


@given(text=TEXTS.filter(bool), at=st.integers(0), value=st.integers(0, 255))
def test_a_changed_byte_is_never_another_value(text, at, value):
    """By zlib's checksum. Zstd as servers use it has none; there TLS is what sees to it."""
    payload = bytearray(compressed(text, ZLIB))
    payload[at % len(payload)] = value
    with suppress(ProtocolError):
        assert feed(frames(), frame(0, bytes(payload), len(text))) == text


@BOTH
@given(texts=st.lists(TEXTS.filter(bool), min_size=1, max_size=4), at=st.integers(0), value=st.integers(0, 255))
def test_any_changed_byte_ends_in_contents_or_in_a_protocol_error(capability, texts, at, value):
    data = bytearray(b"".join(frame_of(number, text, capability) for number, text in enumerate(texts)))
    data[at % len(data)] = value
    with suppress(ProtocolError):
        feed(frames(capability), bytes(data), (1000, 3))


@BOTH
@given(text=TEXTS.filter(bool), end=st.integers(0))
def test_a_truncated_payload_is_refused(capability, text, end):
    payload = compressed(text, capability)
    with pytest.raises(ProtocolError, match="malformed"):
        feed(frames(capability), frame(0, payload[: end % len(payload)] or payload[:1], len(text)))


@BOTH
def test_what_stands_behind_a_payload_is_refused(capability):
    with pytest.raises(ProtocolError, match="malformed"):
        feed(frames(capability), frame(0, compressed(b"a" * 99, capability) + b"more", 99))


def test_an_empty_frame_is_refused():
    with pytest.raises(ProtocolError, match="malformed"):
        feed(frames(), frame(0, b""))


@pytest.mark.slow  # megabytes
@BOTH
def test_a_payload_never_takes_more_than_was_announced(capability):
    bomb = compressed(bytes(200 << 20), capability)
    assert len(bomb) < 1 << 20
    receiver = frames(capability)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError, match="malformed"):
            feed(receiver, frame(0, bomb, 1000))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_large_frame_leaves_no_large_buffer():
    receiver = frames()
    assert len(feed(receiver, frame(0, bytes(MAX_FRAME)))) == MAX_FRAME
    assert len(receiver.get_buffer()) == 64 << 10


def test_what_a_server_offers():
    assert offered(ZLIB | ZSTD) == ["zstd", "zlib"]
    assert offered(~ZSTD) == ["zlib"]
    assert offered(0x800) == []


@pytest.mark.parametrize("offers", [[], ["zlib"], ["zstd"], ["zstd", "zlib"]])
def test_what_is_chosen(offers):
    assert choose("off", offers, 1.0, "host") == ""
    assert choose("auto", offers, FAST_LINK * 0.99, "host") == ""
    assert choose("auto", offers, FAST_LINK, "host") == (offers or [""])[0]
    for name in offers:
        assert choose(name, offers, 0.0, "host") == name


@pytest.mark.parametrize(
    ("wanted", "offers", "hint"),
    [
        ("zstd", ["zlib"], 'Use compress="zlib", or compress="auto"'),
        ("zstd", [], 'Use compress="auto"'),
        ("zlib", ["zstd"], 'Use compress="auto"'),
    ],
)
def test_what_is_wanted_and_not_offered(wanted, offers, hint):
    with pytest.raises(ConnectError, match=f"does not offer {wanted} compression; nothing was sent") as caught:
        choose(wanted, offers, 1.0, "host")
    assert caught.value.hint.startswith(hint)
