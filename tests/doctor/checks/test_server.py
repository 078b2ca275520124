"""What one attempt to log in shows: of TCP, of TLS, of the server's answer; on real sockets and on the real server."""

import datetime
import socket
import ssl
import time
from dataclasses import replace

import pytest
import trustme

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.targets.found import Database
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.doctor.checks import server as checks
from rds_iam_magic.doctor.checks.check import Tools
from rds_iam_magic.doctor.checks.server import SERVER, client_in
from rds_iam_magic.doctor.diagnose import gather
from rds_iam_magic.doctor.evidence import (
    Answer,
    Asked,
    Evidence,
    Failed,
    Grants,
    Network,
    NotLooked,
    Problem,
    Target,
)
from tests.support.events import LONG, interrupt_when, wait_until
from tests.support.listener import Listener
from tests.support.loopback import LoopbackServer
from tests.support.packets import CLEAR_PASSWORD_SWITCH, err, greeting, packet

pytestmark = pytest.mark.slow  # servers of its own

HOST = "sandbox.cluster-abc123.us-east-1.rds.amazonaws.com"
NO_KEYS = Problem("credentials-missing", "No AWS credentials were found.")


class Speaking(LoopbackServer):
    """Says something to each client, and closes, or waits until the client does."""

    TIMEOUT = LONG

    def __init__(self, words: bytes = b"", *, closes: bool = True) -> None:
        self._words, self._closes = words, closes
        self.received = b""
        self.clients = 0
        super().__init__()

    def _talk(self, connection):
        self.clients += 1
        connection.sendall(self._words)
        while not self._closes and (data := connection.recv(4096)):
            self.received += data


class Refusing(Listener):
    """Over verified TLS: reads the login, asks for the token or not, and refuses."""

    def __init__(self, context, refusal, *, switch=True, mariadb=False):
        super().__init__(tls=True, context=context, switch=switch)
        self._refusal, self._mariadb = refusal, mariadb

    def _talk(self, connection):
        connection.sendall(greeting(tls=True, mariadb=self._mariadb))
        self._read(connection, 36)
        with self._context.wrap_socket(connection, server_side=True) as inside:
            self.received += inside.recv(65536)
            number = 2
            if self._switch:
                inside.sendall(packet(number + 1, CLEAR_PASSWORD_SWITCH))
                self.received += inside.recv(65536)
                number += 2
            if self._refusal:
                inside.sendall(packet(number + 1, self._refusal))


class Telling(Refusing):
    """Refuses with what it makes of the token."""

    def __init__(self, context, make):
        super().__init__(context, b"")
        self._make = make

    def _talk(self, connection):
        connection.sendall(greeting(tls=True))
        self._read(connection, 36)
        with self._context.wrap_socket(connection, server_side=True) as inside:
            inside.recv(65536)
            inside.sendall(packet(3, CLEAR_PASSWORD_SWITCH))
            inside.sendall(packet(5, err(1045, self._make(inside.recv(65536)[4:].rstrip(b"\0")))))


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def bundle(authority, tmp_path, own_configuration, monkeypatch):
    """The path of the authority's bundle; and keys, so that tokens can be signed."""
    assert own_configuration is None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    authority.cert_pem.write_to_path(tmp_path / "bundle.pem")
    return str(tmp_path / "bundle.pem")


def context_of(authority, *names, **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*(names or (HOST,)), **options).configure_cert(context)
    return context


def look(port=None, host=HOST, *, user="analyst", database=None, keys=None, described=None, **options):
    if port is not None:
        options["via"] = f"127.0.0.1:{port}"
    target = Target(parse_host_name(host), "typed", described=described)
    evidence = Evidence(Asked(user, database=database), target=target)
    if keys is not None:
        evidence = Evidence(evidence.asked, target=evidence.target, keys=keys)
    return SERVER.look(Tools(ConnectOptions(**options), TargetOptions()), evidence)


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
        yield listening.getsockname()[1]
        for sock in waiting:
            sock.close()


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(checks, "LIMIT", 0.5)
    monkeypatch.setattr(checks, "ATTEMPT", 1.0)


def closed(evidence, outcome):
    """Nothing but TCP was looked at, and what became of it."""
    assert isinstance(evidence.network, Network)
    assert evidence.network.outcome == outcome
    assert evidence.network.problem.message in evidence.network.message
    assert evidence.tls == evidence.answer == evidence.grants == NotLooked("network")
    return evidence.network


# TCP


def test_a_name_that_does_not_resolve(bundle):
    network = closed(look(ca=bundle, host=HOST), "name")  # no machine has a DNS server that knows it
    assert network.address == f"{HOST}:3306"
    assert "does not resolve" in network.message


