"""The databases that credentials may see: in the sandbox's account, and in what AWS might answer."""

from types import SimpleNamespace

import boto3
import pytest

from rds_iam_magic.errors import AwsError, RegionError
from rds_iam_magic.schema.inventory import describe_databases

pytestmark = pytest.mark.slow  # botocore's sessions


def answering(**answers):
    """A session in which each operation of RDS gets the next of its answers; an answer with `Error` is a refusal."""
    session = boto3.Session("key", "secret", region_name="eu-west-1")

    def answer(model, **_):
        parsed = answers[model.name].pop(0) if answers.get(model.name) else {"DBClusters": [], "DBInstances": []}
        return SimpleNamespace(status_code=403 if "Error" in parsed else 200), {"ResponseMetadata": {}, **parsed}

    session.events.register("before-call.rds", answer)
    return session


def cluster(name, *members, engine="aurora-mysql", **more):
    return {
        "DBClusterIdentifier": name,
        "Engine": engine,
        "EngineVersion": "8.0.mysql_aurora.3.08.0",
        "Status": "available",
        "Endpoint": f"{name}.cluster-x.eu-west-1.rds.amazonaws.com",
        "Port": 3306,
        "IAMDatabaseAuthenticationEnabled": True,
        "DBClusterMembers": [{"DBInstanceIdentifier": each, "IsClusterWriter": each == members[0]} for each in members],
        **more,
    }


def instance(name, of=None, **more):
    return {
        "DBInstanceIdentifier": name,
        "Engine": "mysql",
        "DBInstanceStatus": "creating",
        **({"DBClusterIdentifier": of} if of else {}),
        **more,
    }


def test_all_pages_in_the_order_of_clusters_and_their_instances():
    session = answering(
        DescribeDBClusters=[{"DBClusters": [cluster("b", "z", "a")], "Marker": "2"}, {"DBClusters": [cluster("a")]}],
        DescribeDBInstances=[
            {"DBInstances": [instance("a", "b"), instance("z", "b")], "Marker": "2"},
            {"DBInstances": [instance("own", Endpoint={"Address": "own.x", "Port": 3307})]},
        ],
    )
    rows = describe_databases(session)
    assert [(row["identifier"], row["role"], row["cluster"]) for row in rows] == [
        ("a", "cluster", ""),
        ("b", "cluster", ""),
        ("z", "writer", "b"),
        ("a", "reader", "b"),
        ("own", "instance", ""),
    ]
    assert [row["endpoint"] for row in rows[2:]] == ["", "", "own.x:3307"]
    assert [row["iam"] for row in rows] == [True, True, False, False, False]
    assert {row["region"] for row in rows} == {"eu-west-1"}


def test_what_is_not_of_rds_is_left_out():
    session = answering(
        DescribeDBClusters=[{"DBClusters": [cluster("graph", engine="neptune"), cluster("documents", engine="docdb")]}],
        DescribeDBInstances=[{"DBInstances": [instance("g", "graph", Engine="neptune")]}],
    )
    assert describe_databases(session) == []


def test_a_missing_permission_is_an_error_of_this_package():
    refusal = {"Error": {"Code": "AccessDenied", "Message": "User: arn:aws:iam::1:user/ana is not authorized"}}
    with pytest.raises(AwsError) as caught:
        describe_databases(answering(DescribeDBClusters=[refusal]))
    assert caught.value.cause == "aws-denied"
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("own_configuration")
def test_without_a_region(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(RegionError):
        describe_databases(boto3.Session("key", "secret"))
