"""Refused logins in the database's log and in CloudWatch's metrics, read over their APIs."""

import datetime as dt

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.token import sign_token
from tests.support import clock
from tests.support.tokens import accepted, refused, session_of

pytestmark = pytest.mark.slow  # servers and kernels

CLASSES = ("", "InvalidToken", "InsufficientPermissions", "Throttling", "ServerError")


def log_of(sandbox, owner="cluster/sandbox", region="us-east-1"):
    """The messages; None if there is no such log."""
    logs = sandbox.client("logs", region)
    try:
        events = logs.filter_log_events(logGroupName=f"/aws/rds/{owner}/iam-db-auth-error")
    except logs.exceptions.ResourceNotFoundException:
        return None
    return [event["message"] for event in events["events"]]


def counts(sandbox, owner="cluster/sandbox", region="us-east-1"):
    """How many failures of each class CloudWatch has counted in the last hour."""
    kind, _, name = owner.partition("/")
    dimension = {"Name": "DBClusterIdentifier" if kind == "cluster" else "DBInstanceIdentifier", "Value": name}

    def query(number, suffix):
        named = {"Namespace": "AWS/RDS", "MetricName": f"IamDbAuthConnectionFailure{suffix}", "Dimensions": [dimension]}
        return {"Id": f"m{number}", "MetricStat": {"Metric": named, "Period": 7200, "Stat": "Sum"}}

    now = dt.datetime.now(dt.timezone.utc)
    results = sandbox.client("cloudwatch", region).get_metric_data(
        MetricDataQueries=[query(number, suffix) for number, suffix in enumerate(CLASSES)],
        StartTime=now - dt.timedelta(hours=1),
        EndTime=now + dt.timedelta(minutes=1),
    )["MetricDataResults"]
    return {suffix: sum(result["Values"]) for suffix, result in zip(CLASSES, results, strict=True)}


def told(sandbox, refuse, owner="cluster/sandbox", region="us-east-1"):
    """The lines that a refusal adds to the log, and the classes that it is counted in."""
    lines, before = log_of(sandbox, owner, region) or [], counts(sandbox, owner, region)
    refuse()
    after = counts(sandbox, owner, region)
    return (log_of(sandbox, owner, region) or [])[len(lines) :], {k for k in CLASSES if after[k] - before[k] == 1}


@pytest.fixture
def endpoint(sandbox):
    return parse_host_name(sandbox.endpoint)


def test_a_caller_that_is_not_allowed(sandbox, endpoint):
    token = sign_token(session_of(sandbox, "stranger"), endpoint, "reader")
    (line,), classes = told(sandbox, lambda: refused(sandbox, token))
    assert "[ERROR] Failed to authorize the connection request for user 'reader'" in line
    assert "assumed by the caller 'arn:aws:iam::123456789012:user/stranger' is not authorized to perform" in line
    assert line.endswith("(Status Code: 403, Error Code: NotAuthorized)")
    assert classes == {"", "InsufficientPermissions"}


def test_a_token_that_is_invalid_or_too_old(sandbox, endpoint, monkeypatch):
    wrong = sign_token(session_of(sandbox, aws_secret_access_key="wrong" * 8), endpoint, "reader")
    for token in (wrong, "no token at all"):
        (line,), classes = told(sandbox, lambda token=token: refused(sandbox, token))
        assert line.endswith("malformed or otherwise invalid. (Status Code: 400, Error Code: InvalidToken)")
        assert classes == {"", "InvalidToken"}
    with monkeypatch.context() as patch:
        clock.stop(patch, dt.datetime.now(dt.timezone.utc) - dt.timedelta(minutes=16))
        old = sign_token(session_of(sandbox), endpoint, "reader")
    (line,), classes = told(sandbox, lambda: refused(sandbox, old))
    assert line.endswith("the token age is longer than 15 minutes. (Status Code: 400, Error Code: ExpiredToken)")
    assert classes == {"", "InvalidToken"}


@pytest.mark.parametrize(
    ("kind", "code", "counted"),
    [("throttled", "ThrottlingException", "Throttling"), ("server error", "InternalError", "ServerError")],
)
def test_what_is_ordered(sandbox, endpoint, kind, code, counted):
    token = sign_token(session_of(sandbox), endpoint, "reader")
    sandbox.account.refuse_next(kind=kind)
    (line,), classes = told(sandbox, lambda: refused(sandbox, token))
    assert code in line
    assert classes == {"", counted}
    assert accepted(sandbox, token), "only the next one is refused"


def test_each_database_has_a_log_of_its_own(sandbox):
    standalone, east = parse_host_name(sandbox.hosts[3]), parse_host_name(sandbox.hosts[7])
    token = sign_token(session_of(sandbox, "stranger"), standalone, "reader")
    (line,), classes = told(sandbox, lambda: refused(sandbox, token), "instance/standalone")
    assert "NotAuthorized" in line
    assert classes == {"", "InsufficientPermissions"}
    token = sign_token(session_of(sandbox, "stranger"), east, "reader")
    lines, classes = told(sandbox, lambda: refused(sandbox, token), "cluster/worldwide-east", "ap-northeast-1")
    assert (lines, classes) == ([], {"", "InsufficientPermissions"}), "it does not export its log"
    assert log_of(sandbox, "cluster/worldwide-east", "ap-northeast-1") is None


def test_where_iam_authentication_is_off_it_says_nothing(sandbox, endpoint):
    rds, named = sandbox.client("rds"), {"DBClusterIdentifier": "sandbox", "ApplyImmediately": True}
    token = sign_token(session_of(sandbox), endpoint, "reader")
    rds.modify_db_cluster(EnableIAMDatabaseAuthentication=False, **named)
    try:
        assert told(sandbox, lambda: refused(sandbox, token)) == ([], set())
    finally:
        rds.modify_db_cluster(EnableIAMDatabaseAuthentication=True, **named)


def test_neither_token_nor_secret_is_in_it(sandbox, endpoint):
    token = sign_token(session_of(sandbox, "stranger"), endpoint, "reader")
    refused(sandbox, token)
    text = "\n".join(log_of(sandbox))
    assert token.reveal().decode().rpartition("=")[2] not in text
    assert not any(secret in text for _, secret in sandbox.keys.values())
