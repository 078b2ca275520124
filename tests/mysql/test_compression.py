"""Compressed sessions: what is agreed on in the handshake, and each algorithm, with a server that has both."""

import ssl
import time

import pytest
import trustme

from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.errors import ConnectError, ProtocolError
from rds_iam_magic.mysql import dial
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.driver import open_session
from rds_iam_magic.mysql.reader import ResponseReader
from rds_iam_magic.mysql.wire import compression
from rds_iam_magic.mysql.wire.events import Ok, Rows, ServerError
from rds_iam_magic.mysql.wire.packets import MAX_PACKET, read_text_row
from rds_iam_magic.mysql.wire.response import ResponseParser
from tests.support.frames import NAMES, ZLIB, ZSTD, frame
from tests.support.packets import TEXT, column, err, ok, packet, packets, result
from tests.support.proxy import Proxy
from tests.support.wire_server import WireServer

pytestmark = pytest.mark.slow  # servers and kernels

HOST = "sandbox.cluster-abc123.us-east-1.rds.amazonaws.com"
BOTH = pytest.mark.parametrize("name", ["zlib", "zstd"])


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def serve(authority):
    """A server with these answers; ended with the test."""
    opened = []

    def make(answer=lambda _: packet(1, ok(1)), **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(context)
        opened.append(WireServer(context, answer, **options).__enter__())
        return opened[-1]

    yield make
    for server in opened:
        server.__exit__()


@pytest.fixture
def connect(authority):
    opened = []

    def make(port, compress):
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(trust)
        opened.append(
            open_session(
                dial.Address("127.0.0.1", port),
                host=HOST,
                user="analyst",
                credential=Token(Secret("t0ken")),
                context=trust,
                database=None,
                timeout=30,
                compress=compress,
            )
        )
        return opened[-1]

    yield make
    for session in opened:
        session.close()


def read(session, sql):
    """The values of an answer's rows of one column, and its other events."""
    answer = ResponseReader(session, sql, deadline=60)
    rows, others = [], []
    try:
        for event in answer:
            if isinstance(event, Rows):
                data = event.data.tobytes()
                rows += [data[start:end] for start, end in zip(event.starts, event.ends, strict=True)]
            else:
                others.append(event)
    finally:
        answer.close()
    return rows, others


def value_of(sql):
    """A result of one row, with as many letters as asked for."""
    return packets(result([column("v", TEXT)], [[b"ab" * (int(sql) // 2)]]))


def chosen(server):
    return [NAMES.get(bits & (ZLIB | ZSTD), "") for bits in server.chosen]


@pytest.mark.slow
@BOTH
def test_answers_of_many_sizes_in_frames_of_many_sizes(serve, connect, name):
    server = serve(value_of, offers=ZLIB | ZSTD, seed=3)
    session = connect(server.port, name)
    assert session.compression == name
    assert chosen(server) == [name]
    for size in (2, 200, 16_384, 100_000, 3_000_000, 17_000_000):
        (row,), _ = read(session, b"%d" % size)
        assert row.endswith(b"ab" * (size // 2))
        assert len(row) < size + 10


@pytest.mark.slow
@BOTH
def test_large_statements(serve, connect, name):
    server = serve(offers=ZLIB | ZSTD)
    session = connect(server.port, name)
    for size in (10, 60_000, 2_000_000, MAX_PACKET - 1, MAX_PACKET):
        assert read(session, b"x" * size) == ([], [Ok(1, 0, 2, 0, "")])
        assert server.commands[-1] == b"\x03" + b"x" * size
    (stream,) = server.streams
    assert {False, True} == set(stream.frames_read), "small ones are not compressed"


def test_the_login_ends_with_the_level_of_zstd(serve, connect):
    server = serve(offers=ZLIB | ZSTD)
    for compress in ("off", "zlib", "zstd"):
        connect(server.port, compress).close()
    plain, zlib, zstd = (login[4:] for login in server.logins)
    assert plain == zlib
    assert zstd == plain + b"\x03"
    assert 1 <= zstd[-1] <= 22


@BOTH
def test_errors_and_our_own_commands(serve, connect, name):
    session = connect(serve(lambda _: packet(1, err(1064, b"no")), offers=ZLIB | ZSTD).port, name)
    assert read(session, b"bad") == ([], [ServerError(1064, "70100", "no")])
    assert [type(event) for event in session.command("bad", timeout=30)] == [ServerError]
    assert session.is_answering(timeout=30)
    session.ask_status(timeout=30)
    assert not session.looks_dead()


@BOTH
def test_numbers_of_packets_that_a_flush_has_set_to_those_of_frames(serve, connect, name):
    two = packet(1, ok(0, status=2 | 8)) + packet(200, ok(1))
    session = connect(serve(lambda _: two, offers=ZLIB | ZSTD).port, name)
    assert len(read(session, b"several")[1]) == 2


def test_a_stray_frame_is_refused(serve, connect):
    server = serve(offers=ZLIB)
    session = connect(server.port, "zlib")
    read(session, b"first")
    (stream,) = server.streams
    stream._sock.sendall(frame(9, packet(1, ok(0))))
    with pytest.raises(ProtocolError, match="out of order"):
        read(session, b"second")
    session.abort()


def test_a_session_with_something_to_read_looks_dead(serve, connect):
    """Also if it has been read from the socket, and has not come out."""
    extra = frame(2, packet(2, ok(0)))
    server = serve(lambda _: packet(1, ok(0)), offers=ZLIB, seed=None)
    session = connect(server.port, "zlib")
    (stream,) = server.streams
    plain, stream.sendall = stream.sendall, None
    stream.sendall = lambda data: stream._sock.sendall(frame(1, bytes(data)) + extra)
    read(session, b"first")
    stream.sendall = plain
    assert session._sock.pending() == 0
    assert session.looks_dead()


def test_pipelined_commands_on_a_real_server(scratch):
    """Two commands in flight, such as PREPARE and EXECUTE: each response begins its count anew."""
    session = scratch.login(compress="zlib").open()
    stream = session._compressed
    try:
        for size in (10, 3_000_000):
            stream.start_command()
            stream.sendall(packet(0, b"\x03SELECT '" + b"x" * size + b"'"))
            stream.start_command(pipelined=True)
            stream.sendall(packet(0, b"\x03SELECT 42"))
            assert [received(session), received(session)] == [size, 2]
    finally:
        session.close()


def received(session):
    """Read one response; how long its only value is."""
    parser, rows = ResponseParser(sequence=None, announced=session.charsets), []
    while not parser.done:
        events = parser.buffer_updated(session.read_into(parser.get_buffer()))
        rows += [event for event in events if isinstance(event, Rows)]
    (value,) = read_text_row(rows[0], 0)
    return len(value)


@pytest.mark.parametrize(
    ("offers", "expected"), [(0, ""), (ZLIB, "zlib"), (ZSTD, "zstd"), (ZLIB | ZSTD, "zstd")], ids=str
)
def test_auto_over_a_slow_link(serve, connect, offers, expected):
    server = serve(value_of, offers=offers)
    with Proxy(server.port) as proxy:
        proxy.delay = 0.01  # each way
        session = connect(proxy.port, "auto")
        assert session.compression == expected
        assert chosen(server) == [expected]
        assert len(read(session, b"50000")[0]) == 1
        session.close()


def test_auto_over_a_fast_link(serve, connect, monkeypatch):
    monkeypatch.setattr(compression, "FAST_LINK", 25.0)  # this machine may be busy
    server = serve(offers=ZLIB | ZSTD)
    assert connect(server.port, "auto").compression == ""
    assert chosen(server) == [""]


@pytest.mark.slow
def test_auto_with_a_server_that_is_slow_to_greet(serve, connect, monkeypatch):
    """The link is fast, as the TLS handshake shows: it begins anew, and no login was sent before."""
    monkeypatch.setattr(compression, "FAST_LINK", 2.0)
    pauses = [2.1, 0.0]
    server = serve(offers=ZLIB | ZSTD, before_greeting=lambda: time.sleep(pauses.pop(0)))
    assert connect(server.port, "auto").compression == ""
    assert chosen(server) == ["zstd", ""]
    assert len(server.logins) == 1


@pytest.mark.parametrize(("compress", "offers"), [("zstd", ZLIB), ("zstd", 0), ("zlib", ZSTD)])
def test_what_is_not_offered(serve, connect, compress, offers):
    server = serve(offers=offers)
    with pytest.raises(ConnectError, match="nothing was sent"):
        connect(server.port, compress)
    assert server.logins == []
    assert server.chosen in ([], [0]), "nothing came"
