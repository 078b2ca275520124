"""An interrupt while something is connected leaves no descriptor with two owners, each of which closes its number.

`SSLSocket._create` makes a second socket object for a descriptor, and lets the first one go some lines later. What is
interrupted between them closes the number twice, the second time whatever has it by then: another connection, a pipe.
"""

import _thread
import gc
import os
import select
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import psutil
import pytest
import trustme

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.identity import ask_who, clock_ahead
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.aws.session import HastySession, client_of
from rds_iam_magic.aws.truststore import trust_store
from rds_iam_magic.mysql import dial, driver
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.driver import HandshakeError, open_session, verify_tls
from tests.support.events import LONG, interrupt_when, wait_until
from tests.support.injector import Injector
from tests.support.loopback import LoopbackServer
from tests.support.packets import CLEAR_PASSWORD_SWITCH, greeting, ok, packet
from tests.support.wire_server import WireServer

pytestmark = pytest.mark.slow  # servers of its own

HOST = "sandbox.cluster-abc123.us-east-1.rds.amazonaws.com"
REGION = "us-east-1"
PYTHON = (ssl.__file__, socket.__file__)


class Holding(Injector):
    """Keeps what the interrupted functions had, as a traceback that somebody looks at does."""

    held = None

    def _line(self, frame, event, detail):
        try:
            return super()._line(frame, event, detail)
        except BaseException:
            self.held = []
            while frame.f_code.co_filename in PYTHON:
                self.held.append(dict(frame.f_locals))
                frame = frame.f_back
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


def names_of(port, context):
    return verify_tls(dial.Address("127.0.0.1", port), host=HOST, context=context, timeout=LONG)


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


def test_python_s_own_tls_does_close_what_is_not_its_own_any_more():
    """The control. Once Python has mended it, this fails, and the oldest Python tells when that counts for all.

    In a process of its own, whose descriptors nobody else needs.
    """
    code = f"from {__name__} import lost_by_python; print(lost_by_python())"
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert "_create" in run.stdout


def lost_by_python():
    """The lines of Python's own code where an interrupt closes another's descriptor."""
    at, lost, where = 1, [], ""
    context = ssl.create_default_context()

    def wrap(sock):
        try:
            context.wrap_socket(sock, server_hostname=HOST, do_handshake_on_connect=False).close()
        finally:
            sock.close()  # by its first owner, as everybody does whose handshake has failed

    while where is not None:
        left, right = socket.socketpair()
        with right:
            where = lost_pipe(lambda sock=left: wrap(sock), at)
        lost += [where] if where else []
        at += 1
    return lost


@pytest.mark.parametrize("act", [lambda *way: log_in(*way).close(), names_of], ids=["logging in", "TLS only"])
def test_an_interrupt_within_python_s_own_code_closes_nothing_of_others(contexts, act):
    server, client = contexts
    with WireServer(server, lambda _: packet(1, ok())) as wire:
        assert lost_pipes(lambda: act(wire.port, client)) == []


class Resetting(LoopbackServer):
    """Greets, hears that TLS is to begin, and is gone as if it had crashed."""

    def _talk(self, connection):
        connection.sendall(greeting(tls=True))
        connection.recv(36, socket.MSG_WAITALL)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Late(ssl.SSLContext):
    """Begins with TLS once the other side has said something, or is gone."""

    def wrap_socket(self, sock, *arguments, **options):
        assert select.select([sock], [], [], LONG)[0]
        return super().wrap_socket(sock, *arguments, **options)


@pytest.mark.parametrize("act", [log_in, names_of], ids=["logging in", "TLS only"])
def test_a_reset_just_before_tls_leaves_no_descriptor(act):
    """A socket that nobody closes fails the suite by its warning."""
    with Resetting() as server, pytest.raises(HandshakeError) as info:
        act(server.port, Late(ssl.PROTOCOL_TLS_CLIENT))
    assert isinstance(info.value.failure.cause, ConnectionResetError)
    del info
    gc.collect()


class Answer(BaseHTTPRequestHandler):
    """A CA bundle for whoever asks by GET; STS is asked by POST."""

    bundle = b""

    def do_GET(self):
        self._answer(self.bundle)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(IDENTITY)

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # the client was interrupted
            self.wfile.write(body)

    def log_message(self, *_):
        pass


IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/ana</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"""


class Web(ThreadingHTTPServer):
    block_on_close = True

    def handle_error(self, *_):
        """The client was interrupted."""


@pytest.fixture
def web(tmp_path, monkeypatch):
    """A web server over TLS, for AWS's and for the CA bundle's; its address."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "company.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with Web(("127.0.0.1", 0), type("Answer", (Answer,), {"bundle": authority.cert_pem.bytes()})) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "company.pem"))
        monkeypatch.setenv("RDS_IAM_MAGIC_CACHE", str(tmp_path / "cache"))
        monkeypatch.delenv("RDS_IAM_MAGIC_CA", raising=False)
        yield f"https://localhost:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def lost_pipes(act):
    """The lines of `ssl` and `socket` at which an interrupt has another one's descriptor closed."""
    at, lost = 1, []
    while (where := lost_pipe(act, at)) is not None:
        lost += [where] if where else []
        at += 1
    return lost


def test_nor_does_one_while_the_ca_bundle_is_downloaded(web, monkeypatch, tmp_path):
    monkeypatch.setenv("RDS_IAM_MAGIC_CA_URL", f"{web}/bundle.pem")

    def download():
        shutil.rmtree(tmp_path / "cache", ignore_errors=True)
        trust_store(parse_host_name(HOST))

    assert lost_pipes(download) == []


def test_nor_does_one_while_aws_is_asked(web):
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=REGION)
    with aws_call("asking"):
        client = client_of(HastySession(session), "sts", endpoint_url=web)

    def ask():
        with aws_call("asking"):
            assert client.get_caller_identity()["Account"] == "123456789012"

    assert lost_pipes(ask) == []


@pytest.mark.parametrize(
    "ask", [lambda session: ask_who(session).account, lambda session: clock_ahead(session, REGION)]
)
def test_nor_does_one_while_aws_is_asked_who_somebody_is_or_for_the_time(web, monkeypatch, ask):
    monkeypatch.setenv("AWS_ENDPOINT_URL", web)
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=REGION)
    assert ask(session) not in (None, "")
    assert lost_pipes(lambda: ask(session)) == []


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
@pytest.mark.parametrize("stage", ["greeting", "TLS"])
def test_so_does_an_interrupted_look_at_tls(contexts, stage):
    server, client = contexts
    with Stalling(stage, server) as stalling:
        with pytest.raises(KeyboardInterrupt), interrupt_when(stalling.reached.is_set):
            names_of(stalling.port, client)
        assert stalling.left.wait(LONG / 2)


def socket_of(port, context):
    """Log in, as a plain connection does: it takes the socket, and leaves the thread."""
    way = {"host": HOST, "user": "ana", "credential": Token(Secret("t0ken")), "context": context, "database": None}
    driver.log_in(dial.Address("127.0.0.1", port), lambda raw, _: raw._sock, timeout=LONG, **way).close()


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("act", [names_of, socket_of], ids=["TLS only", "plain connection"])
def test_a_thread_that_nobody_goes_on_with_ends_at_once(contexts, act):
    """Not when the reference cycles of PyMySQL's connection are collected."""
    server, client = contexts
    with WireServer(server, lambda _: packet(1, ok())) as wire:
        threads = _thread._count()
        gc.disable()
        try:
            act(wire.port, client)
            wait_until(lambda: _thread._count() == threads)
        finally:
            gc.enable()


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
