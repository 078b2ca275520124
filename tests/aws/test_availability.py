"""What keeps one from connecting to a database by its status, and waiting until it passes."""

import re
from contextlib import contextmanager

import pytest

from rds_iam_magic.aws import availability
from rds_iam_magic.aws.availability import iam_problem, status_problem, when_ready
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.resolve import described, resolve
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.errors import AwsError, OptionError, TargetError
from tests.support.events import LONG, interrupt_when
from tests.support.fake_aws import Changed, answering

slow = pytest.mark.slow  # servers and kernels


@pytest.mark.parametrize(
    ("status", "cause", "words"),
    [
        ("creating", "endpoint-not-ready", "shop is creating; it cannot be connected to yet"),
        ("starting", "endpoint-not-ready", "shop is starting"),
        ("stopped", "database-stopped", r"shop is stopped\."),
        ("stopping", "database-stopped", "shop is stopping"),
        ("failed", "database-failed", "its status is failed"),
        ("inaccessible-encryption-credentials", "database-failed", "its status is inaccessible-encryption"),
    ],
)
def test_a_status_that_keeps_everybody_out(status, cause, words):
    problem = status_problem("shop", status)
    assert problem is not None
    assert problem.cause == cause
    assert re.search(words, problem.message)
    assert problem.hint


@pytest.mark.parametrize("status", ["available", "backing-up", "modifying", "storage-optimization", "what-comes-next"])
def test_a_status_in_which_one_may_try(status):
    assert status_problem("shop", status) is None


@pytest.mark.parametrize(
    ("enabled", "pending", "status", "cause"),
    [
        (True, False, "available", None),
        (None, False, "available", None),
        (False, False, "available", "iam-authentication-off"),
        (False, True, "available", "iam-authentication-pending"),
        (False, False, "configuring-iam-database-auth", "iam-authentication-pending"),
        (False, False, "update-iam-db-auth", "iam-authentication-pending"),
    ],
)
def test_iam_authentication(enabled, pending, status, cause):
    problem = iam_problem("shop", status, enabled=enabled, pending=pending)
    assert (problem.cause if problem else None) == cause


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(availability, "STEP", 0.001)


def looking(*statuses):
    """A look at a database that goes through statuses and stays in the last; an error is one without endpoint."""
    rest = list(statuses)

    def look():
        status = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(status, Exception):
            raise status
        return status

    return look


def shop(status):
    return status_problem("shop", status)


@pytest.mark.usefixtures("hasty")
def test_each_new_state_is_told():
    notes = []
    no_endpoint = TargetError("shop has no endpoint yet.", cause="endpoint-not-ready")
    look = looking(no_endpoint, no_endpoint, "creating", "creating", "rebooting", "available")
    assert when_ready("shop", look, shop, wait=True, notify=notes.append) == "available"
    assert notes == [
        "shop has no endpoint yet. Waiting, for at most 30 minutes.",
        "shop is creating; it cannot be connected to yet. Waiting, for at most 30 minutes.",
        "shop is rebooting; it cannot be connected to yet. Waiting, for at most 30 minutes.",
        "shop is ready now.",
    ]


def test_what_is_ready_is_not_waited_for():
    notes = []
    assert when_ready("shop", looking("available"), shop, wait=True, notify=notes.append) == "available"
    assert notes == []


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("status", "cause"), [("stopped", "database-stopped"), ("failed", "database-failed")])
def test_what_does_not_pass_is_not_waited_for(status, cause):
    with pytest.raises(TargetError) as caught:
        when_ready("shop", looking("starting", status), shop, wait=True, notify=lambda _: None)
    assert caught.value.cause == cause


@pytest.mark.parametrize("error", [TargetError("Gone.", cause="target-unknown"), AwsError("Denied.")])
def test_another_error_ends_the_waiting(error):
    with pytest.raises(AwsError, match=error.message):
        when_ready("shop", looking(error), shop, wait=True, notify=lambda _: None)


def test_without_wait_the_option_is_named():
    with pytest.raises(TargetError, match="shop is starting") as caught:
        when_ready("shop", looking("starting"), shop, wait=False, notify=lambda _: None)
    assert "wait=True" in caught.value.hint


@pytest.mark.usefixtures("hasty")
def test_waiting_has_an_end(monkeypatch):
    monkeypatch.setattr(availability, "WAIT_LIMIT", 0.0)
    with pytest.raises(TargetError, match=r"shop is starting; .* 0 minutes of waiting did not change that") as caught:
        when_ready("shop", looking("starting"), shop, wait=True, notify=lambda _: None)
    assert caught.value.cause == "wait-too-long"


def test_an_interrupt_ends_the_waiting_at_once(monkeypatch):
    monkeypatch.setattr(availability, "STEP", 10 * LONG)
    notes = []
    with pytest.raises(KeyboardInterrupt), interrupt_when(lambda: notes):
        when_ready("shop", looking("starting"), shop, wait=True, notify=notes.append)


STATUS = re.compile(r"<(Status|DBInstanceStatus)>available<")


