"""Both templates can be created, show their outputs, and be deleted."""

import pytest

from rds_iam_magic.setup.provision.template import template_of

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def create(inside):
    """Creates a stack of a template; what is described of it at the end."""
    client, ec2 = inside.client("cloudformation"), inside.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    places = {"Vpc": vpc, "Subnets": ",".join(row["SubnetId"] for row in subnets), "Logs": "error"}
    made = []

    def function(engine, **parameters):
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in {**places, **parameters}.items()]
        template = template_of(engine)
        made.append(client.create_stack(StackName="of-a-model", TemplateBody=template, Parameters=given)["StackId"])
        return client.describe_stacks(StackName=made[-1])["Stacks"][0]

    yield function
    for stack in made:
        client.delete_stack(StackName=stack)


def identifiers(inside):
    rds = inside.client("rds")
    rows = [*rds.describe_db_clusters()["DBClusters"], *rds.describe_db_instances()["DBInstances"]]
    return {row.get("DBInstanceIdentifier") or row["DBClusterIdentifier"] for row in rows}


@pytest.mark.parametrize("engine", ["aurora", "mysql"])
def test_a_template_from_its_creation_to_its_deletion(inside, create, engine):
    before = identifiers(inside)
    stack = create(engine)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert all(row["OutputValue"] for row in stack["Outputs"])
    client = inside.client("cloudformation")
    rows = client.list_stack_resources(StackName="of-a-model")["StackResourceSummaries"]
    assert identifiers(inside) - before == {"aurora": {"of-a-model", "of-a-model-1"}, "mysql": {"of-a-model"}}[engine]
    assert {row["LogicalResourceId"] for row in rows} >= {"SubnetGroup", "SecurityGroup", "Parameters", "ConnectPolicy"}
    client.delete_stack(StackName="of-a-model")
    assert client.describe_stacks(StackName=stack["StackId"])["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    assert identifiers(inside) == before
    policies = inside.client("iam").list_policies(Scope="Local")["Policies"]
    assert not [row for row in policies if row["PolicyName"].startswith("of-a-model")]


def test_who_is_let_in_and_what_is_logged_may_be_nothing(inside, create):
    create("aurora", Logs="", DeletionProtection="false")
    (cluster,) = inside.client("rds").describe_db_clusters(DBClusterIdentifier="of-a-model")["DBClusters"]
    assert cluster.get("EnabledCloudwatchLogsExports", []) == []
    rows = inside.client("cloudformation").list_stack_resources(StackName="of-a-model")["StackResourceSummaries"]
    assert not {"FromNetwork", "FromMembers"} & {row["LogicalResourceId"] for row in rows}


def test_instances_have_ids_of_their_own(inside, create):
    """As policies need them."""
    create("mysql")
    rows = inside.client("rds").describe_db_instances()["DBInstances"]
    (own,) = [row["DbiResourceId"] for row in rows if row["DBInstanceIdentifier"] == "of-a-model"]
    assert own.startswith("db-")
    assert [row["DbiResourceId"] for row in rows].count(own) == 1


def test_a_policy_that_somebody_holds_cannot_be_deleted(inside, create):
    stack = create("mysql")
    (arn,) = [row["OutputValue"] for row in stack["Outputs"] if row["OutputKey"] == "ConnectPolicyArn"]
    iam, client = inside.client("iam"), inside.client("cloudformation")
    iam.attach_user_policy(UserName="stranger", PolicyArn=arn)
    client.delete_stack(StackName="of-a-model")
    assert client.describe_stacks(StackName="of-a-model")["Stacks"][0]["StackStatus"] == "DELETE_FAILED"
    failed = [
        e
        for e in client.describe_stack_events(StackName="of-a-model")["StackEvents"]
        if "FAILED" in e["ResourceStatus"]
    ]
    assert failed[-1]["ResourceStatusReason"] == "Cannot delete a policy attached to entities."
    iam.detach_user_policy(UserName="stranger", PolicyArn=arn)
