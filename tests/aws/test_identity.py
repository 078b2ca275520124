"""Who the credentials are, what the answers' dates say of the clock, and which partition knows a key."""

import re

import boto3
import pytest

from rds_iam_magic.aws.identity import (
    Elsewhere,
    account_of_caller,
    arn_of_role,
    ask_who,
    diagnose_credentials,
    partition_with_key,
    role_of,
)
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import AwsError
from tests.support.fake_aws import answering, by_region

pytestmark = pytest.mark.slow  # web servers, and botocore reads its data anew for each session


@pytest.fixture(autouse=True)
def _keys(own_configuration, monkeypatch):  # noqa: ARG001 - it empties what this fills
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


WHO = b"""<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>
<Arn>arn:aws:iam::123456789012:user/ana</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"""


def who(code):
    """STS's answer: the caller, or a refusal."""
    refusal = (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>Signature expired: 2026</Message></Error></ErrorResponse>"
    )
    return lambda *_: (403, refusal.encode()) if code else (200, WHO)


@pytest.mark.parametrize(
    ("code", "ahead", "words"),
    [
        ("SignatureDoesNotMatch", 1200, "clock is (19 min 59 s|20 min 0 s) behind"),
        ("SignatureDoesNotMatch", -1200, "clock is 20 min [01] s ahead"),
        ("RequestExpired", 7200, "clock is (2 h 0 min|1 h 60 min|1 h 59 min) behind"),
        ("", 310, "clock is 5 min (9|10) s behind"),
        ("SignatureDoesNotMatch", 200, "rejected the access key"),
        ("InvalidClientTokenId", 0, "rejected the access key"),
        ("ExpiredToken", 0, "have expired"),
        ("", 0, None),
        ("", -290, None),
        ("AccessDenied", 0, None),
    ],
)
def test_a_wrong_clock_comes_before_what_aws_says_of_the_keys(monkeypatch, code, ahead, words):
    """The answer's date tells, whatever the code is, and whether it is a refusal or not."""
    with answering(who(code), ahead=ahead) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        error = diagnose_credentials(open_session(region="eu-west-1"), "eu-west-1")
    if words is None:
        assert error is None
    else:
        assert re.search(words, error.message)


def test_an_sts_that_cannot_be_reached_says_nothing(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert diagnose_credentials(open_session(region="eu-west-1"), "eu-west-1") is None


def test_sts_is_asked_in_the_endpoints_region(monkeypatch):
    """Keys of another partition are unknown to the STS of the configured region."""
    scopes = []
    real = boto3.Session.client
    monkeypatch.setattr(boto3.Session, "client", lambda *a, **k: scopes.append(k["region_name"]) or real(*a, **k))
    with answering(who("")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert diagnose_credentials(open_session(), "us-gov-west-1") is None
    assert scopes == ["us-gov-west-1"]


def test_who_the_credentials_are():
    session = open_session(region="eu-west-1")
    by_region(session, "sts", lambda _: (200, WHO))
    caller = ask_who(session)
    assert (caller.arn, caller.account) == ("arn:aws:iam::123456789012:user/ana", "123456789012")
    assert (caller.refusal, caller.code, caller.ahead) == (None, "", None), "this answer has no date"
    assert account_of_caller(session) == "123456789012"


def test_a_refusal_has_its_code_and_date(monkeypatch):
    with answering(who("InvalidClientTokenId"), ahead=1200) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        caller = ask_who(open_session(region="eu-west-1"))
    assert (caller.arn, caller.code, caller.refusal.cause) == ("", "InvalidClientTokenId", "access-key-refused")
    assert -1202 < caller.ahead < -1198


@pytest.mark.parametrize("status", [200, 403, 503])
@pytest.mark.parametrize("body", [b"<html><body><p>Log in</p></body></html>", b"OK", b""])
def test_a_page_says_nothing_of_the_clock(monkeypatch, status, body):
    """It is another machine's that has the wrong date."""
    with answering(lambda *_: (status, body), ahead=5000) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        caller = ask_who(open_session(region="eu-west-1"))
        assert diagnose_credentials(open_session(region="eu-west-1"), "eu-west-1") is None
    assert caller.refusal.cause in ("aws-response-invalid", "aws-fault" if status == 503 else "")
    assert caller.ahead is None


UNKNOWN = who("InvalidClientTokenId")()


@pytest.mark.parametrize(
    ("answers", "elsewhere"),
    [
        ({}, Elsewhere()),
        ({"cn-north-1": (200, WHO)}, Elsewhere("aws-cn")),
        ({"us-gov-west-1": who("SignatureDoesNotMatch")()}, Elsewhere("aws-us-gov")),
    ],
)
def test_the_partition_that_has_a_key(answers, elsewhere):
    session = open_session(region="us-east-1")
    asked = by_region(session, "sts", lambda region: answers.get(region, UNKNOWN))
    assert partition_with_key(session, "aws") == elsewhere
    assert sorted(asked) == ["cn-north-1", "us-gov-west-1"]


def test_a_partition_that_does_not_say():
    session = open_session(region="us-east-1")
    by_region(session, "sts", lambda region: UNKNOWN if region == "us-east-1" else (503, b""))
    elsewhere = partition_with_key(session, "aws-cn")
    assert (elsewhere.partition, list(elsewhere.silent)) == ("", ["aws-us-gov"])


@pytest.mark.parametrize(
    ("arn", "role"),
    [
        ("arn:aws:sts::123456789012:assumed-role/analytics/ana@example.com", "analytics"),
        ("arn:aws-us-gov:sts::123456789012:assumed-role/AWSReservedSSO_Analyst_0a/ana", "AWSReservedSSO_Analyst_0a"),
        ("arn:aws:iam::123456789012:user/assumed-role/x", ""),
        ("arn:aws:sts::123456789012:federated-user/ana", ""),
        ("arn:aws:iam::123456789012:root", ""),
    ],
)
def test_the_role_of_a_session(arn, role):
    assert role_of(arn) == role


ROLE = b"""<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam::123456789012:role/of/ours/analytics</Arn></Role>
</GetRoleResult></GetRoleResponse>"""


def test_a_role_by_its_name():
    """In the IAM of its partition, which has one region only."""
    session = open_session(region="us-east-1")
    asked = by_region(session, "iam", lambda _: (200, ROLE))
    assert arn_of_role(session, "analytics", "cn-northwest-1") == "arn:aws:iam::123456789012:role/of/ours/analytics"
    assert asked == ["cn-north-1"]


def test_a_role_that_may_not_be_looked_up():
    session = open_session(region="us-east-1")
    by_region(session, "iam", lambda _: who("AccessDenied")())
    with pytest.raises(AwsError) as caught:
        arn_of_role(session, "analytics", "us-east-1")
    assert caught.value.cause == "aws-lookup-denied"
