"""What IAM says to a login, with every permission and with less; which mistakes policies have."""

import dataclasses

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.policies.evaluate import Verdict
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.doctor.checks import policy as checked
from rds_iam_magic.doctor.checks.check import Tools
from rds_iam_magic.doctor.checks.policy import POLICY
from rds_iam_magic.doctor.evidence import (
    Asked,
    Described,
    Evidence,
    Failed,
    Identity,
    NoSuch,
    NotLooked,
    NotPermitted,
    Problem,
    Target,
)
from rds_iam_magic.errors import AwsError
from tests.support.fake_aws import answering
from tests.support.fake_iam import ACCOUNT, FakeIam, policy
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

CLUSTER = "cluster-AAAAAAAAAAAAAAAAAAAAAAAAAA"
HOST = "shop.cluster-abcdefghijkl.us-east-1.rds.amazonaws.com"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/analyst"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/analyst/me"
USER = f"arn:aws:iam::{ACCOUNT}:user/ana"
SIMULATE = "iam:SimulatePrincipalPolicy"
DOCUMENTS = ("ListRolePolicies", "ListUserPolicies", "ListAttachedRolePolicies", "ListAttachedUserPolicies",
             "ListGroupsForUser")  # fmt: skip


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch):
    """What is read does not depend on how busy this machine is."""
    monkeypatch.setattr(checked, "FOR_DOCUMENTS", 60.0)


def arn(user="ana", own=CLUSTER):
    return f"arn:aws:rds-db:us-east-1:{ACCOUNT}:dbuser:{own}/{user}"


def evidence(principal=ROLE, own=CLUSTER, **changes):
    known = Evidence(
        Asked("ana", "shop"),
        identity=Identity(SESSION if ":role/" in str(principal) else str(principal), ACCOUNT, principal),
        target=Target(parse_host_name(HOST), "as typed"),
        database=Described("shop", "DB cluster", ACCOUNT, own, 3306),
    )
    return dataclasses.replace(known, **changes)


def looked(iam, monkeypatch, known=None):
    with answering(iam) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        tools = Tools(ConnectOptions(), TargetOptions())
        return POLICY.look(tools, known or evidence(iam.arn)).permission


class Iam(FakeIam):
    """With databases: the cluster `shop` of one instance, and the instance `stock`."""

    def _describe_db_clusters(self, _):
        return (
            "<DBClusters><DBCluster><DBClusterIdentifier>shop</DBClusterIdentifier>"
            f"<DbClusterResourceId>{CLUSTER}</DbClusterResourceId></DBCluster></DBClusters>"
        )

    def _describe_db_instances(self, _):
        rows = "".join(
            f"<DBInstance><DBInstanceIdentifier>{name}</DBInstanceIdentifier><DbiResourceId>{own}</DbiResourceId>"
            f"<DBClusterIdentifier>{cluster}</DBClusterIdentifier></DBInstance>"
            for name, own, cluster in (("shop-1", MEMBER, "shop"), ("stock", ALONE, ""))
        )
        return f"<DBInstances>{rows}</DBInstances>"


MEMBER, ALONE, GONE = f"db-{'B' * 26}", f"db-{'C' * 26}", f"cluster-{'D' * 26}"

BY = {
    "simulated": {},
    "simulated, documents not permitted": {"denied": DOCUMENTS},
    "documents": {"denied": ("SimulatePrincipalPolicy",)},
}
"""The ways to know: what is denied."""


