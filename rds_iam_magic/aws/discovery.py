"""Target → `Endpoint` or `Database`, looked up with RDS's describe calls if necessary.

A host name needs no look-up. An identifier is searched among the clusters, then the instances.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from rds_iam_magic.aws.availability import check_can_wait, iam_problem, status_problem, when_ready
from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import (
    DatabaseArn,
    Endpoint,
    Kind,
    is_arn,
    is_host_name,
    parse_arn,
    parse_host_name,
)
from rds_iam_magic.aws.failures import error_code, is_denial
from rds_iam_magic.aws.secret import region_in
from rds_iam_magic.aws.session import account_of_caller, client_of, configured_region, part_of, region_of
from rds_iam_magic.connect_options import DEFAULT_PORT
from rds_iam_magic.errors import AwsError, OptionError, TargetError, warn

_Row = dict[str, Any]
"""A cluster or an instance, as RDS describes it."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")  # RDS allows ASCII letters, digits and hyphens
_SPOKEN_ENGINES = ("mysql", "mariadb", "aurora-mysql", "aurora")


@dataclass(frozen=True, slots=True)
class Database:
    """A cluster or instance as RDS describes it.

    Attributes:
        endpoint: Its endpoint; for a cluster, the writer endpoint.
        arn: Its ARN, which names its account.
        resource_id: `cluster-…` or `db-…`: what `rds-db:connect` policies name (never the identifier). None if it is
            not known: an instance's in a cluster that may not be described.
        iam_enabled: Whether IAM database authentication is on; None if it is not known, as above.
        iam_pending: Whether switching it on is a pending change.
        status: Such as `available`; of an instance in a cluster, the instance's.
        pauses: Whether it may be paused: Aurora Serverless v2 with a minimum capacity of 0 ACU.
        master_secret: The ARN of the secret that RDS keeps the master user's password in, and its status, such as
            `active`; None if RDS does not manage it, or as above.
    """

    endpoint: Endpoint
    arn: str
    resource_id: str | None
    iam_enabled: bool | None
    iam_pending: bool = False
    status: str = "available"
    pauses: bool = False
    master_secret: tuple[str, str] | None = None


def resolve(
    session: Any,
    target: str,
    *,
    port: int | None = None,
    region: str | None = None,
    require_iam: bool = True,
    wait: bool = False,
    notify: Callable[[str], None] = warn,
    described: Callable[[Database], None] = lambda database: None,  # noqa: ARG005 - nobody wants to know
) -> Endpoint:
    """The endpoint that a target names.

    Args:
        session: A boto3 session.
        target: An RDS host name, or the identifier or ARN of a DB cluster or instance.
        port: Overrides the endpoint's port.
        region: Overrides the region in a host name, and the session's for an identifier.
        require_iam: Whether IAM authentication must be enabled; checked only where the database is looked up.
        wait: Whether to wait until the database is available, and IAM authentication on; looks up a host name's
            database, too.
        notify: Called with what is waited for.
        described: Called with the database, if it was looked up.

    Raises:
        TargetError: The target does not exist, is another engine, is not available, or IAM authentication is off.
        OptionError: A proxy's or global endpoint's host name, whose status cannot be waited for.
        AwsError: The identifier cannot be looked up, for instance without permission.
        RegionError: The target is an identifier, and no region is known.
    """
    if is_host_name(target):
        given = parse_host_name(target, port=port, region=region or _configured_region_of_global(session, target))
        if not wait:
            return given
        check_can_wait(given)

    def look() -> Database:
        return find_by_endpoint(session, given) if is_host_name(target) else find(session, target, region=region)

    database = _when_ready(look, target.strip(), require_iam=require_iam, wait=wait, notify=notify)
    described(database)
    endpoint = database.endpoint
    return endpoint if port is None else replace(endpoint, port=port)


