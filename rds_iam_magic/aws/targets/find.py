"""Clusters, instances and proxies, found by RDS's describe calls: by identifier, resource id, host name or secret."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import Endpoint, Kind
from rds_iam_magic.aws.session import region_of
from rds_iam_magic.aws.targets.describe import (
    CLUSTERS,
    GLOBALS,
    INSTANCES,
    PROXIES,
    PROXY_ENDPOINTS,
    Describer,
    Row,
    needed,
)
from rds_iam_magic.aws.targets.describe import Kind as Described
from rds_iam_magic.aws.targets.found import Database, Found
from rds_iam_magic.aws.targets.global_database import writer_of
from rds_iam_magic.aws.targets.rows import (
    database_of,
    hosts_of,
    identifier_of,
    is_global,
    is_in_cluster,
    is_instance,
    owner_among,
    owner_of,
    proxy_database,
)
from rds_iam_magic.errors import TargetError

# RDS makes them so, and keeps identifiers in lower case.
_RESOURCE_ID = re.compile(r"(?:cluster|db)-[A-Z0-9]{16,}|prx-[A-Za-z0-9]{16,}")


def is_resource_id(target: str) -> bool:
    """Whether a target has the form of a resource id: `cluster-…`, `db-…` or `prx-…`."""
    return _RESOURCE_ID.fullmatch(target.strip()) is not None


def by_identifier(session: Any, identifier: str, *, region: str | None = None) -> Found:
    """The cluster or instance of that name; else the proxy, else the global database.

    Raises:
        TargetError: There is none (the hint names similar ones), a cluster *and* an instance, or it is another engine.
        AwsError: Nothing was found, and not all may be described.
        RegionError: No region is known.
    """
    identifier = identifier.strip()
    if not identifier:
        raise TargetError("The target is empty.", cause="target-empty")
    region = region or region_of(session)
    with aws_call(f"looking up {identifier}"):
        row, owner = _one_of_that_name(session, identifier, region)
    return writer_of(session, row, region) if is_global(row) else found_of(row, owner, region)


def _one_of_that_name(session: Any, identifier: str, region: str) -> tuple[Row, Row | None]:
    describer = Describer(session, region)
    rows, owner = _of_that_name(describer, identifier)
    if not rows:
        names = sorted(map(identifier_of, describer.all(CLUSTERS, INSTANCES)))
        denied = [each.permission for each in (PROXIES, GLOBALS) if describer.denied(each)]
        raise _unknown(identifier, region, names, denied)
    if len(rows) > 1:
        raise _ambiguous(identifier, rows)
    return rows[0], owner


def _of_that_name(describer: Describer, identifier: str) -> tuple[list[Row], Row | None]:
    """The rows of that name, of clusters and instances if there are any, and the owner of a single one."""
    rows = [row for kind in (CLUSTERS, INSTANCES) if (row := describer.one(kind, identifier)) is not None]
    if rows:
        return rows, owner_of(describer, rows[0]) if len(rows) == 1 else None
    for kind in (PROXIES, GLOBALS):
        row = describer.one(kind, identifier)
        if row is not None:
            return [row], None
    describer.require(CLUSTERS, INSTANCES)
    return [], None


def _unknown(identifier: str, region: str, names: list[str], denied: list[str]) -> TargetError:
    near = difflib.get_close_matches(identifier.lower(), names, n=3, cutoff=0.4) or names[:5]
    others = "" if denied else ", nor a proxy or global database of that name"
    error = TargetError(
        f"There is no DB cluster or instance {identifier!r} in {region}{others}.",
        f"Similar names there: {', '.join(near)}." if near else "",
        cause="target-unknown",
        facts={"permission": " and ".join(denied)} if denied else None,  # it may be what was not looked at
    )
    if denied:
        error.put_before_hint(f"Not all was looked at: that takes {' and '.join(denied)}.")
    return error


def _ambiguous(identifier: str, rows: list[Row]) -> TargetError:
    """The error for a cluster and an instance of one name, of whatever engine, and with an endpoint or without."""
    return TargetError(
        f"There are a DB cluster and a DB instance named {identifier}: {' and '.join(map(_in_full, rows))}.",
        cause="target-ambiguous",
    )


def _in_full(row: Row) -> str:
    host = (row.get("Endpoint") or {}).get("Address") if is_instance(row) else row.get("Endpoint")
    arn = needed(row, "DBInstanceArn" if is_instance(row) else "DBClusterArn")
    return f"{host} ({arn})" if host else arn


def found_of(row: Row, owner: Row | None, region: str) -> Found:
    """What a described cluster, instance or proxy is, with its origin in words.

    Args:
        row: The description.
        owner: As `owner_of` has it.
        region: Its region.

    Raises:
        TargetError: As `database_of` does.
    """
    if "DBProxyName" in row:
        database = proxy_database(row, region)
        what = f"{database.proxy} is an RDS Proxy"
    else:
        database = database_of(row, owner, region)
        kind = "DB instance" if is_instance(row) else "DB cluster"
        what = f"{identifier_of(row)} is a {kind}"
        if is_in_cluster(row):
            what += f" in the cluster {row['DBClusterIdentifier']}"
    return Found(database.endpoint, f"{what}; its endpoint is {database.endpoint.host}.", database)


def by_name_of_kind(session: Any, kind: Described, identifier: str, region: str) -> Found | None:
    """The cluster, instance or proxy of that name, where it is known which of them it is; None if there is none.

    Raises:
        AwsError: It may not be described.
        TargetError: It is another engine, or has no endpoint yet.
    """
    with aws_call(f"looking up {identifier}"):
        return _named(session, kind, identifier, region)


def _named(session: Any, kind: Described, identifier: str, region: str) -> Found | None:
    describer = Describer(session, region)
    row = describer.one(kind, identifier)
    describer.require(kind)
    return _found_with_owner(describer, row, region)


def _found_with_owner(describer: Describer, row: Row | None, region: str) -> Found | None:
    if row is None:
        return None
    return found_of(row, None if "DBProxyName" in row else owner_of(describer, row), region)


def by_resource_id(session: Any, resource_id: str, *, region: str | None = None) -> Found:
    """The cluster, instance or proxy with that resource id.

    Raises:
        TargetError: There is none in the region.
        AwsError: They may not be described.
        RegionError: No region is known.
    """
    resource_id = resource_id.strip()
    kind, key = {
        "cluster": (CLUSTERS, "DbClusterResourceId"),
        "db": (INSTANCES, "DbiResourceId"),
        "prx": (PROXIES, "DBProxyArn"),
    }[resource_id.partition("-")[0]]
    found = _listed(
        session,
        f"looking up {resource_id}",
        region or region_of(session),
        kind,
        lambda row: str(row.get(key, "")).rpartition(":")[2] == resource_id,
    )
    if found is None:
        raise TargetError(
            f"There is no DB cluster, instance or proxy with the resource id {resource_id} in "
            f"{region or region_of(session)}.",
            cause="target-unknown",
        )
    return found


def by_proxy_arn(session: Any, arn: str, region: str) -> Found | None:
    """The proxy with that ARN; None if there is none.

    Raises:
        AwsError: Proxies may not be described.
    """
    return _listed(session, f"looking up {arn}", region, PROXIES, lambda row: row.get("DBProxyArn") == arn)


def _listed(session: Any, doing: str, region: str, kind: Described, fits: Callable[[Row], bool]) -> Found | None:
    """The first of a kind that fits; a denial is raised if none does."""
    with aws_call(doing):
        return _first(session, region, kind, fits)


def _first(session: Any, region: str, kind: Described, fits: Callable[[Row], bool]) -> Found | None:
    describer = Describer(session, region)
    row = next(filter(fits, describer.all(kind)), None)
    if row is None:
        describer.require(kind)
    return _found_with_owner(describer, row, region)


def by_endpoint(session: Any, endpoint: Endpoint, *, any_engine: bool = False) -> Database:
    """What owns an endpoint's host name: the cluster, the instance, or the proxy; the cluster for an instance in one.

    Args:
        session: A boto3 session.
        endpoint: The endpoint; the database has it with the port that RDS describes.
        any_engine: Whether engines that cannot be connected to are as good.

    Raises:
        TargetError: Nothing in the region has it, or it is another engine.
        AwsError: It cannot be looked up.
    """
    with aws_call(f"looking up {endpoint.host}"):
        look = _proxy_with if endpoint.kind is Kind.PROXY else _database_with
        database = look(session, endpoint, any_engine)
    if database is None:
        what = "RDS Proxy" if endpoint.kind is Kind.PROXY else "DB cluster or instance"
        raise TargetError(
            f"No {what} in {endpoint.region} has the endpoint {endpoint.host}.",
            cause="endpoint-unknown",
        )
    return replace(database, endpoint=replace(endpoint, port=database.endpoint.port))


def _database_with(session: Any, endpoint: Endpoint, any_engine: bool) -> Database | None:
    describer = Describer(session, endpoint.region)
    rows = describer.all(CLUSTERS, INSTANCES)
    row = next((row for row in rows if endpoint.host in hosts_of(row)), None)
    if row is None:
        # Whose denial leaves it open: an instance's endpoint is in no cluster's description, nor the other way round.
        describer.require(INSTANCES if endpoint.kind is Kind.INSTANCE else CLUSTERS)
        return None
    return database_of(row, owner_among(rows, row), endpoint.region, any_engine=any_engine)


def _proxy_with(session: Any, endpoint: Endpoint, any_engine: bool) -> Database | None:
    describer = Describer(session, endpoint.region)
    rows = describer.all(PROXIES)
    own = next((row for row in rows if str(row.get("Endpoint", "")).lower() == endpoint.host), None)
    if own is None and rows:
        further = describer.all(PROXY_ENDPOINTS)
        name = next(
            (row["DBProxyName"] for row in further if str(row.get("Endpoint", "")).lower() == endpoint.host), None
        )
        own = next((row for row in rows if row["DBProxyName"] == name), None)
    if own is None:
        describer.require(PROXIES, PROXY_ENDPOINTS)
        return None
    return proxy_database(own, endpoint.region, any_engine=any_engine)


def by_secret(session: Any, secret: str, region: str) -> Found:
    """The cluster or instance whose master secret this is; RDS-managed secrets do not name it themselves.

    Args:
        session: A boto3 session.
        secret: The secret's ARN, or its name.
        region: The region to look in.

    Raises:
        TargetError: No cluster or instance in the region has that master secret.
        AwsError: They may not be described.
    """

    def fits(row: Row) -> bool:
        arn = str((row.get("MasterUserSecret") or {}).get("SecretArn", ""))
        # An ARN has a hyphen and six characters behind the name.
        return bool(arn) and secret in (arn, arn.partition(":secret:")[2][:-7])

    with aws_call("looking up the database of the secret"):
        return _that_names_secret(session, fits, region)


def _that_names_secret(session: Any, fits: Callable[[Row], bool], region: str) -> Found:
    describer = Describer(session, region)
    rows = describer.all(CLUSTERS, INSTANCES)
    row = next(filter(fits, rows), None)
    if row is None:
        describer.require(CLUSTERS, INSTANCES)
        raise TargetError(
            "The secret does not name its database, and no database in the region names the secret.",
            cause="secret-without-database",
        )
    return found_of(row, owner_among(rows, row), region)
