"""Which database answers where is looked up at each login: one made later is served, one that is gone is not."""

import json
from urllib.parse import urlsplit

import pytest

from rds_iam_magic.connecting import connect
from rds_iam_magic.errors import AccessDeniedError

pytestmark = pytest.mark.slow  # servers and kernels

SETTINGS = {
    "DBClusterIdentifier": "later",
    "Engine": "aurora-mysql",
    "MasterUsername": "admin",
    "ManageMasterUserPassword": True,
    "EnableIAMDatabaseAuthentication": True,
}


@pytest.fixture
def rds(inside):
    client = inside.client("rds")
    yield client
    for row in client.describe_db_clusters()["DBClusters"]:
        if row["DBClusterIdentifier"] == "later":
            client.delete_db_cluster(DBClusterIdentifier="later", SkipFinalSnapshot=True)


def test_a_cluster_that_is_made_later(inside, rds):
    """Its certificate, its token, its policies, its secret."""
    cluster = rds.create_db_cluster(**SETTINGS)["DBCluster"]
    for host in (cluster["Endpoint"], cluster["ReaderEndpoint"]):
        connect(host, user="reader").close()
    for profile in ("inline", "stranger"):  # the sandbox's policies name another cluster
        with pytest.raises(AccessDeniedError):
            connect(cluster["Endpoint"], user="reader", profile=profile)
        assert f"dbuser:{cluster['DbClusterResourceId']}/reader" in inside.refusals()[-1]
    value = inside.client("secretsmanager").get_secret_value(SecretId=cluster["MasterUserSecret"]["SecretArn"])
    ours = inside.client("secretsmanager").get_secret_value(SecretId="sandbox/master")
    assert json.loads(value["SecretString"]) == {
        "username": "admin",
        "password": json.loads(ours["SecretString"])["password"],
    }


def test_a_cluster_that_is_gone(inside, rds):
    host = rds.create_db_cluster(**SETTINGS)["DBCluster"]["Endpoint"]
    connect(host, user="reader").close()
    rds.delete_db_cluster(DBClusterIdentifier="later", SkipFinalSnapshot=True)
    with pytest.raises(AccessDeniedError):
        connect(host, user="reader")
    assert "which is none of this database's endpoints" in inside.refusals()[-1]


def test_a_cluster_without_iam_authentication(inside, rds):
    host = rds.create_db_cluster(**SETTINGS | {"EnableIAMDatabaseAuthentication": False})["DBCluster"]["Endpoint"]
    with pytest.raises(AccessDeniedError):
        connect(host, user="reader")
    assert f"IAM authentication is off at {host}:3306" in inside.refusals()[-1]


def test_another_engine_is_not_served(inside):
    """PostgreSQL's port is another one, and so is its protocol."""
    (row,) = inside.client("rds").describe_db_instances(DBInstanceIdentifier="warehouse")["DBInstances"]
    with pytest.raises(AccessDeniedError):
        connect(row["Endpoint"]["Address"], user="reader", port=5432)
    assert "which is none of this database's endpoints" in inside.refusals()[-1]


def test_a_name_is_free_again_at_once(rds):
    """moto names a cluster's first backup by the minute."""
    for _ in range(2):
        rds.create_db_cluster(**SETTINGS)
        rds.delete_db_cluster(DBClusterIdentifier="later", SkipFinalSnapshot=True)


def test_versions_are_offered(inside):
    assert urlsplit(inside.environment["AWS_ENDPOINT_URL"]).hostname == "127.0.0.1"
    rds = inside.client("rds")
    for engine in ("aurora-mysql", "mysql"):
        rows = rds.describe_db_engine_versions(Engine=engine)["DBEngineVersions"]
        (default,) = rds.describe_db_engine_versions(Engine=engine, DefaultOnly=True)["DBEngineVersions"]
        assert default in rows
        (one,) = rds.describe_db_engine_versions(Engine=engine, EngineVersion=rows[1]["EngineVersion"])[
            "DBEngineVersions"
        ]
        assert one == rows[1] != default
    assert rds.describe_db_engine_versions(Engine="mysql", EngineVersion="1")["DBEngineVersions"] == []
