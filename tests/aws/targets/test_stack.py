"""The database of a stack: outputs first, then resources, nested stacks too."""

import json

import pytest

from rds_iam_magic.aws.targets.resolve import resolve
from rds_iam_magic.aws.targets.stack import read_stack
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.errors import AwsError, OptionError, TargetError
from tests.aws.targets.conftest import Asking
from tests.support.permissions import only

pytestmark = pytest.mark.slow  # servers and kernels

NOTHING = {"Ready": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}


@pytest.fixture
def stack(inside):
    """Makes stacks; they are deleted at the end."""
    client, made = inside.client("cloudformation"), []

    def make(name, outputs=None, resources=None):
        template = {
            "Resources": resources or NOTHING,
            "Outputs": {key: {"Value": value} for key, value in (outputs or {}).items()},
        }
        client.create_stack(StackName=name, TemplateBody=json.dumps(template))
        made.append(name)
        return name

    yield make
    for name in reversed(made):
        client.delete_stack(StackName=name)


def find(asking, name, **options):
    return resolve(asking.session, None, where=TargetOptions(stack=name, **options), notify=str)


def instance(name, **more):
    properties = {
        "DBInstanceIdentifier": name, "DBInstanceClass": "db.t4g.micro", "Engine": "mysql", "AllocatedStorage": "20",
        "MasterUsername": "admin", "MasterUserPassword": "set-by-the-test", **more,
    }  # fmt: skip
    return {"Type": "AWS::RDS::DBInstance", "Properties": properties}


WRITER = "a.cluster-x1.us-east-1.rds.amazonaws.com"
READER = "a.cluster-ro-x1.us-east-1.rds.amazonaws.com"
SECOND = "b.cluster-x1.us-east-1.rds.amazonaws.com"
ALONE = "c.x1.us-east-1.rds.amazonaws.com"


@pytest.mark.parametrize(
    ("outputs", "host", "port", "output"),
    [
        ({"AuroraEndpoint": WRITER, "AuroraPort": "3307"}, WRITER, 3307, "AuroraEndpoint"),
        ({"AuroraEndpoint": WRITER, "Other": SECOND}, WRITER, 3306, "AuroraEndpoint"),
        ({"AReader": READER, "Writer": WRITER, "Url": "https://example.com"}, WRITER, 3306, "Writer"),
        ({"Address": f"{WRITER}:3308", "AuroraPort": "1"}, WRITER, 3308, "Address"),
        ({"Reader": READER}, READER, 3306, "Reader"),
        ({"Member": ALONE, "Writer": WRITER}, WRITER, 3306, "Writer"),
        ({"Member": ALONE, "Reader": READER}, ALONE, 3306, "Member"),
        ({"One": WRITER, "Same": WRITER}, WRITER, 3306, "One"),
        ({"Bucket": "b.s3.us-east-1.amazonaws.com", "Db": ALONE}, ALONE, 3306, "Db"),
    ],
)
def test_outputs(asking, stack, outputs, host, port, output):
    found = find(asking, stack("outputs", outputs))
    assert (found.endpoint.host, found.endpoint.port) == (host, port)
    assert found.origin == f"The stack outputs names {host} (output {output})."
    assert asking.calls == ["DescribeStacks"]
    assert found.secret is None


def test_two_writers_are_listed(asking, stack):
    with pytest.raises(TargetError, match="name several endpoints") as caught:
        find(asking, stack("two", {"B": SECOND, "A": WRITER, "R": READER}))
    assert f"A {WRITER}, B {SECOND}." in caught.value.message
    assert caught.value.cause == "stack-with-several"


def test_the_port_beside_it_wins(asking, stack):
    name = stack("port", {"AuroraEndpoint": WRITER, "AuroraPort": "3307"})
    where = TargetOptions(stack=name)
    assert resolve(asking.session, None, where=where, port=3309, notify=str).endpoint.port == 3309


def test_an_instance_among_the_resources(asking, stack):
    stack(
        "resources", {"AuroraSecret": "its-secret"}, {"Db": instance("of-stack", EnableIAMDatabaseAuthentication=True)}
    )
    where = TargetOptions(stack="resources")
    found = resolve(asking.session, None, where=where, require_iam=False, notify=str)
    assert found.endpoint.host.startswith("of-stack.")
    assert found.origin == f"The stack resources has the DB instance of-stack; its endpoint is {found.endpoint.host}."
    assert (found.secret, found.database.cluster) == ("its-secret", "")
    assert asking.calls == ["DescribeStacks", "ListStackResources", "DescribeDBInstances"]


