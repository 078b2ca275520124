"""What the sandbox's RDS has beyond moto's: asked for over its API, as its users do."""

import pytest
from botocore.exceptions import ClientError

from rds_iam_magic.aws.endpoint import Kind, parse_host_name
from rds_iam_magic.sandbox import seed

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def rds(sandbox):
    return sandbox.client("rds")


def code_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_each_instance_has_a_resource_id_of_its_own(rds):
    ids = [row["DbiResourceId"] for row in rds.describe_db_instances()["DBInstances"]]
    assert len(set(ids)) == len(ids) > 2
    assert all(each.startswith("db-") and each[3:].isalnum() and each[3:].isupper() for each in ids)


def test_iam_authentication_of_a_cluster_is_switched_off_and_on(rds):
    def flag():
        return rds.describe_db_clusters(DBClusterIdentifier="sandbox")["DBClusters"][0][
            "IAMDatabaseAuthenticationEnabled"
        ]

    for wanted in (False, True):
        changed = rds.modify_db_cluster(
            DBClusterIdentifier="sandbox", EnableIAMDatabaseAuthentication=wanted, ApplyImmediately=True
        )
        assert changed["DBCluster"]["IAMDatabaseAuthenticationEnabled"] is flag() is wanted
    rds.modify_db_cluster(DBClusterIdentifier="sandbox", BackupRetentionPeriod=2)
    assert flag(), "a change of something else leaves it"


@pytest.mark.parametrize("kind", ["cluster", "instance"])
def test_iam_authentication_may_be_pending(rds, kind):
    """Until a change that is to be applied immediately, or an instance's reboot."""
    name = {"cluster": {"DBClusterIdentifier": "sandbox"}, "instance": {"DBInstanceIdentifier": "standalone"}}[kind]
    shape = {"cluster": "DBCluster", "instance": "DBInstance"}[kind]

    def told(row=None):
        row = row or getattr(rds, f"describe_db_{kind}s")(**name)[f"{shape}s"][0]
        return row["IAMDatabaseAuthenticationEnabled"], row.get("PendingModifiedValues") or {}

    def modify(**change):
        return told(getattr(rds, f"modify_db_{kind}")(**name, **change)[shape])

    pending = {"IAMDatabaseAuthenticationEnabled": False}
    assert told() == (True, {})
    assert modify(EnableIAMDatabaseAuthentication=False) == told() == (True, pending)
    assert modify(EnableIAMDatabaseAuthentication=True) == told() == (True, {})
    assert modify(EnableIAMDatabaseAuthentication=False) == (True, pending)
    assert modify(ApplyImmediately=True) == told() == (False, {})
    assert modify(EnableIAMDatabaseAuthentication=True) == (False, {"IAMDatabaseAuthenticationEnabled": True})
    if kind == "instance":
        rds.reboot_db_instance(**name)
    else:
        modify(ApplyImmediately=True)
    assert told() == (True, {})


