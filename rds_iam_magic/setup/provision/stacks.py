"""Stacks of CloudFormation: describing, creating, deleting, and following what happens to one."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rds_iam_magic.background import TICK
from rds_iam_magic.errors import ProvisionError, RdsIamError
from rds_iam_magic.hints import Note
from rds_iam_magic.setup.provision.calls import ask

TAG = "rds-iam-magic"
"""The tag of stacks that were made here; its value is the engine."""

_FIRST_STEP, _LAST_STEP = 0.5, 5.0  # seconds between two looks; the step grows

_CANCELLED = "Resource creation cancelled"  # of what was in the making when something else failed


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack as CloudFormation describes it.

    Attributes:
        name, id: Its name, and its ARN.
        status: Such as `CREATE_COMPLETE`.
        engine: `aurora` or `mysql` if it was made here; else "".
        outputs, parameters: By name.
        is_protected: Whether the stack itself is protected from deletion.
    """

    name: str
    id: str
    status: str
    engine: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    is_protected: bool = False

    @property
    def in_progress(self) -> bool:
        """Whether something is happening to it."""
        return self.status.endswith("_IN_PROGRESS")

    @property
    def is_usable(self) -> bool:
        """Whether all of it is there."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stack or of a resource in it."""

    id: str
    when: dt.datetime
    name: str
    kind: str
    status: str
    reason: str
    is_of_the_stack: bool

    def __str__(self) -> str:
        reason = f": {self.reason}" if self.reason and self.reason != "User Initiated" else ""
        return f"{self.when.astimezone():%H:%M:%S}  {self.status:<18}  {self.name} ({self.kind}){reason}"


def describe(session: Any, name: str) -> Stack:
    """The stack of that name, or with that id even if it is deleted.

    Raises:
        ProvisionError: There is none.
        AwsError: CloudFormation cannot be asked.
    """
    missing = ProvisionError(f"There is no stack {name}.", cause="stack-unknown")
    answer = _cloudformation(
        session, "describe_stacks", f"looking up the stack {name}", {"StackName": name}, {"ValidationError": missing}
    )
    row = next(iter(answer.get("Stacks", [])), None)
    if row is None:
        raise missing
    return Stack(
        name=str(row["StackName"]),
        id=str(row["StackId"]),
        status=str(row["StackStatus"]),
        engine={tag["Key"]: tag["Value"] for tag in row.get("Tags", [])}.get(TAG, ""),
        outputs={str(o["OutputKey"]): str(o["OutputValue"]) for o in row.get("Outputs", [])},
        parameters={str(p["ParameterKey"]): str(p.get("ParameterValue", "")) for p in row.get("Parameters", [])},
        is_protected=bool(row.get("EnableTerminationProtection")),
    )


def find(session: Any, name: str) -> Stack | None:
    """As `describe`, but None where there is none."""
    try:
        return describe(session, name)
    except ProvisionError as error:
        if error.cause != "stack-unknown":
            raise
        return None


def create(session: Any, name: str, template: str, parameters: dict[str, str], engine: str) -> str:
    """Have a stack created; its id.

    Raises:
        ProvisionError: There is one of that name by now.
        AwsError: CloudFormation refuses it.
    """
    taken = ProvisionError(f"There is a stack {name} by now.", cause="stack-taken")
    arguments = {
        "StackName": name,
        "TemplateBody": template,
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Tags": [{"Key": TAG, "Value": engine}],
    }
    answer = _cloudformation(
        session, "create_stack", f"creating the stack {name}", arguments, {"AlreadyExistsException": taken}
    )
    return str(answer["StackId"])


def delete(session: Any, stack: Stack) -> None:
    """Have a stack deleted.

    Raises:
        AwsError: CloudFormation refuses that.
    """
    _cloudformation(session, "delete_stack", f"deleting the stack {stack.name}", {"StackName": stack.id})


def resources(session: Any, stack: Stack) -> list[tuple[str, str, str]]:
    """Name in the template, type and id of each resource that is there.

    Raises:
        AwsError: CloudFormation cannot be asked.
    """
    answer = _cloudformation(
        session, "list_stack_resources", f"listing what is in the stack {stack.name}", {"StackName": stack.id}
    )
    rows = answer.get("StackResourceSummaries", [])
    there = [row for row in rows if row.get("ResourceStatus") != "DELETE_COMPLETE"]
    return [(row["LogicalResourceId"], row["ResourceType"], row.get("PhysicalResourceId", "")) for row in there]


def events(session: Any, stack_id: str) -> list[Event]:
    """All events so far, in their order.

    Raises:
        AwsError: CloudFormation cannot be asked.
    """
    answer = _cloudformation(session, "describe_stack_events", "looking at the stack's events", {"StackName": stack_id})
    return [_event(row) for row in reversed(answer.get("StackEvents", []))]


def follow(
    session: Any, name: str, stack_id: str, *, notify: Callable[[str], None], known: Iterable[Event] = ()
) -> list[Event]:
    """Tell a stack's events as they come, until nothing happens to it any more; the events.

    An interrupt, as an error, ends only the following: the stack goes on.

    Args:
        session: A boto3 session.
        name: The stack's name.
        stack_id: Its id.
        notify: Called with a line for each event.
        known: Events from before, which are neither told nor waited for.

    Raises:
        AwsError: CloudFormation cannot be asked.
    """
    goes_on = Note("The stack {stack} goes on by itself; this shows how far it is: {command:status}", stack=name)
    try:
        return _follow(session, stack_id, notify, {event.id for event in known})
    except KeyboardInterrupt:
        notify(goes_on)
        raise
    except RdsIamError as error:
        notify(goes_on)
        raise error from None


def _follow(session: Any, stack_id: str, notify: Callable[[str], None], told: set[str]) -> list[Event]:
    seen: list[Event] = []
    for seconds in _steps():
        new = [event for event in events(session, stack_id) if event.id not in told]
        for event in new:
            told.add(event.id)
            seen.append(event)
            notify(str(event))
        own = [event.status for event in seen if event.is_of_the_stack]
        if own and not own[-1].endswith("_IN_PROGRESS"):
            break
        _pause(seconds)
    return seen


def first_failure(of: Iterable[Event]) -> Event | None:
    """The event of the resource that failed first; what was cancelled because of it did not fail by itself."""
    failures = (event for event in of if event.status.endswith("_FAILED") and not event.is_of_the_stack)
    return next((event for event in failures if not event.reason.startswith(_CANCELLED)), None)


def _event(row: dict[str, Any]) -> Event:
    return Event(
        id=str(row["EventId"]),
        when=row["Timestamp"],
        name=str(row.get("LogicalResourceId", "")),
        kind=str(row.get("ResourceType", "")),
        status=str(row.get("ResourceStatus", "")),
        reason=" ".join(str(row.get("ResourceStatusReason") or "").split()),
        is_of_the_stack=row.get("PhysicalResourceId") == row["StackId"],
    )


def _cloudformation(
    session: Any, call: str, doing: str, arguments: dict[str, Any], refusals: dict[str, RdsIamError] | None = None
) -> dict[str, Any]:
    return ask(session, "cloudformation", call, doing, arguments, refusals=refusals)


def _steps() -> Iterator[float]:
    step = _FIRST_STEP
    while True:
        yield step
        step = min(1.5 * step, _LAST_STEP)


def _pause(seconds: float) -> None:
    """Sleep so that an interrupt ends it at once, on Windows too."""
    end = time.monotonic() + seconds
    while (remaining := end - time.monotonic()) > 0:
        time.sleep(min(TICK, remaining))
