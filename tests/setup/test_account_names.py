"""Names and host patterns of accounts: those that the server would take for others are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.setup.account_names import check_host, check_user, host_notes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "1 to 32"),
        ("x" * 33, "1 to 32"),
        (" ", "is empty"),
        ("a\ud800", "lone surrogate"),
        ("ana ", "ends with a space"),
        ("a\0b", r"'\\x00', which the server cannot keep"),
        ("ana😀", "'😀', which the server cannot keep"),
        ("ana@%", "holds a host pattern"),
        ("ana@10.0.%", "holds a host pattern"),
        ("ana@localhost", "holds a host pattern"),
        ("ana@10.1.2.3", "holds a host pattern"),
        ("ana@10.0.0.0/255.0.0.0", "holds a host pattern"),
    ],
)
def test_names_that_are_refused(name, words):
    with pytest.raises(OptionError, match=words):
        check_user(name)


def test_the_host_is_told_apart():
    with pytest.raises(OptionError) as caught:
        check_user("o'b@x@10.%")
    assert "name o'b@x and the host pattern 10.% apart" in caught.value.hint


@pytest.mark.parametrize("name", ["x" * 32, "ana@example.com", " ana", "%", "o'brien", "日本", "a@b", "@%", "ana\n"])
def test_names_that_are_taken(name):
    check_user(name)


@pytest.mark.parametrize("host", ["%", "10.0.%", "10.0.0.0/255.255.0.0", "::1", "db.example.com", "%.example.com", "_"])
def test_hosts_that_are_taken(host):
    check_host(host, is_mariadb=True)


@pytest.mark.parametrize(
    "host",
    ["10.0.*", "10.0.0.1:3306", "http://x", "a b", "ana@%", "10.0.0.0/33", "10.0.0.1, 10.0.0.2", "x\0", "x" * 256],
)
def test_hosts_that_match_nobody(host):
    with pytest.raises(OptionError):
        check_host(host)


def test_networks():
    """MySQL has CIDR notation since 8.0.23; MariaDB takes such a host, and matches it with nobody."""
    check_host("10.1.0.0/16")
    with pytest.raises(OptionError, match="No client matches") as caught:
        check_host("10.1.0.0/16", is_mariadb=True)
    assert "Write 10.1.0.0/255.255.0.0." in caught.value.hint


@pytest.mark.parametrize(
    ("host", "resolves", "words"),
    [
        ("localhost", True, "nobody connects to RDS from localhost"),
        ("127.0.0.1", False, "nobody connects to RDS from 127.0.0.1"),
        ("db.example.com", False, "looks no names up"),
        ("db.example.com", True, None),
        ("10.%", False, None),
        ("fe80::%", False, None),
    ],
)
def test_what_to_know_of_a_host(host, resolves, words):
    notes = list(host_notes(host, resolves_names=resolves))
    assert [words in note for note in notes] == ([] if words is None else [True])


@given(st.text(max_size=40))
def test_any_name_is_taken_or_refused(name):
    try:
        check_user(name)
    except OptionError:
        return
    assert 1 <= len(name) <= 32
