"""Whether a database can be connected to yet, by its status; and waiting until it can.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html and, for clusters,
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html list what a status may be. Most
of them (backing-up, modifying, upgrading …) do not keep anyone from connecting.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from rds_iam_magic.aws.endpoint import Endpoint, Kind
from rds_iam_magic.background import TICK
from rds_iam_magic.errors import OptionError, TargetError
from rds_iam_magic.wording import count_of

WAIT_LIMIT = 30 * 60.0
"""Seconds after which waiting ends: a stopped cluster starts in minutes, a new one takes a quarter of an hour."""

STEP = 10.0
"""Seconds between two looks; RDS throttles those who look more often."""

_COMING = frozenset({"creating", "rebooting", "starting"})
_STOPPED = frozenset({"stopped", "stopping"})
_FAILED = frozenset(
    {
        "cloning-failed",
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-create",
        "incompatible-network",
        "incompatible-restore",
        "insufficient-capacity",
        "migration-failed",
        "restore-error",
    }
)
SWITCHING_IAM = frozenset({"configuring-iam-database-auth", "update-iam-db-auth"})
"""Statuses while IAM authentication is being switched on or off."""

_PASSING = frozenset({"endpoint-not-ready", "iam-authentication-pending"})

Found = TypeVar("Found")


def status_problem(name: str, status: str) -> TargetError | None:
    """The error for a database that nobody can connect to while it has this status; None for any other status."""
    if status in _COMING:
        return TargetError(f"{name} is {status}; it cannot be connected to yet.", cause="endpoint-not-ready")
    if status in _STOPPED:
        return TargetError(f"{name} is {status}.", cause="database-stopped")
    if status in _FAILED:
        return TargetError(f"{name} cannot be connected to: its status is {status}.", cause="database-failed")
    return None


def iam_problem(name: str, status: str, *, enabled: bool | None, pending: bool) -> TargetError | None:
    """The error for a database without IAM authentication.

    Args:
        name: How the user calls it.
        status: Its status, which may tell that the change is being made.
        enabled: Whether IAM authentication is on; None, not known, is no error.
        pending: Whether switching it on is a pending change.
    """
    if enabled is not False:
        return None
    if pending or status in SWITCHING_IAM:
        return TargetError(
            f"IAM database authentication is being switched on for {name}.", cause="iam-authentication-pending"
        )
    return TargetError(f"IAM database authentication is off on {name}.", cause="iam-authentication-off")


def check_can_wait(endpoint: Endpoint) -> None:
    """Refuse endpoints of what has no status of its own, or not in a known region.

    Raises:
        OptionError: It is a proxy's, a shard group's or a global database's.
    """
    if endpoint.kind in (Kind.PROXY, Kind.GLOBAL, Kind.SHARD_GROUP):
        raise OptionError(
            f"{endpoint.host} is the endpoint of a {endpoint.kind.value}, whose status cannot be waited for.",
            cause="wait-without-database",
        )


def when_ready(
    name: str,
    look: Callable[[], Found],
    problem_of: Callable[[Found], TargetError | None],
    *,
    wait: bool,
    notify: Callable[[str], None],
) -> Found:
    """What `look` finds, once nothing keeps anyone from connecting to it.

    Args:
        name: How the user calls it.
        look: Asks AWS.
        problem_of: What keeps one from connecting.
        wait: Whether to look again, for at most `WAIT_LIMIT`, while that passes by itself.
        notify: Called with each new state of what is waited for, and at the end.

    Raises:
        TargetError: It is not ready, and this was not to be waited for, does not pass, or lasted too long.
        RdsIamError: From `look`.
    """
    deadline, told = time.monotonic() + WAIT_LIMIT, ""
    while True:
        try:
            found = look()
            problem = problem_of(found)
        except TargetError as error:  # it is being made, and has no endpoint yet
            problem = error
        if problem is None:
            if told:
                notify(f"{name} is ready now.")
            return found
        if not wait or problem.cause not in _PASSING:
            raise problem
        if time.monotonic() >= deadline:
            raise TargetError(f"{problem.message} {_minutes()} of waiting did not change that.", cause="wait-too-long")
        if problem.message != told:
            told = problem.message
            notify(f"{told} Waiting, for at most {_minutes()}.")
        _pause(STEP)


def _minutes() -> str:
    return count_of(round(WAIT_LIMIT / 60), "minute")


def _pause(seconds: float) -> None:
    """Sleep so that an interrupt ends it at once, on Windows too."""
    end = time.monotonic() + seconds
    while (remaining := end - time.monotonic()) > 0:
        time.sleep(min(TICK, remaining))