@contextmanager
def changing(inside, monkeypatch, *changes):
    """RDS, whose answers are changed by one after the other of `changes`, and no more afterwards."""
    rest = list(changes)

    def change(action, text):
        return rest.pop(0)(text) if rest and action.startswith("DescribeDB") else text

    fake = Changed(inside, change)
    with answering(fake) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        yield fake


def status(name):
    return lambda text: STATUS.sub(rf"<\1>{name}<", text)


def pending(text):
    """As RDS tells of a change that is pending: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/"""
    flag = "IAMDatabaseAuthenticationEnabled>"
    assert f"<{flag}true</{flag}" in text
    wanted = f"<PendingModifiedValues><{flag}true</{flag}</PendingModifiedValues>"
    return re.sub(rf"<{flag}true</{flag}", f"<{flag}false</{flag}{wanted}", text)


@slow
@pytest.mark.usefixtures("hasty")
def test_a_cluster_that_starts(inside, monkeypatch):
    notes = []
    with changing(inside, monkeypatch, status("starting")):
        with pytest.raises(TargetError, match="sandbox is starting"):
            resolve(open_session(), "sandbox")
    with changing(inside, monkeypatch, status("starting"), str, status("starting"), str, pending) as rds:
        endpoint = resolve(open_session(), " sandbox", wait=True, notify=notes.append).endpoint
    assert endpoint.host == inside.hosts[0]
    assert rds.actions == ["DescribeDBClusters", "DescribeDBInstances"] * 4
    assert [note.partition(".")[0] for note in notes] == [
        "sandbox is starting; it cannot be connected to yet",
        "IAM database authentication is being switched on for sandbox",
        "sandbox is ready now",
    ]


@slow
@pytest.mark.usefixtures("hasty")
def test_iam_authentication_that_is_being_switched_on(inside, monkeypatch):
    """A pending change of the cluster counts for its instance, too; it is no error for the master user."""
    nothing = str
    for name, changes in (("sandbox", [pending]), ("standalone", [nothing, pending]), ("sandbox-1", [nothing] * 2)):
        changes = [*changes, pending] if name == "sandbox-1" else changes
        with changing(inside, monkeypatch, *changes):
            with pytest.raises(TargetError, match=f"being switched on for {name}") as caught:
                resolve(open_session(), name)
        assert "wait=True" in caught.value.hint
    with changing(inside, monkeypatch, pending):
        assert resolve(open_session(), "sandbox", require_iam=False).endpoint.host == inside.hosts[0]


@slow
@pytest.mark.usefixtures("hasty")
def test_waiting_by_host_name(inside, monkeypatch):
    """Only then is a host name looked up, and the endpoint is the one that was given."""
    notes = []
    with changing(inside, monkeypatch, status("starting")) as rds:
        session = open_session()
        assert resolve(session, inside.hosts[1]).endpoint.host == inside.hosts[1]
        assert rds.actions == []
        endpoint = resolve(session, inside.hosts[1], wait=True, port=3307, notify=notes.append).endpoint
    assert (endpoint.host, endpoint.port) == (inside.hosts[1], 3307)
    assert [note.partition(";")[0] for note in notes] == [
        f"{inside.hosts[1]} is starting",
        f"{inside.hosts[1]} is ready now.",
        "RDS describes port 3306",
    ]


@slow
@pytest.mark.usefixtures("hasty")
def test_the_database_of_a_managed_secret(inside, monkeypatch):
    arn = inside.client("rds").describe_db_clusters()["DBClusters"][0]["MasterUserSecret"]["SecretArn"]
    notes, of_secret = [], TargetOptions(secret=arn)
    with changing(inside, monkeypatch, status("stopped")), pytest.raises(TargetError, match="database is stopped"):
        resolve(open_session(), None, where=of_secret, require_iam=False)
    with changing(inside, monkeypatch, status("creating")):
        endpoint = resolve(
            open_session(), None, where=of_secret, require_iam=False, wait=True, notify=notes.append
        ).endpoint
    assert (endpoint.host, len(notes)) == (inside.hosts[0], 3), "waiting, ready, and whose secret it is"


@slow
def test_a_stopped_instance(session, inside):
    """As moto has it: stopped, and started again."""
    rds = inside.client("rds")
    rds.stop_db_instance(DBInstanceIdentifier="standalone")
    try:
        for wait in (False, True):
            with pytest.raises(TargetError, match="standalone is stopped") as caught:
                resolve(session, "standalone", wait=wait)
            assert "Start it" in caught.value.hint
        assert described(session, "standalone").status == "stopped", "its policy can be had"
    finally:
        rds.start_db_instance(DBInstanceIdentifier="standalone")
    assert resolve(session, "standalone").endpoint.host == inside.hosts[3]


@slow
@pytest.mark.parametrize("label", ["proxy-abc123", "shardgrp-abc123"])
def test_what_has_no_status(session, label):
    with pytest.raises(OptionError, match="cannot be waited for"):
        resolve(session, f"app.{label}.us-east-1.rds.amazonaws.com", wait=True)