@pytest.mark.parametrize("way", BY)
@pytest.mark.parametrize("principal", [ROLE, USER, f"arn:aws:iam::{ACCOUNT}:role/teams/analyst"])
@pytest.mark.parametrize(
    ("held", "verdict"),
    [
        ({"inline": {"p": policy(arn())}}, Verdict.ALLOWED),
        ({"managed": {"p": policy("*", "*")}}, Verdict.ALLOWED),
        ({}, Verdict.NOT_ALLOWED),
        ({"inline": {"p": policy("*"), "q": policy(arn(), effect="Deny")}}, Verdict.DENIED),
    ],
)
def test_whether_it_is_allowed(keys, way, principal, held, verdict):
    found = looked(Iam(principal, **held, **BY[way]), keys)
    assert (found.verdict, found.arn, found.principal) == (verdict, arn(), principal)
    assert found.simulated is (way != "documents")
    assert (found.boundary, found.organization, found.mistakes) == (False, False, ())
    assert found.read is (True if verdict is Verdict.ALLOWED or not way.endswith("not permitted") else found.read)
    if verdict is Verdict.DENIED:
        assert found.by in ("q", "q, statement 1", "role_analyst_q", "user_ana_q")


@pytest.mark.parametrize("way", ["simulated", "documents"])
def test_a_users_groups(keys, way):
    iam = Iam(USER, groups={"analysts": {"connect": policy(arn())}}, **BY[way])
    assert looked(iam, keys).verdict is Verdict.ALLOWED
    iam = Iam(USER, groups={"analysts": {"no": policy(arn(), effect="Deny")}}, inline={"p": policy("*")}, **BY[way])
    found = looked(iam, keys)
    assert (found.verdict, found.by) == (Verdict.DENIED, "no of group/analysts, statement 1")


@pytest.mark.parametrize("way", BY)
def test_a_boundary(keys, way):
    found = looked(Iam(inline={"p": policy(arn())}, boundary=policy("*", "s3:*"), **BY[way]), keys)
    assert (found.verdict, found.boundary, found.organization) == (Verdict.NOT_ALLOWED, True, False)
    assert found.by == "bound"
    assert found.mistakes == ()


@pytest.mark.parametrize("way", BY)
def test_a_boundary_that_denies(keys, way):
    found = looked(Iam(inline={"p": policy(arn())}, boundary=policy("*", effect="Deny"), **BY[way]), keys)
    assert (found.verdict, found.boundary) == (Verdict.DENIED, True)


def test_a_boundary_beside_policies_that_do_not_allow_it(keys):
    found = looked(Iam(inline={"p": policy(arn("bea"))}, boundary=policy("*", "s3:*")), keys)
    assert (found.verdict, found.boundary) == (Verdict.NOT_ALLOWED, False)
    assert "boundary would not allow it either" in found.why
    assert [mistake.kind for mistake in found.mistakes] == ["other-user"]


@pytest.mark.parametrize("way", ["simulated", "simulated, documents not permitted"])
def test_a_service_control_policy(keys, way):
    found = looked(Iam(inline={"p": policy(arn())}, control=policy("*", "s3:*"), **BY[way]), keys)
    assert (found.verdict, found.organization, found.boundary) == (Verdict.NOT_ALLOWED, True, False)
    found = looked(Iam(inline={"p": policy(arn())}, control=policy("*", effect="Deny"), **BY[way]), keys)
    assert (found.verdict, found.organization) == (Verdict.DENIED, True)


MISTAKES = [
    (policy(arn(), "rds:connect"), "action"),
    (policy(arn(own="shop")), "identifier"),
    (policy(arn(own="shop-1")), "identifier"),
    (policy(arn(own=MEMBER)), "instance-id"),
    (policy(arn("Ana")), "user-case"),
    (policy(arn(), Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}), "condition"),
]
HIDDEN = [
    (policy(arn(own=GONE)), "other-id"),
    (policy(arn("bea")), "other-user"),
    (policy(arn(own=ALONE)), "other-user"),
]


@pytest.mark.parametrize("way", ["simulated", "documents"])
@pytest.mark.parametrize(("document", "kind"), MISTAKES + HIDDEN)
def test_the_mistakes(keys, way, document, kind):
    found = looked(Iam(inline={"p": document}, missing=missing_of(document), **BY[way]), keys)
    assert found.verdict is Verdict.NOT_ALLOWED
    assert [(mistake.kind, mistake.policy) for mistake in found.mistakes] == [(kind, "p")]
    assert found.read is True


