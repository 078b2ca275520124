"""Who may connect as whom: each kind of row, and that the server agrees."""

import json

import pytest

import rds_iam_magic
from rds_iam_magic.aws.policies.document import Resource
from rds_iam_magic.aws.policies.evaluate import Policy
from rds_iam_magic.aws.policies.holders import Holder
from rds_iam_magic.aws.policies.principal import parse_principal
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.connecting import connect_as_master
from rds_iam_magic.errors import AccessDeniedError, AwsError
from rds_iam_magic.setup.access import Access, rows_of, who_may_connect
from rds_iam_magic.setup.accounts import PLUGIN, Account, Accounts
from rds_iam_magic.setup.users import create_user, drop_user, list_users
from tests.support.fake_aws import Changed, answering
from tests.support.permissions import only

RESOURCE = Resource("aws", "us-east-1", "123456789012", "cluster-ABC")
IAM = "arn:aws:iam::123456789012:"


def document(*users, effect="Allow", **more):
    arns = [RESOURCE.arn(user) for user in users]
    statement = {"Effect": effect, "Action": "rds-db:connect", "Resource": arns, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def holder(principal, *documents, **more):
    arn = f"{IAM}{principal}"
    policies = tuple(Policy(f"p{at}", each) for at, each in enumerate(documents, 1))
    return Holder(arn, parse_principal(arn), policies, **more)


def server(*accounts):
    return Accounts(accounts, frozenset(), wildcards=True, resolves_names=False, is_mariadb=True)


def rows(accounts, holders, **more):
    return rows_of(server(*accounts), holders, RESOURCE, **more)


ANA = Account("ana", "%")
ANY = document("*")


def test_one_who_may():
    assert rows([ANA], [holder("role/team/etl", document("ana")), holder("user/bea")]) == [
        Access("ana", "%", f"{IAM}role/team/etl", "yes", "p1, statement 1", "")
    ]


def test_everybody():
    found = rows([ANA], [holder("user/bea"), holder("role/etl", document("ana"))], everybody=True)
    assert [(row.principal, row.connect) for row in found] == [(f"{IAM}role/etl", "yes"), (f"{IAM}user/bea", "no")]


def test_each_host_has_its_rows():
    found = rows([ANA, Account("ana", "10.%")], [holder("role/etl", document("ana"))])
    assert [(row.host, row.connect) for row in found] == [("%", "yes"), ("10.%", "yes")]


def test_nobody():
    assert rows([ANA], [holder("user/bea")]) == [Access("ana", "%", "", "no", "", "nobody may connect as this account")]
    assert rows([ANA], []) == rows([ANA], [holder("user/bea")])


def test_administrators_are_not_counted_as_users_of_an_account():
    found = rows([ANA], [holder("user/root", ANY)])
    assert found == [
        Access("ana", "%", "", "no", "", "only administrators, who may connect as any user"),
        Access("ana", "%", f"{IAM}user/root", "yes", "p1, statement 1", "as any user"),
    ]
    with_another = rows([ANA], [holder("user/root", ANY), holder("user/zoe", document("an*"))])
    assert [(row.principal, row.note) for row in with_another] == [
        (f"{IAM}user/zoe", ""),
        (f"{IAM}user/root", "as any user"),
    ]


def test_a_denial_is_told_where_something_would_allow_it():
    denying = document("*", effect="Deny")
    found = rows([ANA], [holder("user/bea", document("ana"), denying), holder("user/zoe", denying)])
    assert found == [
        Access("ana", "%", "", "no", "", "nobody may connect as this account"),
        Access("ana", "%", f"{IAM}user/bea", "denied", "p2, statement 1", "overrides p1, statement 1"),
    ]


def test_what_depends_on_the_login_is_unknown():
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    (row,) = rows([ANA], [holder("user/bea", document("ana", Condition=condition))])
    assert (row.connect, row.note) == (
        "unknown",
        "it has a condition on aws:MultiFactorAuthPresent, which is known at connect only",
    )


def test_a_condition_that_never_holds_is_told():
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    nobody, row = rows([ANA], [holder("user/bea", document("ana", Condition=condition))])
    assert nobody.principal == ""
    assert (row.connect, row.note) == ("no", "its condition never holds: RDS logins have no aws:SourceVpc")


def test_a_boundary_that_does_not_allow_it():
    boundary = Policy("limit", {"Statement": []})
    _, row = rows([ANA], [holder("user/bea", document("ana"), boundary=boundary)])
    assert (row.connect, row.by, row.note) == ("no", "limit", "the permissions boundary does not allow it")


def test_roles_that_are_not_the_accounts_own():
    sso = "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Data_Team_0123456789abcdef"
    service = "role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS"
    found = rows([ANA], [holder(sso, document("ana")), holder(service, document("ana"))])
    assert [row.note for row in found] == ["IAM Identity Center, permission set Data_Team", "an AWS service's role"]


def test_locked_and_anonymous_accounts():
    found = rows([Account("ana", "%", locked=True), Account("", "%")], [holder("user/bea", document("ana"))])
    assert [(row.user, row.connect, row.note.partition(":")[0]) for row in found] == [
        ("ana", "yes", "the account is locked"),
        ("", "unknown", "an account for any user"),
    ]


def test_an_account_with_a_second_way_in():
    (row,) = rows([Account("ana", "%", (PLUGIN, "ed25519"))], [holder("user/bea", document("ana"))])
    assert (row.connect, row.note) == ("yes", "the account may log in with ed25519, too, without IAM")


def test_users_without_an_account():
    accounts = [
        ANA,
        Account("bob", "%", ("mysql_native_password",)),
        Account("Zoe", "%"),
        Account("team", "", (), is_role=True),
    ]
    named = document("ana", "bob", "zoe", "anna", "nobody", "x*", "a*", "team", "*")
    found = [row for row in rows(accounts, [holder("role/etl", named)]) if not row.host]
    assert {row.user: row.note for row in found} == {
        "bob": "bob@% logs in with mysql_native_password, not with IAM",
        "zoe": "there is no such account; Zoe@% is written in another case",
        "anna": "there is no such account; similar: ana",
        "nobody": "there is no such account",
        "x*": "there is no such account",
        "team": "there is no such account",
    }
    assert {(row.principal, row.connect, row.by) for row in found} == {(f"{IAM}role/etl", "no", "p1, statement 1")}


def test_users_named_by_a_variable():
    own = document("${aws:username}")
    holders = [holder(f"user/{name}", own, variables={"aws:username": name}) for name in ("ana", "bea")]
    found = rows([ANA], holders)
    assert [(row.user, row.host, row.principal) for row in found] == [
        ("ana", "%", f"{IAM}user/ana"),
        ("bea", "", f"{IAM}user/bea"),
    ]


def test_one_user_only():
    holders = [holder("role/etl", document("ana", "bob", "x*"))]
    accounts = [ANA, Account("zoe", "%")]
    assert [row.user for row in rows(accounts, holders, user="zoe")] == ["zoe"]
    assert [row.user for row in rows(accounts, holders, user="bob")] == ["bob"]
    assert [row.user for row in rows(accounts, holders, user="xy")] == ["x*"]
    assert rows(accounts, holders, user="nobody") == []


@pytest.fixture
def master(inside):
    assert inside.hosts
    with connect_as_master("sandbox/master", ConnectOptions()) as connection:
        yield connection


def test_the_server_agrees(inside, master):
    """Of each row with a principal, by logging in."""
    create_user(master, "idle")
    try:
        found = who_may_connect(master, open_session(), everybody=True)
        assert set(found["User"]) >= {*list_users(master)["User"]}
        ours = found["User"].isin(["idle", "reader"])
        profiles = {*inside.keys, "analytics"}  # of the principals, that is; other tests have their own
        told = found[ours & found["Principal"].map(lambda arn: arn.rpartition("/")[2] in profiles)]
        assert set(told["Connect"]) == {"yes", "denied", "no"}
        assert len(told) == 2 * 7
        for row in told.itertuples():
            profile = row.Principal.rpartition("/")[2]
            assert enters(row.User, profile) == (row.Connect == "yes"), row
        assert inside.refusals()
    finally:
        drop_user(master, "idle")


def enters(user, profile):
    try:
        rds_iam_magic.connect("sandbox", user=user, profile=profile).close()
    except AccessDeniedError:
        return False
    return True


def test_the_frame(master):
    found = who_may_connect(master, open_session(), user="reader")
    assert [*found.columns] == ["User", "Host", "Principal", "Connect", "By", "Note"]
    assert {str(dtype) for dtype in found.dtypes} == {"str"}
    empty = who_may_connect(master, open_session(), user="no such")
    assert (len(empty), [*empty.columns], [*empty.dtypes]) == (0, [*found.columns], [*found.dtypes])


def test_a_typing_error_in_a_policy(inside, master):
    iam = inside.client("iam")
    arn = inside.client("rds").describe_db_clusters()["DBClusters"][0]["DbClusterResourceId"]
    raeder = json.dumps(document("raeder")).replace("cluster-ABC", arn)
    iam.put_role_policy(RoleName="analytics", PolicyName="reports", PolicyDocument=raeder)
    try:
        found = who_may_connect(master, open_session())
    finally:
        iam.delete_role_policy(RoleName="analytics", PolicyName="reports")
    (row,) = found[found["Host"] == ""].itertuples()
    assert (row.User, row.Principal, row.By) == ("raeder", f"{IAM}role/analytics", "reports, statement 1")
    assert row.Note == "there is no such account; similar: reader"


def test_credentials_of_another_account(inside, master, monkeypatch):
    other = Changed(inside, lambda _, text: text.replace("iam::123456789012", "iam::210987654321"), "iam")
    with answering(other) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        with pytest.raises(AwsError, match="of account 210987654321, the database is in account 123456789012"):
            who_may_connect(master, open_session())


def test_without_permission(inside, master):
    with only(inside, "rds:DescribeDBClusters") as profile, pytest.raises(AwsError) as caught:
        who_may_connect(master, open_session(profile=profile))
    assert "iam:GetAccountAuthorizationDetails" in str(caught.value)
    with only(inside, "iam:GetAccountAuthorizationDetails") as profile, pytest.raises(AwsError) as caught:
        who_may_connect(master, open_session(profile=profile))
    assert "rds:DescribeDBClusters" in str(caught.value)
    assert "resource" not in caught.value.hint  # --resource-id is no option here


def test_a_pattern_of_some_users_is_not_an_administrators():
    (row,) = rows([Account("a", "%")], [holder("user/bea", document("?"))])
    assert (row.connect, row.note) == ("yes", "")
