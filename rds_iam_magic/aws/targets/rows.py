"""What RDS's descriptions of clusters, instances and proxies say → `Database`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rds_iam_magic.aws.availability import status_problem
from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.targets.describe import CLUSTERS, Describer, Row, needed
from rds_iam_magic.aws.targets.found import Database
from rds_iam_magic.connect_options import DEFAULT_PORT
from rds_iam_magic.errors import TargetError

SPOKEN_ENGINES = ("mysql", "mariadb", "aurora-mysql", "aurora")
"""The engines that can be connected to, as RDS calls them; `aurora` is Aurora MySQL 1."""


def is_instance(row: Row) -> bool:
    """Whether a row is an instance; else it is a cluster."""
    return "DBInstanceIdentifier" in row


def is_global(row: Row) -> bool:
    """Whether a row is a global database; its clusters name it, too."""
    return "GlobalClusterIdentifier" in row and "DBClusterIdentifier" not in row and not is_instance(row)


def is_in_cluster(row: Row) -> bool:
    """Whether a row is an instance in a cluster."""
    return is_instance(row) and bool(cluster_of(row))


def identifier_of(row: Row) -> str:
    """The identifier of a cluster or instance."""
    # An instance in a cluster also names its cluster, so its own name comes first.
    return str(row.get("DBInstanceIdentifier") or row["DBClusterIdentifier"])


def cluster_of(row: Row) -> str:
    """The identifier of the cluster that it is, or is in; "" for an instance of its own."""
    return str(row.get("DBClusterIdentifier") or "")


def hosts_of(row: Row) -> set[str]:
    """The host names of all endpoints of a cluster or instance."""
    if is_instance(row):
        return {str((row.get("Endpoint") or {}).get("Address", "")).lower()}
    hosts = [row.get("Endpoint"), row.get("ReaderEndpoint"), *row.get("CustomEndpoints", [])]
    return {str(host).lower() for host in hosts if host}


def owner_of(describer: Describer, row: Row) -> Row | None:
    """Whom policies name: the cluster of an instance in one, None if it may not be described; else itself."""
    return describer.one(CLUSTERS, cluster_of(row)) if is_in_cluster(row) else row


def owner_among(rows: list[Row], row: Row) -> Row | None:
    """The same, from rows that have been described already."""
    if not is_in_cluster(row):
        return row
    return next((each for each in rows if not is_instance(each) and cluster_of(each) == cluster_of(row)), None)


def database_of(row: Row, owner: Row | None, region: str, *, any_engine: bool = False) -> Database:
    """The database with the endpoint of one description and all else of its owner's, as far as that is known.

    Args:
        row: The description.
        owner: As `owner_of` has it.
        region: Its region.
        any_engine: Whether engines that cannot be connected to are as good.

    Raises:
        TargetError: Its engine is not MySQL's or MariaDB's, or it has no endpoint yet.
        AwsError: What identifies it is missing.
    """
    if not any_engine:
        _check_engine(identifier_of(row), str(row.get("Engine", "")))
    database = _database(row, region)
    if owner is None:
        return replace(database, resource_id=None, iam_enabled=None, master_secret=None)
    if owner is row:
        return database
    return replace(_database(owner, region), endpoint=database.endpoint, status=database.status)


def _database(row: Row, region: str) -> Database:
    name = identifier_of(row)
    of_instance = is_instance(row)
    address = (row.get("Endpoint") or {}) if of_instance else row
    status = str(row.get("DBInstanceStatus") or row.get("Status") or "unknown")
    host = _host(name, address.get("Address") if of_instance else address.get("Endpoint"), status)
    pending = row.get("PendingModifiedValues") or {}
    return Database(
        endpoint=parse_host_name(host, port=int(address.get("Port") or DEFAULT_PORT), region=region),
        arn=needed(row, "DBInstanceArn" if of_instance else "DBClusterArn"),
        resource_id=needed(row, "DbiResourceId" if of_instance else "DbClusterResourceId"),
        iam_enabled=bool(row.get("IAMDatabaseAuthenticationEnabled")),
        iam_pending=bool(pending.get("IAMDatabaseAuthenticationEnabled")),
        status=status,
        pauses=(row.get("ServerlessV2ScalingConfiguration") or {}).get("MinCapacity") == 0,
        master_secret=_master_secret(row),
        cluster=cluster_of(row),
        reader=str(row.get("ReaderEndpoint") or "").lower(),
        custom=tuple(str(host).lower() for host in row.get("CustomEndpoints") or ()),
        instance=name if of_instance else "",
        engine=str(row.get("Engine", "")),
        version=str(row.get("EngineVersion") or ""),
    )


def _master_secret(row: Row) -> tuple[str, str] | None:
    secret = row.get("MasterUserSecret") or {}
    return (str(secret["SecretArn"]), str(secret.get("SecretStatus", "active"))) if "SecretArn" in secret else None


def proxy_database(row: Row, region: str, *, any_engine: bool = False) -> Database:
    """A proxy as a database: policies name it, and it has authentication and a status of its own.

    Args:
        row: The description.
        region: Its region.
        any_engine: As in `database_of`.

    Raises:
        TargetError: It is not MySQL's, or has no endpoint yet.
        AwsError: What identifies it is missing.
    """
    name, status = str(row["DBProxyName"]), str(row.get("Status") or "unknown")
    family = str(row.get("EngineFamily", "")).lower()
    if not any_engine:
        _check_engine(name, family, what="proxy")
    arn = needed(row, "DBProxyArn")
    logins = tuple(_login(each) for each in row.get("Auth") or ())
    takes_all = row.get("DefaultAuthScheme") == "IAM_AUTH"
    return Database(
        endpoint=parse_host_name(_host(name, row.get("Endpoint"), status), region=region),
        arn=arn,
        resource_id=arn.rpartition(":")[2],
        iam_enabled=takes_all or any(takes_tokens for _, takes_tokens in logins),
        status=status,
        proxy=name,
        engine=family,
        logins=logins,
        takes_all=takes_all,
    )


def _login(auth: Row) -> tuple[str, bool]:
    return str(auth.get("UserName") or ""), auth.get("IAMAuth") in ("REQUIRED", "ENABLED")


def _host(name: str, host: Any, status: str) -> str:
    if not host:
        raise status_problem(name, status) or TargetError(
            f"{name} has no endpoint yet (status: {status}).", cause="endpoint-not-ready"
        )
    return str(host)


def _check_engine(name: str, engine: str, what: str = "database") -> None:
    if engine not in SPOKEN_ENGINES:
        raise TargetError(
            f"{name} is a {engine} {what}; rds_iam_magic supports MySQL and MariaDB.",
            cause="engine-unsupported",
        )
