"""The verifier refuses what RDS refuses, and says why; through the real server, over TLS, with really signed tokens."""

import dataclasses
import datetime as dt
import json
import ssl

import boto3
import pymysql
import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.errors import AccessDeniedError, CredentialsError
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.login import Login
from rds_iam_magic.sandbox.iam import ACCOUNT
from tests.support import clock

pytestmark = pytest.mark.slow  # servers and kernels

ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def session_of(sandbox, principal="administrator", **changes):
    key, secret = sandbox.keys[principal]
    options = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": "us-east-1"}
    return boto3.Session(**options | changes)


def login_with(sandbox, token, user="reader"):
    """A login with a given token: TLS is verified for the cluster whatever the token was signed for."""
    secret = token if isinstance(token, Secret) else Secret(token)
    return Login(
        endpoint=parse_host_name(sandbox.endpoint),
        user=user,
        credential=lambda: Token(secret),
        context=ssl.create_default_context(cafile=str(sandbox.bundle)),
        trust_source="bundle",
        via=Address("127.0.0.1", sandbox.server.port),
    )


def accepted(sandbox, token, user="reader"):
    login_with(sandbox, token, user).open().close()
    return True


def refused(sandbox, token, user="reader"):
    """The verifier's reason; the client learns nothing but 1045."""
    before = len(sandbox.refusals())
    with pytest.raises(AccessDeniedError, match="1045"):
        login_with(sandbox, token, user).open()
    lines = sandbox.refusals()[before:]
    assert len(lines) == 1, "one line for each refusal"
    return lines[0]


@pytest.fixture
def endpoint(sandbox):
    return parse_host_name(sandbox.endpoint)


@pytest.mark.parametrize("principal", ["administrator", "inline", "grouped", "managed"])
def test_who_has_a_policy_is_let_in(sandbox, endpoint, principal):
    assert accepted(sandbox, sign_token(session_of(sandbox, principal), endpoint, "reader"))


def test_each_endpoint_of_the_database_is_known(sandbox):
    for host in sandbox.hosts:
        assert accepted(sandbox, sign_token(session_of(sandbox), parse_host_name(host), "reader"))


def test_the_token_of_the_aws_cli_is_let_in(sandbox, endpoint):
    client = session_of(sandbox).client("rds")
    assert accepted(sandbox, client.generate_db_auth_token(endpoint.host, 3306, "reader"))


def test_no_policy(sandbox, endpoint):
    reason = refused(sandbox, sign_token(session_of(sandbox, "stranger"), endpoint, "reader"))
    assert "no policy allows" in reason
    assert "user/stranger" in reason
    assert "dbuser:cluster-" in reason


def test_a_policy_for_another_database_user(sandbox, endpoint):
    assert "no policy allows" in refused(
        sandbox, sign_token(session_of(sandbox, "inline"), endpoint, "tester"), "tester"
    )


@pytest.fixture(autouse=True)
def tester(scratch):
    """A second IAM user of the database."""


def test_an_explicit_deny_wins(sandbox, endpoint):
    assert "explicitly denied" in refused(sandbox, sign_token(session_of(sandbox, "denied"), endpoint, "reader"))


def test_wrong_secret(sandbox, endpoint):
    session = session_of(sandbox, aws_secret_access_key="wrong" * 8)
    assert "signature does not match" in refused(sandbox, sign_token(session, endpoint, "reader"))


def test_unknown_access_key(sandbox, endpoint):
    session = session_of(sandbox, aws_access_key_id="AKIAIOSFODNN7EXAMPLE")
    assert "unknown or inactive" in refused(sandbox, sign_token(session, endpoint, "reader"))


