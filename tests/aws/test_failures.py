"""Errors of AWS and of what lies beneath it, in our words: nothing of theirs is in them."""

import json
from pathlib import Path

import botocore.exceptions as aws
import pytest

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.failures import translate
from rds_iam_magic.errors import AwsError
from tests.support.aws_errors import HIDDEN, assert_plain
from tests.support.leaks import found_in

pytestmark = pytest.mark.usefixtures("own_configuration")


def deep():
    return json.loads("[" * 200_000)


@pytest.mark.parametrize(
    "fail",
    [
        lambda: json.loads(f'{{"{HIDDEN}'),
        lambda: HIDDEN.encode().decode("utf-16") and b"\xff".decode(),
        lambda: (HIDDEN + "\ud800").encode(),
        lambda: {}[HIDDEN],
        lambda: [].index(HIDDEN),
        lambda: Path("/nowhere").read_text(HIDDEN),
        lambda: int(HIDDEN),
        lambda: None.encode(HIDDEN),
        deep,
        lambda: (_ for _ in ()).throw(EOFError(HIDDEN)),
        lambda: (_ for _ in ()).throw(OSError(HIDDEN)),
        lambda: (_ for _ in ()).throw(MemoryError(HIDDEN)),
        lambda: (_ for _ in ()).throw(AssertionError(HIDDEN)),
        lambda: (_ for _ in ()).throw(RuntimeError(HIDDEN)),
    ],
)
def test_what_lies_beneath(fail):
    with pytest.raises(AwsError) as caught, aws_call("reading"):
        fail()
    assert_plain(caught.value)
    assert HIDDEN not in found_in(caught.value)


def test_a_chain_and_its_frames():
    def inner():
        kept = HIDDEN
        raise KeyError(kept)

    def outer():
        also = HIDDEN
        try:
            inner()
        except KeyError as error:
            raise aws.HTTPClientError(error=error, request=also) from error

    with pytest.raises(AwsError) as caught, aws_call("reading"):
        outer()
    assert_plain(caught.value)
    assert HIDDEN not in found_in(caught.value)


def test_what_aws_says_of_a_permission_is_the_detail():
    words = "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: rds:DescribeDBClusters on "
    words += "resource: arn:aws:rds:us-east-1:123456789012:cluster:* because no identity-based policy allows the "
    words += f"rds:DescribeDBClusters action. {HIDDEN}"
    error = translate(aws.ClientError({"Error": {"Code": "AccessDenied", "Message": words}}, "DescribeDBClusters"), "x")
    assert error.detail.startswith("DescribeDBClusters: AccessDenied: User: arn:aws:iam::123456789012:user/ana is not")
    assert error.detail.endswith("because no identity-based policy allows the rds:DescribeDBClusters action")
    assert error.message == "AWS does not permit x with these credentials (AccessDenied: rds:DescribeDBClusters)."


@pytest.mark.parametrize(
    "words",
    ["is not authorized to perform: <b>", "is not authorized to perform: a:b\x1b", "User is not authorized", ""],
)
def test_a_permission_that_aws_does_not_name(words):
    error = translate(aws.ClientError({"Error": {"Code": "AccessDenied", "Message": words}}, "GetRole"), "x")
    assert error.message in (
        "AWS does not permit x with these credentials (AccessDenied).",
        "AWS does not permit x with these credentials (AccessDenied: a:b).",
    )


@pytest.mark.parametrize(
    ("operation", "words", "permission"),
    [
        (
            "DescribeDBClusters",
            "User is not authorized to perform: rds:DescribeDBClusters on x",
            "rds:DescribeDBClusters",
        ),
        ("DescribeGlobalClusters", "", "rds:DescribeGlobalClusters"),
        ("DescribeOrderableDBInstanceOptions", "", "rds:DescribeOrderableDBInstanceOptions"),
        ("GetSecretValue", "Access denied", "secretsmanager:GetSecretValue"),
        ("GetSecretValue", "is not authorized to perform: kms:Decrypt on", "kms:Decrypt"),
        ("ListStackResources", "", "cloudformation:ListStackResources"),
        ("GetRole", "", "iam:GetRole"),
        ("SimulatePrincipalPolicy", "", "iam:SimulatePrincipalPolicy"),
        ("GetThing", "", "GetThing"),
    ],
)
def test_a_denial_has_the_permission(operation, words, permission):
    error = translate(aws.ClientError({"Error": {"Code": "AccessDenied", "Message": words}}, operation), "x")
    assert error.facts["permission"] == permission


@pytest.mark.parametrize("code", ["Throttling", "302", "InvalidClientTokenId"])
def test_what_is_no_denial_has_none(code):
    error = translate(aws.ClientError({"Error": {"Code": code, "Message": "perform: a:b"}}, "GetRole"), "x")
    assert "permission" not in error.facts