@pytest.mark.parametrize(("document", "kind"), MISTAKES)
def test_mistakes_in_documents_that_may_not_be_read(keys, document, kind):
    iam = Iam(managed={"p": document}, missing=missing_of(document), denied=DOCUMENTS)
    found = looked(iam, keys)
    assert found.verdict is Verdict.NOT_ALLOWED
    assert [mistake.kind for mistake in found.mistakes] == [kind]
    assert found.read == NotPermitted("iam:ListRolePolicies")
    assert found.probed


def missing_of(document):
    return tuple(key for keys in document["Statement"][0].get("Condition", {}).values() for key in keys)


def test_what_may_neither_be_read_nor_guessed(keys):
    found = looked(Iam(managed={"p": policy(arn(own=GONE))}, denied=DOCUMENTS), keys)
    assert (found.verdict, found.mistakes, found.probed) == (Verdict.NOT_ALLOWED, (), True)


def test_a_mistake_in_some_documents_that_may_be_read(keys):
    iam = Iam(inline={"p": policy(arn(own="shop"))}, denied=("ListAttachedRolePolicies",))
    found = looked(iam, keys)
    assert [mistake.kind for mistake in found.mistakes] == ["identifier"]
    assert found.read == NotPermitted("iam:ListAttachedRolePolicies")


@pytest.mark.parametrize(("own", "kind"), [(CLUSTER, "instance-id"), (ALONE, "instance-id"), ("front", "identifier")])
@pytest.mark.parametrize("way", BY)
def test_the_databases_id_behind_a_proxy(keys, way, own, kind):
    proxy = Described("front", "RDS Proxy", ACCOUNT, "prx-0123456789abcdef0", 3306)
    iam = Iam(managed={"p": policy(arn(own=own))}, **BY[way])
    found = looked(iam, keys, evidence(database=proxy))
    assert [mistake.kind for mistake in found.mistakes] == [kind]


@pytest.mark.parametrize("key", ["aws:MultiFactorAuthPresent", "aws:PrincipalTag/team"])
@pytest.mark.parametrize("way", BY)
def test_a_condition_that_is_known_at_connect_only(keys, way, key):
    document = policy(arn(), Condition={"StringEquals": {key: "x"}})
    found = looked(Iam(inline={"p": document}, missing=(key,), **BY[way]), keys)
    assert found.verdict is Verdict.UNKNOWN
    assert key in found.why


def test_a_condition_of_another_statement_is_no_doubt_where_documents_are_read(keys):
    other = policy("arn:aws:s3:::b/*", "s3:*", Condition={"StringEquals": {"aws:userid": "x"}})
    for held, verdict in (({"p": policy(arn())}, Verdict.ALLOWED), ({}, Verdict.NOT_ALLOWED)):
        iam = Iam(inline={"s3": other, **held}, missing=("aws:userid",))
        assert looked(iam, keys).verdict is verdict


# What is not known


def test_not_permitted_at_all(keys):
    assert looked(Iam(denied=("SimulatePrincipalPolicy", *DOCUMENTS)), keys) == NotPermitted(SIMULATE)


@pytest.mark.parametrize("denied", ["GetRole", "ListAttachedRolePolicies"])
def test_documents_that_are_not_all_read_allow_nothing_for_certain(keys, denied):
    iam = Iam(inline={"p": policy(arn())}, denied=("SimulatePrincipalPolicy", denied))
    found = looked(iam, keys)
    assert (found.verdict, found.simulated) == (Verdict.UNKNOWN, False)


def test_a_role_that_may_not_be_looked_up(keys):
    known = evidence(NotPermitted("iam:GetRole"))
    known = dataclasses.replace(known, identity=Identity(SESSION, ACCOUNT, NotPermitted("iam:GetRole")))
    found = looked(Iam(inline={"p": policy(arn())}), keys, known)
    assert (found.verdict, found.principal) == (Verdict.ALLOWED, ROLE)
    buried = Iam(f"arn:aws:iam::{ACCOUNT}:role/teams/analyst", denied=("GetRole", *DOCUMENTS))
    assert looked(buried, keys, known) == NotPermitted("iam:GetRole")
    readable = Iam(f"arn:aws:iam::{ACCOUNT}:role/teams/analyst", inline={"p": policy(arn("bea"))})
    assert looked(readable, keys, known).verdict is Verdict.NOT_ALLOWED