def test_two_instances_are_listed(asking, stack):
    stack("pair", None, {"Db": instance("of-stack-a"), "Db2": instance("of-stack-b")})
    with pytest.raises(TargetError, match="The stack pair has several instances: of-stack-a, of-stack-b"):
        find(asking, "pair")


class Paginator:
    def __init__(self, pages):
        self.paginate = lambda **arguments: pages[arguments.get("StackName", "")]


class CloudFormation:
    """Answers as AWS does: moto has no DB clusters in stacks, and another answer for nested ones."""

    exceptions = None

    def __init__(self, resources):
        self.resources = resources

    def describe_stacks(self, **_):
        return {"Stacks": [{"StackName": "BASE", "StackId": "BASE", "StackStatus": "CREATE_COMPLETE"}]}

    def get_paginator(self, name):
        assert name == "list_stack_resources"
        return Paginator(
            {
                stack: [
                    {
                        "StackResourceSummaries": [
                            {"ResourceType": kind, "PhysicalResourceId": key, "ResourceStatus": status}
                        ]
                    }
                    for kind, key, status in rows
                ]
                for stack, rows in self.resources.items()
            }
        )


class Session:
    def __init__(self, client):
        self.made = client

    def get_credentials(self):
        import boto3

        return boto3.Session("key", "secret").get_credentials()

    def client(self, service, **_):
        assert service == "cloudformation"
        return self.made


DONE, GONE = "CREATE_COMPLETE", "DELETE_COMPLETE"
NESTED = "arn:aws:cloudformation:us-east-1:123456789012:stack/inner/1"
DC, DI, ST = "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::CloudFormation::Stack"


@pytest.mark.parametrize(
    ("resources", "clusters", "instances"),
    [
        ({"BASE": [(DC, "shop", DONE), (DI, "shop-1", DONE), (DI, "shop-2", DONE)]}, ("shop",), ("shop-1", "shop-2")),
        ({"BASE": [(ST, NESTED, DONE)], NESTED: [(DC, "shop", DONE)]}, ("shop",), ()),
        ({"BASE": [(DC, "old", GONE), (DC, "shop", DONE), ("AWS::EC2::VPC", "vpc-1", DONE)]}, ("shop",), ()),
        ({"BASE": [(DC, "", "CREATE_FAILED"), (DI, "alone", DONE)]}, (), ("alone",)),
        ({"BASE": [(ST, NESTED, DONE), (DI, "alone", DONE)], NESTED: [(ST, NESTED, DONE)]}, (), ("alone",)),  # a ring
    ],
)
def test_resources_of_nested_stacks_too(resources, clusters, instances):
    names = read_stack(Session(CloudFormation(resources)), "BASE", "us-east-1")
    assert (names.name, names.host, names.clusters, names.instances) == ("BASE", "", clusters, instances)


def test_two_clusters_are_listed():
    client = CloudFormation({"BASE": [(DC, "b", DONE), (DC, "a", DONE)]})
    with pytest.raises(TargetError, match="The stack BASE has several clusters: a, b"):
        read_stack(Session(client), "BASE", "us-east-1")


def test_a_stack_without_a_database(asking, stack):
    with pytest.raises(TargetError, match=r"names no database: .*its status is CREATE_COMPLETE") as caught:
        find(asking, stack("empty"))
    assert caught.value.cause == "stack-without-database"


def test_a_stack_that_is_not_there(asking, stack):
    stack("BASE-output", {"AuroraEndpoint": WRITER})
    with pytest.raises(TargetError, match="There is no stack 'BASE' in us-east-1") as caught:
        find(asking, "BASE")
    assert "Similar names there: BASE-output" in caught.value.hint
    arn = "arn:aws:cloudformation:us-east-1:999999999999:stack/BASE/1"
    with pytest.raises(TargetError, match="BASE is in account 999999999999"):
        resolve(asking.session, arn)


def test_a_stack_that_may_not_be_looked_at(inside):
    with only(inside) as profile, pytest.raises(AwsError, match="permit looking up the stack sandbox") as caught:
        find(Asking(profile=profile), "sandbox")
    assert "cloudformation:DescribeStacks" in caught.value.detail
    with only(inside, "cloudformation:DescribeStacks") as profile:
        assert find(Asking(profile=profile), "sandbox").endpoint.host == inside.hosts[0]


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name_is_refused(name):
    """AWS would list all stacks."""
    with pytest.raises(OptionError, match="The stack's name is empty"):
        resolve(None, None, where=TargetOptions(stack=name))
