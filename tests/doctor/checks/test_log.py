"""RDS's log and metrics as evidence: of the cluster or instance, each by itself, and not of a proxy."""

import dataclasses
import datetime as dt

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.doctor.checks.check import Tools
from rds_iam_magic.doctor.checks.log import LOG
from rds_iam_magic.doctor.evidence import (
    Asked,
    Described,
    Evidence,
    Failed,
    LogEntry,
    NoSuch,
    NotLooked,
    NotPermitted,
    Problem,
    Target,
)
from tests.aws.logs.test_refusals import DENIED, Log, Source, line
from tests.support.fake_aws import answering, refusing
from tests.support.permissions import only
from tests.support.tokens import refused, session_of

pytestmark = pytest.mark.slow  # servers and kernels

ACCOUNT = "123456789012"
CLUSTER = "cluster-AAAAAAAAAAAAAAAAAAAAAAAAAA"
ARN = f"arn:aws:rds:us-east-1:{ACCOUNT}:cluster:shop"
TARGET = Target(parse_host_name("shop.cluster-abcdefghijkl.us-east-1.rds.amazonaws.com"), "as typed")


def shop(**changes):
    described = Described("shop", "DB cluster", ACCOUNT, CLUSTER, 3306, arn=ARN)
    return dataclasses.replace(described, **changes)


def looked(**changes):
    known = dataclasses.replace(Evidence(Asked("ana"), target=TARGET, database=shop()), **changes)
    return LOG.look(Tools(ConnectOptions(), TargetOptions()), known)


@pytest.fixture
def log(inside):
    made = Log(inside, Source("cluster", "shop", "us-east-1"), dt.datetime.now(dt.timezone.utc))
    yield made
    made.close()


def test_the_log_and_the_metrics(log, inside):
    log.write((20, line(DENIED, verb="authorize")))
    row = {
        "MetricName": "IamDbAuthConnectionFailureInsufficientPermissions",
        "Dimensions": [{"Name": "DBClusterIdentifier", "Value": "shop"}],
        "Value": 2.0,
        "Timestamp": dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=60),
    }
    inside.client("cloudwatch").put_metric_data(Namespace="AWS/RDS", MetricData=[row])
    seen = looked()
    (entry,) = seen.log
    assert (type(entry), entry.of, entry.words) == (LogEntry, "permission", line(DENIED, verb="authorize"))
    assert seen.metrics == {"token": 0, "permission": 2, "throttling": 0, "server": 0}


def test_a_login_that_the_sandbox_refuses(inside):
    """The whole way: the server asks, the verifier refuses, the log tells."""
    endpoint = parse_host_name(inside.endpoint)
    refused(inside, sign_token(session_of(inside, "stranger"), endpoint, "reader"))
    arn = inside.client("rds").describe_db_clusters(DBClusterIdentifier="sandbox")["DBClusters"][0]["DBClusterArn"]
    seen = looked(asked=Asked("reader"), database=shop(name="sandbox", arn=arn))
    assert seen.log[0].of == "permission"
    assert "user/stranger' is not authorized to perform" in seen.log[0].words
    assert seen.metrics["permission"] >= 1


def test_what_the_sandbox_does_not_permit(inside):
    known = Evidence(Asked("ana"), target=TARGET, database=shop())
    with only(inside, "rds:Describe*", "cloudwatch:GetMetricData") as profile:
        seen = LOG.look(Tools(ConnectOptions(profile=profile), TargetOptions()), known)
    assert seen.log == NotPermitted("logs:FilterLogEvents")
    assert isinstance(seen.metrics, dict)


def test_a_log_without_the_user(log):
    log.write((20, line(DENIED, user="bea")))
    assert looked().log == ()


def test_an_instance_of_a_cluster_has_the_clusters_log(log):
    log.write((20, line(DENIED)))
    assert len(looked(database=shop(name="shop-1", kind="DB instance")).log) == 1


def test_a_clock_that_is_wrong(log):
    """The lines are of AWS's time."""
    log.write((20, line(DENIED)))
    assert len(looked(clock=3600.0).log) == 1
    assert len(looked(clock=-3600.0).log) == 0
    assert len(looked(clock=NotPermitted("x")).log) == 1


@pytest.mark.parametrize(
    ("database", "command"),
    [
        (shop(name="none", arn=""), "aws rds modify-db-cluster --region us-east-1 --db-cluster-identifier none "),
        (
            Described("one", "DB instance", ACCOUNT, "db-A", 3306, arn=f"arn:aws:rds:us-east-1:{ACCOUNT}:db:one"),
            "aws rds modify-db-instance --region us-east-1 --db-instance-identifier one ",
        ),
    ],
)
def test_a_log_that_is_not_exported(inside, database, command):
    assert inside.server.pid
    seen = looked(database=database)
    assert isinstance(seen.log, Failed)
    assert f"/{database.name}/iam-db-auth-error" in seen.log.what
    assert seen.log.mend.startswith(f"This switches its export on:\n{command}")
    assert """'{"EnableLogTypes":["iam-db-auth-error"]}'""" in seen.log.mend
    assert seen.metrics == dict.fromkeys(("token", "permission", "throttling", "server"), 0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"database": NoSuch(ACCOUNT, "us-east-1")}, NotLooked("database")),
        ({"target": Problem("target-unknown", "No.")}, NotLooked("target")),
        ({"database": shop(resource_id=None)}, NotPermitted("rds:DescribeDBClusters")),
        ({"database": shop(kind="RDS Proxy", resource_id="prx-1")},
         Failed("An RDS Proxy has no log iam-db-auth-error; the databases behind it have.")),
    ],
)  # fmt: skip
def test_what_it_does_not_ask_for(changes, expected):
    seen = looked(**changes)
    assert seen.log == seen.metrics == expected


@pytest.mark.parametrize(
    ("logs", "metrics", "expected"),
    [
        ("AccessDeniedException", "AccessDeniedException",
         (NotPermitted("logs:FilterLogEvents"), NotPermitted("cloudwatch:GetMetricData"))),
        ("ResourceNotFoundException", "AccessDeniedException", (Failed, NotPermitted("cloudwatch:GetMetricData"))),
        ("ThrottlingException", "ThrottlingException", (Failed, Failed)),
    ],
)  # fmt: skip
def test_the_one_goes_without_the_other(keys, logs, metrics, expected):
    with answering(refusing(logs, "Words.")) as first, answering(refusing(metrics, "Words.")) as second:
        keys.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", first)
        keys.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", second)
        seen = looked()
    for found, wanted in zip((seen.log, seen.metrics), expected, strict=True):
        assert isinstance(found, wanted) if isinstance(wanted, type) else found == wanted


def test_a_page_instead_of_cloudwatch(keys):
    with answering(lambda *_: (200, b"<!DOCTYPE html><html></html>")) as url:
        keys.setenv("AWS_ENDPOINT_URL", url)
        seen = looked()
    assert "Something other than AWS answered" in seen.log.what
    assert "Something other than AWS answered" in seen.metrics.what
