"""One call to AWS: its pages, its denial by the permission's name, and something else in AWS's place."""

import pytest

from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import AwsError, ProvisionError
from rds_iam_magic.setup.provision.calls import ask
from tests.support.fake_aws import answering
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels


def versions(session, **named):
    arguments = {"Engine": "mysql"}
    return ask(session, "rds", "describe_db_engine_versions", "looking up versions", arguments, **named)


def test_a_denial_names_the_permission(inside):
    with only(inside) as profile, pytest.raises(AwsError) as caught:
        versions(open_session(profile=profile))
    assert caught.value.message == (
        "AWS does not permit looking up versions with these credentials: rds:DescribeDBEngineVersions is missing."
    )
    assert caught.value.hint.startswith("Ask for the permission rds:DescribeDBEngineVersions, or use other credentials")


@pytest.mark.usefixtures("inside")
def test_another_region():
    assert versions(open_session(), region="eu-west-1", part="DBEngineVersions")["DBEngineVersions"]


@pytest.mark.usefixtures("own_configuration")
def test_something_else_answers(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    for page in (b"<html><body>Log in to the hotel</body></html>", b"<Answer/>"):
        with answering(lambda *_, page=page: (200, page)) as url:
            monkeypatch.setenv("AWS_ENDPOINT_URL", url)
            with pytest.raises(AwsError) as caught:
                versions(open_session(), part="DBEngineVersions")
        assert caught.value.cause == "aws-response-invalid"


@pytest.mark.usefixtures("inside")
def test_a_refusal_by_its_code():
    problem = ProvisionError("It is not there.", cause="stack-unknown")
    with pytest.raises(ProvisionError, match="It is not there"):
        ask(
            open_session(), "cloudformation", "describe_stacks", "looking", {"StackName": "none"},
            refusals={"ValidationError": problem},
        )  # fmt: skip
    with pytest.raises(AwsError) as caught:
        ask(open_session(), "cloudformation", "describe_stacks", "looking", {"StackName": "none"})
    assert caught.value.cause == "aws-value-invalid"