def test_deactivated_access_key(sandbox, endpoint):
    iam = sandbox.client("iam")
    iam.create_user(UserName="leaver")
    iam.put_user_policy(
        UserName="leaver",
        PolicyName="all",
        PolicyDocument=json.dumps(ANYTHING),
    )
    key = iam.create_access_key(UserName="leaver")["AccessKey"]
    session = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    assert accepted(sandbox, sign_token(session, endpoint, "reader"))
    iam.update_access_key(UserName="leaver", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert "unknown or inactive" in refused(sandbox, sign_token(session, endpoint, "reader"))


def test_signed_for_another_host(sandbox):
    other = parse_host_name("other.cluster-abc123.us-east-1.rds.amazonaws.com")
    reason = refused(sandbox, sign_token(session_of(sandbox), other, "reader"))
    assert "none of this database's endpoints" in reason


def test_signed_for_the_tunnel(sandbox, endpoint):
    tunnel = dataclasses.replace(endpoint, host="127.0.0.1", port=sandbox.server.port)
    assert "none of this database's endpoints" in refused(sandbox, sign_token(session_of(sandbox), tunnel, "reader"))


def test_signed_for_another_port(sandbox, endpoint):
    other = dataclasses.replace(endpoint, port=3307)
    assert "none of this database's endpoints" in refused(sandbox, sign_token(session_of(sandbox), other, "reader"))


def test_signed_for_another_region(sandbox, endpoint):
    other = dataclasses.replace(endpoint, region="eu-central-1")
    assert "scope" in refused(sandbox, sign_token(session_of(sandbox), other, "reader"))


def test_signed_for_another_user(sandbox, endpoint):
    assert "signed for the user tester" in refused(sandbox, sign_token(session_of(sandbox), endpoint, "tester"))


def test_the_case_of_the_user_counts(sandbox, endpoint):
    assert "signed for the user Reader" in refused(sandbox, sign_token(session_of(sandbox), endpoint, "Reader"))


@pytest.mark.parametrize(("minutes", "reason"), [(-16, "expired"), (6, "in the future")])
def test_the_time_counts(sandbox, endpoint, monkeypatch, minutes, reason):
    assert reason in refused(sandbox, signed_at(sandbox, endpoint, monkeypatch, minutes))


def test_fourteen_minutes_are_in_time(sandbox, endpoint, monkeypatch):
    assert accepted(sandbox, signed_at(sandbox, endpoint, monkeypatch, -14))


def signed_at(sandbox, endpoint, monkeypatch, minutes):
    """A token that was signed by a clock that is so many minutes off."""

    moment = dt.datetime.now(dt.timezone.utc) + dt.timedelta(minutes=minutes)
    with monkeypatch.context() as patch:
        clock.stop(patch, moment)
        token = sign_token(session_of(sandbox), endpoint, "reader")
    assert f"X-Amz-Date={moment:%Y%m%dT%H%M}".encode() in token.reveal()
    return token


def test_a_changed_character(sandbox, endpoint):
    """Every part of the token counts; each is changed once."""
    token = sign_token(session_of(sandbox), endpoint, "reader").reveal().decode()
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        assert refused(sandbox, token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "",
        lambda token: token[:-1],
        lambda token: token + "&Action=connect",
        lambda token: token.replace("X-Amz-Expires=900", "X-Amz-Expires=604800"),
        lambda token: token.replace("%2F", "%2f"),
        lambda token: "\xff" + token,
    ],
)
def test_damaged_tokens(sandbox, endpoint, damage):
    assert refused(sandbox, damage(sign_token(session_of(sandbox), endpoint, "reader").reveal().decode()))


def test_an_assumed_role_needs_its_session_token(sandbox, endpoint):
    role = session_of(sandbox, "stranger").client("sts", endpoint_url=sandbox.environment["AWS_ENDPOINT_URL"])
    given = role.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/analytics", RoleSessionName="test")["Credentials"]
    keys = {"aws_access_key_id": given["AccessKeyId"], "aws_secret_access_key": given["SecretAccessKey"]}
    assert accepted(
        sandbox,
        sign_token(session_of(sandbox, aws_session_token=given["SessionToken"], **keys), endpoint, "reader"),
    )
    with pytest.raises(CredentialsError, match="session token is missing"):  # here already
        sign_token(session_of(sandbox, **keys), endpoint, "reader")
    other = sign_token(session_of(sandbox, aws_session_token="FwoGZXIvYXdzEX", **keys), endpoint, "reader")
    assert "session token" in refused(sandbox, other)


def test_a_session_policy_limits_its_role(sandbox, endpoint):
    role = session_of(sandbox, "stranger").client("sts", endpoint_url=sandbox.environment["AWS_ENDPOINT_URL"])
    nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    given = role.assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/analytics", RoleSessionName="test", Policy=json.dumps(nothing)
    )["Credentials"]
    session = session_of(
        sandbox,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    assert "no policy allows" in refused(sandbox, sign_token(session, endpoint, "reader"))


class _AnyClearPassword:
    """What a careless driver does: it sends the token, TLS or not."""

    def __init__(self, connection):
        self._connection = connection

    def authenticate(self, _packet):
        self._connection.write_packet(self._connection.password + b"\0")
        return self._connection._read_packet()


@pytest.mark.parametrize("tls", [False, True])
def test_a_valid_token_without_tls_is_refused(sandbox, endpoint, tls):
    """The same careless driver with TLS is the control."""
    options = {"ssl": ssl.create_default_context(cafile=str(sandbox.bundle))} if tls else {"ssl_disabled": True}
    if tls:
        options["ssl"].check_hostname = False  # this driver cannot name the endpoint of a tunnel
    connection = pymysql.connect(
        host="127.0.0.1",
        port=sandbox.server.port,
        user="reader",
        password=sign_token(session_of(sandbox), endpoint, "reader").reveal(),
        auth_plugin_map={"mysql_clear_password": _AnyClearPassword},
        defer_connect=True,
        **options,
    )
    before = len(sandbox.refusals())
    if tls:
        connection.connect()
        connection.close()
        assert len(sandbox.refusals()) == before
        return
    with pytest.raises(pymysql.err.OperationalError, match="1045"):
        connection.connect()
    assert "without TLS" in sandbox.refusals()[-1]


def test_the_log_has_no_secret(sandbox, endpoint):
    token = sign_token(session_of(sandbox, "stranger"), endpoint, "reader")
    refused(sandbox, token)
    log = "\n".join(sandbox.refusals())
    signature = token.reveal().decode().rpartition("=")[2]
    assert signature not in log
    assert not any(secret in log for _, secret in sandbox.keys.values())
