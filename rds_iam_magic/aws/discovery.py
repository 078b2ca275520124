"""Target → `Endpoint` or `Database`, looked up with RDS's describe calls if necessary.

A host name needs no look-up. An identifier is searched among the clusters, then the instances.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import Endpoint, Kind, is_host_name, parse_host_name
from rds_iam_magic.aws.failures import error_code
from rds_iam_magic.aws.session import client_of, configured_region, region_of
from rds_iam_magic.connect_options import DEFAULT_PORT
from rds_iam_magic.errors import AwsError, TargetError

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")  # RDS allows ASCII letters, digits and hyphens
_SPOKEN_ENGINES = ("mysql", "mariadb", "aurora-mysql", "aurora")


@dataclass(frozen=True, slots=True)
class Database:
    """A cluster or instance as RDS describes it.

    Attributes:
        endpoint: Its endpoint; for a cluster, the writer endpoint.
        arn: Its ARN, which names its account.
        resource_id: `cluster-…` or `db-…`: what `rds-db:connect` policies name (never the identifier).
        iam_enabled: Whether IAM database authentication is on.
    """

    endpoint: Endpoint
    arn: str
    resource_id: str
    iam_enabled: bool


def resolve(
    session: Any, target: str, *, port: int | None = None, region: str | None = None, require_iam: bool = True
) -> Endpoint:
    """The endpoint that a target names.

    Args:
        session: A boto3 session.
        target: An RDS host name, or the identifier of a DB cluster or instance.
        port: Overrides the endpoint's port.
        region: Overrides the region in a host name.
        require_iam: Whether IAM authentication must be enabled; checked only for identifiers.

    Raises:
        TargetError: The target does not exist, is another engine, has no endpoint yet, or IAM authentication is off.
        AwsError: The identifier cannot be looked up, for instance without permission.
        RegionError: The target is an identifier, and no region is known.
    """
    if is_host_name(target):
        return parse_host_name(target, port=port, region=region or _configured_region_of_global(session, target))
    database = find(session, target)
    if require_iam and not database.iam_enabled:
        raise TargetError(
            f"IAM database authentication is off on {target}.",
            cause="iam-authentication-off",
        )
    return database.endpoint if port is None else replace(database.endpoint, port=port)


def _configured_region_of_global(session: Any, target: str) -> str | None:
    # A global endpoint's name has no region, since its writer moves. The session's region is taken instead.
    return configured_region(session) if ".global." in target else None


def find(session: Any, identifier: str) -> Database:
    """The cluster or instance with that identifier.

    Raises:
        TargetError: It is empty or does not exist (the hint names similar ones), is another engine, or has no endpoint
            yet.
    """
    identifier = identifier.strip()
    if not identifier:
        raise TargetError("The target is empty.", cause="target-empty")
    region = region_of(session)
    with aws_call(f"looking up {identifier}"):
        row, owner, names = _look_up(client_of(session, "rds"), identifier)
    if row is None:
        near = difflib.get_close_matches(identifier.lower(), names, n=3, cutoff=0.4) or names[:5]
        raise TargetError(
            f"There is no DB cluster or instance {identifier!r} in {region}.",
            f"Similar names there: {', '.join(near)}." if near else "",
            cause="target-unknown",
        )
    database = _database(row, region)
    if owner is None or owner is row:
        return database
    return replace(_database(owner, region), endpoint=database.endpoint)


def _look_up(client: Any, identifier: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None, list[str]]:
    """The description with that identifier, its cluster if any, and all identifiers if there is none."""
    row = _describe_one(client, identifier)
    if row is None:
        return None, None, sorted(_identifier(row) for row in describe_all(client))
    # IAM policies name the cluster that an Aurora instance is of, never the instance.
    cluster = _cluster_of(row) if "DBInstanceIdentifier" in row else ""
    return row, _describe_one(client, cluster) if cluster else row, []


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
        rows = list(describe_all(client_of(session, "rds", region_name=endpoint.region)))
    for row in rows:
        if endpoint.host in _hosts(row):
            owner = next((r for r in rows if r.get("DBClusterIdentifier") == _cluster_of(row)), row)
            return _database(owner, endpoint.region)
    raise TargetError(
        f"No DB cluster or instance in {endpoint.region} has the endpoint {endpoint.host}.",
        cause="endpoint-unknown",
    )


def find_by_secret(session: Any, secret_arn: str) -> Database:
    """The cluster or instance whose master secret this is; RDS-managed secrets do not name it themselves.

    Raises:
        TargetError: No cluster or instance in the region has that master secret.
    """
    region = region_of(session)
    with aws_call("looking up the database of the secret"):
        rows = list(describe_all(client_of(session, "rds")))
    for row in rows:
        if row.get("MasterUserSecret", {}).get("SecretArn") == secret_arn:
            return _database(row, region)
    raise TargetError(
        "The secret does not name its database, and no database in the region names the secret.",
        cause="secret-without-database",
    )


def _describe_one(client: Any, identifier: str) -> dict[str, Any] | None:
    if _IDENTIFIER.fullmatch(identifier) is None:
        return None  # RDS never issues such a name; do not pass it to filters or ARNs
    calls = (
        (client.describe_db_clusters, "DBClusterIdentifier", "DBClusters", "DBClusterNotFound"),
        (client.describe_db_instances, "DBInstanceIdentifier", "DBInstances", "DBInstanceNotFound"),
    )
    for call, argument, answer, missing in calls:
        try:
            rows = call(**{argument: identifier})[answer]
        except client.exceptions.ClientError as error:
            # An identifier that is too long, for instance, is refused as a parameter; it is simply not there.
            if not error_code(error).startswith((missing, "InvalidParameterValue")):
                raise
            continue
        # Only an exact match, never the first of a response that lists all.
        for row in rows:
            if str(row.get(argument, "")).lower() == identifier.lower():
                return dict(row)
    return None


def describe_all(client: Any) -> Iterator[dict[str, Any]]:
    """The descriptions of all clusters, then of all instances, page by page; call it only inside a border."""
    for call, answer in (("describe_db_clusters", "DBClusters"), ("describe_db_instances", "DBInstances")):
        for page in client.get_paginator(call).paginate():
            yield from page[answer]


def _identifier(row: dict[str, Any]) -> str:
    # An instance in a cluster also names its cluster, so its own name comes first.
    return str(row.get("DBInstanceIdentifier") or row["DBClusterIdentifier"])


def _cluster_of(row: dict[str, Any]) -> str:
    return str(row.get("DBClusterIdentifier") or "")


def _hosts(row: dict[str, Any]) -> set[str]:
    if "DBInstanceIdentifier" in row:
        return {str(row.get("Endpoint", {}).get("Address", "")).lower()}
    hosts = [row.get("Endpoint"), row.get("ReaderEndpoint"), *row.get("CustomEndpoints", [])]
    return {str(host).lower() for host in hosts if host}


def _database(row: dict[str, Any], region: str) -> Database:
    name, engine = _identifier(row), str(row.get("Engine", ""))
    if engine not in _SPOKEN_ENGINES:
        raise TargetError(
            f"{name} is a {engine} database; rds_iam_magic supports MySQL and MariaDB.",
            cause="engine-unsupported",
        )
    is_instance = "DBInstanceIdentifier" in row
    address = (row.get("Endpoint") or {}) if is_instance else row
    host = address.get("Address") if is_instance else address.get("Endpoint")
    if not host:
        status = row.get("DBInstanceStatus") or row.get("Status") or "unknown"
        raise TargetError(f"{name} has no endpoint yet (status: {status}).", cause="endpoint-not-ready")
    return Database(
        endpoint=parse_host_name(str(host), port=int(address.get("Port") or DEFAULT_PORT), region=region),
        arn=str(row["DBInstanceArn"] if is_instance else row["DBClusterArn"]),
        resource_id=str(row["DbiResourceId"] if is_instance else row["DbClusterResourceId"]),
        iam_enabled=bool(row.get("IAMDatabaseAuthenticationEnabled")),
    )


def account_of(database: Database) -> str:
    """The account in a database's ARN.

    Raises:
        AwsError: The ARN is malformed.
    """
    parts = database.arn.split(":")
    if len(parts) < 6:
        raise AwsError(f"{database.arn!r} is not an ARN.", cause="aws-response-invalid")
    return parts[4]
