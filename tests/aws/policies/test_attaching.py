"""A policy put to a principal of the sandbox's account: it lets in, and nothing is written that should not be."""

import json

import pytest

import rds_iam_magic
from rds_iam_magic.aws.policies.attaching import POLICY_NAME, attach_policy
from rds_iam_magic.aws.policies.databases import find_for_policy
from rds_iam_magic.aws.policies.document import connect_policy, resource_from_ids
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import AccessDeniedError, AwsError
from tests.support.fake_aws import Changed, answering
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def cluster(session):
    return find_for_policy(session, "sandbox")


def logs_in(**options):
    try:
        rds_iam_magic.connect("sandbox", user="reader", **options).close()
    except AccessDeniedError as error:
        return error.cause != "iam-denied"
    return True


def test_it_lets_in_and_taking_it_away_keeps_out(session, cluster, inside):
    """By a user's own policy, by a group's, and by a role's that the user assumes: real logins at the verifier."""
    iam = inside.client("iam")
    assert not logs_in(profile="stranger")
    done = attach_policy(session, "user/stranger", [cluster], "reader")
    assert (done.written, [change.before for change in done.changes]) == (True, [None])
    assert logs_in(profile="stranger")
    iam.delete_user_policy(UserName="stranger", PolicyName=POLICY_NAME)
    assert not logs_in(profile="stranger")


def test_by_a_group_and_by_a_role(session, cluster, account):
    group, role = account.group("late"), account.role("late")
    arn = "arn:aws:iam::123456789012:role/late"
    account.iam.add_user_to_group(GroupName="late", UserName="stranger")
    try:
        assert not logs_in(profile="stranger")
        assert attach_policy(session, group, [cluster], "reader").written
        assert logs_in(profile="stranger")
    finally:
        account.iam.remove_user_from_group(GroupName="late", UserName="stranger")
    assert not logs_in(role_arn=arn)
    assert attach_policy(session, role, [cluster], "reader").written
    assert logs_in(role_arn=arn)
    account.iam.delete_role_policy(RoleName="late", PolicyName=POLICY_NAME)
    assert not logs_in(role_arn=arn)


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_again_changes_nothing(session, cluster, account, kind):
    principal = getattr(account, kind)("again")
    wanted = connect_policy([cluster], "ana")
    looked = attach_policy(session, principal, [cluster], "ana", dry_run=True)
    assert not looked.written
    assert [(change.name, change.before, change.after) for change in looked.changes] == [(POLICY_NAME, None, wanted)]
    assert account.held(principal) == {}, "only looked"
    assert attach_policy(session, principal, [cluster], "ana").written
    assert account.held(principal) == {POLICY_NAME: wanted}
    again = attach_policy(session, principal, [cluster], "ana")
    assert (again.written, again.changes) == (False, ())


def test_an_update_keeps_what_is_there(session, cluster, account):
    principal = account.role("kept")
    given = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    account.put(principal, "other", given)
    account.put(principal, "mine", given)
    attach_policy(session, principal, [cluster], "ana", name="mine")
    done = attach_policy(session, principal, [cluster], "ben", name="mine")
    held = account.held(principal)
    assert held["other"] == given
    assert held["mine"]["Statement"][0] == given["Statement"]
    assert held["mine"]["Statement"][1]["Resource"] == [cluster.arn("ana"), cluster.arn("ben")]
    assert f'+        "{cluster.arn("ben")}"' in done.changes[0].difference
    assert "s3" not in "".join(line for line in done.changes[0].difference.splitlines() if line[0] in "+-")


def test_names_beyond_latin_1_arrive(session, cluster, account):
    """IAM takes no character beyond U+00FF in a document, but its escape in JSON."""
    principal = account.user("far")
    attach_policy(session, principal, [cluster], "日本é")
    assert account.held(principal)[POLICY_NAME]["Statement"][0]["Resource"] == cluster.arn("日本é")


WRONG = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "rds:connect",
            "Resource": "arn:aws:rds-db:us-east-1:123456789012:dbuser:sandbox/reader",
        },
        {
            "Effect": "Allow",
            "Action": "rds-db:connect",
            "Resource": ["arn:aws:rds-db:us-east-1:123456789012:dbuser:nobody/reader"],
        },
    ],
}


