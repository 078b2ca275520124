"""The templates: what they make is what is promised, and a linter knows all that they say."""

import re
from functools import cache

import pytest
import yaml

from rds_iam_magic.setup.provision.network import Network
from rds_iam_magic.setup.provision.offer import Offer
from rds_iam_magic.setup.provision.plan import Plan
from rds_iam_magic.setup.provision.request import ProvisionOptions, read_request
from rds_iam_magic.setup.provision.template import default_of, template_of

ENGINES = ("aurora", "mysql")


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads CloudFormation's short forms as lists and texts."""


Loader.add_multi_constructor(
    "!",
    lambda loader, suffix, node: {
        suffix: loader.construct_scalar(node)
        if isinstance(node, yaml.ScalarNode)
        else loader.construct_sequence(node, deep=True)
    },
)


@cache
def read(engine):
    return yaml.load(template_of(engine), Loader)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.slow
def test_a_linter_finds_nothing(engine):
    """cfn-lint comes with moto."""
    from cfnlint.api import lint

    assert lint(template_of(engine), regions=["us-east-1"]) == []


@pytest.mark.parametrize(("engine", "kind"), [("aurora", "AWS::RDS::DBCluster"), ("mysql", "AWS::RDS::DBInstance")])
def test_the_database_is_safe(engine, kind):
    (database,) = [
        each
        for each in read(engine)["Resources"].values()
        if each["Type"] == kind and "ManageMasterUserPassword" in each["Properties"]
    ]
    properties = database["Properties"]
    for name in ("ManageMasterUserPassword", "EnableIAMDatabaseAuthentication", "StorageEncrypted"):
        assert properties[name] is True
    assert "MasterUserPassword" not in properties
    assert (database["DeletionPolicy"], database["UpdateReplacePolicy"]) == ("Snapshot", "Snapshot")
    parameters = read(engine)["Resources"]["Parameters"]["Properties"]["Parameters"]
    assert parameters == {"require_secure_transport": {"aurora": "ON", "mysql": "1"}[engine]}


@pytest.mark.parametrize(
    ("engine", "id_of"), [("aurora", "Cluster.DBClusterResourceId"), ("mysql", "Instance.DbiResourceId")]
)
def test_the_policy_names_the_resource_id(engine, id_of):
    policy = read(engine)["Resources"]["ConnectPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = policy["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "rds-db:connect")
    place = "${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}"
    assert statement["Resource"] == {"Sub": f"arn:{place}:dbuser:${{{id_of}}}/${{DatabaseUser}}"}


def test_the_outputs_have_the_names_that_are_looked_for():
    assert set(read("aurora")["Outputs"]) == {
        "AuroraEndpoint", "AuroraReaderEndpoint", "AuroraPort", "AuroraSecret", "AuroraResourceId", "ConnectPolicyArn",
        "SecurityGroupId",
    }  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_no_attribute_is_written_with_two_dots(engine):
    """moto cuts them, and so do other emulations."""
    assert re.findall(r": !GetAtt \w+\.\w+\.\w+", template_of(engine)) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_plan_gives_each_parameter(engine):
    request = read_request("a", ProvisionOptions(engine=engine), None, yes=False)
    plan = Plan(request, Offer("e", "1", "f", ("error",), None), Network("vpc-1", ("s",), ("z",)), "us-east-1")
    has = read(engine)["Parameters"]
    assert set(plan.parameters()) <= set(has)
    for name, parameter in has.items():
        assert name in plan.parameters() or "Default" in parameter
        assert "Description" in parameter


@pytest.mark.parametrize("engine", ENGINES)
def test_a_default_is_read(engine):
    for name, parameter in read(engine)["Parameters"].items():
        if "Default" in parameter:
            assert default_of(engine, name) == str(parameter["Default"])
        else:
            with pytest.raises(LookupError):
                default_of(engine, name)