def resolve_by_secret(
    session: Any,
    secret_arn: str,
    *,
    wait: bool = False,
    notify: Callable[[str], None] = warn,
    described: Callable[[Database], None] = lambda database: None,  # noqa: ARG005 - nobody wants to know
) -> Endpoint:
    """The endpoint of the database whose master secret this is; the arguments are as in `resolve`.

    Raises:
        TargetError: As `find_by_secret` does, or the database is not available.
        AwsError: The databases cannot be looked up.
    """
    database = _when_ready(
        lambda: find_by_secret(session, secret_arn),
        "the secret's database",
        require_iam=False,
        wait=wait,
        notify=notify,
    )
    described(database)
    return database.endpoint


def _when_ready(
    look: Callable[[], Database], name: str, *, require_iam: bool, wait: bool, notify: Callable[[str], None]
) -> Database:
    def problem_of(database: Database) -> TargetError | None:
        problem = status_problem(name, database.status)
        if problem is not None or not require_iam:
            return problem
        return iam_problem(name, database.status, enabled=database.iam_enabled, pending=database.iam_pending)

    return when_ready(name, look, problem_of, wait=wait, notify=notify)


def _configured_region_of_global(session: Any, target: str) -> str | None:
    # A global endpoint's name has no region, since its writer moves. The session's region is taken instead.
    return configured_region(session) if ".global." in target else None


def find(session: Any, identifier: str, *, region: str | None = None) -> Database:
    """The cluster or instance with that identifier or ARN.

    Args:
        session: A boto3 session.
        identifier: The identifier, or the ARN, which tells the region.
        region: Overrides the session's region.

    Raises:
        OptionError: Another region than the ARN's is given.
        TargetError: It is empty or does not exist (the hint names similar ones), is another engine, or has no endpoint
            yet.
    """
    identifier = identifier.strip()
    if not identifier:
        raise TargetError("The target is empty.", cause="target-empty")
    if is_arn(identifier):
        return _find_by_arn(session, parse_arn(identifier), region)
    region = region or region_of(session)
    with aws_call(f"looking up {identifier}"):
        row, owner, names = _look_up(client_of(session, "rds", region_name=region), identifier)
    if row is None:
        near = difflib.get_close_matches(identifier.lower(), names, n=3, cutoff=0.4) or names[:5]
        raise TargetError(
            f"There is no DB cluster or instance {identifier!r} in {region}.",
            f"Similar names there: {', '.join(near)}." if near else "",
            cause="target-unknown",
        )
    return _owned(row, owner, region)


def _find_by_arn(session: Any, arn: DatabaseArn, region: str | None) -> Database:
    if region not in (None, arn.region):
        raise OptionError(f"The ARN is of {arn.region}, not of {region}.", cause="region-contradicts-arn")
    with aws_call(f"looking up {arn.identifier}"):
        client = client_of(session, "rds", region_name=arn.region)
        row = _describe(client, _CLUSTERS if arn.is_cluster else _INSTANCES, arn.identifier)
        owner = None if row is None else _owner(client, row)
    database = None if row is None else _owned(row, owner, arn.region)
    account = account_of_caller(session) if database is None else account_of(database)
    if account not in (None, arn.account):
        raise TargetError(
            f"{arn.identifier} is in account {arn.account}; the credentials are of account {account}.",
            cause="target-in-other-account",
        )
    if database is None:
        kind = "DB cluster" if arn.is_cluster else "DB instance"
        raise TargetError(f"There is no {kind} {arn.identifier!r} in {arn.region}.", cause="target-unknown")
    return database


def _look_up(client: Any, identifier: str) -> tuple[_Row | None, _Row | None, list[str]]:
    """The description with that identifier, its owner, and all identifiers if there is none."""
    row = _describe_one(client, identifier)
    if row is None:
        rows, _ = describe_all(client)
        return None, None, sorted(map(_identifier, rows))
    return row, _owner(client, row), []


