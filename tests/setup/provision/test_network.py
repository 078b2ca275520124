"""Where the database will be: the default VPC, or what the user names."""

import pytest

from rds_iam_magic.aws.session import open_session
from rds_iam_magic.errors import ProvisionError
from rds_iam_magic.setup.provision import network as module
from rds_iam_magic.setup.provision.network import find_network
from rds_iam_magic.setup.provision.request import ProvisionOptions, read_request

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("inside")]  # servers and kernels


def find(**options):
    return find_network(open_session(), read_request("a", ProvisionOptions(**options), None, yes=False), "us-east-1")


def refused(cause, **options):
    with pytest.raises(ProvisionError) as caught:
        find(**options)
    assert caught.value.cause == cause
    assert caught.value.hint
    return caught.value.message


@pytest.fixture
def vpc(inside):
    """A VPC of its own, with two subnets in one zone."""
    ec2 = inside.client("ec2")
    made = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=made, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
        for n in (1, 2)
    ]
    yield made, subnets, ec2
    for row in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [made]}])["Subnets"]:
        ec2.delete_subnet(SubnetId=row["SubnetId"])
    ec2.delete_vpc(VpcId=made)


def test_the_default_vpc():
    found = find()
    assert found.is_default
    assert str(found) == f"the default VPC, {found.vpc}, with 6 subnets in 6 zones"
    assert find(vpc=found.vpc).subnets == found.subnets
    assert find(subnets=",".join(found.subnets[:2])).subnets == found.subnets[:2]


def test_a_vpc_whose_subnets_will_not_do(vpc):
    made, subnets, ec2 = vpc
    assert "one zone, us-east-1a" in refused("subnets-in-one-zone", vpc=made)
    other = ec2.create_subnet(VpcId=made, CidrBlock="10.9.3.0/24", AvailabilityZone="us-east-1b")["Subnet"]["SubnetId"]
    assert find(vpc=made).zones == ("us-east-1a", "us-east-1b")
    assert find(vpc=made, subnets=f"{subnets[0]},{other}").subnets == tuple(sorted((subnets[0], other)))
    elsewhere = find().subnets[0]
    refused("subnets-elsewhere", subnets=f"{other},{elsewhere}")
    assert made in refused("subnets-elsewhere", vpc=find().vpc, subnets=f"{subnets[0]},{other}")


def test_too_many_subnets(monkeypatch):
    monkeypatch.setattr(module, "MOST_SUBNETS", 5)
    assert "has 6 subnets" in refused("subnets-too-many")


@pytest.mark.parametrize("options", [{"vpc": "vpc-0123456789abcdef0"}, {"subnets": "subnet-01234567,subnet-01234568"}])
def test_what_is_not_there(options):
    refused("network-unknown", **options)


def test_no_default_vpc(monkeypatch):
    """As in an account whose administrator has deleted it."""
    monkeypatch.setattr(module, "ask", lambda *_, part, **__: {part: []})
    assert refused("network-missing") == "There is no default VPC in us-east-1."