@pytest.mark.usefixtures("hasty")
def test_a_name_that_is_looked_up_for_too_long(bundle, monkeypatch):
    import threading

    may_answer = threading.Event()
    monkeypatch.setattr("rds_iam_magic.mysql.dial.socket.getaddrinfo", lambda *_, **__: [][may_answer.wait(LONG) :])
    try:
        closed(look(ca=bundle), "name-slow")
    finally:
        may_answer.set()


def test_a_port_that_refuses(bundle):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    network = closed(look(port, ca=bundle), "refused")
    assert network.address == f"127.0.0.1:{port}"


@pytest.mark.usefixtures("hasty")
def test_an_address_that_is_silent_and_may_be_paused(bundle, full):
    assert "paused" not in closed(look(full, ca=bundle), "silent").message
    pauses = Database(parse_host_name(HOST), "arn", "cluster-1", iam_enabled=True, pauses=True)
    message = closed(look(full, ca=bundle, described=pauses), "silent").message
    assert "may be paused, and resuming takes up to 60 s" in message


def test_an_address_that_cannot_be_reached(bundle):
    """A broadcast address: the kernel says no, as for a network without a route."""
    network = closed(look(via="255.255.255.255:3306", ca=bundle), "unreachable")
    assert "cannot be reached" in network.message


def test_a_connection_that_is_closed_at_once(bundle):
    with Speaking() as server:
        closed(look(server.port, ca=bundle), "closed")


@pytest.mark.usefixtures("hasty")
def test_a_server_that_says_nothing(bundle):
    with Speaking(closes=False) as server:
        closed(look(server.port, ca=bundle), "mute")
    assert server.received == b""


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9\r\n", packet(0, b"\x09x")])
def test_a_server_that_is_none_of_mysql(bundle, words):
    with Speaking(words) as server:
        closed(look(server.port, ca=bundle), "mute")


# TLS


def opened(evidence, outcome):
    """TCP is open, nobody could log in, and what became of TLS."""
    assert evidence.network.outcome == "open"
    assert evidence.tls.outcome == outcome
    assert evidence.answer == NotLooked("TLS")
    assert evidence.grants == NotLooked("server")
    assert evidence.tls.problem.message == evidence.tls.message
    return evidence.tls


def nothing_was_sent(listener):
    assert b"analyst" not in listener.received
    assert b"X-Amz" not in listener.received


def test_an_authority_that_is_not_trusted(bundle):
    with Listener(tls=True, context=context_of(trustme.CA())) as listener:
        tls = opened(look(listener.port, ca=bundle), "untrusted")
    assert (tls.source, tls.names) == (bundle, ())
    nothing_was_sent(listener)


def test_a_certificate_of_another_host_and_its_names(authority, bundle):
    with Listener(tls=True, context=context_of(authority, "other.example.com", "third.example.com")) as listener:
        tls = opened(look(listener.port, ca=bundle), "name")
    assert tls.names == ("other.example.com", "third.example.com")
    nothing_was_sent(listener)


def test_a_certificate_that_has_expired_and_its_names(authority, bundle):
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    with Listener(tls=True, context=context_of(authority, not_after=past)) as listener:
        tls = opened(look(listener.port, ca=bundle), "expired")
    assert tls.names == (HOST,)
    nothing_was_sent(listener)


def test_a_server_without_tls(bundle):
    with Listener(tls=False) as listener:
        opened(look(listener.port, ca=bundle), "not-offered")
    assert listener.received == b""


def test_tls_that_fails(bundle):
    with Listener(tls=True, context=None, switch=True) as listener:
        opened(look(listener.port, ca=bundle), "failed")
    nothing_was_sent(listener)


@pytest.mark.parametrize("text", [None, "no certificates"])
def test_without_a_bundle_tcp_is_looked_at(authority, bundle, tmp_path, text):
    path = tmp_path / "other.pem"
    if text:
        path.write_text(text)
    with Listener(tls=True, context=context_of(authority)) as listener:
        tls = opened(look(listener.port, ca=str(path)), "failed")
    assert bundle
    assert str(path) in tls.message
    assert tls.problem.cause in ("ca-bundle-unreadable", "ca-bundle-invalid")
    nothing_was_sent(listener)