def test_a_user_that_there_is_not_any_more(keys):
    assert looked(Iam(USER), keys, evidence(f"{USER}2")) == Failed(f"IAM knows no {USER}2.")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"identity": Problem("access-key-refused", "No.")}, NotLooked("identity")),
        ({"target": Problem("target-unknown", "No.")}, NotLooked("target")),
        ({"database": NoSuch(ACCOUNT, "us-east-1")}, NotLooked("database")),
        ({"database": Described("s", "DB instance", ACCOUNT, None, 3306)}, NotPermitted("rds:DescribeDBClusters")),
        ({"identity": Identity(f"arn:aws:sts::{ACCOUNT}:federated-user/x", ACCOUNT)}, NotLooked()),
    ],
)
def test_what_it_waits_for(keys, changes, expected):
    iam = Iam()
    assert looked(iam, keys, evidence(**changes)) == expected
    assert iam.actions == []


def test_the_root_user(keys):
    root = Identity(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
    assert "root user" in looked(Iam(), keys, evidence(identity=root)).what


@pytest.mark.parametrize(
    ("iam", "cause"),
    [
        (Iam(codes={"SimulatePrincipalPolicy": "Throttling"}), "aws-throttled"),
        (Iam(codes={"ListRolePolicies": "Throttling", "ListAttachedRolePolicies": "Throttling"},
             denied=("SimulatePrincipalPolicy",)), "aws-throttled"),
    ],
)  # fmt: skip
def test_throttling(keys, iam, cause):
    with pytest.raises(AwsError) as caught:
        looked(iam, keys)
    assert caught.value.cause == cause


def test_what_the_simulator_has_said_stays_where_documents_fail(keys):
    codes = dict.fromkeys(
        ("ListRolePolicies", "ListAttachedRolePolicies", "GetRole", "DescribeDBClusters"), "Throttling"
    )
    found = looked(Iam(codes=codes), keys)
    assert (found.verdict, found.read) == (Verdict.NOT_ALLOWED, False)


def test_without_the_time_for_documents(keys):
    keys.setattr(checked, "FOR_DOCUMENTS", 0.0)
    iam = Iam()
    found = looked(iam, keys)
    assert (found.verdict, found.read, found.probed) == (Verdict.NOT_ALLOWED, False, True)
    assert "ListRolePolicies" not in iam.actions
    denied = Iam(denied=("SimulatePrincipalPolicy",))
    assert looked(denied, keys) == NotPermitted(SIMULATE)


def test_a_page_instead_of_iam(keys):
    with pytest.raises(AwsError, match="Something other than AWS answered"):
        looked(lambda *_: (200, b"<!DOCTYPE html><html></html>"), keys, evidence())


def test_in_the_sandbox(inside):
    """With its own simulator: what the login attempt would come to."""
    cluster = inside.client("rds").describe_db_clusters()["DBClusters"][0]
    found = {}
    for user in ("inline", "grouped", "managed", "denied", "stranger"):
        own = cluster["DbClusterResourceId"]
        known = dataclasses.replace(evidence(f"arn:aws:iam::{ACCOUNT}:user/{user}", own), asked=Asked("reader"))
        found[user] = POLICY.look(Tools(ConnectOptions(), TargetOptions()), known).permission.verdict
    assert found == {
        **dict.fromkeys(("inline", "grouped", "managed"), Verdict.ALLOWED),
        "denied": Verdict.DENIED,
        "stranger": Verdict.NOT_ALLOWED,
    }
    with only(inside, "rds:Describe*") as profile:
        tools = Tools(ConnectOptions(profile=profile), TargetOptions())
        assert POLICY.look(tools, evidence(USER)).permission == NotPermitted(SIMULATE)
