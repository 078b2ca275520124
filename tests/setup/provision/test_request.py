"""What the user wants, checked before AWS is asked."""

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.setup.provision.request import ProvisionOptions, Source, check_stack_name, read_request, read_source

NOTHING = ProvisionOptions()


def read(source=None, stack="team-db", yes=False, **options):
    return read_request(stack, replace(NOTHING, **options), source, yes=yes)


def refused(cause, **given):
    with pytest.raises(OptionError) as caught:
        read(**given)
    assert caught.value.cause == cause
    assert caught.value.hint
    return caught.value.message


def test_nothing_wanted_is_small_and_closed():
    request = read()
    assert (request.acus, request.source, request.public, request.protect) == ((0, 2), Source(), False, False)
    assert request.parameters() == {
        "MinAcu": "0",
        "MaxAcu": "2",
        "FromCidr": "",
        "FromSecurityGroup": "",
        "Public": "false",
        "DatabaseUser": "*",
        "DeletionProtection": "false",
    }
    assert read(engine="mysql").parameters()["InstanceClass"] == "db.t4g.micro"


@pytest.mark.parametrize("name", ["a", "team-db", "Team2", "a1-b2-c3", "a" * 60])
def test_a_name_for_a_stack_and_a_database(name):
    check_stack_name(name)


@pytest.mark.parametrize("name", ["", "1a", "-a", "a-", "a--b", "a_b", "a.b", "a b", "é", "a" * 61, "a\n", "a/b", "*"])
def test_a_name_that_one_of_them_cannot_have(name):
    refused("stack-name-invalid", stack=name)


@given(st.text(alphabet="ab1-_ .é", max_size=70))
def test_a_name_that_is_taken_fits_rds(name):
    """RDS: letters, digits, hyphens; a letter first, no hyphen last, no two in a row; 63 with the writer's `-1`."""
    try:
        check_stack_name(name)
    except OptionError:
        return
    assert name.isascii()
    assert name[0].isalpha()
    assert "--" not in name
    assert not name.endswith("-")
    assert len(name) <= 61


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (None, Source()),
        ("10.0.0.0/8", Source(cidr="10.0.0.0/8")),
        ("203.0.113.7", Source(cidr="203.0.113.7/32")),
        (" 203.0.113.7/32 ", Source(cidr="203.0.113.7/32")),
        ("sg-0123456789abcdef0", Source(group="sg-0123456789abcdef0")),
    ],
)
def test_who_may_reach_the_port(text, source):
    assert read(text).source == source


@pytest.mark.parametrize("text", ["0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/7"])
def test_everybody_has_to_be_meant(text):
    assert "everybody" in refused("network-everybody", source=text)
    assert read_source(text, yes=True).is_everybody
    assert read_source(text, yes=True).is_on_the_internet


@pytest.mark.parametrize(
    "text", ["", "10.0.0.0/33", "10.0.0", "here", "::/0", "2001:db8::/32", "sg-x", "1.2.3.4/0.0.0.0/1"]
)
@pytest.mark.parametrize("yes", [True, False])
def test_what_is_no_network_of_the_database(text, yes):
    refused("network-invalid", source=text, yes=yes)


def test_a_network_with_the_bits_of_a_host_is_corrected():
    assert "10.1.0.0/16 is one" in refused("network-invalid", source="10.1.2.3/16")


@given(st.ip_addresses(v=4), st.integers(8, 32))
def test_each_network_but_the_largest_is_as_written(address, bits):
    network = ipaddress.ip_network((address, bits), strict=False)
    source = read_source(str(network), yes=False)
    assert source == Source(cidr=str(network))
    assert source.is_on_the_internet == network.is_global


@pytest.mark.parametrize("acus", [("0", "2"), ("0.5", "1"), ("0", "256"), ("1.5", "1.5"), ("2.0", "16")])
def test_capacities(acus):
    assert read(min_acu=acus[0], max_acu=acus[1]).acus == (float(acus[0]), float(acus[1]))


@pytest.mark.parametrize(
    "acus", [("0", "0"), ("0", "0.5"), ("3", "2"), ("-1", "2"), ("0.3", "2"), ("0", "257"), ("x", "2"), ("0", "1e2")]
)
def test_what_is_no_capacity(acus):
    refused("capacity-invalid", min_acu=acus[0], max_acu=acus[1])


@pytest.mark.parametrize(
    ("cause", "options"),
    [
        ("capacity-of-other-engine", {"engine": "mysql", "min_acu": "0"}),
        ("capacity-of-other-engine", {"engine": "mysql", "max_acu": "2"}),
        ("capacity-of-other-engine", {"instance_class": "db.t4g.micro"}),
        ("engine-version-invalid", {"engine_version": "latest"}),
        ("engine-version-invalid", {"engine_version": ""}),
        ("instance-class-invalid", {"engine": "mysql", "instance_class": "t4g.micro"}),
        ("network-id-invalid", {"vpc": "default"}),
        ("network-id-invalid", {"subnets": "subnet-01234567,there"}),
        ("subnets-too-few", {"subnets": "subnet-01234567"}),
        ("subnets-too-few", {"subnets": "subnet-01234567,subnet-01234567"}),
        ("policy-user-invalid", {"policy_user": "a*"}),
        ("policy-user-invalid", {"policy_user": "${aws:username}"}),
        ("policy-user-invalid", {"policy_user": "a/b"}),
        ("policy-user-invalid", {"policy_user": "a" * 33}),
        ("option-empty", {"policy_user": " "}),
    ],
)
def test_what_is_refused(cause, options):
    refused(cause, **options)


def test_subnets_are_named_once():
    assert read(subnets="subnet-0123456a, subnet-0123456b,subnet-0123456a").subnets == (
        "subnet-0123456a",
        "subnet-0123456b",
    )
