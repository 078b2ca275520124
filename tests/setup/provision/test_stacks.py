"""Stacks: which event is the cause, what an event looks like, when following ends."""

import datetime as dt

import pytest

from rds_iam_magic.errors import AwsError, ProvisionError
from rds_iam_magic.hints import Interface
from rds_iam_magic.setup.provision import stacks
from rds_iam_magic.setup.provision.stacks import Event, Stack, failure_of, first_failure, follow, going_on

WHEN = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)


def event(name, status, reason="", *, own=False, number=None):
    return Event(str(number or f"{name}{status}"), WHEN, name, "AWS::X::Y", status, reason, own)


def test_an_event_in_one_line():
    time = f"{WHEN.astimezone():%H:%M:%S}"
    assert str(event("A", "CREATE_FAILED", "No.")) == f"{time}  CREATE_FAILED       A (AWS::X::Y): No."
    assert str(event("s", "CREATE_IN_PROGRESS", "User Initiated")) == f"{time}  CREATE_IN_PROGRESS  s (AWS::X::Y)"


def test_the_first_failure_is_the_cause():
    """What was in the making meanwhile is cancelled, and the stack fails because of it."""
    failures = [
        event("s", "CREATE_IN_PROGRESS", own=True),
        event("Policy", "CREATE_FAILED", "Resource creation cancelled"),
        event("Cluster", "CREATE_FAILED", "Not authorized to perform: rds:CreateDBCluster"),
        event("Writer", "CREATE_FAILED", "Later"),
        event("s", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create", own=True),
    ]
    assert first_failure(failures) == failures[2]
    assert first_failure(failures[:2]) is None


def test_a_second_try_has_a_cause_of_its_own():
    tries = [
        event("s", "DELETE_IN_PROGRESS", own=True, number=1),
        event("Cluster", "DELETE_FAILED", "It has a reader."),
        event("s", "DELETE_FAILED", own=True),
        event("s", "DELETE_IN_PROGRESS", own=True, number=2),
        event("ConnectPolicy", "DELETE_FAILED", "Somebody holds it."),
    ]
    assert first_failure(tries[:3]) == tries[1]
    assert first_failure(tries) == tries[4]
    error = failure_of(Stack("s", "i", "DELETE_FAILED"), tries)
    assert error.message == "The stack s is DELETE_FAILED: ConnectPolicy (AWS::X::Y) failed, Somebody holds it."
    assert failure_of(Stack("s", "i", "ROLLBACK_FAILED"), []).message == "The stack s is ROLLBACK_FAILED."


class Growing:
    """A stack's events, one more with each look."""

    def __init__(self, monkeypatch, *all_events):
        self.all, self.looks, self.pauses = all_events, 0, []
        monkeypatch.setattr(stacks, "events", self)
        monkeypatch.setattr(stacks, "_pause", self.pauses.append)

    def __call__(self, _session, _id):
        self.looks += 1
        return list(self.all[: self.looks])


@pytest.mark.parametrize(
    "end",
    ["CREATE_COMPLETE", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_COMPLETE", "DELETE_FAILED"],
)
def test_events_are_told_as_they_come(monkeypatch, end):
    """Until the stack itself is at its end; its resources' ends are none."""
    all_events = (
        event("s", "CREATE_IN_PROGRESS", own=True),
        event("A", "CREATE_IN_PROGRESS"),
        event("A", "CREATE_COMPLETE"),
        event("s", "ROLLBACK_IN_PROGRESS", own=True),
        event("s", end, own=True),
        event("never", "told"),
    )
    growing, told = Growing(monkeypatch, *all_events), []
    assert follow(None, "id", notify=told.append) == list(all_events[:5])
    assert told == list(map(str, all_events[:5]))
    assert growing.looks == 5


def test_looks_become_rarer(monkeypatch):
    growing = Growing(monkeypatch, *[event("A", "CREATE_IN_PROGRESS", number=n) for n in range(1, 12)])
    growing.all += (event("s", "CREATE_COMPLETE", own=True),)
    follow(None, "id", notify=lambda _: None)
    assert growing.pauses[0] == 0.5
    assert growing.pauses == sorted(growing.pauses)
    assert growing.pauses[-1] == 5


def test_what_happened_before_is_neither_told_nor_the_end(monkeypatch):
    known = [event("s", "CREATE_COMPLETE", own=True, number=1)]
    later = event("s", "DELETE_COMPLETE", own=True, number=2)
    Growing(monkeypatch, *known, later)
    told = []
    assert follow(None, "id", notify=told.append, known=known) == [later]
    assert told == [str(later)]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), AwsError("No.")])
def test_what_has_begun_goes_on(error):
    told = []
    with pytest.raises(type(error)), going_on("team-db", told.append):
        raise error
    assert told[0].spelled(Interface.NOTEBOOK).endswith("%rds_iam_provision status team-db")


def test_what_aws_refuses_has_not_begun():
    told = []
    with pytest.raises(AwsError), going_on("team-db", told.append, begun=False):
        raise AwsError("No.")
    assert told == []
    with pytest.raises(KeyboardInterrupt), going_on("team-db", told.append, begun=False):
        raise KeyboardInterrupt
    assert told, "nobody knows: it may have begun"


def test_a_stack_that_is_refused_does_not_go_on():
    told = []
    with pytest.raises(ProvisionError), going_on("team-db", told.append):
        raise ProvisionError("No.")
    assert told == []


def test_the_states_of_a_stack():
    assert Stack("a", "i", "UPDATE_ROLLBACK_COMPLETE").is_usable
    assert not Stack("a", "i", "ROLLBACK_COMPLETE").is_usable
    assert Stack("a", "i", "CREATE_IN_PROGRESS").in_progress