def _owner(client: Any, row: _Row) -> _Row | None:
    """Whom policies name: the cluster of an instance in one, None if it may not be described; else itself."""
    if not _is_in_cluster(row):
        return row
    try:
        return _describe(client, _CLUSTERS, _cluster_of(row))
    except client.exceptions.ClientError as error:
        if not is_denial(error):
            raise
        return None


def find_by_endpoint(session: Any, endpoint: Endpoint) -> Database:
    """The cluster or instance that owns an endpoint's host name; the cluster for an instance in a cluster.

    Raises:
        TargetError: No cluster or instance in the region has it, or it is an RDS Proxy's.
    """
    if endpoint.kind is Kind.PROXY:
        raise TargetError(
            f"{endpoint.host} is an RDS Proxy, whose policies name the proxy's own id (prx-…).",
            cause="proxy-policy-unknown",
        )
    with aws_call(f"looking up {endpoint.host}"):
        row, owner = _first(
            client_of(session, "rds", region_name=endpoint.region), lambda row: endpoint.host in _hosts(row)
        )
    if row is None:
        raise TargetError(
            f"No DB cluster or instance in {endpoint.region} has the endpoint {endpoint.host}.",
            cause="endpoint-unknown",
        )
    return replace(_owned(row, owner, endpoint.region), endpoint=endpoint)


def find_by_secret(session: Any, secret_arn: str) -> Database:
    """The cluster or instance whose master secret this is; RDS-managed secrets do not name it themselves.

    Raises:
        TargetError: No cluster or instance in the secret's region has that master secret.
    """
    region = region_in(secret_arn) or region_of(session)
    with aws_call("looking up the database of the secret"):
        row, owner = _first(
            client_of(session, "rds", region_name=region),
            lambda row: row.get("MasterUserSecret", {}).get("SecretArn") == secret_arn,
        )
    if row is None:
        raise TargetError(
            "The secret does not name its database, and no database in the region names the secret.",
            cause="secret-without-database",
        )
    return _owned(row, owner, region)


class _Kind(NamedTuple):
    """A kind of database in RDS's API: the call, its argument, where the answer has them, and the code for none."""

    call: str
    argument: str
    answer: str
    missing: str


_CLUSTERS = _Kind("describe_db_clusters", "DBClusterIdentifier", "DBClusters", "DBClusterNotFound")
_INSTANCES = _Kind("describe_db_instances", "DBInstanceIdentifier", "DBInstances", "DBInstanceNotFound")


def _describe_one(client: Any, identifier: str) -> _Row | None:
    """The cluster or else the instance of that name. A denial of either is raised only if the other has none."""
    if _IDENTIFIER.fullmatch(identifier) is None:
        return None  # RDS never issues such a name; do not pass it to filters or ARNs
    denial: Exception | None = None
    for kind in (_CLUSTERS, _INSTANCES):
        try:
            row = _describe(client, kind, identifier)
        except client.exceptions.ClientError as error:
            if not is_denial(error):
                raise
            denial = denial or error.with_traceback(None)
            continue
        if row is not None:
            return row
    if denial is not None:
        raise denial
    return None


def _describe(client: Any, kind: _Kind, identifier: str) -> _Row | None:
    try:
        rows = part_of(getattr(client, kind.call)(**{kind.argument: identifier}), kind.answer)
    except client.exceptions.ClientError as error:
        # An identifier that is too long, for instance, is refused as a parameter; it is simply not there.
        if not error_code(error).startswith((kind.missing, "InvalidParameterValue")):
            raise
        return None
    # Only an exact match, never the first of a response that lists all.
    return next((dict(row) for row in rows if str(row.get(kind.argument, "")).lower() == identifier.lower()), None)


def describe_all(client: Any) -> tuple[list[_Row], Exception | None]:
    """All clusters and instances that may be described, and the first denial if some may not; within a border."""
    rows: list[_Row] = []
    denial: Exception | None = None
    for kind in (_CLUSTERS, _INSTANCES):
        try:
            for page in client.get_paginator(kind.call).paginate():
                rows += part_of(page, kind.answer)
        except client.exceptions.ClientError as error:
            if not is_denial(error):
                raise
            denial = denial or error.with_traceback(None)
    return rows, denial


