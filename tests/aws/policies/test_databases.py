"""The resource that a policy names, looked up in the sandbox's account; proxies from RDS's documented answers."""

import re

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.policies.databases import find_for_policy, names_in, resource_of
from rds_iam_magic.aws.policies.document import Resource, connect_policy, resource_from_ids
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.resolve import described
from rds_iam_magic.errors import AwsError, TargetError
from tests.support.fake_aws import Changed, answering
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

PROXY = Resource("aws", "us-east-1", "123456789012", "prx-0123456789abcdef0")


def test_the_policy_names_the_resource_id(session):
    database = described(session, "sandbox")
    (statement,) = connect_policy([find_for_policy(session, "sandbox")], "analyst")["Statement"]
    assert statement["Action"] == "rds-db:connect"
    assert statement["Resource"] == f"arn:aws:rds-db:us-east-1:123456789012:dbuser:{database.resource_id}/analyst"


def test_the_ids_say_the_same(session):
    found = find_for_policy(session, "sandbox")
    assert resource_from_ids(resource_id=found.resource_id, account="123456789012", region="us-east-1") == found
    assert resource_of(described(session, "sandbox")) == found


@pytest.mark.parametrize("kind", [str, parse_host_name])
def test_a_target_by_any_name(session, inside, kind):
    for number, of_cluster in enumerate((True, True, True, False)):
        found = find_for_policy(session, kind(inside.hosts[number]))
        assert found.resource_id.startswith("cluster-" if of_cluster else "db-")
    assert find_for_policy(session, "sandbox-1") == find_for_policy(session, "sandbox")
    assert find_for_policy(session, "arn:aws:rds:us-east-1:123456789012:cluster:sandbox") == find_for_policy(
        session, "sandbox"
    )


@pytest.mark.parametrize("target", [0, 2, "sandbox-1", "sandbox"])
def test_without_the_right_to_look_the_permissions_are_named(inside, target):
    """The host name does not help here, as it does when connecting; the ids do."""
    target = inside.hosts[target] if isinstance(target, int) else target
    with only(inside, "rds:DescribeDBInstances") as profile, pytest.raises(AwsError) as caught:
        find_for_policy(open_session(profile=profile), target)
    assert caught.value.cause == "policy-lookup-denied"
    assert "rds:DescribeDBClusters" in caught.value.message
    for words in ("rds:DescribeDBClusters", "rds:DescribeDBInstances", "resource_id="):
        assert words in caught.value.hint


def test_what_is_not_there_is_not_for_want_of_a_permission(session, inside):
    with pytest.raises(TargetError, match="There is no DB cluster or instance 'nobody'") as caught:
        find_for_policy(session, "nobody")
    assert "that takes" not in caught.value.hint
    with only(inside, "rds:DescribeDBClusters", "rds:DescribeDBInstances") as profile:
        with pytest.raises(TargetError, match="There is no DB cluster or instance 'nobody'") as caught:
            find_for_policy(open_session(profile=profile), "nobody")
    assert "that takes rds:DescribeDBProxies and rds:DescribeGlobalClusters" in caught.value.hint


PROXIES = """
<DescribeDBProxiesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBProxiesResult><DBProxies>
<member><DBProxyName>front</DBProxyName><EngineFamily>MYSQL</EngineFamily><Status>available</Status>
<Endpoint>front.proxy-abc123.us-east-1.rds.amazonaws.com</Endpoint>
<DBProxyArn>arn:aws:rds:us-east-1:123456789012:db-proxy:prx-0123456789abcdef0</DBProxyArn></member>
</DBProxies></DescribeDBProxiesResult></DescribeDBProxiesResponse>"""
ENDPOINTS = """
<DescribeDBProxyEndpointsResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/"><DescribeDBProxyEndpointsResult>
<DBProxyEndpoints><member><DBProxyEndpointName>readers</DBProxyEndpointName><DBProxyName>front</DBProxyName>
<Endpoint>readers.endpoint.proxy-abc123.us-east-1.rds.amazonaws.com</Endpoint></member>
</DBProxyEndpoints></DescribeDBProxyEndpointsResult></DescribeDBProxyEndpointsResponse>"""