def test_wrong_statements_are_told_and_replaced_when_asked(session, cluster, account):
    principal = account.user("wrong")
    account.put(principal, "old", WRONG)
    arn = account.iam.create_policy(PolicyName="shared", PolicyDocument=json.dumps(WRONG))["Policy"]["Arn"]
    account.iam.attach_user_policy(UserName="wrong", PolicyArn=arn)
    told = attach_policy(session, principal, [cluster], "ana")
    assert [(each.policy, each.element, each.right is None) for each in told.mistakes] == [
        ("old", "Action", False),
        ("old", "Resource", False),
        ("old", "Resource", True),
    ]
    assert {each.policy for each in told.managed_mistakes} == {"shared"}
    assert account.held(principal)["old"] == WRONG
    looked = attach_policy(session, principal, [cluster], "ana", fix=True, dry_run=True)
    assert account.held(principal)["old"] == WRONG
    done = attach_policy(session, principal, [cluster], "ana", fix=True)
    assert done.changes == looked.changes
    assert [change.name for change in done.changes] == ["old"]
    mended, left = account.held(principal)["old"]["Statement"]
    assert mended == {"Effect": "Allow", "Action": "rds-db:connect", "Resource": cluster.arn("reader")}
    assert left == WRONG["Statement"][1], "nobody knows what is right"
    version = account.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert version["Document"] == WRONG, "managed policies are others' too"
    assert len(attach_policy(session, principal, [cluster], "ana", fix=True).mistakes) == 1


def test_a_mended_statement_lets_in(session, cluster, inside):
    iam = inside.client("iam")
    iam.put_user_policy(UserName="stranger", PolicyName="old", PolicyDocument=json.dumps(WRONG))
    try:
        assert not logs_in(profile="stranger")
        attach_policy(session, "user/stranger", [cluster], "somebody-else", fix=True)
        assert logs_in(profile="stranger")
    finally:
        iam.delete_user_policy(UserName="stranger", PolicyName="old")
        iam.delete_user_policy(UserName="stranger", PolicyName=POLICY_NAME)


@pytest.fixture
def asked(inside, monkeypatch):
    """What IAM is asked for."""
    handed_on = Changed(inside, lambda _, text: text, "iam")
    with answering(handed_on) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        yield handed_on.actions


def writes(actions):
    return [action for action in actions if action.startswith(("Put", "Attach", "Create", "Delete"))]


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_too_large_is_refused_before_a_write(cluster, account, asked, kind):
    """IAM counts all inline policies together, and no white space; moto would take anything."""
    principal = getattr(account, kind)("full")
    most = {"user": 2048, "group": 5120, "role": 10240}[kind]
    filler = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::"}}
    size = len(json.dumps(filler, separators=(",", ":")))
    wanted = len(json.dumps(connect_policy([cluster], "ana"), separators=(",", ":")))
    filler["Statement"]["Resource"] += "x" * (most - size - wanted)
    account.put(principal, "filler", filler)
    assert attach_policy(open_session(), principal, [cluster], "ana", dry_run=True).changes, "to the last character"
    with pytest.raises(AwsError, match=f"would have {most + 1:,} characters; IAM allows a {kind} {most:,}") as caught:
        attach_policy(open_session(), principal, [cluster], "anna")
    assert caught.value.cause == "policy-too-large"
    assert writes(asked) == []
    assert attach_policy(open_session(), principal, [cluster], "ana").written
    assert attach_policy(open_session(), principal, [cluster], "ana").changes == (), "full is not too full"


@pytest.mark.parametrize(
    ("name", "path", "cause"),
    [
        ("AWSReservedSSO_Analyst_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/eu-west-1/", "role-reserved"),
        ("odd", "/aws-reserved/", "role-reserved"),
        ("AWSServiceRoleForX", "/aws-service-role/x.amazonaws.com/", "role-of-service"),
    ],
)
def test_protected_roles_are_refused_before_a_write(cluster, account, asked, name, path, cause):
    account.role(name, path)
    for written in (f"role/{name}", f"role{path}{name}", f"arn:aws:iam::123456789012:role{path}{name}"):
        asked.clear()
        with pytest.raises(AwsError, match="belongs to") as caught:
            attach_policy(open_session(), written, [cluster], "ana")
        assert caught.value.cause == cause
        assert set(asked) <= {"GetRole"}