def _first(client: Any, fits: Callable[[_Row], bool]) -> tuple[_Row | None, _Row | None]:
    """The first description that fits, and its owner as `_owner` has it.

    A denial is raised only if none fits.
    """
    rows, denial = describe_all(client)
    row = next(filter(fits, rows), None)
    if row is None:
        if denial is not None:
            raise denial
        return None, None
    if not _is_in_cluster(row):
        return row, row
    cluster = _cluster_of(row)
    return row, next((r for r in rows if not _is_instance(r) and _cluster_of(r) == cluster), None)


def _is_instance(row: _Row) -> bool:
    return "DBInstanceIdentifier" in row


def _is_in_cluster(row: _Row) -> bool:
    return _is_instance(row) and bool(_cluster_of(row))


def _identifier(row: _Row) -> str:
    # An instance in a cluster also names its cluster, so its own name comes first.
    return str(row.get("DBInstanceIdentifier") or row["DBClusterIdentifier"])


def _cluster_of(row: _Row) -> str:
    return str(row.get("DBClusterIdentifier") or "")


def _hosts(row: _Row) -> set[str]:
    if _is_instance(row):
        return {str(row.get("Endpoint", {}).get("Address", "")).lower()}
    hosts = [row.get("Endpoint"), row.get("ReaderEndpoint"), *row.get("CustomEndpoints", [])]
    return {str(host).lower() for host in hosts if host}


def _owned(row: _Row, owner: _Row | None, region: str) -> Database:
    """The database with the endpoint of one description and all else of its owner's, as far as that is known."""
    database = _database(row, region)
    if owner is None:
        return replace(database, resource_id=None, iam_enabled=None, master_secret=None)
    if owner is row:
        return database
    return replace(_database(owner, region), endpoint=database.endpoint, status=database.status)


def _database(row: _Row, region: str) -> Database:
    name, engine = _identifier(row), str(row.get("Engine", ""))
    if engine not in _SPOKEN_ENGINES:
        raise TargetError(
            f"{name} is a {engine} database; rds_iam_magic supports MySQL and MariaDB.",
            cause="engine-unsupported",
        )
    is_instance = _is_instance(row)
    address = (row.get("Endpoint") or {}) if is_instance else row
    host = address.get("Address") if is_instance else address.get("Endpoint")
    status = str(row.get("DBInstanceStatus") or row.get("Status") or "unknown")
    if not host:
        raise status_problem(name, status) or TargetError(
            f"{name} has no endpoint yet (status: {status}).", cause="endpoint-not-ready"
        )
    return Database(
        endpoint=parse_host_name(str(host), port=int(address.get("Port") or DEFAULT_PORT), region=region),
        arn=str(row["DBInstanceArn"] if is_instance else row["DBClusterArn"]),
        resource_id=str(row["DbiResourceId"] if is_instance else row["DbClusterResourceId"]),
        iam_enabled=bool(row.get("IAMDatabaseAuthenticationEnabled")),
        iam_pending=bool((row.get("PendingModifiedValues") or {}).get("IAMDatabaseAuthenticationEnabled")),
        status=status,
        pauses=(row.get("ServerlessV2ScalingConfiguration") or {}).get("MinCapacity") == 0,
        master_secret=_master_secret(row),
    )


def _master_secret(row: _Row) -> tuple[str, str] | None:
    secret = row.get("MasterUserSecret") or {}
    return (str(secret["SecretArn"]), str(secret.get("SecretStatus", "active"))) if "SecretArn" in secret else None


def account_of(database: Database) -> str:
    """The account in a database's ARN.

    Raises:
        AwsError: The ARN is malformed.
    """
    parts = database.arn.split(":")
    if len(parts) < 6:
        raise AwsError(f"{database.arn!r} is not an ARN.", cause="aws-response-invalid")
    return parts[4]