def test_a_serverless_cluster_that_may_pause(rds):
    made = rds.create_db_cluster(
        DBClusterIdentifier="pausing",
        Engine="aurora-mysql",
        EngineVersion="8.0.mysql_aurora.3.10.6",
        MasterUsername="admin",
        MasterUserPassword="for a moment",
        ServerlessV2ScalingConfiguration={"MinCapacity": 0, "MaxCapacity": 2},
    )["DBCluster"]
    try:
        assert made["ServerlessV2ScalingConfiguration"] == {"MinCapacity": 0.0, "MaxCapacity": 2.0}
        (row,) = rds.describe_db_clusters(DBClusterIdentifier="pausing")["DBClusters"]
        assert row["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0
        assert (row["Engine"], row["EngineVersion"]) == ("aurora-mysql", "8.0.mysql_aurora.3.10.6")
    finally:
        rds.delete_db_cluster(DBClusterIdentifier="pausing", SkipFinalSnapshot=True)


def test_a_proxy_is_named_as_on_aws_and_has_further_endpoints(rds, sandbox):
    proxy = rds.describe_db_proxies(DBProxyName=seed.PROXY)["DBProxies"][0]
    assert parse_host_name(proxy["Endpoint"]).kind is Kind.PROXY
    assert proxy["Endpoint"] in sandbox.hosts
    assert (proxy["DefaultAuthScheme"], proxy["Auth"][0]["IAMAuth"]) == ("NONE", "REQUIRED")
    made = rds.create_db_proxy_endpoint(
        DBProxyName=seed.PROXY,
        DBProxyEndpointName="readers",
        VpcSubnetIds=proxy["VpcSubnetIds"],
        TargetRole="READ_ONLY",
    )["DBProxyEndpoint"]
    try:
        assert parse_host_name(made["Endpoint"]).kind is Kind.PROXY
        for arguments in ({}, {"DBProxyName": seed.PROXY}, {"DBProxyEndpointName": "readers"}):
            rows = rds.describe_db_proxy_endpoints(**arguments)["DBProxyEndpoints"]
            assert [(row["DBProxyName"], row["TargetRole"]) for row in rows] == [(seed.PROXY, "READ_ONLY")]
        assert code_of(rds.describe_db_proxy_endpoints, DBProxyEndpointName="none") == "DBProxyEndpointNotFoundFault"
    finally:
        rds.delete_db_proxy_endpoint(DBProxyEndpointName="readers")
    assert code_of(rds.delete_db_proxy_endpoint, DBProxyEndpointName="readers") == "DBProxyEndpointNotFoundFault"


def test_a_custom_endpoint_is_described_and_listed_by_its_cluster(rds, sandbox):
    rows = rds.describe_db_cluster_endpoints(DBClusterIdentifier="sandbox")["DBClusterEndpoints"]
    assert [row["EndpointType"] for row in rows] == ["WRITER", "READER", "CUSTOM"]
    assert [row["Endpoint"] for row in rows] == [sandbox.hosts[0], sandbox.hosts[1], sandbox.hosts[4]]
    (cluster,) = rds.describe_db_clusters(DBClusterIdentifier="sandbox")["DBClusters"]
    assert cluster["CustomEndpoints"] == [sandbox.hosts[4]]
    made = rds.create_db_cluster_endpoint(
        DBClusterIdentifier="sandbox", DBClusterEndpointIdentifier="Second", EndpointType="READER"
    )
    assert parse_host_name(made["Endpoint"]).kind is Kind.CUSTOM
    (row,) = rds.describe_db_cluster_endpoints(DBClusterEndpointIdentifier="second")["DBClusterEndpoints"]
    assert row["DBClusterIdentifier"] == "sandbox"
    rds.delete_db_cluster_endpoint(DBClusterEndpointIdentifier="second")
    assert code_of(rds.delete_db_cluster_endpoint, DBClusterEndpointIdentifier="x") == "DBClusterEndpointNotFoundFault"


def test_a_global_database_has_one_writer_which_may_change(rds):
    def members():
        (row,) = rds.describe_global_clusters(GlobalClusterIdentifier=seed.GLOBAL)["GlobalClusters"]
        return {each["DBClusterArn"].rpartition(":")[2]: each["IsWriter"] for each in row["GlobalClusterMembers"]}

    west, east = seed.GLOBAL_MEMBERS
    assert members() == {west: True, east: False}
    for writer, region in reversed(seed.GLOBAL_MEMBERS.items()):
        arn = f"arn:aws:rds:{region}:123456789012:cluster:{writer}"
        rds.switchover_global_cluster(GlobalClusterIdentifier=seed.GLOBAL, TargetDbClusterIdentifier=arn)
        assert members() == {name: name == writer for name in (west, east)}
    assert code_of(rds.describe_global_clusters, GlobalClusterIdentifier="none") == "GlobalClusterNotFoundFault"


def test_a_global_database_made_of_a_cluster_has_it_as_its_writer(rds):
    (cluster,) = rds.describe_db_clusters(DBClusterIdentifier="sandbox")["DBClusters"]
    made = rds.create_global_cluster(GlobalClusterIdentifier="made", SourceDBClusterIdentifier=cluster["DBClusterArn"])
    try:
        assert [each["IsWriter"] for each in made["GlobalCluster"]["GlobalClusterMembers"]] == [True]
    finally:
        rds.remove_from_global_cluster(GlobalClusterIdentifier="made", DbClusterIdentifier="sandbox")
        rds.delete_global_cluster(GlobalClusterIdentifier="made")
