"""`probe`: the usual mistakes in policies that may not be read: what a mistake would allow is simulated.

A policy that names the database's identifier allows `…:dbuser:IDENTIFIER/USER`; the simulator says so, and by which
policy. What cannot be guessed, such as the id of a database that is gone, is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rds_iam_magic.aws.policies.document import CONNECT
from rds_iam_magic.aws.policies.evaluate import Verdict
from rds_iam_magic.aws.policies.misses import Login, Miss, MissKind
from rds_iam_magic.aws.policies.review import MADE_BY_AWS, WRONG_ACTION
from rds_iam_magic.aws.policies.simulate import Simulation, simulate
from rds_iam_magic.errors import AwsError

MOST = 50
"""How many databases' ids are tried for a proxy."""

_NO_ACTION = "rds:connectx"  # there is none; what allows it allows all of `rds:`
_Candidate = tuple[str, MissKind, str]
"""An ARN, the mistake that it stands for, and what is wrong, as a clause."""


def probe(session: Any, principal: str, login: Login, names: Mapping[str, str]) -> list[Miss]:
    """The mistakes that simulations show, one of each kind at most.

    Args:
        session: A boto3 session.
        principal: The ARN of the user or role.
        login: Who is not let in where.
        names: What the databases of the region are called, as `databases.names_in` has it.

    Raises:
        AwsError: As `simulate` does.
    """
    candidates = {arn: (kind, why) for arn, kind, why in _candidates(login, names)}
    found: dict[MissKind, Miss] = {}
    for arn, simulation in _simulated(session, principal, CONNECT, [*candidates], login).items():
        if arn in candidates and simulation.verdict is Verdict.ALLOWED:
            kind, why = candidates[arn]
            found.setdefault(kind, Miss(kind, _policy(simulation), arn, why))
    if (by := _wrong_action(session, principal, login, [*candidates])) is not None:
        found["action"] = Miss("action", by, WRONG_ACTION, f"the action {WRONG_ACTION} does not exist, {CONNECT} does")
    return list(found.values())


def _candidates(login: Login, names: Mapping[str, str]) -> Iterator[_Candidate]:
    """ARNs that policies with mistakes name."""
    ours = login.resource.resource_id
    called = dict.fromkeys([login.name, *(name for name, meant in names.items() if meant == ours != name)])
    for name in called:
        if MADE_BY_AWS.fullmatch(name):
            why = f"{name} is the id of an instance in an Aurora cluster, whose own id is {ours}"
            yield _with_id(login, name), "instance-id", why
        else:
            yield _with_id(login, name), "identifier", f"{name} is an identifier; the resource id is {ours}"
    for own in sorted(set(names.values()))[:MOST] if login.is_proxy else ():
        why = f"{own} is a database's; what is dialled is an RDS Proxy, whose own id is {ours}"
        yield _with_id(login, own), "instance-id", why
    user = login.user
    for other in dict.fromkeys((user.lower(), user.upper(), user.capitalize())):
        if other != user:
            yield login.resource.arn(other), "user-case", f"it names the user {other}, not {user}: the case counts"


def _with_id(login: Login, name: str) -> str:
    return replace(login.resource, resource_id=name).arn(login.user)


def _simulated(session: Any, principal: str, action: str, arns: list[str], login: Login) -> dict[str, Simulation]:
    return simulate(session, login.resource.region, principal, action, arns) or {}


def _policy(simulation: Simulation) -> str:
    return next(iter(simulation.policies), "")


def _wrong_action(session: Any, principal: str, login: Login, arns: list[str]) -> str | None:
    """The policy that allows `rds:connect`, "" if it is not named; None if none does, or but for a pattern."""
    ours = login.arn
    arns = [ours, ours.replace(":rds-db:", ":rds:", 1), *arns]
    try:
        found = _simulated(session, principal, WRONG_ACTION, arns, login)
        allowed = [arn for arn, each in found.items() if each.verdict is Verdict.ALLOWED]
        if not allowed:
            return None
        control = _simulated(session, principal, _NO_ACTION, allowed[:1], login)
    except AwsError:  # the simulator may refuse an action that does not exist
        return None
    by_pattern = any(each.verdict is Verdict.ALLOWED for each in control.values())
    return None if by_pattern else _policy(found[allowed[0]])