@pytest.fixture
def proxies(inside, monkeypatch):
    """An account with a proxy, which has a second endpoint; what was asked for."""
    handed_on = Changed(inside, lambda _, text: text)
    answers = {"DescribeDBProxies": PROXIES, "DescribeDBProxyEndpoints": ENDPOINTS}

    def handle(action, body):
        if action not in answers:
            return handed_on(action, body)
        handed_on.actions.append(action)
        return 200, answers[action].encode()

    with answering(handle) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        yield handed_on.actions


@pytest.mark.parametrize(
    ("target", "calls"),
    [
        ("arn:aws:rds:us-east-1:123456789012:db-proxy:prx-0123456789abcdef0", []),
        ("front.proxy-abc123.us-east-1.rds.amazonaws.com", ["DescribeDBProxies"]),
        ("FRONT.proxy-abc123.us-east-1.rds.amazonaws.com:3306", ["DescribeDBProxies"]),
        (
            "readers.endpoint.proxy-abc123.us-east-1.rds.amazonaws.com",
            ["DescribeDBProxies", "DescribeDBProxyEndpoints"],
        ),
        ("front", ["DescribeDBClusters", "DescribeDBInstances", "DescribeDBProxies"]),
    ],
)
def test_a_proxys_id_is_in_its_arn(proxies, target, calls):
    assert find_for_policy(open_session(), target) == PROXY
    assert proxies == calls


def test_a_proxy_that_is_not_there(proxies):
    session = open_session()
    with pytest.raises(TargetError, match="No RDS Proxy in us-east-1 has the endpoint other") as caught:
        find_for_policy(session, "other.proxy-abc123.us-east-1.rds.amazonaws.com")
    assert "account" in caught.value.hint
    assert proxies


def test_a_proxy_that_may_not_be_looked_up(inside):
    with only(inside) as profile, pytest.raises(AwsError, match="rds:DescribeDBProxies") as caught:
        find_for_policy(open_session(profile=profile), "front.proxy-abc123.us-east-1.rds.amazonaws.com")
    assert caught.value.cause == "policy-lookup-denied"


def test_what_databases_are_called(session, inside):
    names = names_in(session, "us-east-1")
    cluster, alone = (find_for_policy(session, name).resource_id for name in ("sandbox", "standalone"))
    assert names["sandbox"] == names["sandbox-1"] == names[cluster] == cluster
    assert names["standalone"] == names[alone] == alone
    for allowed in ([], ["rds:DescribeDBClusters"], ["rds:DescribeDBInstances"]):
        with only(inside, *allowed) as profile:
            assert names_in(open_session(profile=profile), "us-east-1") is None, "half of them would mislead"


def test_a_members_id_is_its_clusters(inside, monkeypatch):
    """moto gives all instances one id; AWS each its own."""
    member = "db-" + "M" * 26

    def apart(action, text):
        parts = re.split(r"(?=<DBInstance>)", text)
        of_cluster = [part if "<DBClusterIdentifier>sandbox<" not in part else _with_id(part, member) for part in parts]
        return "".join(of_cluster) if action == "DescribeDBInstances" else text

    with answering(Changed(inside, apart)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        names = names_in(open_session(), "us-east-1")
    assert names[member] == names["sandbox"]


def _with_id(part, own):
    return re.sub(r"<DbiResourceId>[^<]*<", f"<DbiResourceId>{own}<", part)


def test_one_name_for_a_cluster_and_an_instance_tells_neither(session, inside):
    rds = inside.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="sandbox", Engine="mysql", DBInstanceClass="db.t4g.micro", AllocatedStorage=20
    )
    try:
        assert "sandbox" not in names_in(session, "us-east-1")
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="sandbox", SkipFinalSnapshot=True)


def test_names_of_what_answers_otherwise_are_not_known(inside, monkeypatch):
    without = Changed(inside, lambda _, text: re.sub("<DbiResourceId>[^<]*</DbiResourceId>", "", text))
    with answering(without) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        assert names_in(open_session(), "us-east-1") is None
