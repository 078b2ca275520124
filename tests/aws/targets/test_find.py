"""What is found, and what is told when it is not."""

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.targets import find
from rds_iam_magic.aws.targets.resolve import resolve
from rds_iam_magic.errors import AwsError, TargetError
from tests.aws.targets.conftest import Asking
from tests.support.permissions import only

slow = pytest.mark.slow  # servers and kernels
LOOK = tuple(f"rds:DescribeDB{what}" for what in ("Clusters", "Instances"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cluster-ABCDEFGHIJKL01234", True),
        (" db-ABCDEFGHIJKL01234\n", True),
        ("prx-0123456789abcdef0", True),
        ("prx-ABCDEFGHIJKL01234", True),
        ("cluster-abcdefghijkl01234", False),  # an identifier: RDS keeps those in lower case
        ("cluster-1", False),
        ("db-PRODUCTION", False),
        ("prx-endpoint-0123456789abcdef0", False),
        ("ABCDEFGHIJKL01234", False),
    ],
)
def test_the_form_of_resource_ids(text, expected):
    assert find.is_resource_id(text) is expected


@slow
@pytest.mark.parametrize("resource_id", ["cluster-ABCDEFGHIJKL01234", "db-ABCDEFGHIJKL01234", "prx-ABCDEFGHIJKL01234"])
def test_a_resource_id_of_nothing(asking, resource_id):
    with pytest.raises(TargetError, match=f"with the resource id {resource_id} in us-east-1") as caught:
        find.by_resource_id(asking.session, resource_id)
    assert caught.value.cause == "target-unknown"
    assert len(asking.calls) == 1


@slow
@pytest.mark.parametrize("engine", ["mysql", "postgres"])
def test_a_cluster_and_an_instance_of_one_name_are_both_listed(asking, inside, engine):
    rds = inside.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="sandbox", Engine=engine, DBInstanceClass="db.t4g.micro", AllocatedStorage=20
    )
    try:
        with pytest.raises(TargetError, match="a DB cluster and a DB instance named sandbox") as caught:
            find.by_identifier(asking.session, "sandbox")
        with only(inside, LOOK[0]) as profile:
            found = find.by_identifier(Asking(profile=profile).session, "sandbox")
            assert found.endpoint.host == inside.hosts[0], "what may not be seen is no reason to refuse"
    finally:
        rds.delete_db_instance(DBInstanceIdentifier="sandbox", SkipFinalSnapshot=True)
    for part in (inside.hosts[0], ":cluster:sandbox", "sandbox.aaaaaaaaaa.us-east-1", ":db:sandbox"):
        assert part in caught.value.message
    assert caught.value.hint == "Give the ARN or the host name of the one that you mean."


@slow
def test_a_name_of_nothing(asking, inside):
    with pytest.raises(TargetError, match="There is no DB cluster or instance 'sandbx' in us-east-1, nor") as caught:
        find.by_identifier(asking.session, "sandbx")
    assert "Similar names there: sandbox" in caught.value.hint
    assert "may not be looked up" not in caught.value.hint
    assert asking.calls[:4] == [
        "DescribeDBClusters", "DescribeDBInstances", "DescribeDBProxies", "DescribeGlobalClusters",
    ]  # fmt: skip
    with only(inside, *LOOK) as profile:
        with pytest.raises(TargetError, match="There is no DB cluster") as caught:
            find.by_identifier(Asking(profile=profile).session, "sandbx")
    assert "nor a proxy" not in caught.value.message, "nobody has looked"
    assert caught.value.hint.startswith("Not all was looked at: that takes rds:Describe")


@slow
@pytest.mark.parametrize(
    ("allowed", "target", "host"),
    [("DBProxies", "sandbox-proxy", 5), ("GlobalClusters", "worldwide", None)],
)
def test_a_denial_of_one_kind_does_not_hide_another(inside, allowed, target, host):
    with only(inside, f"rds:Describe{allowed}") as profile:
        session = Asking(profile=profile).session
        if host is not None:
            assert find.by_identifier(session, target).endpoint.host == inside.hosts[host]
            return
        with pytest.raises(AwsError, match="permit looking up worldwide-west") as caught:
            find.by_identifier(session, target)
    assert "rds:DescribeDBClusters" in caught.value.detail


@slow
def test_the_owner_of_a_proxys_endpoints(asking, inside):
    rds = inside.client("rds")
    subnets = rds.describe_db_proxies()["DBProxies"][0]["VpcSubnetIds"]
    further = rds.create_db_proxy_endpoint(
        DBProxyName="sandbox-proxy", DBProxyEndpointName="more", VpcSubnetIds=subnets
    )["DBProxyEndpoint"]["Endpoint"]
    try:
        for host, calls in ((inside.hosts[5], 1), (further, 2)):
            asking.calls.clear()
            endpoint = parse_host_name(host)
            database = find.by_endpoint(asking.session, endpoint)
            assert (database.endpoint, len(asking.calls)) == (endpoint, calls)
            assert database.resource_id.startswith("prx-")
    finally:
        rds.delete_db_proxy_endpoint(DBProxyEndpointName="more")
    with pytest.raises(TargetError, match="No RDS Proxy in us-east-1 has the endpoint"):
        find.by_endpoint(asking.session, parse_host_name("app.proxy-abc123.us-east-1.rds.amazonaws.com"))


def test_a_cluster_in_a_global_database_is_still_a_cluster(session, inside):
    """RDS describes it with the global database's name, too."""
    rds = inside.client("rds")
    arn = rds.describe_db_clusters(DBClusterIdentifier="sandbox")["DBClusters"][0]["DBClusterArn"]
    rds.create_global_cluster(GlobalClusterIdentifier="everywhere", SourceDBClusterIdentifier=arn)
    try:
        assert "GlobalClusterIdentifier" in rds.describe_db_clusters(DBClusterIdentifier="sandbox")["DBClusters"][0]
        found = resolve(session, "sandbox")
        assert (found.endpoint.host, found.moves) == (inside.hosts[0], False)
    finally:
        rds.remove_from_global_cluster(GlobalClusterIdentifier="everywhere", DbClusterIdentifier="sandbox")
        rds.delete_global_cluster(GlobalClusterIdentifier="everywhere")
