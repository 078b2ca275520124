"""The server that stands for MySQL and RDS Proxy: what a real client makes of its answers."""

import socket
import ssl

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.errors import RdsIamError
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.driver import HandshakeError, open_session
from tests.support import stand_in
from tests.support.stand_in import BUILT_IN, StandIn

pytestmark = pytest.mark.slow  # servers and kernels

HOST = "orders.cluster-abc123.eu-west-1.rds.amazonaws.com"
TOKEN = Secret("token")


def failure_of(sandbox, port, user="ana", host=HOST):
    with pytest.raises(HandshakeError) as caught:
        open_session(
            Address("127.0.0.1", port),
            host=host,
            user=user,
            credential=Token(TOKEN),
            context=ssl.create_default_context(cafile=str(sandbox.bundle)),
            database=None,
            timeout=10,
        )
    return caught.value.failure


@pytest.mark.parametrize(
    ("answer", "code", "words", "asked"),
    [
        (stand_in.denied(), 1045, "Access denied for user 'ana'@'10.0.3.7' (using password: YES)", True),
        (stand_in.PASSWORD_USER, 1045, "Access denied for user 'ana'@'10.0.3.7' (using password: NO)", False),
        (stand_in.LOCKED, 3118, "Account is locked", True),
        (stand_in.IAM_OFF, 1524, "is not loaded", False),
        (stand_in.TOO_MANY_CONNECTIONS, 1040, "Too many connections", False),
        (stand_in.HOST_BLOCKED, 1129, "is blocked because of many connection errors", False),
        (stand_in.USER_CONNECTIONS, 1203, "User ana already has more than", True),
        (stand_in.USER_LIMIT, 1226, "User 'ana' has exceeded", True),
        (stand_in.PROXY_DENIED, 1045, "'ana'@'%' (using password: YES)", True),
        (stand_in.PROXY_WITHOUT_SECRET, 1045, "'ana'@'%' (using password: NO)", False),
        (stand_in.PROXY_THROTTLED, 1040, "IAM authentication rate limit exceeded", True),
        (stand_in.PROXY_UNAVAILABLE, 9501, "Timed-out waiting", True),
    ],
)
def test_each_answer(sandbox, answer, code, words, asked):
    with StandIn(sandbox.server_context(), answer) as server:
        failure = failure_of(sandbox, server.port)
    assert (failure.code, failure.token_asked, failure.server_is_mariadb) == (code, asked, False)
    assert words in failure.message
    assert server.users == (["ana"] if answer.greets else [])
    assert (TOKEN.reveal() in server.secrets) is asked


def test_it_may_be_a_mariadb(sandbox):
    with StandIn(sandbox.server_context(), stand_in.denied(), mariadb=True) as server:
        assert failure_of(sandbox, server.port).server_is_mariadb


def test_a_probe_holds_nobody_up(sandbox):
    with StandIn(sandbox.server_context(), stand_in.denied()) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as probe:
            assert probe.recv(5)[4] == 10, "the greeting"
            assert failure_of(sandbox, server.port).code == 1045


def test_mysql_asks_who_is_unknown_for_a_built_in_plugin(sandbox):
    with StandIn(sandbox.server_context(), stand_in.mysql_account_of("ana")) as server:
        assert failure_of(sandbox, server.port, "ana").token_asked
        for name in ("Ana", "anna", "bob", "eve", "mallory", "trent"):
            assert not failure_of(sandbox, server.port, name).token_asked
    assert {stand_in.mysql_unknown_user(f"user{number}").plugin for number in range(50)} == set(BUILT_IN)


@pytest.mark.parametrize(
    "host",
    [
        HOST,
        "orders.abc123.us-gov-west-1.rds.amazonaws.com",
        "orders.abc123.rds.cn-north-1.amazonaws.com.cn",
        "orders.proxy-abc123.eu-west-1.rds.amazonaws.com",
        "orders.global-abc123.global.rds.amazonaws.com",
    ],
)
def test_tls_is_verified_for_any_host(sandbox, host):
    assert parse_host_name(host, region="eu-west-1").host == host
    with StandIn(sandbox.server_context(), stand_in.denied()) as server:
        assert failure_of(sandbox, server.port, host=host).code == 1045
    other = ssl.create_default_context()
    with StandIn(sandbox.server_context(), stand_in.denied()) as server, pytest.raises((HandshakeError, RdsIamError)):
        open_session(
            Address("127.0.0.1", server.port),
            host=host,
            user="ana",
            credential=Token(TOKEN),
            context=other,
            database=None,
            timeout=10,
        )
    assert server.users == server.secrets == []
