"""The database or proxy that has the endpoint, as RDS describes it; a proxy's logins, a global database's writer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rds_iam_magic.aws.availability import SWITCHING_IAM
from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import Endpoint, Kind
from rds_iam_magic.aws.targets.describe import health_of_targets, offers_iam
from rds_iam_magic.aws.targets.find import by_endpoint
from rds_iam_magic.aws.targets.found import Database, account_of
from rds_iam_magic.aws.targets.global_database import find_global, writer_arn, writer_of
from rds_iam_magic.aws.targets.rows import SPOKEN_ENGINES
from rds_iam_magic.doctor.checks.check import Check, Tools
from rds_iam_magic.doctor.evidence import (
    Described,
    Evidence,
    Failed,
    Identity,
    NoSuch,
    NotLooked,
    NotPermitted,
    Problem,
    Proxy,
    Target,
    Unknown,
    Writer,
)
from rds_iam_magic.errors import CredentialsError, RdsIamError, TargetError

_WAITS = NotLooked(waits_for="database")


def _look(tools: Tools, evidence: Evidence) -> Evidence:
    target = evidence.target
    if not isinstance(target, Target) or isinstance(evidence.keys, Problem):
        waits = NotLooked(waits_for="credentials" if isinstance(target, Target) else "target")
        return replace(evidence, database=waits, proxy=waits, writer=waits)
    endpoint = replace(target.endpoint, region=target.home)
    if endpoint.kind is Kind.GLOBAL:
        return _of_global(tools.session, evidence, endpoint)
    if endpoint.kind is Kind.SHARD_GROUP:
        nothing = Failed("A shard group's endpoint is in no description of a cluster.")
        return replace(evidence, database=nothing, proxy=None, writer=None)
    is_proxy = endpoint.kind is Kind.PROXY
    evidence = replace(evidence, writer=None, proxy=_WAITS if is_proxy else None)
    try:
        database = target.described or by_endpoint(tools.session, endpoint, any_engine=True)
    except RdsIamError as error:
        unknown = _why_not(error)
        if unknown is None:
            return replace(evidence, database=_no_such(evidence, endpoint))
        return replace(evidence, database=unknown, proxy=unknown if is_proxy else None)
    return replace(
        evidence,
        database=_described(tools.session, database),
        proxy=_proxy(tools.session, database, evidence.asked.user) if database.proxy else None,
    )


def _of_global(session: Any, evidence: Evidence, endpoint: Endpoint) -> Evidence:
    """The writer's cluster, for the name of a global database."""
    evidence = replace(evidence, proxy=None)
    try:
        row = find_global(session, endpoint.region, host=endpoint.host, required=True)
    except RdsIamError as error:
        unknown = _why_not(error) or Failed(error.message)
        return replace(evidence, database=unknown, writer=unknown)
    if row is None:
        return replace(evidence, database=_no_such(evidence, endpoint), writer=None)
    try:
        member = writer_arn(row)
    except RdsIamError as error:  # none writes at the moment
        return replace(evidence, writer=Failed(error.message), database=Failed(error.message))
    writer = Writer(str(row["GlobalClusterIdentifier"]), member.region, "")
    try:
        found = writer_of(session, row, endpoint.region)
    except RdsIamError as error:
        return replace(evidence, writer=writer, database=_why_not(error) or Failed(error.message))
    database = None if found.database is None else _described(session, found.database)
    return replace(evidence, writer=replace(writer, host=found.endpoint.host), database=database or _WAITS)


def _why_not(error: RdsIamError) -> Unknown | None:
    """Why RDS did not describe it; None if nothing in the region has the endpoint."""
    if isinstance(error, TargetError) and error.cause == "endpoint-unknown":
        return None
    if isinstance(error, CredentialsError):
        return NotLooked(waits_for="credentials")
    return NotPermitted.of(error) or Failed(error.message)


def _no_such(evidence: Evidence, endpoint: Endpoint) -> NoSuch:
    identity = evidence.identity
    return NoSuch(identity.account if isinstance(identity, Identity) else "", endpoint.region)


def _described(session: Any, database: Database) -> Described:
    is_proxy = bool(database.proxy)
    is_switching = database.status in SWITCHING_IAM and database.iam_enabled is False
    database = replace(database, iam_pending=database.iam_pending or is_switching)
    return Described(
        name=database.proxy or database.instance or database.cluster,
        kind="RDS Proxy" if is_proxy else "DB instance" if database.instance else "DB cluster",
        account=account_of(database),
        resource_id=database.resource_id,
        port=database.endpoint.port,
        status=database.status,
        iam_enabled=None if is_proxy else database.iam_enabled,
        iam_pending=database.iam_pending,
        pauses=database.pauses,
        engine="" if is_proxy else database.engine,
        version=database.version,
        supports_iam=_supports_iam(session, database),
        arn=database.arn,
    )


def _supports_iam(session: Any, database: Database) -> bool | Unknown:
    """RDS is asked only where that does not follow: where it is on, or being switched on, it is supported."""
    if database.proxy:
        return database.engine == "mysql"
    if database.engine not in SPOKEN_ENGINES:
        return False
    if database.iam_enabled or database.iam_pending:
        return True
    engine = f"{database.engine} {database.version}"
    try:
        with aws_call(f"looking up what {engine} supports"):
            offered = offers_iam(session, database.endpoint.region, database.engine, database.version)
    except RdsIamError as error:
        return NotPermitted.of(error) or Failed(error.message)
    return Failed(f"RDS does not list {engine} any more.") if offered is None else offered


def _proxy(session: Any, database: Database, user: str) -> Proxy:
    own = [takes_tokens for name, takes_tokens in database.logins if name == user]
    are_named = all(name for name, _ in database.logins)
    return Proxy(
        name=database.proxy,
        iam=own[0] if own else _for_others(database),
        has_user=True if own or database.takes_all else (False if are_named else None),
        health=_health(session, database),
    )


def _for_others(database: Database) -> bool | None:
    """Whether a proxy takes tokens for a user whose entry is not known."""
    if database.takes_all:
        return True
    answers = {takes_tokens for _, takes_tokens in database.logins} or {False}
    return answers.pop() if len(answers) == 1 else None


def _health(session: Any, database: Database) -> tuple[tuple[str, str, str], ...] | Unknown:
    """The health of each target that has any: RDS lists a cluster beside its instances."""
    try:
        with aws_call(f"looking up the targets of {database.proxy}"):
            targets = health_of_targets(session, database.endpoint.region, database.proxy)
        return tuple(target for target in targets if any(target))
    except RdsIamError as error:
        return NotPermitted.of(error) or Failed(error.message)


DATABASE = Check(
    name="database",
    fills=("database", "proxy", "writer"),
    look=_look,
    needs=("keys", "target"),
    after=("identity",),
    limit=10.0,
)
"""One call for all, and mostly one or two more; the first that nobody answers ends it, after 3 s."""
