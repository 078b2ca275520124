"""RDS's counts of refused logins."""

import datetime as dt

import pytest

from rds_iam_magic.aws.logs.metrics import count_refusals
from rds_iam_magic.aws.logs.refusals import Source
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import AwsError
from tests.support.fake_aws import answering, refusing

pytestmark = pytest.mark.slow  # servers and kernels

NOW = dt.datetime.now(dt.timezone.utc)


def put(sandbox, name, count, *, seconds=90, dimension="DBClusterIdentifier", metric="Throttling"):
    row = {
        "MetricName": f"IamDbAuthConnectionFailure{metric}",
        "Dimensions": [{"Name": dimension, "Value": name}],
        "Value": count,
        "Timestamp": NOW - dt.timedelta(seconds=seconds),
    }
    sandbox.client("cloudwatch").put_metric_data(Namespace="AWS/RDS", MetricData=[row])


def counted(name, kind="cluster", **options):
    return count_refusals(open_session(**options), Source(kind, name, "us-east-1"), NOW)


def test_the_sums_of_the_last_minutes(inside):
    put(inside, "counted", 3.0)
    put(inside, "counted", 4.0, seconds=300)
    put(inside, "counted", 50.0, seconds=3600)
    put(inside, "counted", 1.0, metric="InsufficientPermissions")
    put(inside, "other", 9.0, metric="InvalidToken")
    assert counted("counted") == {"token": 0, "permission": 1, "throttling": 7, "server": 0}


def test_an_instance(inside):
    put(inside, "alone", 2.0, dimension="DBInstanceIdentifier", metric="InvalidToken")
    assert counted("alone", "instance")["token"] == 2
    assert counted("alone")["token"] == 0


@pytest.mark.parametrize(
    ("code", "cause"), [("AccessDeniedException", "aws-denied"), ("ThrottlingException", "aws-throttled")]
)
def test_a_refusal(keys, code, cause):
    with answering(refusing(code, "Words.")) as url:
        keys.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", url)
        with pytest.raises(AwsError) as caught:
            counted("counted")
    assert caught.value.cause == cause


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html></html>", b"", b"{}"])
def test_a_page_instead_of_cloudwatch(keys, body):
    with answering(lambda *_: (200, body)) as url:
        keys.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", url)
        with pytest.raises(AwsError, match="Something other than AWS answered"):
            counted("counted")
