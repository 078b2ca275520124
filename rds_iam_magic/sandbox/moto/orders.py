"""What a test may order of the account that no API of AWS does, by name: `carry_out`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from rds_iam_magic.sandbox.iam import ACCOUNT, PARTITION, control_policies


def carry_out(order: str, arguments: dict[str, Any]) -> None:
    """Do what an order says.

    Raises:
        LookupError: There is no such order, or nothing of that name.
    """
    _ORDERS[order](**arguments)


def _limit_account(documents: list[dict[str, Any]]) -> None:
    """The service control policies of the account's organization, from now on; none: it is in no organization."""
    from moto.iam.models import iam_backends

    control_policies(iam_backends[ACCOUNT][PARTITION])[:] = documents


def _set_status(name: str, status: str) -> None:
    """The status of a cluster, of an instance or of a proxy, whichever has that name."""
    _find(name).status = status


def _set_health(name: str, health: dict[str, str]) -> None:
    """`TargetHealth` of a proxy's targets."""
    _find(name).health = health


def _end_session(access_key_id: str) -> None:
    """A role's session has expired as of now."""
    from moto.sts.models import sts_backends

    for backend in list(sts_backends[ACCOUNT].values()):
        role = backend.get_assumed_role_from_access_key(access_key_id)
        if role is not None:
            role.expiration = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None) - dt.timedelta(seconds=1)
            return
    raise LookupError(access_key_id)


def _find(name: str) -> Any:
    from moto.rds.models import rds_backends

    for backend in list(rds_backends[ACCOUNT].values()):
        for found in (backend.clusters, backend.databases, backend.db_proxies):
            if name in found:
                return found[name]
    raise LookupError(name)


_ORDERS: dict[str, Callable[..., None]] = {
    "limit_account": _limit_account,
    "set_status": _set_status,
    "set_health": _set_health,
    "end_session": _end_session,
}
