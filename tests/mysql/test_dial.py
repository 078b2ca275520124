"""From a name to a socket, within a deadline; on real sockets of this machine."""

import signal
import socket
import time

import pytest

from rds_iam_magic.errors import UnreachableError
from rds_iam_magic.mysql import dial as dialling
from rds_iam_magic.mysql.dial import Address, dial, is_of_the_socket
from tests.support.events import LONG


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def full():
    """A server whose queue is full: it neither accepts nor refuses, as a host behind a firewall."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(listening.getsockname())
            waiting.append(sock)
        yield listening
        for sock in waiting:
            sock.close()


def soon(seconds=LONG):
    return time.monotonic() + seconds


def address_of(server):
    return Address("127.0.0.1", server.getsockname()[1])


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("db.example.com", 3306), "db.example.com:3306"),
        (Address("127.0.0.1", 3307), "127.0.0.1:3307"),
        (Address("::1", 3306), "[::1]:3306"),
    ],
)
def test_an_address_as_text(address, text):
    assert str(address) == text


def test_the_socket_is_connected_and_kept_alive(server):
    with dial(address_of(server), soon()) as sock:
        assert sock.getpeername() == server.getsockname()
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert 0 < sock.gettimeout() <= LONG, "the handshake goes on within the deadline"


def test_a_name_is_looked_up(server):
    with dial(Address("localhost", server.getsockname()[1]), soon()) as sock:
        assert sock.getpeername()[1] == server.getsockname()[1]


def names(monkeypatch, *servers):
    """Have every name lead to these addresses, as the system's own look-up gives them."""
    places = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", server if isinstance(server, tuple) else server.getsockname())
        for server in servers
    ]
    monkeypatch.setattr(dialling.socket, "getaddrinfo", lambda *_, **__: places)


def test_the_next_address_is_tried_when_one_refuses(server, monkeypatch):
    names(monkeypatch, ("127.0.0.1", 1), server)
    with dial(Address("two.example.com", 3306), soon()) as sock:
        assert sock.getpeername() == server.getsockname()


@pytest.mark.slow  # it waits for its half of the time
def test_a_silent_address_leaves_time_for_the_next(full, server, monkeypatch):
    names(monkeypatch, full, server)
    deadline = soon(3.0)
    with dial(Address("two.example.com", 3306), deadline) as sock:
        assert sock.getpeername() == server.getsockname()
        assert time.monotonic() < deadline, "half of the time was for each"


def test_a_port_that_refuses():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = address_of(closed)
    with pytest.raises(UnreachableError, match=f"{address} cannot be reached: Connection refused") as caught:
        dial(address, soon())
    assert caught.value.cause == UnreachableError.cause
    assert caught.value.detail == "ECONNREFUSED"


@pytest.mark.parametrize("seconds", [pytest.param(0.2, marks=pytest.mark.slow), 0.0, -5.0])
def test_an_address_that_is_silent(full, seconds):
    with pytest.raises(UnreachableError, match="does not answer") as caught:
        dial(address_of(full), soon(seconds))
    assert caught.value.cause == "address-silent"


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b", "x" * 300, "ä" * 100])
def test_a_name_that_is_unknown(host):
    with pytest.raises(UnreachableError) as caught:
        dial(Address(host, 3306), soon())
    assert host in caught.value.message
    assert caught.value.__cause__ is None


def test_a_name_without_an_address(monkeypatch):
    names(monkeypatch)
    with pytest.raises(UnreachableError, match="the name has no address"):
        dial(Address("none.example.com", 3306), soon())


def test_a_slow_name_server_is_not_waited_for(monkeypatch):
    import threading

    may_answer = threading.Event()

    def slow(*_, **__):
        assert may_answer.wait(LONG)
        return []

    monkeypatch.setattr(dialling.socket, "getaddrinfo", slow)
    try:
        with pytest.raises(UnreachableError, match=r"slow\.example\.com timed out") as caught:
            dial(Address("slow.example.com", 3306), soon(0.1))
        assert caught.value.cause == "name-lookup-timeout"
    finally:
        may_answer.set()


class _AlarmError(TimeoutError):
    """What a user's handler may raise: an OSError, as those of sockets are."""


def test_what_a_signal_handler_raises_comes_out(full):
    def on_alarm(*_):
        raise _AlarmError

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(_AlarmError):
            dial(address_of(full), soon())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def raised_by(function):
    try:
        function()
    except BaseException as error:  # noqa: BLE001 - looked at
        error.__traceback__ = error.__traceback__.tb_next  # without this function's own frame
        return error
    raise AssertionError("nothing was raised")


def test_whose_an_error_is():
    def by_the_socket():
        socket.create_connection(("127.0.0.1", 1))

    ours = frozenset({__name__})
    assert is_of_the_socket(raised_by(by_the_socket), ours)
    assert not is_of_the_socket(raised_by(by_the_socket)), "by a frame of another module"
    assert is_of_the_socket(raised_by(by_the_socket), frozenset({__name__.partition(".")[0]})), "by its first part"
    assert not is_of_the_socket(KeyboardInterrupt())
