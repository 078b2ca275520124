"""IAM's policy simulator: as AWS words its answers, and what is no answer."""

import pytest

from rds_iam_magic.aws.policies.evaluate import Verdict
from rds_iam_magic.aws.policies.simulate import Simulation, simulate
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import AwsError
from tests.support.fake_aws import answering
from tests.support.fake_iam import FakeIam, policy

pytestmark = pytest.mark.slow  # servers and kernels

ARN = "arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-ABC/ana"
OTHER = ARN.replace("ana", "bea")


def simulated(handle, monkeypatch, *arns, principal="arn:aws:iam::123456789012:role/analyst"):
    with answering(handle) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        return simulate(open_session(), "us-east-1", principal, "rds-db:connect", arns or [ARN])


@pytest.mark.parametrize(
    ("iam", "expected"),
    [
        (FakeIam(), Simulation(Verdict.NOT_ALLOWED)),
        (FakeIam(inline={"connect": policy(ARN)}), Simulation(Verdict.ALLOWED, ("role_analyst_connect",))),
        (FakeIam(managed={"no": policy("*", effect="Deny")}), Simulation(Verdict.DENIED, ("no",))),
        (FakeIam(missing=("aws:SourceVpc",)), Simulation(Verdict.NOT_ALLOWED, missing=("aws:SourceVpc",))),
        (
            FakeIam(managed={"all": policy("*", "*")}, boundary=policy("*", "s3:*")),
            Simulation(Verdict.NOT_ALLOWED, ("all",), boundary=True),
        ),
        (FakeIam(managed={"all": policy("*")}, boundary=policy("*")), Simulation(Verdict.ALLOWED, ("all",))),
        (
            FakeIam(managed={"all": policy("*", "*")}, control=policy("*", "s3:*")),
            Simulation(Verdict.NOT_ALLOWED, ("all",), organization=True),
        ),
    ],
)
def test_what_it_says(keys, iam, expected):
    assert simulated(iam, keys) == {ARN: expected}


def test_several_resources(keys):
    found = simulated(FakeIam(inline={"p": policy(OTHER)}), keys, ARN, OTHER)
    assert {arn: each.verdict for arn, each in found.items()} == {ARN: Verdict.NOT_ALLOWED, OTHER: Verdict.ALLOWED}


def test_several_resources_of_one_result(keys):
    """As IAM has it, with what it says of the organization beside them."""

    def answer(*_):
        each = (
            f"<member><EvalResourceName>{arn}</EvalResourceName><EvalResourceDecision>{decision}"
            "</EvalResourceDecision><MissingContextValues><member>aws:userid</member></MissingContextValues></member>"
            for arn, decision in ((ARN, "explicitDeny"), (OTHER, "allowed"))
        )
        return 200, (
            '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
            "<SimulatePrincipalPolicyResult><EvaluationResults><member><EvalActionName>rds-db:connect</EvalActionName>"
            f"<EvalDecision>explicitDeny</EvalDecision><ResourceSpecificResults>{''.join(each)}"
            "</ResourceSpecificResults><OrganizationsDecisionDetail><AllowedByOrganizations>false"
            "</AllowedByOrganizations></OrganizationsDecisionDetail></member></EvaluationResults>"
            "</SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
        ).encode()

    assert simulated(answer, keys, ARN, OTHER) == {
        ARN: Simulation(Verdict.DENIED, missing=("aws:userid",), organization=True),
        OTHER: Simulation(Verdict.ALLOWED, missing=("aws:userid",), organization=True),
    }


def test_a_principal_that_there_is_not(keys):
    assert simulated(FakeIam(arn="arn:aws:iam::123456789012:role/team/analyst"), keys) is None


@pytest.mark.parametrize(
    ("iam", "cause"),
    [
        (FakeIam(denied=("SimulatePrincipalPolicy",)), "aws-denied"),
        (FakeIam(codes={"SimulatePrincipalPolicy": "Throttling"}), "aws-throttled"),
        (FakeIam(codes={"SimulatePrincipalPolicy": "InvalidInput"}), "aws-value-invalid"),
        (lambda *_: (200, b"<!DOCTYPE html><html></html>"), "aws-response-invalid"),
        (lambda *_: (200, b"<html><p>Log in</p></html>"), "aws-response-invalid"),
        (lambda *_: (200, b"{}"), "aws-response-invalid"),
    ],
)
def test_what_is_no_answer(keys, iam, cause):
    with pytest.raises(AwsError) as caught:
        simulated(iam, keys)
    assert caught.value.cause == cause
