"""The line of `%rds_iam_doctor`, and which login it is about."""

from dataclasses import replace

import pytest

from rds_iam_magic.aws.endpoint import Destination
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.doctor.diagnosing import Attempt
from rds_iam_magic.errors import NotConnectedError, OptionError
from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.doctor.lines import attempt_on, parse_doctor
from rds_iam_magic.notebook.options import parse_connect

FAILED = Attempt(Destination("prod", "analyst", "sales"), ConnectOptions(profile="p", ssh="bastion"))
HELD = Attempt(Destination("h.example.com", "reader"), ConnectOptions(region="eu-west-1", via="127.0.0.1:3307"))


def held(alias):
    return HELD if alias is None else replace(HELD, to=replace(HELD.to, user=alias))


def nothing_held(_):
    raise NotConnectedError("Not connected.")


def asked(text, **there):
    return attempt_on(parse_doctor(text), **there)


def test_it_has_each_option_of_connect():
    of_connect = {option.key for option in grammars.CONNECT.options} - {"save", "connections", "close"}
    of_doctor = {option.key for option in grammars.DOCTOR.options}
    assert of_doctor - of_connect == {"json", "share", "fix"}
    assert of_connect <= of_doctor


@pytest.mark.parametrize(
    "line",
    [
        "prod -u analyst -d sales -p 3307 --reader --profile p --read-only --timeout 30 -A x --no-autocommit",
        "--stack shop -u analyst --endpoint e --ssm i-1",
        "mysql://analyst@h.example.com:3307/sales --via 127.0.0.1:1",
    ],
)
def test_a_line_of_connect_means_the_same(line):
    ours, theirs = parse_doctor(line), parse_connect(line)
    assert (ours.to.target or None, ours.to.user) == (theirs.target, theirs.user)
    assert (ours.to.database, ours.to.port) == (theirs.database, theirs.port)
    assert (ours.options, ours.where) == (theirs.options, theirs.where)


def test_its_own_options():
    line = parse_doctor("prod -u a --json --fix 3 --secret master")
    assert (line.json, line.share, line.fix, line.secret, line.where) == (True, False, 3, "master", TargetOptions())
    assert parse_doctor("prod -u a --share").share
    assert parse_doctor("--help") is None
    assert attempt_on(line) == Attempt(Destination("prod", "a"), ConnectOptions(), TargetOptions(), "master")


def test_a_secret_without_a_target_names_the_database():
    attempt = asked("-u a --secret master", failed=FAILED)
    assert (attempt.to.target, attempt.where.secret, attempt.secret) == ("", "master", "master")


def test_a_section(monkeypatch, tmp_path):
    file = tmp_path / "connections.ini"
    file.write_text("[prod]\ntarget = c\nuser = a\nssh = bastion\n")
    monkeypatch.setenv("RDS_IAM_MAGIC_CONNECTIONS", str(file))
    attempt = asked("-s prod --secret master --via 127.0.0.1:3307", failed=HELD)
    expected = Attempt(Destination("c", "a"), ConnectOptions(via="127.0.0.1:3307"), TargetOptions(), "master")
    assert attempt == expected, "the other way takes the place of the section's; the secret is not the target"


def test_without_a_target_it_is_the_one_that_failed_last_then_the_current():
    assert asked("", failed=FAILED, held=held) == FAILED
    assert asked("--json", failed=None, held=held) == HELD


def test_what_the_line_says_beside_counts():
    attempt = asked("--secret master -d other --profile q --connect-timeout 5", failed=FAILED, held=held)
    options = ConnectOptions(profile="q", ssh="bastion", connect_timeout=5.0)
    assert attempt == Attempt(Destination("prod", "analyst", "other"), options, TargetOptions(), "master")
    assert asked("--reader", failed=FAILED).where == TargetOptions(reader=True)


def test_an_alias_is_a_target():
    assert asked("prod", failed=FAILED, aliases=["prod"], held=held).to == Destination("h.example.com", "prod")
    named = asked("prod -u a", aliases=["prod"], held=held)
    assert named == Attempt(Destination("prod", "a"), ConnectOptions()), "as for %rds_iam_connect"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing to diagnose"),
        ("--json", "nothing to diagnose"),
        ("prod", "user is missing"),
        ("--stack s", "user is missing"),
        ("-u a", "target is missing"),
        ("a b -u c", "takes one target"),
        ("a -u b --stack s", "named by"),
        ("a -u b --fix 0", "--fix 0 is not"),
        ("a -u b --fix x", "--fix x is not"),
        ("a -u b --fix", "needs a value"),
        ("a -u b --password x", "has no option"),
        ("a:b@c -u b", "not repeated"),
        ("a -u b --save c", "has no option"),
        ("a -u b --via 1.2.3.4 --ssh c", "ssh"),
    ],
)
def test_what_cannot_be_understood(text, words):
    with pytest.raises(OptionError, match=words) as caught:
        asked(text, held=nothing_held)
    assert caught.value.hint


def test_without_a_login_it_says_what_to_type():
    with pytest.raises(OptionError) as caught:
        asked("")
    assert caught.value.hint == "Write %rds_iam_doctor TARGET -u USER."
