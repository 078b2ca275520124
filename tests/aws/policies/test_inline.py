"""A principal's policies by IAM's API: answers that are none, and IAM's own refusals."""

import pytest

from rds_iam_magic.aws.policies.inline import find_principal, put_inline, read_inline, read_managed
from rds_iam_magic.aws.policies.principal import parse_principal
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import AwsError
from tests.support.fake_aws import Changed, answering

pytestmark = pytest.mark.slow  # servers and kernels

REGION = "us-east-1"
ANALYTICS = parse_principal("role/analytics")
DOCUMENT = {"Version": "2012-10-17", "Statement": []}


def error_of(code, message="Words."):
    return (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    ).encode()


def test_what_is_there(session):
    found = find_principal(session, REGION, ANALYTICS)
    assert (str(found), found.account) == ("role/analytics", "123456789012")
    assert list(read_inline(session, REGION, found)) == ["connect"]
    assert list(read_managed(session, REGION, parse_principal("user/managed")).documents) == ["connect-anywhere"]


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html></html>", b"", b"{}", b"<html><p>Log in</p></html>"])
def test_a_page_instead_of_iam(inside, monkeypatch, body):
    assert inside.server.pid
    with answering(lambda *_: (200, body)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        for read in (find_principal, read_inline, read_managed):
            with pytest.raises(AwsError, match="Something other than AWS answered"):
                read(open_session(), REGION, ANALYTICS)


def test_a_document_that_is_none(inside, monkeypatch):
    def odd(_, text):
        start, _, rest = text.partition("<PolicyDocument>")
        return f"{start}<PolicyDocument>[1]{rest[rest.find('</PolicyDocument>') :]}" if rest else text

    with answering(Changed(inside, odd, "iam")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        with pytest.raises(AwsError, match="Something other than AWS answered"):
            read_inline(open_session(), REGION, ANALYTICS)


def test_iams_own_limit_has_the_same_cause(inside, monkeypatch):
    """IAM may count in another way than we do; its message is not repeated."""
    assert inside.server.pid
    with answering(lambda *_: (409, error_of("LimitExceeded", "Maximum policy size of 10240 bytes exceeded"))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        with pytest.raises(AwsError, match="would be too large, says IAM") as caught:
            put_inline(open_session(), REGION, ANALYTICS, "p", DOCUMENT)
    assert caught.value.cause == "policy-too-large"


@pytest.mark.parametrize(("code", "cause"), [("AccessDenied", "aws-denied"), ("Throttling", "aws-throttled")])
def test_other_refusals(inside, monkeypatch, code, cause):
    assert inside.server.pid
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with answering(lambda *_: (400, error_of(code))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        with pytest.raises(AwsError) as caught:
            put_inline(open_session(), REGION, ANALYTICS, "p", DOCUMENT)
    assert caught.value.cause == cause
