"""The reader endpoint, custom endpoints, and a proxy's further ones."""

import pytest

from rds_iam_magic.aws.targets.resolve import resolve
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.errors import AwsError, TargetError
from tests.aws.targets.conftest import Asking
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def further(inside):
    """A read-only endpoint of the proxy."""
    rds = inside.client("rds")
    subnets = rds.describe_db_proxies()["DBProxies"][0]["VpcSubnetIds"]
    made = rds.create_db_proxy_endpoint(
        DBProxyName="sandbox-proxy", DBProxyEndpointName="readers", VpcSubnetIds=subnets, TargetRole="READ_ONLY"
    )["DBProxyEndpoint"]
    yield made
    rds.delete_db_proxy_endpoint(DBProxyEndpointName="readers")


@pytest.mark.parametrize(
    ("target", "options", "words", "cause"),
    [
        ("standalone", {"reader": True}, "standalone is not a cluster, and has no reader", "reader-without-cluster"),
        ("standalone", {"endpoint": "x"}, "standalone is not a cluster, and has no custom", "reader-without-cluster"),
        ("sandbox", {"endpoint": "analytic"}, "sandbox has no custom endpoint 'analytic'", "endpoint-name-unknown"),
        ("sandbox-proxy", {"reader": True}, "sandbox-proxy has no read-only endpoint", "endpoint-name-unknown"),
        ("sandbox-proxy", {"endpoint": "x"}, "sandbox-proxy has no endpoint 'x'", "endpoint-name-unknown"),
    ],
)
def test_what_has_no_such_endpoint(asking, target, options, words, cause):
    with pytest.raises(TargetError, match=words) as caught:
        resolve(asking.session, target, where=TargetOptions(**options))
    assert caught.value.cause == cause
    if target == "sandbox":
        assert caught.value.hint == "It has analytics."


@pytest.mark.parametrize("options", [{"reader": True}, {"endpoint": "readers"}])
def test_a_proxys_endpoints(asking, further, options):
    found = resolve(asking.session, "sandbox-proxy", where=TargetOptions(**options))
    assert found.endpoint.host == further["Endpoint"]
    assert found.database.resource_id.startswith("prx-")
    assert asking.calls[-1] == "DescribeDBProxyEndpoints"


def test_the_arn_of_a_proxys_endpoint(asking, further):
    found = resolve(asking.session, further["DBProxyEndpointArn"])
    assert found.endpoint.host == further["Endpoint"]
    assert asking.calls == ["DescribeDBProxyEndpoints", "DescribeDBProxies"]
    with pytest.raises(TargetError, match="There is no proxy endpoint"):
        resolve(asking.session, f"{further['DBProxyEndpointArn']}x")


def test_the_arn_of_no_custom_endpoint(asking):
    with pytest.raises(TargetError, match="There is no custom endpoint 'none' in us-east-1"):
        resolve(asking.session, "arn:aws:rds:us-east-1:123456789012:cluster-endpoint:none")


def test_the_cluster_of_an_instance_may_not_be_described(inside):
    with only(inside, "rds:DescribeDBInstances") as profile, pytest.raises(AwsError, match="its cluster's") as caught:
        resolve(Asking(profile=profile).session, "sandbox-1", where=TargetOptions(reader=True))
    assert caught.value.cause == "cluster-lookup-denied"
    assert "rds:DescribeDBClusters" in caught.value.hint


def test_a_global_database_has_its_writers_reader_endpoint(asking, inside):
    found = resolve(asking.session, "worldwide", where=TargetOptions(reader=True), notify=str)
    assert found.endpoint.host == inside.hosts[6].replace(".cluster-", ".cluster-ro-")
    assert found.endpoint.region == "eu-west-1"
    assert found.again() == found.endpoint
