"""What RDS's descriptions say."""

import pytest

from rds_iam_magic.aws.targets.rows import database_of, hosts_of, owner_among, proxy_database
from rds_iam_magic.errors import AwsError, TargetError

REGION = "eu-west-1"
CLUSTER = {
    "DBClusterIdentifier": "shop",
    "Engine": "aurora-mysql",
    "EngineVersion": "8.0.mysql_aurora.3.08.0",
    "Status": "available",
    "Endpoint": f"shop.cluster-x1.{REGION}.rds.amazonaws.com",
    "ReaderEndpoint": f"Shop.cluster-ro-x1.{REGION}.rds.amazonaws.com",
    "CustomEndpoints": [f"mine.cluster-custom-x1.{REGION}.rds.amazonaws.com"],
    "Port": 3307,
    "DBClusterArn": f"arn:aws:rds:{REGION}:012345678901:cluster:shop",
    "DbClusterResourceId": "cluster-ABC",
    "IAMDatabaseAuthenticationEnabled": True,
}
MEMBER = {
    "DBInstanceIdentifier": "shop-1",
    "DBClusterIdentifier": "shop",
    "Engine": "aurora-mysql",
    "DBInstanceStatus": "rebooting",
    "Endpoint": {"Address": f"shop-1.x1.{REGION}.rds.amazonaws.com", "Port": 3307},
    "DBInstanceArn": f"arn:aws:rds:{REGION}:012345678901:db:shop-1",
    "DbiResourceId": "db-ABC",
}
PROXY = {
    "DBProxyName": "pool",
    "DBProxyArn": f"arn:aws:rds:{REGION}:012345678901:db-proxy:prx-abc",
    "EngineFamily": "MYSQL",
    "Status": "available",
    "Endpoint": f"pool.proxy-x1.{REGION}.rds.amazonaws.com",
    "Auth": [{"IAMAuth": "DISABLED"}, {"IAMAuth": "REQUIRED"}],
}


def test_an_instance_in_a_cluster_has_its_own_endpoint_and_the_rest_of_its_cluster():
    assert owner_among([MEMBER, CLUSTER], MEMBER) is CLUSTER
    found = database_of(MEMBER, CLUSTER, REGION)
    assert (found.endpoint.host, found.endpoint.port) == (MEMBER["Endpoint"]["Address"], 3307)
    assert (found.resource_id, found.iam_enabled, found.status) == ("cluster-ABC", True, "rebooting")
    assert found.reader == CLUSTER["ReaderEndpoint"].lower()
    assert found.custom == tuple(CLUSTER["CustomEndpoints"])
    assert (found.cluster, found.instance) == ("shop", "")
    assert (found.engine, found.version) == ("aurora-mysql", "8.0.mysql_aurora.3.08.0")
    alone = database_of(MEMBER, None, REGION)
    assert (alone.resource_id, alone.iam_enabled, alone.cluster, alone.instance) == (None, None, "shop", "shop-1")
    assert owner_among([MEMBER], MEMBER) is None


def test_all_host_names():
    assert len(hosts_of(CLUSTER)) == 3
    assert hosts_of(MEMBER) == {MEMBER["Endpoint"]["Address"]}
    assert hosts_of({"DBInstanceIdentifier": "new", "Endpoint": None}) == {""}


@pytest.mark.parametrize(
    ("change", "enabled"),
    [
        ({}, True),
        ({"Auth": [{"IAMAuth": "DISABLED"}]}, False),
        ({"Auth": []}, False),
        ({"Auth": None}, False),
        ({"Auth": [], "DefaultAuthScheme": "IAM_AUTH"}, True),
        ({"Auth": [{"IAMAuth": "DISABLED"}], "DefaultAuthScheme": "NONE"}, False),
    ],
)
def test_a_proxy(change, enabled):
    found = proxy_database({**PROXY, **change}, REGION)
    assert (found.endpoint.host, found.endpoint.port) == (PROXY["Endpoint"], 3306)
    assert (found.resource_id, found.proxy, found.cluster) == ("prx-abc", "pool", "")
    assert found.iam_enabled is enabled


def test_whom_a_proxy_has_secrets_for():
    auth = [{"UserName": "ana", "IAMAuth": "REQUIRED"}, {"UserName": "app", "IAMAuth": "DISABLED"}, {}]
    found = proxy_database({**PROXY, "Auth": auth}, REGION)
    assert (found.logins, found.takes_all) == ((("ana", True), ("app", False), ("", False)), False)
    assert proxy_database({**PROXY, "DefaultAuthScheme": "IAM_AUTH"}, REGION).takes_all


def test_another_engine_can_be_described():
    """What keeps it from being connected to is to be told with all that is known of it."""
    found = database_of({**CLUSTER, "Engine": "aurora-postgresql"}, None, REGION, any_engine=True)
    assert (found.engine, found.resource_id) == ("aurora-postgresql", None)
    assert proxy_database({**PROXY, "EngineFamily": "POSTGRESQL"}, REGION, any_engine=True).engine == "postgresql"


@pytest.mark.parametrize(
    ("row", "words", "cause"),
    [
        ({**PROXY, "EngineFamily": "POSTGRESQL"}, "pool is a postgresql proxy", "engine-unsupported"),
        ({**PROXY, "Endpoint": None, "Status": "creating"}, "pool is creating", "endpoint-not-ready"),
        ({**PROXY, "Endpoint": None, "Status": "odd"}, "pool has no endpoint yet", "endpoint-not-ready"),
        ({**CLUSTER, "Engine": "aurora-postgresql"}, "shop is a aurora-postgresql database", "engine-unsupported"),
        ({**CLUSTER, "Endpoint": None}, "shop has no endpoint yet", "endpoint-not-ready"),
        ({**MEMBER, "Endpoint": None, "DBInstanceStatus": "failed"}, "its status is failed", "database-failed"),
    ],
)
def test_what_cannot_be_connected_to(row, words, cause):
    with pytest.raises(TargetError, match=words) as caught:
        proxy_database(row, REGION) if "DBProxyName" in row else database_of(row, row, REGION)
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("row", "part"),
    [(CLUSTER, "DBClusterArn"), (CLUSTER, "DbClusterResourceId"), (MEMBER, "DBInstanceArn"), (PROXY, "DBProxyArn")],
)
def test_an_answer_without_a_part_is_told(row, part):
    """Something that is like AWS answers, or an old endpoint of it."""
    row = {name: value for name, value in row.items() if name != part}
    with pytest.raises(AwsError, match=f"without its {part}") as caught:
        proxy_database(row, REGION) if row.get("DBProxyName") else database_of(row, row, REGION)
    assert caught.value.cause == "aws-response-invalid"
