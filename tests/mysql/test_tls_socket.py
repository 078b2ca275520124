"""Python's TLS socket as we have it, on real sockets of this machine."""

import os
import select
import socket
import ssl
import struct
import threading
from contextlib import suppress

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.mysql.tls_socket import TlsSocket
from tests.support.events import LONG
from tests.support.loopback import LoopbackServer

pytestmark = pytest.mark.slow  # servers of its own

HOST = "db.example.com"


def of_tls_sockets():
    context = ssl.create_default_context()
    context.sslsocket_class = TlsSocket
    return context


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def reset_by_its_peer(server, words=b""):
    """A socket whose peer has sent `words`, and is gone as if it had crashed."""
    sock = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.sendall(words)
    peer.close()
    assert select.select([sock], [], [], LONG)[0]
    return sock


@pytest.mark.parametrize("words", [b"", b"Go away."], ids=["silent", "with words"])
def test_tls_on_a_connection_that_is_reset_leaves_no_socket(server, words):
    context = of_tls_sockets()
    sock = reset_by_its_peer(server, words)
    number = sock.fileno()
    with pytest.raises(ConnectionResetError) as info:
        context.wrap_socket(sock, server_hostname=HOST, do_handshake_on_connect=False)
    with pytest.raises(OSError, match="Bad file descriptor"):  # while its traceback still holds the socket
        os.fstat(number)
    del info


def test_the_name_of_a_peer_that_is_gone_during_tls_closes_nothing(server):
    context = of_tls_sockets()
    sock = socket.create_connection(server.getsockname())
    peer, _ = server.accept()
    with context.wrap_socket(sock, server_hostname=HOST, do_handshake_on_connect=False) as inside:
        assert inside.getpeername() == server.getsockname()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        assert select.select([inside], [], [], LONG)[0]
        with pytest.raises(OSError, match="not connected"):
            inside.getpeername()
        assert inside.fileno() != -1


class Records(LoopbackServer):
    """Sends records, all at once or each when the one before it was read, and then nothing until all were read."""

    def __init__(self, context, sizes, *, is_slow):
        self._context, self._sizes, self._is_slow = context, sizes, is_slow
        self.read = threading.Semaphore(0)
        self.waited_too_long = False
        super().__init__()

    def _talk(self, connection):
        with self._context.wrap_socket(connection, server_side=True) as inside:
            for number, size in enumerate(self._sizes):
                inside.sendall(contents(number, size))
                if self._is_slow:
                    self._wait(size)
            if not self._is_slow:
                self._wait(sum(self._sizes))

    def _wait(self, size):
        for _ in range(size):
            if not self.read.acquire(timeout=LONG):
                self.waited_too_long = True
                return


def contents(number, size):
    return bytes([number % 251]) * size


@pytest.fixture(scope="module")
def contexts():
    """The server's, and the client's."""
    authority = trustme.CA()
    context, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), of_tls_sockets()
    authority.issue_cert(HOST).configure_cert(context)
    authority.configure_trust(client)
    return context, client


@given(
    sizes=st.lists(
        st.sampled_from([1, 900, 999, 1000, 1400, 8192, 16_383, 16_384]) | st.integers(1, 16_384), max_size=60
    ),
    room=st.sampled_from([1000, 16_384, 20_000, 256 << 10]),
    is_slow=st.booleans(),
)
def test_records_are_read_as_they_come_and_never_waited_for(contexts, sizes, room, is_slow):
    server, client = contexts
    found, buffer = bytearray(), memoryview(bytearray(room))
    with (
        Records(server, sizes, is_slow=is_slow) as records,
        client.wrap_socket(socket.create_connection(("127.0.0.1", records.port)), server_hostname=HOST) as sock,
    ):
        while len(found) < sum(sizes):
            count = sock.read_records(buffer)
            assert count
            found += buffer[:count]
            records.read.release(count)
        assert sock.read_records(buffer) == 0
    assert not records.waited_too_long
    assert found == b"".join(contents(*record) for record in enumerate(sizes))


def test_many_records_that_wait_are_read_at_once(contexts):
    server, client = contexts
    sizes = [16_384] * 5
    buffer = memoryview(bytearray(256 << 10))
    with (
        Records(server, sizes, is_slow=False) as records,
        client.wrap_socket(socket.create_connection(("127.0.0.1", records.port)), server_hostname=HOST) as sock,
    ):
        while waiting(sock) < sum(sizes):
            assert select.select([sock], [], [], LONG)[0]
        assert sock.read_records(buffer) >= 4 * 16_384
        records.read.release(sum(sizes))


def waiting(sock):
    """How many bytes the kernel has for it."""
    return len(socket.socket.recv(sock, 1 << 20, socket.MSG_PEEK))


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
def test_what_came_before_the_connection_was_lost_is_given(contexts, is_reset):
    server, client = contexts

    class Lost(LoopbackServer):
        def _talk(self, connection):
            with server.wrap_socket(connection, server_side=True) as inside:
                inside.sendall(bytes(40_000))
                if is_reset:
                    inside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sent.set()
                read.wait(LONG)

    sent, read, found = threading.Event(), threading.Event(), 0
    buffer = memoryview(bytearray(256 << 10))
    with (
        Lost() as lost,
        client.wrap_socket(socket.create_connection(("127.0.0.1", lost.port)), server_hostname=HOST) as sock,
    ):
        assert sent.wait(LONG)
        while found < 40_000:
            found += sock.read_records(buffer)
        read.set()
        with suppress(ConnectionResetError):  # Python 3.11 takes it for an end
            assert sock.read_records(buffer) == 0
    assert found == 40_000