def test_a_path_and_an_arn(session, cluster, account):
    account.role("deep", "/teams/data/")
    for written in ("role/deep", "role/teams/data/deep", "arn:aws:iam::123456789012:role/teams/data/deep",
                    "arn:aws:sts::123456789012:assumed-role/deep/ana"):  # fmt: skip
        assert str(attach_policy(session, written, [cluster], "ana").principal) == "role/teams/data/deep"
    with pytest.raises(AwsError, match="There is no role/other/deep") as caught:
        attach_policy(session, "role/other/deep", [cluster], "ana")
    assert "role/teams/data/deep" in caught.value.hint


@pytest.mark.parametrize(("kind", "near"), [("role", "analytics"), ("user", "grouped"), ("group", "analysts")])
def test_no_such_principal(inside, session, cluster, kind, near):
    with pytest.raises(AwsError, match=f"There is no {kind} {near}x") as caught:
        attach_policy(session, f"{kind}/{near}x", [cluster], "ana")
    assert caught.value.cause == "principal-unknown"
    assert f"{kind}/{near}" in caught.value.hint
    with only(inside, f"iam:Get{kind.title()}") as profile, pytest.raises(AwsError, match="There is no") as caught:
        attach_policy(open_session(profile=profile), f"{kind}/{near}x", [cluster], "ana")
    assert "Check the name" in caught.value.hint


def test_another_account(cluster, account, asked):
    account.role("here")
    with pytest.raises(AwsError, match="in account 999999999999; the credentials are of account 123456789012"):
        attach_policy(open_session(), "arn:aws:iam::999999999999:role/here", [cluster], "ana")
    elsewhere = resource_from_ids(resource_id="cluster-ABC", account="999999999999", region="us-east-1")
    with pytest.raises(AwsError, match="database in account 999999999999") as caught:
        attach_policy(open_session(), "role/here", [cluster, elsewhere], "ana")
    assert caught.value.cause == "principal-in-other-account"
    assert writes(asked) == []


NEEDED = ["iam:Get{}", "iam:List{}Policies", "iam:Get{}Policy", "iam:Put{}Policy"]
MANAGED = ["iam:ListAttached{}Policies", "iam:GetPolicy", "iam:GetPolicyVersion"]


@pytest.mark.parametrize("kind", ["User", "Group", "Role"])
def test_with_these_permissions_alone_it_says_what_it_did_not_look_at(inside, cluster, account, kind):
    """With one less it is refused: notebook/setup/test_permissions."""
    principal = getattr(account, kind.lower())("exact")
    account.put(principal, "old", WRONG)
    with only(inside, *(action.format(kind) for action in NEEDED)) as profile:
        done = attach_policy(open_session(profile=profile), principal, [cluster], "ana")
    assert done.written
    assert [("Managed" in each, "rds:Describe" in each) for each in done.unknown] == [(False, True), (True, False)]


@pytest.mark.parametrize("missing", [None, *MANAGED])
def test_managed_policies_where_permitted(inside, cluster, account, missing):
    principal = account.role("managed")
    arn = account.iam.create_policy(PolicyName="shared", PolicyDocument=json.dumps(WRONG))["Policy"]["Arn"]
    account.iam.attach_role_policy(RoleName="managed", PolicyArn=arn)
    actions = [*NEEDED, *MANAGED, "rds:DescribeDBClusters", "rds:DescribeDBInstances"]
    with only(inside, *(action.format("Role") for action in actions if action != missing)) as profile:
        done = attach_policy(open_session(profile=profile), principal, [cluster], "ana", dry_run=True)
    assert bool(done.managed_mistakes) == (missing is None)
    assert ["iam:GetPolicyVersion" in each for each in done.unknown] == ([True] if missing else [])
