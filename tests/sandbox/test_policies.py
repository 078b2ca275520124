"""IAM policy evaluation."""

import pytest

from rds_iam_magic.sandbox.policies import Verdict, condition_keys, decide, decide_within, effects_of

ARN = "arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-ABC/analyst"


def policy(effect="Allow", action="rds-db:connect", resource=ARN, **more):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}


@pytest.mark.parametrize(
    ("policies", "verdict"),
    [
        ([], Verdict.SILENT),
        ([policy()], Verdict.ALLOWED),
        ([policy(action="RDS-DB:Connect")], Verdict.ALLOWED),
        ([policy(action="rds-db:*")], Verdict.ALLOWED),
        ([policy(action="rds:connect")], Verdict.SILENT),
        ([policy(action=["s3:GetObject", "rds-db:conn?ct"])], Verdict.ALLOWED),
        ([policy(resource="*")], Verdict.ALLOWED),
        ([policy(resource=ARN.replace("ABC", "*"))], Verdict.ALLOWED),
        ([policy(resource=ARN.upper())], Verdict.SILENT),
        ([policy(resource=ARN + "s")], Verdict.SILENT),
        ([policy(resource=ARN.replace("cluster-ABC", "sandbox"))], Verdict.SILENT),
        ([policy(resource=ARN.replace(":us-east-1", ".us-east-1"))], Verdict.SILENT),
        ([policy(), policy("Deny", resource="*")], Verdict.DENIED),
        ([policy("Deny", action="*"), policy()], Verdict.DENIED),
        ([policy("Deny", action="s3:*"), policy()], Verdict.ALLOWED),
        ([policy(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}})], Verdict.SILENT),
        ([policy(), policy("Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})], Verdict.DENIED),
        ([{"Statement": {"Effect": "Allow", "NotAction": "s3:*", "NotResource": "arn:aws:s3:::*"}}], Verdict.ALLOWED),
        ([{"Statement": {"Effect": "Allow", "NotAction": "rds-db:*", "Resource": "*"}}], Verdict.SILENT),
        ([{"Statement": {"Effect": "Allow", "Action": "*"}}], Verdict.SILENT),
        ([{}], Verdict.SILENT),
    ],
)
def test_decide(policies, verdict):
    assert decide(policies, "rds-db:connect", ARN) is verdict


OTHER = policy(action="s3:*", resource="*")
DENIAL = policy("Deny", action="*", resource="*")


@pytest.mark.parametrize(
    ("limits", "verdict", "within"),
    [
        ([], Verdict.ALLOWED, []),
        ([policy()], Verdict.ALLOWED, [Verdict.ALLOWED]),
        ([policy(), OTHER], Verdict.SILENT, [Verdict.ALLOWED, Verdict.SILENT]),
        ([OTHER, DENIAL], Verdict.DENIED, [Verdict.SILENT, Verdict.DENIED]),
    ],
)
def test_each_limit_must_allow_as_well(limits, verdict, within):
    assert decide_within([OTHER, policy()], limits, "rds-db:connect", ARN) == (verdict, within)
    if verdict is not Verdict.DENIED:
        assert decide_within([OTHER], limits, "rds-db:connect", ARN)[0] is Verdict.SILENT, "a limit gives nothing"


def test_the_effects_of_statements():
    both = {"Statement": [*policy()["Statement"], *DENIAL["Statement"], *OTHER["Statement"]]}
    assert effects_of(both, "rds-db:connect", ARN) == ["Allow", "Deny"]


def test_the_keys_of_conditions():
    first = policy(
        Condition={"StringEquals": {"aws:SourceVpc": "v", "aws:Referer": "r"}, "Bool": {"aws:SourceVpc": "x"}}
    )
    assert condition_keys([policy(), first, {}, first]) == ["aws:SourceVpc", "aws:Referer"]
