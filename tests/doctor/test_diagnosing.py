"""`diagnose` takes what `connect` takes, and hands it on to the checks as it was asked for."""

import inspect

import pytest

import rds_iam_magic
from rds_iam_magic.aws.endpoint import Destination
from rds_iam_magic.connect_options import CONNECT_ARGUMENTS, ConnectOptions, TargetOptions
from rds_iam_magic.connecting import connect
from rds_iam_magic.doctor import diagnose as running
from rds_iam_magic.doctor.diagnosing import Attempt, attempt_of, diagnose
from rds_iam_magic.doctor.evidence import Asked
from rds_iam_magic.errors import OptionError
from rds_iam_magic.option import options_of
from tests.doctor.given import diagnosis
from tests.support.docstrings import read_docstring


@pytest.fixture
def calls(monkeypatch):
    """What `diagnose_with` was called with."""
    for name in ("RDS_IAM_MAGIC_VIA", "RDS_IAM_MAGIC_CA"):
        monkeypatch.delenv(name, raising=False)
    made = []
    monkeypatch.setattr(running, "diagnose_with", lambda *given: made.append(given) or diagnosis(), raising=False)
    return made


def test_it_has_the_arguments_of_connect():
    ours, theirs = inspect.signature(diagnose).parameters, inspect.signature(connect).parameters
    assert [name for name in theirs if name in ours] == list(ours)
    of_sessions = {"timeout", "read_only", "safe_updates", "time_zone", "autocommit", "close_idle", "max_memory"}
    assert theirs.keys() - ours.keys() == of_sessions
    for name, item in ours.items():
        assert (item.default, item.annotation) == (theirs[name].default, theirs[name].annotation)
    infos = CONNECT_ARGUMENTS | options_of(ConnectOptions) | options_of(TargetOptions)
    described = read_docstring(diagnose).arguments
    own = {name for name, text in described.items() if text != infos[name].argument_text()}
    assert own == {"secret", "wait"}


def test_what_is_asked_for_arrives(calls):
    found = rds_iam_magic.diagnose(
        "my-cluster", user="analyst", database="sales", port=3307, region="eu-west-1", ca="b.pem", ssh="bastion",
        reader=True, secret="master", wait=True, notify=print,
    )  # fmt: skip
    line = "my-cluster -u analyst -d sales -p 3307 --reader --region eu-west-1 --ssh bastion --ca b.pem"
    ((asked, options, where, secret, notify),) = calls
    assert asked == Asked("analyst", "my-cluster", "sales", 3307, "eu-west-1", True, "ssh bastion", line)
    assert options == ConnectOptions(region="eu-west-1", ca="b.pem", ssh="bastion"), "it does not wait"
    assert (where, secret, notify) == (TargetOptions(reader=True), "master", print)
    assert found.line == line.replace("--reader", "--secret master --reader"), "to ask the same again"


def test_without_a_target_the_secret_names_the_database(calls):
    diagnose(user="analyst", secret="prod/master")
    ((asked, _, where, secret, _),) = calls
    assert (asked.target, asked.line) == ("", "-u analyst --secret prod/master")
    assert (where.secret, secret) == ("prod/master", "prod/master")
    diagnose(user="analyst", secret="prod/master", stack="shop")
    assert (calls[1][2], calls[1][3]) == (TargetOptions(stack="shop"), "prod/master")


def test_a_section_and_a_url(calls, monkeypatch, tmp_path):
    file = tmp_path / "connections.ini"
    file.write_text(
        "[prod]\ntarget = mysql://analyst@h.c1abcdefgh12.eu-west-1.rds.amazonaws.com:3307/s\nread_only = yes\n"
    )
    monkeypatch.setenv("RDS_IAM_MAGIC_CONNECTIONS", str(file))
    diagnose(section="prod", profile="p", secret="master")
    ((asked, options, where, secret, _),) = calls
    assert (asked.user, asked.database, asked.port) == ("analyst", "s", 3307)
    assert asked.target == "h.c1abcdefgh12.eu-west-1.rds.amazonaws.com"
    assert (options.profile, where, secret) == ("p", TargetOptions(), "master")


def test_what_the_environment_says_is_asked_for_too(calls, monkeypatch):
    monkeypatch.setenv("RDS_IAM_MAGIC_VIA", "127.0.0.1:3307")
    monkeypatch.setenv("RDS_IAM_MAGIC_CA", "bundle.pem")
    diagnose("a", user="b")
    diagnose("a", user="b", ssm="i-0123456789abcdef0")
    assert [(call[0].ca, call[0].way) for call in calls] == [
        (True, "127.0.0.1:3307"),
        (True, "ssm i-0123456789abcdef0"),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "target"),
        ({"target": "a"}, "user is missing"),
        ({"target": "a", "user": "b", "stack": "c"}, "named by the target and by a stack"),
        ({"target": "a", "user": "b", "ssh": "c", "ssm": "i-1"}, "ssh"),
        ({"target": "mysql://a:b@c", "user": "b"}, "not repeated"),
    ],
)
def test_what_cannot_be_understood(calls, given, words):
    with pytest.raises(OptionError, match=words):
        diagnose(**given)
    assert calls == []


def test_an_attempt_is_equal_to_the_same():
    to = Destination("a", "b")
    assert attempt_of(to, ConnectOptions(wait=True), TargetOptions(), None) == Attempt(to, ConnectOptions())
