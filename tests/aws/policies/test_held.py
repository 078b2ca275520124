"""One principal's policies: in the sandbox, as far as they may be read, and within a time."""

import json

import pytest

from rds_iam_magic.aws.policies.evaluate import Policy, Verdict, evaluate
from rds_iam_magic.aws.policies.held import read_held
from rds_iam_magic.aws.policies.holders import read_holders
from rds_iam_magic.aws.policies.principal import parse_principal
from rds_iam_magic.aws.session import open_session
from tests.support.fake_aws import answering
from tests.support.fake_iam import FakeIam, policy
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

REGION = "us-east-1"
ARN = "arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-ABC/ana"
USER = "arn:aws:iam::123456789012:user/ana"


def held(iam, monkeypatch, **options):
    with answering(iam) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        return read_held(open_session(), REGION, parse_principal(iam.arn), **options)


def test_it_reads_what_is_read_of_the_whole_account(inside):
    assert inside.server.pid
    session = open_session()
    for holder in read_holders(session, REGION):
        one = read_held(session, REGION, holder.principal)
        assert sorted(one.policies, key=str) == sorted(holder.policies, key=str)
        assert (one.boundary, one.variables) == (holder.boundary, holder.variables)
        assert (one.complete, one.denied, one.failure, one.late) == (True, "", None, False)


def test_a_role_without_its_path(account):
    account.role("buried", "/teams/")
    account.put("role/buried", "connect", policy(ARN))
    found = read_held(open_session(), REGION, parse_principal("role/buried"))
    assert found.policies == (Policy("connect", policy(ARN)),)
    assert found.variables["aws:principalarn"] == "arn:aws:iam::123456789012:role/teams/buried"


def test_aws_own_policies_count(keys):
    class Aws(FakeIam):
        def __call__(self, action, body):
            status, text = super().__call__(action, body)
            return status, text.replace(b"arn:aws:iam::123456789012:policy/", b"arn:aws:iam::aws:policy/")

    found = held(Aws(managed={"AdministratorAccess": policy("*", "*")}), keys)
    assert evaluate(found.policies, "rds-db:connect", ARN).verdict is Verdict.ALLOWED


def test_without_any_permission(inside):
    with only(inside, "rds:DescribeDBClusters") as profile:
        found = read_held(open_session(profile=profile), REGION, parse_principal("user/grouped"))
    assert (found.denied, found.complete, found.tells) == ("iam:GetUser", False, False)
    assert found.variables == {"aws:username": "grouped"}


FULL = {"inline": {"own": policy("x")}, "managed": {"shared": policy("y")}, "boundary": policy("*", "*")}


@pytest.mark.parametrize(
    ("denied", "unread", "permission"),
    [
        ("GetUser", {"the permissions boundary"}, "iam:GetUser"),
        ("ListUserPolicies", {"the inline policies of user/ana"}, "iam:ListUserPolicies"),
        ("GetUserPolicy", {"the inline policies of user/ana"}, "iam:GetUserPolicy"),
        ("ListAttachedUserPolicies", {"the managed policies of user/ana"}, "iam:ListAttachedUserPolicies"),
        ("GetPolicyVersion", {"the managed policies of user/ana", "bound"}, "iam:GetPolicyVersion"),
        ("ListGroupsForUser", {"the policies of its groups"}, "iam:ListGroupsForUser"),
        ("GetGroupPolicy", {"the inline policies of group/team"}, "iam:GetGroupPolicy"),
    ],
)
def test_what_may_not_be_read_has_no_document(keys, denied, unread, permission):
    iam = FakeIam(USER, groups={"team": {"of-team": policy("z")}}, denied=(denied,), **FULL)
    found = held(iam, keys)
    assert {each.name for each in (*found.policies, found.boundary) if each.document is None} == unread
    assert found.denied == permission
    assert found.tells


def test_what_fails_otherwise_is_kept(keys):
    found = held(FakeIam(USER, codes={"ListUserPolicies": "Throttling"}, **FULL), keys)
    assert (found.failure.cause, found.denied, found.complete) == ("aws-throttled", "", False)


def test_a_time_limit(keys):
    iam = FakeIam(USER, **FULL)
    found = held(iam, keys, seconds=0.0)
    assert (found.late, found.tells, iam.actions) == (True, False, [])


def test_documents_are_those_that_iam_has(keys):
    found = held(FakeIam(USER, groups={"team": {"of-team": policy("z")}}, **FULL), keys)
    assert json.dumps([each.document for each in found.policies]) == json.dumps([policy("x"), policy("y"), policy("z")])
    assert [each.name for each in found.policies] == ["own", "shared", "of-team of group/team"]
