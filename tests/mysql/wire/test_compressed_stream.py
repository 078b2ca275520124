"""The stream reads what has come, and the network only when it has nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.wire.compressed_stream import CompressedStream
from rds_iam_magic.mysql.wire.compression import Zlib
from tests.support.frames import ZLIB, frame, frame_of


class Arriving:
    """A socket at which these parts arrive, and then nothing, or the end."""

    def __init__(self, *parts: bytes, ends: bool = False) -> None:
        self.parts, self.ends, self.sent = list(parts), ends, b""

    def recv_into(self, space: memoryview) -> int:
        if not self.parts:
            assert self.ends, "it would block"
            return 0
        part, self.parts[0] = self.parts[0][: len(space)], self.parts[0][len(space) :]
        space[: len(part)] = part
        if not self.parts[0]:
            del self.parts[0]
        return len(part)

    def pending(self) -> int:
        return 0

    def sendall(self, data: bytes) -> None:
        self.sent += data


def read(stream, count):
    space = bytearray(count)
    return bytes(space[: stream.recv_into(memoryview(space))])


@given(
    texts=st.lists(st.binary(min_size=1, max_size=5000), max_size=20),
    cut=st.integers(1, 999),
    size=st.integers(1, 9999),
)
def test_all_is_read_and_nothing_waits(texts, cut, size):
    data = b"".join(frame_of(number, text, ZLIB) for number, text in enumerate(texts))
    stream = CompressedStream(Arriving(*(data[at : at + cut] for at in range(0, len(data), cut))), Zlib())
    contents = b""
    while len(contents) < len(b"".join(texts)):
        contents += read(stream, size)
    assert contents == b"".join(texts)
    assert stream.pending() == 0


def test_it_blocks_only_with_nothing_to_give():
    stream = CompressedStream(Arriving(frame(0, b"abc") + frame(1, b"def") + frame(2, b"ghi")[:-1]), Zlib())
    assert [read(stream, 2), read(stream, 2), read(stream, 9)] == [b"ab", b"c", b"def"]
    with pytest.raises(AssertionError, match="would block"):
        read(stream, 9)


def test_what_waits_is_pending():
    """An idle session with something to read is not usable; see `ServerSession.looks_dead`."""
    stream = CompressedStream(Arriving(frame(0, b"abc") + frame(1, b"d")), Zlib())
    assert not stream.pending()
    read(stream, 1)
    assert stream.pending(), "unpacked"
    read(stream, 2)
    assert stream.pending(), "not unpacked"
    read(stream, 1)
    assert not stream.pending()


@pytest.mark.parametrize("data", [b"", frame(0, b"abc")[:3], frame(0, b"abc")[:-1]])
def test_the_end_of_the_stream(data):
    assert read(CompressedStream(Arriving(*([data] if data else []), ends=True), Zlib()), 9) == b""


def test_each_command_begins_anew():
    sock = Arriving()
    stream = CompressedStream(sock, Zlib())
    for _ in range(2):
        stream.start_command()
        stream.sendall(b"a")
        stream.sendall(b"b")
    assert sock.sent == (frame(0, b"a") + frame(1, b"b")) * 2
    assert stream.algorithm == "zlib"


def test_a_malformed_frame():
    with pytest.raises(ProtocolError):
        read(CompressedStream(Arriving(frame(7, b"abc")), Zlib()), 9)
