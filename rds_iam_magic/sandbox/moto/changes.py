"""How moto's classes are changed, and how an added action answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal


def after(owner: Any, name: str, more: Callable[[Any], None]) -> None:
    """Have `more` done to the object after each call of its method."""
    original = getattr(owner, name)

    def both(self: Any, *arguments: Any, **options: Any) -> Any:
        answer = original(self, *arguments, **options)
        more(self)
        return answer

    setattr(owner, name, both)


def add_actions(responses: Any, actions: tuple[Callable[[Any], Any], ...]) -> None:
    """Give a service actions, by the names of the functions."""
    for action in actions:
        setattr(responses, action.__name__, action)


def result(**parts: Any) -> Any:
    """An action's answer, by its parts."""
    return direct(parts)


def direct(answer: Mapping[str, Any]) -> Any:
    """An action's answer, as one mapping."""
    from moto.core.responses import ActionResult

    return ActionResult(answer)


def fault(service: Literal["iam", "rds"], code: str, message: str) -> Exception:
    """A refusal of a service, to raise within an action."""
    from moto.iam.exceptions import IAMException
    from moto.rds.exceptions import RDSClientError

    return {"iam": IAMException, "rds": RDSClientError}[service](code, message)
