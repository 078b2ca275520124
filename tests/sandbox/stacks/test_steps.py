"""A stack with a database takes several looks; one that fails is rolled back; others are there at once."""

import json

import pytest

pytestmark = pytest.mark.slow  # servers and kernels

CLUSTER = {
    "Type": "AWS::RDS::DBCluster",
    "Properties": {
        "DBClusterIdentifier": "stepwise",
        "Engine": "aurora-mysql",
        "MasterUsername": "admin",
        "ManageMasterUserPassword": "true",
    },
}
PARAMETERS = {
    "Type": "AWS::RDS::DBClusterParameterGroup",
    "Properties": {"Description": "d", "Family": "aurora-mysql8.0", "Parameters": {"a": "b"}},
}
TEMPLATE = {
    "Resources": {"Parameters": PARAMETERS, "Cluster": CLUSTER},
    "Outputs": {"Endpoint": {"Value": {"Fn::GetAtt": ["Cluster", "Endpoint.Address"]}}},
}


@pytest.fixture
def client(inside):
    client = inside.client("cloudformation")
    yield client
    client.delete_stack(StackName="stepwise")


def create(client, template=TEMPLATE):
    return client.create_stack(StackName="stepwise", TemplateBody=json.dumps(template))["StackId"]


def look(client, name="stepwise"):
    rows = client.describe_stack_events(StackName=name)["StackEvents"]
    return [f"{row['LogicalResourceId']} {row['ResourceStatus']}" for row in reversed(rows)]


BEGUN = ["stepwise CREATE_IN_PROGRESS", "Parameters CREATE_IN_PROGRESS", "Parameters CREATE_COMPLETE"]


def test_a_look_brings_it_further(client):
    create(client)
    assert look(client) == [*BEGUN, "Cluster CREATE_IN_PROGRESS"]
    whole = [*BEGUN, "Cluster CREATE_IN_PROGRESS", "Cluster CREATE_COMPLETE", "stepwise CREATE_COMPLETE"]
    assert look(client) == whole
    assert look(client) == whole


def test_whoever_looks_at_the_stack_finds_it_complete(client):
    create(client)
    (stack,) = client.describe_stacks(StackName="stepwise")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert stack["Outputs"][0]["OutputValue"].startswith("stepwise.cluster-")


def test_a_failure_is_rolled_back(client, inside):
    rds = inside.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="stepwise", Engine="aurora-mysql", MasterUsername="a", MasterUserPassword="12345678"
    )
    create(client)
    while (events := look(client))[-1] != "stepwise ROLLBACK_COMPLETE":
        assert "stepwise CREATE_COMPLETE" not in events
    assert events[-5:] == [
        "Cluster CREATE_FAILED",
        "stepwise ROLLBACK_IN_PROGRESS",
        "Parameters DELETE_IN_PROGRESS",
        "Parameters DELETE_COMPLETE",
        "stepwise ROLLBACK_COMPLETE",
    ]
    (stack,) = client.describe_stacks(StackName="stepwise")["Stacks"]
    assert (stack["StackStatus"], stack.get("Outputs")) == ("ROLLBACK_COMPLETE", None)
    assert client.list_stack_resources(StackName="stepwise")["StackResourceSummaries"] == []
    rds.delete_db_cluster(DBClusterIdentifier="stepwise", SkipFinalSnapshot=True)


def test_a_deleted_stack_is_still_there_by_its_id(client):
    stack_id = create(client)
    client.delete_stack(StackName="stepwise")
    assert look(client, stack_id)[-1] == "stepwise DELETE_COMPLETE"
    with pytest.raises(client.exceptions.ClientError, match="does not exist"):
        look(client)
    create(client)  # the name is free again


def test_others_are_there_at_once(client):
    create(client, {"Resources": {"Ready": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}})
    assert look(client)[-1] == "stepwise CREATE_COMPLETE"
