"""No byte of a token or of a password reaches a server whose TLS is not verified; a recording listener shows it."""

import contextlib
import socket
import ssl
import threading
import time

import pytest
import trustme

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.drivers.plain_connection import PlainConnection
from rds_iam_magic.errors import ConnectError, TlsError, UnreachableError
from rds_iam_magic.mysql.credential import Password, Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.driver import HandshakeError, verify_tls
from rds_iam_magic.mysql.login import Login
from rds_iam_magic.mysql.session_settings import SessionSettings
from tests.support.events import LONG
from tests.support.listener import Listener
from tests.support.loopback import LoopbackServer
from tests.support.packets import greeting, packet

pytestmark = pytest.mark.slow  # servers of its own


HOST = "sandbox.cluster-abc123.us-east-1.rds.amazonaws.com"
WORD = "t0ken-that-must-not-leak"
CREDENTIALS = [Token(Secret(WORD)), Password(Secret(WORD))]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(params=CREDENTIALS, ids=["token", "password"])
def login(request, authority):
    def make(port, timeout=3.0):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        authority.configure_trust(context)
        return Login(
            endpoint=parse_host_name(HOST),
            user="analyst",
            credential=lambda: request.param,
            context=context,
            trust_source="test.pem",
            via=Address("127.0.0.1", port),
            timeout=timeout,
        )

    return make


@pytest.fixture(params=["session", "plain"])
def opened(request):
    """Opens a session of ours, or a plain connection of PyMySQL, which the same guard stands before."""
    plain = request.param == "plain"
    return lambda login: PlainConnection(login, SessionSettings()) if plain else login.open()


def server_context(authority, *names, **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **options).configure_cert(context)
    return context


def leaked(listener):
    return any(part in listener.received for part in (WORD.encode(), WORD[:4].encode(), WORD[::-1].encode()))


def test_the_listener_would_see_a_secret(authority, login, opened):
    """The control: over verified TLS the same listener does get the secret."""
    with Listener(tls=True, context=server_context(authority, HOST)) as listener, pytest.raises(ConnectError):
        opened(login(listener.port, timeout=1.0))
    assert WORD.encode() in listener.received


def test_server_without_tls(login, opened):
    with Listener(tls=False) as listener, pytest.raises(TlsError, match="offers no TLS; nothing was sent"):
        opened(login(listener.port))
    assert listener.received == b""


def test_clear_password_asked_for_before_tls(login, opened):
    """The server promises TLS, then asks for the secret in plain text instead of shaking hands."""
    with Listener(tls=True, context=None, switch=True) as listener:
        with pytest.raises(TlsError, match="nothing was sent"):
            opened(login(listener.port))
    assert not leaked(listener)


def test_self_signed_certificate(login, opened):
    with Listener(tls=True, context=server_context(trustme.CA(), HOST)) as listener:
        with pytest.raises(TlsError, match="not signed by an authority of the CA bundle; nothing was sent"):
            opened(login(listener.port))
    assert not leaked(listener)
    assert b"analyst" not in listener.received


def test_certificate_of_another_host(authority, login, opened):
    other = "other.cluster-abc123.us-east-1.rds.amazonaws.com"
    with Listener(tls=True, context=server_context(authority, other, "127.0.0.1", "localhost")) as listener:
        with pytest.raises(TlsError, match="for another host; nothing was sent"):
            opened(login(listener.port))
    assert not leaked(listener)


def test_expired_certificate(authority, login, opened):
    import datetime

    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    with Listener(tls=True, context=server_context(authority, HOST, not_after=past)) as listener:
        with pytest.raises(TlsError, match="expired"):
            opened(login(listener.port))
    assert not leaked(listener)


def test_a_context_that_does_not_verify_is_no_way_around(login, opened):
    """Even a driver option gone wrong, a context without verification, gets no secret out."""
    made = login(0)
    made.context.check_hostname = False
    made.context.verify_mode = ssl.CERT_NONE
    with Listener(tls=True, context=server_context(trustme.CA(), HOST)) as listener:
        careless = Login(**{f: getattr(made, f) for f in made.__slots__} | {"via": Address("127.0.0.1", listener.port)})
        with pytest.raises(TlsError, match="was not verified; nothing was sent"):
            opened(careless)
    assert not leaked(listener)


def test_a_server_that_says_nothing_is_given_up_in_time(login, opened):
    with Listener(tls=False, silent=True) as listener, pytest.raises(UnreachableError, match="does not answer"):
        opened(login(listener.port, timeout=0.5))


@pytest.mark.parametrize(
    "greeting", [b"", b"\x0a", b"\x0a8.0", b"\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x0a8.0\0" * 9]
)
def test_a_malformed_greeting(login, opened, greeting):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.sendall(packet(0, greeting))

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectError):
            opened(login(server.getsockname()[1]))
        thread.join()


def test_nobody_listens(login, opened):
    with pytest.raises(UnreachableError, match="cannot be reached") as caught:
        opened(login(1))
    assert "via=" in caught.value.hint


# TLS only


def tls_only(login, port, timeout=3.0):
    made = login(port)
    return verify_tls(Address("127.0.0.1", port), host=HOST, context=made.context, timeout=timeout)


def test_tls_may_be_verified_without_logging_in(authority, login):
    """Nothing is sent within TLS, not even the user's name."""
    with Listener(tls=True, context=server_context(authority, HOST, "other.example.com")) as listener:
        assert tls_only(login, listener.port) == (HOST, "other.example.com")
    assert len(listener.received) == 36, "the request for TLS"


def test_tls_only_refuses_what_a_login_refuses(login):
    with Listener(tls=True, context=server_context(trustme.CA(), HOST)) as listener:
        with pytest.raises(HandshakeError) as caught:
            tls_only(login, listener.port)
    assert isinstance(caught.value.failure.cause, ssl.SSLCertVerificationError)
    with Listener(tls=False) as listener, pytest.raises(TlsError, match="offers no TLS"):
        tls_only(login, listener.port)


@pytest.mark.parametrize(
    ("words", "reached", "code"),
    [
        (b"", "tcp", 2013),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "words", None),
        (packet(0, b"\xff\x10\x04Too many connections"), "words", 1040),
        (greeting(tls=True), "greeting", None),
    ],
)
def test_how_far_a_handshake_came(login, words, reached, code):
    class Speaking(LoopbackServer):
        def _talk(self, connection):
            connection.sendall(words)

    with Speaking() as server, pytest.raises(HandshakeError) as caught:
        tls_only(login, server.port)
    assert caught.value.failure.reached == reached
    assert code in (None, caught.value.failure.code)


@pytest.mark.parametrize("mariadb", [False, True])
def test_mariadb_is_known_by_its_greeting(login, mariadb):
    class Greeting(LoopbackServer):
        def _talk(self, connection):
            connection.sendall(greeting(tls=True, mariadb=mariadb))

    with Greeting() as server, pytest.raises(HandshakeError) as caught:
        tls_only(login, server.port)
    assert caught.value.failure.server_is_mariadb == mariadb


def test_tcp_may_have_less_time_than_the_whole(login):
    began = time.monotonic()
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        with pytest.raises(UnreachableError, match="does not answer"):
            verify_tls(
                Address("127.0.0.1", port), host=HOST, context=login(port).context, timeout=LONG, dial_timeout=0.1
            )
    assert time.monotonic() - began < LONG
