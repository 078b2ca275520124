"""Who the credentials are, by the STS of the endpoint's partition; the clock, by its date; whose keys they are else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rds_iam_magic.aws.endpoint import partition_of
from rds_iam_magic.aws.identity import (
    OTHER_SECRET,
    REGIONS,
    UNKNOWN_KEY,
    Caller,
    arn_of_role,
    ask_who,
    clock_ahead,
    partition_with_key,
    role_of,
)
from rds_iam_magic.aws.session import configured_region
from rds_iam_magic.doctor.checks.check import Check, Tools
from rds_iam_magic.doctor.evidence import (
    NOT_LOOKED,
    Evidence,
    Failed,
    Identity,
    Keys,
    NotLooked,
    NotPermitted,
    Problem,
    Target,
    Unknown,
)
from rds_iam_magic.errors import CredentialsError, RdsIamError

_WAITS = NotLooked(waits_for="credentials")


def _look(tools: Tools, evidence: Evidence) -> Evidence:
    if not isinstance(evidence.keys, Keys):
        return replace(evidence, identity=_WAITS, known_in=_WAITS, clock=_clock_alone(tools, evidence))
    session, region = tools.session, _region(tools.session, evidence)
    caller = ask_who(session, region)
    return replace(
        evidence,
        identity=_identity(session, caller, region),
        clock=_clock(caller.ahead),
        known_in=_known_in(session, region, caller.code),
    )


def _region(session: Any, evidence: Evidence) -> str:
    """The region that the endpoint is in, else the session's, else any."""
    if isinstance(evidence.target, Target):
        return evidence.target.home
    return configured_region(session) or REGIONS["aws"]


def _clock_alone(tools: Tools, evidence: Evidence) -> float | Unknown:
    """A wrong clock is a reason why credentials seem to have expired, or a role is refused."""
    if not isinstance(evidence.keys, Problem):
        return _WAITS
    try:
        session = tools.session
    except RdsIamError:  # such as a profile that there is not
        return _WAITS
    return _clock(clock_ahead(session, _region(session, evidence)))


def _clock(ahead: float | None) -> float | Failed:
    return Failed("No answer of AWS's tells the time.") if ahead is None else ahead


def _identity(session: Any, caller: Caller, region: str) -> Identity | Problem | Unknown:
    refusal = caller.refusal
    if refusal is None:
        return Identity(caller.arn, caller.account, _principal(session, caller.arn, region))
    if isinstance(refusal, CredentialsError):
        return Problem.of(refusal)
    return NotPermitted.of(refusal) or Failed(refusal.message)


def _principal(session: Any, arn: str, region: str) -> str | Unknown:
    role = role_of(arn)
    if not role:
        if ":federated-user/" in arn:
            return Failed("AWS does not tell whose policies a federated user has.")
        return arn
    try:
        return arn_of_role(session, role, region)
    except RdsIamError as error:
        return NotPermitted.of(error) or Failed(error.message)


def _known_in(session: Any, region: str, code: str) -> str | Unknown:
    if code == OTHER_SECRET:
        return partition_of(region)
    if code != UNKNOWN_KEY:
        return NOT_LOOKED
    elsewhere = partition_with_key(session, partition_of(region))
    if elsewhere.silent and not elsewhere.partition:
        return Failed("; ".join(f"{name}: {what}" for name, what in elsewhere.silent.items()))
    return elsewhere.partition


IDENTITY = Check(
    name="identity",
    fills=("identity", "clock", "known_in"),
    look=_look,
    after=("keys", "target"),
    limit=8.0,
)
"""One call, then at most one more: for the role, or to all of the other partitions at once."""
