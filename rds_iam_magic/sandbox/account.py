"""`Account`: what can be ordered of the sandbox's AWS account that no API of AWS does, such as a throttled login."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

Kind = Literal["throttled", "server error", "invalid token", "expired token", "not authorized"]


class Account:
    """The sandbox's account, from outside of AWS.

    Args:
        order: Has an order carried out in the process that stands for AWS.

    Raises:
        SandboxError: From each method: there is nothing of that name.
    """

    def __init__(self, order: Callable[..., None]) -> None:
        self._order = order

    @contextmanager
    def service_control_policies(self, *documents: dict[str, Any]) -> Iterator[None]:
        """Within it, the account is in an organization, and each of its policies must allow what principals do."""
        self._order("limit_account", documents=documents)
        try:
            yield
        finally:
            self._order("limit_account", documents=[])

    @contextmanager
    def status(self, name: str, status: str) -> Iterator[None]:
        """Within it, the cluster, instance or proxy of that name has this status, such as `stopped` or `starting`."""
        self._order("set_status", name=name, status=status)
        try:
            yield
        finally:
            self._order("set_status", name=name, status="available")

    @contextmanager
    def target_health(self, proxy: str, state: str, reason: str = "", description: str = "") -> Iterator[None]:
        """Within it, a proxy's targets have this `TargetHealth`: `UNAVAILABLE`, `AUTH_FAILURE` and its description."""
        told = {"State": state, "Reason": reason, "Description": description}
        self._order("set_health", name=proxy, health={key: value for key, value in told.items() if value})
        try:
            yield
        finally:
            self._order("set_health", name=proxy, health={"State": "AVAILABLE"})

    def refuse_next(self, count: int = 1, kind: Kind = "throttled") -> None:
        """Have the next logins refused (1045), and told in log and metrics as of this kind; 0: none any more."""
        self._order("refuse_next", count=count, kind=kind)

    def end_session(self, access_key_id: str) -> None:
        """Have a role's session expire now, instead of in 15 minutes, which is the least that STS gives."""
        self._order("end_session", access_key_id=access_key_id)
