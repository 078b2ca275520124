"""The lines of the magics that provision and enable."""

import pytest

from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.setup.provision_lines import parse_enable, parse_provision
from rds_iam_magic.setup.provision.request import Source


def test_a_line_that_deploys():
    line = parse_provision(
        "deploy team-db --engine aurora --min-acu 0.5 --max-acu 4 --from 10.0.0.0/8 --policy-user ana "
        "--vpc vpc-01234567 --subnets subnet-0000000a,subnet-0000000b --public --protect "
        "--engine-version 8.0.x --region eu-west-1 --yes"
    )
    assert (line.action, line.stack, line.yes, line.options.region) == ("deploy", "team-db", True, "eu-west-1")
    request = line.request
    assert (request.acus, request.source) == ((0.5, 4), Source("10.0.0.0/8"))
    assert (request.policy_user, request.vpc, len(request.subnets)) == ("ana", "vpc-01234567", 2)
    assert (request.public, request.protect, request.engine_version) == (True, True, "8.0.x")
    line = parse_provision("deploy team-db --engine mysql --instance-class db.t4g.small")
    assert (line.request.instance_class, line.request.acus, line.yes) == ("db.t4g.small", None, False)


def test_other_actions_have_no_request():
    for action in ("status", "delete"):
        line = parse_provision(f"{action} team-db --profile p")
        assert (line.action, line.request, line.options) == (action, None, ConnectOptions(profile="p"))
    assert parse_provision("delete team-db --yes").yes


def test_help():
    assert parse_provision("--help") is None
    assert parse_enable("-h") is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "needs: deploy|status|delete STACK"),
        ("deploy", "not: deploy"),
        ("destroy team-db", "not: destroy team-db"),
        ("deploy a b", "not: deploy a b"),
        ("deploy team_db", "cannot be the name"),
        ("deploy a --engine oracle", "--engine oracle is not valid"),
        ("deploy a --from 0.0.0.0/0", "opens the database's port to everybody"),
        ("deploy a --from ::/0 --yes", "IPv6"),
        ("deploy a --min-acu 5", "more than 2 at most"),
        ("status a --yes", "--yes has no effect on status"),
        ("delete a --from 10.0.0.0/8 --public", "--from, --public has no effect on delete"),
        ("status a --min-acu 0", "--min-acu has no effect on status"),
        ("deploy a --via b:1", "--via"),
    ],
)
def test_bad_lines(line, words):
    with pytest.raises(OptionError) as caught:
        parse_provision(line)
    assert words in caught.value.message
    assert len(str(caught.value).splitlines()) == 2


def test_lines_that_enable():
    line = parse_enable("team-db --now --wait --yes --region eu-west-1")
    assert (line.target, line.now, line.yes, line.options) == (
        "team-db", True, True, ConnectOptions(region="eu-west-1", wait=True),
    )  # fmt: skip
    assert parse_enable("team-db").options == ConnectOptions()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "target is missing"),
        ("a b", "takes one target"),
        ("a --yes", "--yes has no effect without --now"),
        ("mysql://u:p@h/d", "password"),
    ],
)
def test_bad_lines_that_enable(line, words):
    with pytest.raises(OptionError) as caught:
        parse_enable(line)
    assert words in str(caught.value)
