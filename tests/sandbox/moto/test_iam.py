"""The policy simulator and users' boundaries: asked for over IAM's API, and held against what the verifier does."""

import json

import pytest
from botocore.exceptions import ClientError

from rds_iam_magic.sandbox.iam import ACCOUNT

pytestmark = pytest.mark.slow  # servers and kernels

ACTION = "rds-db:connect"
NOTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@pytest.fixture
def iam(sandbox):
    return sandbox.client("iam")


@pytest.fixture
def resource(sandbox):
    (row,) = sandbox.client("rds").describe_db_clusters(DBClusterIdentifier="sandbox")["DBClusters"]
    return f"arn:aws:rds-db:us-east-1:{ACCOUNT}:dbuser:{row['DbClusterResourceId']}/reader"


def arn(principal):
    return f"arn:aws:iam::{ACCOUNT}:{principal}"


def simulated(iam, principal, *resources, **more):
    asked = {"PolicySourceArn": arn(principal), "ActionNames": [ACTION], **more}
    (result,) = iam.simulate_principal_policy(**asked, **({"ResourceArns": resources} if resources else {}))[
        "EvaluationResults"
    ]
    return result


@pytest.mark.parametrize(
    ("principal", "decision", "by"),
    [
        ("user/inline", "allowed", [("user_inline_connect", "user")]),
        ("user/grouped", "allowed", [("group_analysts_connect", "group")]),
        ("group/analysts", "allowed", [("group_analysts_connect", "group")]),
        ("user/managed", "allowed", [("connect-anywhere", "user-managed")]),
        ("role/analytics", "allowed", [("role_analytics_connect", "role")]),
        ("user/denied", "explicitDeny", [("user_denied_no", "user")]),
        ("user/stranger", "implicitDeny", []),
    ],
)
def test_each_way_to_be_allowed(iam, resource, principal, decision, by):
    result = simulated(iam, principal, resource)
    assert (result["EvalActionName"], result["EvalResourceName"], result["EvalDecision"]) == (
        ACTION,
        resource,
        decision,
    )
    assert [(each["SourcePolicyId"], each["SourcePolicyType"]) for each in result["MatchedStatements"]] == by
    (row,) = result["ResourceSpecificResults"]
    assert (row["EvalResourceName"], row["EvalResourceDecision"]) == (resource, decision)
    assert "PermissionsBoundaryDecisionDetail" not in result
    assert "OrganizationsDecisionDetail" not in result


def test_several_resources_have_the_strictest_decision(iam, resource):
    other = resource.replace("/reader", "/other")
    result = simulated(iam, "user/inline", resource, other)
    assert result["EvalDecision"] == "implicitDeny"
    assert [row["EvalResourceDecision"] for row in result["ResourceSpecificResults"]] == ["allowed", "implicitDeny"]
    assert simulated(iam, "user/inline")["EvalResourceName"] == "*"


def test_keys_of_conditions_that_were_not_given(iam, resource):
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:Referer": "x"}}
    statement = {"Effect": "Allow", "Action": ACTION, "Resource": "*", "Condition": condition}
    iam.put_user_policy(
        UserName="stranger", PolicyName="if", PolicyDocument=json.dumps({**NOTHING, "Statement": [statement]})
    )
    try:
        result = simulated(iam, "user/stranger", resource)
        assert (result["EvalDecision"], result["MissingContextValues"]) == (
            "implicitDeny",
            ["aws:SourceVpc", "aws:Referer"],
        )
        given = [{"ContextKeyName": "aws:sourcevpc", "ContextKeyValues": ["vpc-1"], "ContextKeyType": "string"}]
        result = simulated(iam, "user/stranger", resource, ContextEntries=given)
        assert result["MissingContextValues"] == ["aws:Referer"]
    finally:
        iam.delete_user_policy(UserName="stranger", PolicyName="if")


@pytest.mark.parametrize("kind", ["user", "role"])
def test_a_boundary(iam, resource, kind):
    policy = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(NOTHING))["Policy"]["Arn"]
    name = {"user": "inline", "role": "analytics"}[kind]
    named = {f"{kind.title()}Name": name}

    def told():
        return getattr(iam, f"get_{kind}")(**named)[kind.title()].get("PermissionsBoundary")

    assert told() is None
    getattr(iam, f"put_{kind}_permissions_boundary")(PermissionsBoundary=policy, **named)
    try:
        assert told() == {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": policy}
        result = simulated(iam, f"{kind}/{name}", resource)
        assert result["EvalDecision"] == "implicitDeny"
        assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
        assert result["MatchedStatements"], "they allow, were it not for the boundary"
    finally:
        getattr(iam, f"delete_{kind}_permissions_boundary")(**named)
        iam.delete_policy(PolicyArn=policy)
    assert told() is None
    assert simulated(iam, f"{kind}/{name}", resource)["EvalDecision"] == "allowed"


def test_a_user_that_is_made_with_a_boundary(iam):
    policy = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(NOTHING))["Policy"]["Arn"]
    made = iam.create_user(UserName="bounded", PermissionsBoundary=policy)["User"]
    assert made["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    listed = next(row for row in iam.list_users()["Users"] if row["UserName"] == "bounded")
    assert "PermissionsBoundary" not in listed, "AWS's lists do not have it"
    iam.delete_user(UserName="bounded")
    iam.delete_policy(PolicyArn=policy)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.put_user_permissions_boundary(UserName="inline", PermissionsBoundary=policy)


def test_a_service_control_policy(iam, sandbox, resource):
    with sandbox.account.service_control_policies(NOTHING):
        result = simulated(iam, "user/inline", resource)
        assert (result["EvalDecision"], result["OrganizationsDecisionDetail"]) == (
            "implicitDeny",
            {"AllowedByOrganizations": False},
        )
    assert simulated(iam, "user/inline", resource)["EvalDecision"] == "allowed"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/analytics/x", "InvalidInput"),
        (arn("root"), "InvalidInput"),
        (arn("policy/connect-anywhere"), "InvalidInput"),
        (arn("role/nobody"), "NoSuchEntity"),
        (arn("user/a/path/inline"), "NoSuchEntity"),
    ],
)
def test_what_is_no_principal(iam, source, code):
    with pytest.raises(ClientError) as caught:
        iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=[ACTION])
    assert caught.value.response["Error"]["Code"] == code


def test_what_is_no_resource(iam):
    with pytest.raises(ClientError, match="not in a valid ARN format"):
        simulated(iam, "user/inline", "sandbox")
