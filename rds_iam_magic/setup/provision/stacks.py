"""Stacks of CloudFormation: describing, creating, deleting, and following what happens to one."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rds_iam_magic.background import TICK
from rds_iam_magic.errors import AwsError, ProvisionError, RdsIamError
from rds_iam_magic.hints import Note
from rds_iam_magic.setup.provision.calls import ask

TAG = "rds-iam-magic"
"""The tag of stacks that were made here; its value is the engine."""

_FIRST_STEP, _LAST_STEP = 0.5, 5.0  # seconds between two looks; the step grows

_TRIES = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
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


class Resource(NamedTuple):
    """A resource of a stack: its name in the template, its type, and its own id, "" where it has none."""

    name: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}){f' {self.id}' if self.id else ''}"


def describe(session: Any, name: str) -> Stack:
    """The stack of that name, or with that id even if it is deleted.

    Raises:
        ProvisionError: There is none.
        AwsError: CloudFormation cannot be asked.
    """
    missing = ProvisionError(f"There is no stack {name}.", cause="stack-unknown")
    arguments, refusals = {"StackName": name}, {"ValidationError": missing}
    rows = _cloudformation(session, "describe_stacks", f"looking up the stack {name}", arguments, "Stacks", refusals)
    row = next(iter(rows), None)
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
    refusals = {"AlreadyExistsException": taken}
    return str(_cloudformation(session, "create_stack", f"creating the stack {name}", arguments, "StackId", refusals))


def delete(session: Any, stack: Stack) -> None:
    """Have a stack deleted.

    Raises:
        AwsError: CloudFormation refuses that.
    """
    _cloudformation(session, "delete_stack", f"deleting the stack {stack.name}", {"StackName": stack.id})


def resources(session: Any, stack: Stack) -> list[Resource]:
    """What is there of a stack.

    Raises:
        AwsError: CloudFormation cannot be asked.
    """
    doing, arguments = f"listing what is in the stack {stack.name}", {"StackName": stack.id}
    rows = _cloudformation(session, "list_stack_resources", doing, arguments, "StackResourceSummaries")
    there = [row for row in rows if row.get("ResourceStatus") != "DELETE_COMPLETE"]
    return [
        Resource(str(row["LogicalResourceId"]), str(row["ResourceType"]), str(row.get("PhysicalResourceId", "")))
        for row in there
    ]


def events(session: Any, stack_id: str) -> list[Event]:
    """All events so far, in their order.

    Raises:
        AwsError: CloudFormation cannot be asked.
    """
    doing, arguments = "looking at the stack's events", {"StackName": stack_id}
    rows = _cloudformation(session, "describe_stack_events", doing, arguments, "StackEvents")
    return [_event(row) for row in reversed(rows)]


@contextmanager
def going_on(name: str, notify: Callable[[str], None], *, begun: bool = True) -> Iterator[None]:
    """Around what starts or follows a change of a stack: an interrupt, or an error of AWS, does not end the change.

    Args:
        name: The stack's name.
        notify: Called with a line that says so.
        begun: Whether the change has begun; else an error of AWS means that it has not, and an interrupt tells nothing.
    """
    try:
        yield
    except (KeyboardInterrupt, AwsError) as error:
        if not begun and isinstance(error, AwsError):
            raise
        notify(Note("What has begun goes on by itself; this shows how far it is: {command:status}", stack=name))
        raise


def follow(session: Any, stack_id: str, *, notify: Callable[[str], None], known: Iterable[Event] = ()) -> list[Event]:
    """Tell a stack's events as they come, until nothing happens to it any more; the events.

    Args:
        session: A boto3 session.
        stack_id: The stack's id.
        notify: Called with a line for each event.
        known: Events from before, which are neither told nor waited for.

    Raises:
        AwsError: CloudFormation cannot be asked.
    """
    told = {event.id for event in known}
    seen: list[Event] = []
    for seconds in _steps():
        new = [event for event in events(session, stack_id) if event.id not in told]
        for event in new:
            told.add(event.id)
            seen.append(event)
            notify(str(event))
        status = outcome(seen)
        if status and not status.endswith("_IN_PROGRESS"):
            break
        _pause(seconds)
    return seen


def outcome(of: Iterable[Event]) -> str:
    """The stack's own last status; "" if it has none."""
    return next((event.status for event in reversed(list(of)) if event.is_of_the_stack), "")


def check_own(stack: Stack) -> None:
    """Refuse a stack that was made in another way.

    Raises:
        ProvisionError: It was.
    """
    if not stack.engine:
        raise ProvisionError(f"The stack {stack.name} was made in another way.", cause="stack-foreign")


def failure_of(stack: Stack, happened: Iterable[Event]) -> ProvisionError:
    """The error for a stack that failed: what failed first, and why; the rest follows from it."""
    failure = first_failure(happened)
    why = f": {failure.name} ({failure.kind}) failed, {failure.reason or 'without a reason'}" if failure else ""
    return ProvisionError(
        f"The stack {stack.name} is {stack.status}{why}".rstrip(".") + ".",
        cause="stack-failed",
        facts={"stack": stack.name},
    )


def first_failure(of: Iterable[Event]) -> Event | None:
    """The event of the resource that failed first, when it was tried last.

    What was cancelled because of it did not fail by itself.
    """
    events_of_try: list[Event] = []
    for event in of:
        if event.is_of_the_stack and event.status in _TRIES:
            events_of_try.clear()
        events_of_try.append(event)
    failures = (event for event in events_of_try if event.status.endswith("_FAILED") and not event.is_of_the_stack)
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
    session: Any,
    call: str,
    doing: str,
    arguments: dict[str, Any],
    part: str = "",
    refusals: Mapping[str, RdsIamError] | None = None,
) -> Any:
    """The part of the answer that is asked for; None if that is none."""
    return ask(session, "cloudformation", call, doing, arguments, part=part, refusals=refusals).get(part)


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
