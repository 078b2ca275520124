"""An interrupt while something is connected leaves no descriptor with two owners, each of which closes its number.

`SSLSocket._create` makes a second socket object for a descriptor, and lets the first one go some lines later. What is
interrupted between them closes the number twice, the second time whatever has it by then: another connection, a pipe.
"""

import _thread
import gc
import os
import socket
import ssl
import threading
from contextlib import suppress

import psutil
import pytest
import trustme

from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.mysql import dial
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.driver import open_session
from tests.support.events import LONG, interrupt_when, wait_until
from tests.support.injector import Injector
from tests.support.loopback import LoopbackServer
from tests.support.packets import CLEAR_PASSWORD_SWITCH, greeting, ok, packet
from tests.support.wire_server import WireServer

pytestmark = pytest.mark.slow  # servers of its own

HOST = "sandbox.cluster-abc123.us-east-1.rds.amazonaws.com"
PYTHON = (ssl.__file__, socket.__file__)


class Holding(Injector):
    """Keeps what the interrupted function had, as a traceback that somebody looks at does."""

    held: object = None

    def _line(self, frame, event, detail):
        try:
            return super()._line(frame, event, detail)
        except BaseException:
            self.held = dict(frame.f_locals)
            raise


@pytest.fixture(scope="module")
def contexts():
    """The server's, and the client's."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert(HOST).configure_cert(server)
    authority.configure_trust(client)
    return server, client


def log_in(port, context, host="127.0.0.1"):
    address, credential = dial.Address(host, port), Token(Secret("t0ken"))
    return open_session(
        address, host=HOST, user="analyst", credential=credential, context=context, database=None, timeout=LONG
    )


def lost_pipe(act, at):
    """Whether a pipe is closed that is opened after an interrupt at that line of `ssl` or `socket`: the line, or "".

    None past the last line.
    """
    injector = Holding(at, KeyboardInterrupt, within=PYTHON)
    with suppress(KeyboardInterrupt), injector:
        act()
    pipe = os.pipe()  # it gets the lowest numbers that are free
    files = [os.fstat(number) for number in pipe]
    injector.held = None
    gc.collect()
    lost = [number for number, file in zip(pipe, files, strict=True) if not is_still(number, file)]
    for number in set(pipe) - set(lost):
        os.close(number)
    return (injector.where if lost else "") if injector.injected else None


def is_still(number, file):
    try:
        return os.path.samestat(os.fstat(number), file)
    except OSError:
        return False


def test_an_interrupt_within_python_s_own_code_closes_nothing_of_others(contexts):
    server, client = contexts
    at, lost = 1, []
    with WireServer(server, lambda _: packet(1, ok())) as wire:
        while (where := lost_pipe(lambda: log_in(wire.port, client).close(), at)) is not None:
            lost += [where] if where else []
            at += 1
    assert lost == []
    assert at > 10, "closing a session is among them"


class Stalling(LoopbackServer):
    """It stops talking at a stage of the handshake: `reached`, until the client is gone: `left`."""

    def __init__(self, stage, context):
        self._stage, self._context = stage, context
        self.reached, self.left = threading.Event(), threading.Event()
        super().__init__()

    def _talk(self, connection):
        if self._stage == "greeting":
            self._wait(connection)
            return
        connection.sendall(greeting(tls=True))
        connection.recv(36, socket.MSG_WAITALL)  # the SSL request
        if self._stage == "TLS":
            self._wait(connection)
            return
        with self._context.wrap_socket(connection, server_side=True) as inside:
            inside.recv(65_536)
            if self._stage == "token":
                inside.sendall(packet(3, CLEAR_PASSWORD_SWITCH))
                inside.recv(65_536)
            self._wait(inside)

    def _wait(self, stream):
        self.reached.set()
        with suppress(OSError):
            while stream.recv(65_536):
                pass
        self.left.set()


@pytest.fixture
def nothing_left():
    """Nothing of an attempt is left: no thread, no descriptor."""
    gc.collect()
    threads, files = _thread._count(), psutil.Process().num_fds()
    yield
    wait_until(lambda: _thread._count() == threads, "the attempt's end")
    assert psutil.Process().num_fds() == files


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("stage", ["greeting", "TLS", "login", "token"])
def test_an_interrupted_handshake_ends_on_the_server_too(contexts, stage):
    server, client = contexts
    with Stalling(stage, server) as stalling:
        with pytest.raises(KeyboardInterrupt), interrupt_when(stalling.reached.is_set):
            log_in(stalling.port, client)
        assert stalling.left.wait(LONG / 2), "long before the time for connecting is over"


@pytest.mark.usefixtures("nothing_left")
def test_an_interrupted_look_up_is_followed_by_no_connection(contexts, monkeypatch):
    begun, may_end, dialled = threading.Event(), threading.Event(), []

    def slow(*_, **__):
        begun.set()
        assert may_end.wait(LONG)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]

    class Watched(socket.socket):
        def connect(self, place):
            dialled.append(place)
            super().connect(place)

    monkeypatch.setattr(dial.socket, "getaddrinfo", slow)
    threads = _thread._count()
    with pytest.raises(KeyboardInterrupt), interrupt_when(begun.is_set):
        log_in(1, contexts[1], "slow.example.com")
    monkeypatch.setattr(dial.socket, "socket", Watched)
    may_end.set()
    wait_until(lambda: _thread._count() == threads)
    assert dialled == []


@pytest.mark.usefixtures("nothing_left")
def test_an_interrupted_connect_is_given_up(contexts):
    with socket.socket() as full, socket.socket() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting.connect(full.getsockname())
        threads = _thread._count()
        dials = lambda: any(c.status == "SYN_SENT" for c in psutil.Process().net_connections())  # noqa: E731
        with pytest.raises(KeyboardInterrupt), interrupt_when(dials):
            log_in(full.getsockname()[1], contexts[1])
        wait_until(lambda: _thread._count() == threads, "the attempt's end", LONG / 2)
