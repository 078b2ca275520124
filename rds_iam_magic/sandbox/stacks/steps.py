"""Stacks that take time and may fail: moto makes a stack within the call that asks for it, or refuses the call.

A stack with a database is made as somebody looks at its events: each look brings it one database further. Whoever looks
at the stack itself finds it complete, and stacks without a database are complete at once, as moto has them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from moto.cloudformation.models import CloudFormationBackend, Event, Stack

from rds_iam_magic.sandbox.stacks.databases import replace
from rds_iam_magic.sandbox.stacks.models import TAKING_TIME


def install() -> None:
    """Change this process's moto, before it is used."""
    _Steps.create_at_once, _Steps.delete_at_once = Stack.create_resources, CloudFormationBackend.delete_stack
    outputs: Any = vars(Stack)["outputs"]
    replace(
        Stack,
        create_resources=_Steps.begin,
        outputs=property(_when_there(outputs.fget)),
        stack_resources=property(_made),
    )
    finders = ("describe_stacks", "get_stack", "list_stacks")
    replace(CloudFormationBackend, **{name: _looking(vars(CloudFormationBackend)[name]) for name in finders})
    replace(CloudFormationBackend, describe_stack_events=_events, delete_stack=_delete_stack)


class _Steps:
    """How a stack is made, one look after the other."""

    create_at_once: ClassVar[Callable[[Any], None]]
    delete_at_once: ClassVar[Callable[[Any, str], None]]
    lock: ClassVar[threading.RLock] = threading.RLock()

    @staticmethod
    def begin(stack: Any) -> None:
        """In place of `Stack.create_resources`."""
        if not any(_takes_time(resource) for resource in stack.template_dict["Resources"].values()):
            _Steps.create_at_once(stack)
            return
        stack.status = "CREATE_IN_PROGRESS"
        stack.steps = _create(stack)

    @staticmethod
    def advance(stack: Any, *, to_the_end: bool) -> None:
        with _Steps.lock:
            for _ in getattr(stack, "steps", ()):
                if not to_the_end:
                    return


def _takes_time(resource: Mapping[str, Any]) -> bool:
    return resource["Type"] in TAKING_TIME


def _create(stack: Any) -> Iterator[None]:
    resources = stack.resource_map
    for name, described in stack.template_dict["Resources"].items():
        if not resources.lazy_condition_map.get(described.get("Condition"), True):
            continue
        _tell(stack, name, "CREATE_IN_PROGRESS")
        if _takes_time(described):
            yield
        try:
            resources[name]
        except Exception as error:  # noqa: BLE001 - whatever moto refuses it with is the reason
            _tell(stack, name, "CREATE_FAILED", reason=str(getattr(error, "message", error)))
            yield from _roll_back(stack, name)
            return
        _tell(stack, name, "CREATE_COMPLETE")
    stack.mark_creation_complete()


def _roll_back(stack: Any, failed: str) -> Iterator[None]:
    reason = f"The following resource(s) failed to create: [{failed}]. Rollback requested by user."
    stack.status = "ROLLBACK_IN_PROGRESS"
    stack._add_stack_event(stack.status, resource_status_reason=reason)  # noqa: SLF001 - moto's own
    yield
    _delete_resources(stack)
    stack.status = "ROLLBACK_COMPLETE"
    stack._add_stack_event(stack.status)  # noqa: SLF001 - moto's own


def _delete_resources(stack: Any) -> bool:
    """Delete what was made, in reverse; whether all of it could be."""
    resources, ok = stack.resource_map, True
    for name in reversed(list(stack.template_dict["Resources"])):
        made = resources._parsed_resources.get(name)  # noqa: SLF001 - to look is to make elsewhere
        if made is None:
            continue
        _tell(stack, name, "DELETE_IN_PROGRESS")
        try:
            resources._delete_resource(made, stack.template_dict["Resources"][name])  # noqa: SLF001 - moto's own
        except Exception as error:  # noqa: BLE001 - whatever moto refuses it with is the reason
            _tell(stack, name, "DELETE_FAILED", reason=str(getattr(error, "message", error)))
            ok = False
        else:
            _tell(stack, name, "DELETE_COMPLETE")
            del resources._parsed_resources[name]  # noqa: SLF001 - moto's own
    return ok


def _delete_stack(backend: Any, name_or_id: str) -> None:
    """In place of `CloudFormationBackend.delete_stack`: what cannot be deleted is an event, not a fault of the call."""
    stack = next((s for s in backend.stacks.values() if name_or_id in (s.name, s.stack_id)), None)
    if stack is None or not hasattr(stack, "steps"):
        _Steps.delete_at_once(backend, name_or_id)
        return
    with _Steps.lock:
        stack.steps = iter(())
        stack._add_stack_event("DELETE_IN_PROGRESS", resource_status_reason="User Initiated")  # noqa: SLF001
        stack.status = "DELETE_COMPLETE" if _delete_resources(stack) else "DELETE_FAILED"
        stack._add_stack_event(stack.status)  # noqa: SLF001 - moto's own
        if stack.status == "DELETE_COMPLETE":
            backend.deleted_stacks[stack.stack_id] = backend.stacks.pop(stack.stack_id)


def _tell(stack: Any, name: str, status: str, *, reason: str | None = None) -> None:
    made = stack.resource_map._parsed_resources.get(name)  # noqa: SLF001 - to look is to make elsewhere
    physical = str(getattr(made, "physical_resource_id", getattr(made, "name", "")))
    kind = stack.template_dict["Resources"][name]["Type"]
    stack.events.append(Event(stack.stack_id, stack.name, name, physical, kind, status, reason, None))


def _events(backend: Any, stack_name: str) -> Any:
    """In place of `CloudFormationBackend.describe_stack_events`: a look brings the stack further."""
    stack = next((s for s in backend.stacks.values() if stack_name in (s.name, s.stack_id)), None)
    if stack is None:
        return backend.get_stack(stack_name).events
    _Steps.advance(stack, to_the_end=False)
    return stack.events


def _looking(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the backend that finds its stacks complete."""

    def look(backend: Any, *arguments: Any, **named: Any) -> Any:
        for stack in list(backend.stacks.values()):
            _Steps.advance(stack, to_the_end=True)
        return function(backend, *arguments, **named)

    return look


def _when_there(outputs: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A stack that failed has no outputs; moto would make its resources for them."""
    return lambda stack: None if hasattr(stack, "steps") and stack.status != "CREATE_COMPLETE" else outputs(stack)


def _made(stack: Any) -> list[Any]:
    """The resources that are there; moto would make the others."""
    made = stack.resource_map._parsed_resources  # noqa: SLF001 - to look is to make elsewhere
    return (
        [made.get(name) for name in stack.resource_map.resources]
        if not hasattr(stack, "steps")
        else [made[name] for name in stack.resource_map.resources if name in made]
    )
