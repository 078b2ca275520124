"""CNAMEs to RDS names: by real DNS packets on loopback, read by the system's resolver; and what other systems give."""

import socket

import pytest

from rds_iam_magic.aws.endpoint import Kind, parse_host_name
from rds_iam_magic.aws.targets import alias
from rds_iam_magic.errors import TargetError
from tests.support.dns import glibc_asks_dns, resolving

needs_glibc = pytest.mark.skipif(not glibc_asks_dns(), reason="needs glibc's resolver, and names over DNS")

CLUSTER = "shop.cluster-abc123.eu-west-1.rds.amazonaws.com"
MEMBER = "shop-1.abc123.eu-west-1.rds.amazonaws.com"
MACHINE = "ec2-203-0-113-7.eu-west-1.compute.amazonaws.com"


@needs_glibc
@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ([CLUSTER], CLUSTER),
        ([CLUSTER, MEMBER, MACHINE], CLUSTER),
        (["db.internal.example.com", "shop.example.net", CLUSTER, MEMBER], CLUSTER),
        ([MEMBER, MACHINE], MEMBER),
        ([f"n{n}.example.com" for n in range(7)] + [CLUSTER], CLUSTER),
        ([f"n{n}.example.com" for n in range(8)] + [CLUSTER], None),
        (["elsewhere.example.net"], None),
    ],
    ids=["cluster", "whole", "own-names", "member", "eight", "nine", "elsewhere"],
)
def test_the_first_rds_name_over_dns(monkeypatch, chain, expected):
    with resolving(monkeypatch, {"db.example.com": chain}) as asked:
        assert alias.rds_name_behind(" DB.example.com:3307 ") == expected
        assert alias.chain_of("db.example.com") == ["db.example.com", *chain][: alias.MOST + 1]
    assert {name.lower() for name in asked} == {"db.example.com"}


@needs_glibc
def test_a_name_that_dns_does_not_know(monkeypatch):
    with resolving(monkeypatch, {}) as asked:
        assert alias.rds_name_behind("nobody.example.com") is None
    assert asked


@needs_glibc
@pytest.mark.slow  # the resolver waits a second
def test_a_server_that_does_not_answer(monkeypatch):
    """The look-up is given up; its thread ends by itself, when the resolver gives up, too."""
    monkeypatch.setattr(alias, "LIMIT", 0.2)
    monkeypatch.setenv("RES_OPTIONS", "timeout:1 attempts:1")
    with resolving(monkeypatch, {"db.example.com": []}) as asked:
        assert alias.rds_name_behind("db.example.com") is None
    assert asked


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((MACHINE, ["db.example.com", CLUSTER, MEMBER], ["203.0.113.7"]), CLUSTER),
        ((MEMBER, [CLUSTER, "db.example.com"], ["203.0.113.7"]), CLUSTER),  # another order
        ((MACHINE, [MEMBER, CLUSTER], ["203.0.113.7"]), CLUSTER),
        ((MEMBER, [], ["203.0.113.7"]), MEMBER),  # the last name alone
        ((f"{CLUSTER.upper()}.", [], []), CLUSTER),
        (("db.example.com", [], ["203.0.113.7"]), None),
    ],
)
def test_what_the_systems_resolvers_give(monkeypatch, answer, expected):
    monkeypatch.setattr(socket, "gethostbyname_ex", lambda _: answer)
    assert alias.rds_name_behind("db.example.com") == expected


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long"), OSError("no")])
def test_a_look_up_that_fails(monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setattr(socket, "gethostbyname_ex", fail)
    assert alias.rds_name_behind("db.example.com") is None


@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.0.1:3306", "[::1]:3306", "[2001:db8::1]"])
def test_an_address_is_not_looked_up(monkeypatch, address):
    monkeypatch.setattr(socket, "gethostbyname_ex", lambda _: pytest.fail("looked up"))
    assert alias.rds_name_behind(address) is None


def test_what_is_no_host_name():
    with pytest.raises(TargetError):
        alias.rds_name_behind("a:b:c")


def test_the_names_of_these_tests():
    assert (parse_host_name(CLUSTER).kind, parse_host_name(MEMBER).kind) == (Kind.CLUSTER, Kind.INSTANCE)