@pytest.mark.usefixtures("hasty")
def test_a_bundle_that_does_not_come(authority, bundle, monkeypatch, tmp_path):
    assert bundle
    monkeypatch.setenv("RDS_IAM_MAGIC_CACHE", str(tmp_path))
    with Speaking(closes=False) as web, Listener(tls=True, context=context_of(authority)) as listener:
        monkeypatch.setenv("RDS_IAM_MAGIC_CA_URL", f"http://127.0.0.1:{web.port}/bundle.pem")
        tls = opened(look(listener.port), "failed")
        wait_until(lambda: web.clients)
    assert tls.problem.cause == "ca-bundle-unavailable"
    nothing_was_sent(listener)


# The server's answer


def answered(evidence, **expected):
    assert evidence.network.outcome == "open"
    assert evidence.tls.outcome == "verified"
    assert replace(evidence.answer, at=None) == Answer(**{"accepted": False} | expected)
    assert evidence.answer.at is not None
    return evidence


DENIED = "Access denied for user 'analyst'@'10.0.3.7' (using password: YES)"


@pytest.mark.parametrize("mariadb", [False, True])
@pytest.mark.parametrize("switch", [False, True])
def test_a_refusal(authority, bundle, switch, mariadb):
    refusal = err(1045, DENIED.encode())
    with Refusing(context_of(authority), refusal, switch=switch, mariadb=mariadb) as server:
        evidence = look(server.port, ca=bundle)
    answered(evidence, code=1045, message=DENIED, token_asked=switch, is_mariadb=mariadb, address="10.0.3.7")
    assert evidence.grants == NotLooked("server")
    assert (b"X-Amz-Signature" in server.received) == switch, "the control: this one got the token"
    assert "X-Amz" not in repr(evidence)


@pytest.mark.parametrize("code", [1040, 1129])
def test_a_refusal_instead_of_a_greeting(bundle, code):
    with Speaking(packet(0, b"\xff" + code.to_bytes(2, "little") + b"Too many")) as server:
        evidence = look(server.port, ca=bundle)
    assert evidence.network.outcome == "open"
    assert evidence.tls == NotLooked("server")
    assert replace(evidence.answer, at=None) == Answer(accepted=False, code=code, message="Too many", token_asked=False)
    assert evidence.answer.at is not None


def test_a_server_that_goes_away_with_the_token(authority, bundle):
    with Refusing(context_of(authority), b"") as server:
        evidence = look(server.port, ca=bundle)
    assert evidence.tls.outcome == "verified"
    assert isinstance(evidence.answer, Failed)
    assert "X-Amz" not in repr(evidence)


class Repeating(Refusing):
    """Repeats what it was sent."""

    def _talk(self, connection):
        connection.sendall(greeting(tls=True))
        self._read(connection, 36)
        with self._context.wrap_socket(connection, server_side=True) as inside:
            self._record(inside, once=True)
            inside.sendall(packet(3, CLEAR_PASSWORD_SWITCH))
            token = inside.recv(65536)[4:-1]
            self.received += token
            inside.sendall(packet(5, err(1045, b"Access denied for '" + token + b"' @ '" + token[-80:] + b"'")))


def test_a_server_that_repeats_the_token(authority, bundle):
    with Repeating(context_of(authority), b"") as server:
        evidence = look(server.port, ca=bundle)
    assert evidence.answer.code == 1045
    assert b"X-Amz-Signature" in server.received
    assert "Amz" not in repr(evidence)
    assert server.received.partition(b"X-Amz-Signature=")[2].decode()[:20] not in repr(evidence)


def test_two_ways_at_once(bundle):
    tools = Tools(ConnectOptions(via="127.0.0.1", ssh="bastion", ca=bundle), TargetOptions())
    evidence = gather(Asked("analyst"), tools, [target_of(HOST), SERVER], notify=lambda _: None)
    assert evidence.network == Failed("via and ssh both say how the database is reached.")


@pytest.mark.parametrize("keys", [NO_KEYS, Failed("no answer within 3 s")])
def test_without_credentials_tls_is_looked_at_and_nothing_is_sent(authority, bundle, keys):
    with Listener(tls=True, context=context_of(authority)) as listener:
        evidence = look(listener.port, ca=bundle, keys=keys)
    assert evidence.network == Network("open", f"127.0.0.1:{listener.port}")
    assert (evidence.tls.outcome, evidence.tls.names) == ("verified", (HOST,))
    assert evidence.answer == NotLooked("credentials")
    nothing_was_sent(listener)


