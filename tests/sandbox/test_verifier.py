"""The verifier refuses what RDS refuses, and says why; through the real server, over TLS, with really signed tokens."""

import contextlib
import dataclasses
import datetime as dt
import json
import ssl

import boto3
import pymysql
import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.errors import CredentialsError
from rds_iam_magic.sandbox import seed
from rds_iam_magic.sandbox.iam import ACCOUNT
from tests.support import clock
from tests.support.events import wait_until
from tests.support.permissions import key_of_partition, session_of_role
from tests.support.tokens import accepted, refused, session_of, session_with

pytestmark = pytest.mark.slow  # servers and kernels

ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
DENIAL = {"Effect": "Deny", "Action": "rds-db:*", "Resource": "*"}


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


@contextlib.contextmanager
def boundary(sandbox, principal, document):
    """Within it, a user or role has a permissions boundary."""
    iam = sandbox.client("iam")
    kind, _, name = principal.partition("/")
    arn = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    named = {f"{kind.title()}Name": name}
    getattr(iam, f"put_{kind}_permissions_boundary")(PermissionsBoundary=arn, **named)
    try:
        yield
    finally:
        getattr(iam, f"delete_{kind}_permissions_boundary")(**named)
        iam.delete_policy(PolicyArn=arn)


def of(sandbox, principal):
    if principal.startswith("role/"):
        return session_with(session_of_role(sandbox))
    return session_of(sandbox, principal.partition("/")[2])


@pytest.mark.parametrize("principal", ["user/inline", "user/grouped", "role/analytics"])
def test_a_boundary_that_does_not_allow_forbids(sandbox, endpoint, principal):
    with boundary(sandbox, principal, NOTHING):
        assert "within its limits" in refused(sandbox, sign_token(of(sandbox, principal), endpoint, "reader"))
    with boundary(sandbox, principal, ANYTHING):
        assert accepted(sandbox, sign_token(of(sandbox, principal), endpoint, "reader"))
    with boundary(sandbox, principal, {**ANYTHING, "Statement": [*ANYTHING["Statement"], DENIAL]}):
        assert "explicitly denied" in refused(sandbox, sign_token(of(sandbox, principal), endpoint, "reader"))


def test_a_service_control_policy_limits_the_account(sandbox, endpoint):
    token = sign_token(session_of(sandbox, "inline"), endpoint, "reader")
    with sandbox.account.service_control_policies(ANYTHING, NOTHING):
        assert "within its limits" in refused(sandbox, token)
    with sandbox.account.service_control_policies(ANYTHING):
        assert accepted(sandbox, token)


def test_a_role_s_session_expires(sandbox, endpoint):
    session = session_with(session_of_role(sandbox, seconds=1))
    token = sign_token(session, endpoint, "reader")
    wait_until(lambda: "have expired" in refused_or_in(sandbox, token), "the end of the session")


def refused_or_in(sandbox, token):
    try:
        return refused(sandbox, token)
    except pytest.fail.Exception:
        return ""


def test_a_session_that_is_ended(sandbox, endpoint):
    variables = session_of_role(sandbox)
    token = sign_token(session_with(variables), endpoint, "reader")
    assert accepted(sandbox, token)
    sandbox.account.end_session(variables["AWS_ACCESS_KEY_ID"])
    assert "have expired" in refused(sandbox, token)


def test_a_key_of_another_partition(sandbox, endpoint):
    session = session_with(key_of_partition(sandbox, "us-gov-west-1"))
    assert "unknown or inactive" in refused(sandbox, sign_token(session, endpoint, "reader"))


def test_the_global_endpoint_leads_to_the_writer(sandbox):
    """And its token has to be signed for the region where that is by now."""
    rds = sandbox.client("rds")
    west, east = (parse_host_name(sandbox.global_endpoint, region=region) for region in seed.GLOBAL_MEMBERS.values())
    switch = {"GlobalClusterIdentifier": seed.GLOBAL, "AllowDataLoss": True}
    arns = [f"arn:aws:rds:{region}:{ACCOUNT}:cluster:{name}" for name, region in seed.GLOBAL_MEMBERS.items()]
    assert accepted(sandbox, sign_token(session_of(sandbox), west, "reader"))
    rds.failover_global_cluster(TargetDbClusterIdentifier=arns[1], **switch)
    try:
        assert "scope" in refused(sandbox, sign_token(session_of(sandbox), west, "reader"))
        assert accepted(sandbox, sign_token(session_of(sandbox), east, "reader"))
    finally:
        rds.failover_global_cluster(TargetDbClusterIdentifier=arns[0], **switch)


def test_a_proxy_without_iam(sandbox):
    host = next(host for host in sandbox.hosts if ".proxy-" in host)
    token = sign_token(session_of(sandbox), parse_host_name(host), "reader")
    rds = sandbox.client("rds")
    (was,) = rds.describe_db_proxies(DBProxyName=seed.PROXY)["DBProxies"][0]["Auth"]
    rds.modify_db_proxy(DBProxyName=seed.PROXY, Auth=[{**was, "IAMAuth": "DISABLED"}])
    try:
        assert "IAM authentication is off" in refused(sandbox, token)
        rds.modify_db_proxy(DBProxyName=seed.PROXY, DefaultAuthScheme="IAM_AUTH")
        assert accepted(sandbox, token)
    finally:
        rds.modify_db_proxy(DBProxyName=seed.PROXY, Auth=[was], DefaultAuthScheme="NONE")


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
