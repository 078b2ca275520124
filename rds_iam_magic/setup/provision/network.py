"""`Network`: where the database will be, looked up in EC2 before anything is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rds_iam_magic.errors import ProvisionError
from rds_iam_magic.setup.provision.calls import ask
from rds_iam_magic.setup.provision.request import Request
from rds_iam_magic.wording import count_of

MOST_SUBNETS = 20
"""What RDS allows in a subnet group."""


@dataclass(frozen=True, slots=True)
class Network:
    """A VPC, its subnets, and the availability zones that they are in."""

    vpc: str
    subnets: tuple[str, ...]
    zones: tuple[str, ...]
    is_default: bool = False

    def __str__(self) -> str:
        what = f"the default VPC, {self.vpc}" if self.is_default else self.vpc
        return f"{what}, with {count_of(len(self.subnets), 'subnet')} in {count_of(len(self.zones), 'zone')}"


def find_network(session: Any, request: Request, region: str) -> Network:
    """The subnets that the user names, else all of the VPC, which is the default one if none is named.

    Raises:
        ProvisionError: There is no default VPC, no such VPC or subnet, or the subnets will not do.
        AwsError: EC2 cannot be asked.
    """
    vpc = request.vpc
    if vpc is None and not request.subnets:
        vpc = _default_vpc(session, region)
    wanted = (
        {"SubnetIds": list(request.subnets)} if request.subnets else {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
    )
    missing = ProvisionError(f"There is no such subnet in {region}.", cause="network-unknown")
    codes = ("InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed", "InvalidVpcID.NotFound")
    answer = ask(
        session,
        "ec2",
        "describe_subnets",
        "looking up subnets",
        wanted,
        part="Subnets",
        refusals=dict.fromkeys(codes, missing),
    )
    rows = answer["Subnets"]
    if not rows:
        raise ProvisionError(f"{vpc} has no subnets in {region}, or is not there.", cause="network-unknown")
    return _network(rows, vpc, is_default=request.vpc is None and not request.subnets)


def _default_vpc(session: Any, region: str) -> str:
    wanted = {"Filters": [{"Name": "is-default", "Values": ["true"]}]}
    rows = ask(session, "ec2", "describe_vpcs", "looking up the default VPC", wanted, part="Vpcs")["Vpcs"]
    if not rows:
        raise ProvisionError(f"There is no default VPC in {region}.", cause="network-missing")
    return str(rows[0]["VpcId"])


def _network(rows: list[dict[str, Any]], vpc: str | None, *, is_default: bool) -> Network:
    vpcs = sorted({str(row["VpcId"]) for row in rows})
    if len(vpcs) > 1 or (vpc is not None and vpcs != [vpc]):
        raise ProvisionError(f"The subnets are in {', '.join(vpcs)}.", cause="subnets-elsewhere")
    zones = sorted({str(row["AvailabilityZone"]) for row in rows})
    if len(zones) < 2:
        raise ProvisionError(f"All subnets are in one zone, {zones[0]}.", cause="subnets-in-one-zone")
    if len(rows) > MOST_SUBNETS:
        raise ProvisionError(
            f"{vpcs[0]} has {len(rows)} subnets; a database has {MOST_SUBNETS} at most.", cause="subnets-too-many"
        )
    return Network(vpcs[0], tuple(sorted(str(row["SubnetId"]) for row in rows)), tuple(zones), is_default)
