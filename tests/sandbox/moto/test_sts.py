"""Whom STS knows, and how it refuses the others, whether or not permissions are asked for."""

import datetime as dt
import time
from email.utils import parsedate_to_datetime

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support import clock
from tests.support.permissions import key_of_partition, only, session_of_role
from tests.support.tokens import session_of, session_with

pytestmark = pytest.mark.slow  # servers and kernels


def who(sandbox, session, region=None):
    client = session.client("sts", region_name=region, endpoint_url=sandbox.environment["AWS_ENDPOINT_URL"])
    try:
        return client.get_caller_identity()["Arn"]
    finally:
        client.close()


def refused(sandbox, session, region=None):
    with pytest.raises(ClientError) as caught:
        who(sandbox, session, region)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert abs(date.timestamp() - time.time()) < 60, "a refusal has the true time"
    return answer["Error"]["Code"], answer["Error"]["Message"]


@pytest.fixture(params=[False, True], ids=["", "asking for permissions"])
def account(request, sandbox):
    """The sandbox, also while it asks for permissions."""
    if not request.param:
        yield sandbox
        return
    with only(sandbox):
        yield sandbox


def test_whom_it_knows(account):
    assert who(account, session_of(account, "stranger")).endswith(":user/stranger")


def test_a_session_of_a_role(sandbox):
    with only(sandbox, of="role/analytics"):
        variables = session_of_role(sandbox)
        assert who(sandbox, session_with(variables)).endswith(":assumed-role/analytics/test")
        without = {name: value for name, value in variables.items() if name != "AWS_SESSION_TOKEN"}
        for wrong in (without, {**variables, "AWS_SESSION_TOKEN": "another"}):
            assert refused(sandbox, session_with(wrong))[0] == "InvalidClientTokenId"
        sandbox.account.end_session(variables["AWS_ACCESS_KEY_ID"])
        assert refused(sandbox, session_with(variables)) == (
            "ExpiredToken",
            "The security token included in the request is expired",
        )


def test_unknown_and_wrong_keys(account):
    unknown = session_of(account, aws_access_key_id="AKIAIOSFODNN7EXAMPLE")
    assert refused(account, unknown)[0] == "InvalidClientTokenId"
    wrong = session_of(account, "stranger", aws_secret_access_key="wrong" * 8)
    code, message = refused(account, wrong)
    assert code == "SignatureDoesNotMatch"
    assert message.startswith("The request signature we calculated")


def test_a_key_that_is_inactive(sandbox):
    iam = sandbox.client("iam")
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    session = session_with({"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]})
    named = {"UserName": "stranger", "AccessKeyId": key["AccessKeyId"]}
    assert who(sandbox, session)
    iam.update_access_key(Status="Inactive", **named)
    assert refused(sandbox, session)[0] == "InvalidClientTokenId"
    iam.delete_access_key(**named)
    assert refused(sandbox, session)[0] == "InvalidClientTokenId"


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_each_partition_knows_its_own_keys(sandbox, region, partition):
    foreign = session_with(key_of_partition(sandbox, region))
    assert who(sandbox, foreign, region).startswith(f"arn:{partition}:iam:")
    assert refused(sandbox, foreign, "us-east-1")[0] == "InvalidClientTokenId"
    assert refused(sandbox, session_of(sandbox), region)[0] == "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-14, ""), (-16, "Signature expired: {} is now earlier than "), (4, ""), (6, "Signature not yet current: {} is ")],
)
def test_a_clock_that_is_wrong(account, monkeypatch, minutes, words):
    session = session_of(account, "stranger")
    moment = dt.datetime.now(dt.timezone.utc) + dt.timedelta(minutes=minutes)
    with monkeypatch.context() as patch:
        clock.stop(patch, moment)
        if not words:
            assert who(account, session)
            return
        code, message = refused(account, session)
    assert code == "SignatureDoesNotMatch"
    assert message.startswith(words.format(f"{moment:%Y%m%dT%H%M%SZ}"))


def test_an_expired_session_is_refused_by_all_services_that_ask(sandbox):
    with only(sandbox, "rds:DescribeDBClusters", of="role/analytics"):
        variables = session_of_role(sandbox)
        rds = session_with(variables).client("rds", endpoint_url=sandbox.environment["AWS_ENDPOINT_URL"])
        assert rds.describe_db_clusters()["DBClusters"]
        with pytest.raises(ClientError, match="AccessDenied"):
            rds.describe_db_instances()
        sandbox.account.end_session(variables["AWS_ACCESS_KEY_ID"])
        with pytest.raises(ClientError, match="ExpiredToken"):
            rds.describe_db_clusters()
        rds.close()


@pytest.mark.parametrize("of", ["user/stranger", "user/inline", "role/analytics"])
def test_a_profile_with_these_permissions_only(inside, of):
    """The helper of other tests, by the profile that it gives."""
    with only(inside, "rds:DescribeDBInstances", of=of) as profile:
        session = boto3.Session(profile_name=profile)
        rds, sts = session.client("rds"), session.client("sts")
        assert f"/{profile}" in sts.get_caller_identity()["Arn"]
        assert rds.describe_db_instances()["DBInstances"]
        with pytest.raises(ClientError, match="AccessDenied"):
            rds.describe_db_clusters()
        rds.close()
        sts.close()