def test_a_token_that_cannot_be_signed(authority, bundle, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIA1")
    with Listener(tls=True, context=context_of(authority)) as listener:
        evidence = look(listener.port, ca=bundle)
    assert evidence.tls.outcome == "verified"
    assert evidence.answer == NotLooked("credentials")
    nothing_was_sent(listener)


def test_a_way_that_takes_credentials_itself(bundle):
    evidence = look(ca=bundle, keys=NO_KEYS, ssm="i-0123456789abcdef0")
    assert evidence.network == evidence.tls == evidence.answer == evidence.grants == NotLooked("credentials")


@pytest.mark.parametrize(
    ("message", "address"),
    [
        (DENIED, "10.0.3.7"),
        ("Access denied for user 'o'@'x'@'ip-10-0-3-7.ec2.internal' (using password: YES)", "ip-10-0-3-7.ec2.internal"),
        ("Access denied for user 'a'@'%' (using password: YES)", ""),
        ("Access denied for user 'a'@'2001:db8::1' to database 'x'", "2001:db8::1"),
        ("Access denied, this account is locked", ""),
    ],
)
def test_the_address_in_the_servers_words(message, address):
    assert client_in(message) == address


# The real server


def of_sandbox(inside, **how):
    return look(host=inside.endpoint, **{"user": "reader", **how})


def test_a_login_that_works(inside):
    evidence = of_sandbox(inside, database="shop")
    assert evidence.network == Network("open", f"127.0.0.1:{inside.server.port}")
    assert evidence.tls.outcome == "verified"
    assert replace(evidence.answer, at=None) == Answer(accepted=True, is_mariadb=True, address="127.0.0.1")
    assert evidence.answer.at is not None
    assert isinstance(evidence.grants, Grants)
    assert not evidence.grants.nothing
    assert "IDENTIFIED" not in repr(evidence)


@pytest.mark.parametrize(("database", "code"), [("nowhere", 1044), ("mysql", 1044)])
def test_a_schema_that_the_user_may_not_see(inside, database, code):
    """It is let in: what it may do is told all the same."""
    evidence = of_sandbox(inside, database=database)
    assert (evidence.answer.accepted, evidence.answer.code) == (False, code)
    assert any("shop" in line for line in evidence.grants.lines)


def test_a_user_whom_the_server_refuses(inside):
    evidence = of_sandbox(inside, user="nobody")
    assert evidence.answer.code == 1045
    assert evidence.answer.is_mariadb
    assert evidence.answer.address == "127.0.0.1"


def test_no_hash_of_a_password_is_shown(inside):
    with inside.server.root() as root:
        root.execute(
            "CREATE USER 'both'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('x') "
            "OR AWSAuthenticationPlugin USING 'RDS' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5"
        )
    try:
        evidence = of_sandbox(inside, user="both")
    finally:
        with inside.server.root() as root:
            root.execute("DROP USER 'both'@'%'")
    assert evidence.answer.accepted or evidence.answer.code
    assert "*" not in repr(evidence.grants).replace("*.*", "")


# Within the whole


def test_nothing_answers(bundle, full):
    """In less than 10 s; threads and sockets are gone afterwards."""
    lines, began = [], time.monotonic()
    evidence = gather(
        Asked("analyst"),
        Tools(ConnectOptions(via=f"127.0.0.1:{full}", ca=bundle), TargetOptions()),
        [target_of(HOST), SERVER],
        notify=lines.append,
    )
    assert time.monotonic() - began < 10
    assert evidence.network.outcome == "silent"
    assert lines == ["waiting for: server"]


def test_ctrl_c_while_nothing_answers(bundle):
    with Speaking(closes=False) as server:
        with pytest.raises(KeyboardInterrupt), interrupt_when(lambda: server.clients):
            gather(
                Asked("analyst"),
                Tools(ConnectOptions(via=f"127.0.0.1:{server.port}", ca=bundle), TargetOptions()),
                [target_of(HOST), SERVER],
                notify=lambda _: None,
            )


def target_of(host):
    from dataclasses import replace

    from rds_iam_magic.doctor.checks.check import Check

    def look(_, evidence):
        return replace(evidence, target=Target(parse_host_name(host), "typed"))

    return Check("target", ("target",), look)


@pytest.mark.parametrize("cut", [slice(None), slice(None, -70), slice(-64, None), slice(-90, -70)])
def test_words_that_repeat_a_token_or_its_signature(authority, bundle, monkeypatch, cut):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a+session/token==")
    with Telling(context_of(authority), lambda token: b"It was " + token[cut] + b" and a+session/token==") as server:
        answer = look(server.port, ca=bundle).answer
    assert answer.message.startswith("It was ")
    assert len(answer.message) < 40, answer.message


def test_very_many_words_take_no_time(authority, bundle):
    with Telling(context_of(authority), lambda _: 60_000 * b"x") as server:
        before = time.process_time()
        answer = look(server.port, ca=bundle).answer
    assert answer.message == 500 * "x"
    assert time.process_time() - before < 5
