"""The plan in words: what is made, for whom, and what it costs."""

from dataclasses import replace

import pytest

from rds_iam_magic.setup.provision.network import Network
from rds_iam_magic.setup.provision.offer import Offer
from rds_iam_magic.setup.provision.plan import Plan
from rds_iam_magic.setup.provision.request import ProvisionOptions, read_request

OFFER = Offer("aurora-mysql", "8.0.x", "aurora-mysql8.0", ("error", "iam-db-auth-error"), (0, 256))
NETWORK = Network("vpc-1", ("subnet-1", "subnet-2"), ("a", "b"), is_default=True)


def words(source=None, offer=OFFER, **options):
    request = read_request("team-db", ProvisionOptions(**options), source, yes=True)
    return list(Plan(request, offer, NETWORK, "eu-west-1").lines())


def test_what_is_made():
    lines = words()
    assert lines[0] == "team-db: a cluster of Aurora MySQL Serverless v2, version 8.0.x, in eu-west-1."
    assert lines[1] == "Where: the default VPC, vpc-1, with 2 subnets in 2 zones; no public address."
    assert lines[2] == "Who can reach it: nobody."
    assert "any database user that logs in with IAM; it is attached to nobody yet" in lines[3]
    assert "TLS required, encrypted storage" in lines[4]
    assert len(lines) == 6
    assert words(engine="mysql")[0].startswith("team-db: an instance of RDS for MySQL")


@pytest.mark.parametrize(
    ("options", "costs"),
    [
        ({}, "up to 2 ACU in use, about 0.24 USD an hour; nothing for capacity while it is paused"),
        (
            {"min_acu": "0.5", "max_acu": "4"},
            "about 0.48 USD an hour; at least 0.5 ACU, about 0.06 USD an hour or 44 USD",
        ),
        ({"engine": "mysql"}, "about 0.016 USD an hour for db.t4g.micro, 12 USD a month, whether used or not"),
        (
            {"engine": "mysql", "instance_class": "db.r7g.large"},
            "an hourly price for db.r7g.large, whether used or not",
        ),
    ],
)
def test_what_it_costs(options, costs):
    line = words(**options)[-1]
    assert line.startswith("Costs: ")
    assert costs in line
    assert "may have changed" in line


@pytest.mark.parametrize(
    ("source", "options", "line"),
    [
        ("0.0.0.0/0", {"public": True}, "Who can reach it: everybody on the internet."),
        ("10.0.0.0/8", {}, "Who can reach it: 10.0.0.0/8."),
        ("8.8.8.8", {"public": True}, "Who can reach it: 8.8.8.8/32."),
        ("8.8.8.8", {}, "Who can reach it: 8.8.8.8/32, but only from within the VPC or a network that is connected"),
        ("0.0.0.0/0", {}, "Who can reach it: everybody within the VPC and the networks that are connected with it."),
        (None, {"public": True}, "The public address costs about 0.005 USD an hour, 4 USD a month."),
        ("sg-01234567", {}, "Who can reach it: members of sg-01234567."),
        (None, {"public": True}, "Where: the default VPC, vpc-1, with 2 subnets in 2 zones; a public address."),
        (None, {"policy_user": "ana"}, "connect as the database user ana;"),
        (None, {"protect": True}, "deletion protection"),
    ],
)
def test_what_was_chosen_is_said(source, options, line):
    assert line in "\n".join(words(source, **options))


def test_what_is_not_as_usual_is_said():
    lines = "\n".join(words(offer=replace(OFFER, logs=("error",), instead_of="8.0.old")))
    assert "AWS does not offer 8.0.old here any more; 8.0.x is its own default." in lines
    assert "the logs error in CloudWatch, without the log iam-db-auth-error" in lines


def test_without_a_public_address_none_is_to_be_paid():
    assert "public address costs" not in "\n".join(words())
