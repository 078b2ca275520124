"""Which endpoint of a database is meant: the one that was found, its cluster's reader endpoint, or a further one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import Endpoint, Kind, parse_host_name
from rds_iam_magic.aws.targets.describe import (
    CLUSTERS,
    CUSTOM_ENDPOINTS,
    PROXIES,
    PROXY_ENDPOINTS,
    Describer,
    Row,
    needed,
)
from rds_iam_magic.aws.targets.describe import Kind as Described
from rds_iam_magic.aws.targets.find import by_endpoint, by_name_of_kind
from rds_iam_magic.aws.targets.found import Database, Found
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.errors import AwsError, TargetError


def choose(session: Any, found: Found, where: TargetOptions) -> Found:
    """What was found, with the endpoint that the options name.

    Args:
        session: A boto3 session.
        found: The cluster, instance or proxy, described or not.
        where: The options.

    Raises:
        TargetError: It has no such endpoint.
        AwsError: Its endpoints cannot be looked up.
    """
    if not where.reader and where.endpoint is None:
        return found
    if where.reader and found.database is None and found.endpoint.kind is Kind.CLUSTER:
        # A cluster's two endpoints differ in these characters only.
        return _with_host(found, found.endpoint.host.replace(".cluster-", ".cluster-ro-", 1), "reader")
    database = found.database or by_endpoint(session, found.endpoint)
    found = replace(found, database=database)
    if database.proxy:
        return _of_proxy(session, found, database, where)
    if where.endpoint is not None:
        return _custom(session, found, database, where.endpoint)
    if database.reader:
        return _with_host(found, database.reader, "reader")
    if database.resource_id is None:
        raise AwsError(
            f"The reader endpoint of {database.endpoint.identifier} is its cluster's, which AWS does not permit "
            "looking up with these credentials.",
            cause="cluster-lookup-denied",
            facts={"permission": CLUSTERS.permission},
        )
    raise TargetError(
        f"{database.endpoint.identifier} is not a cluster, and has no reader endpoint.", cause="reader-without-cluster"
    )


def _custom(session: Any, found: Found, database: Database, name: str) -> Found:
    wanted = name.strip().lower()
    # The cluster's description has their host names, which begin with their own.
    host = next((host for host in database.custom if host.partition(".")[0] == wanted), None)
    if host is not None:
        return _with_host(found, host, "custom")
    if not database.cluster:
        raise TargetError(
            f"{database.endpoint.identifier} is not a cluster, and has no custom endpoints.",
            cause="reader-without-cluster",
        )
    rows = _rows(session, database, CUSTOM_ENDPOINTS, {"DBClusterIdentifier": database.cluster})
    custom = {str(row.get("DBClusterEndpointIdentifier") or ""): row for row in rows}
    if wanted and wanted in custom:
        return _with_host(found, needed(custom[wanted], "Endpoint"), "custom")
    raise _none(f"The cluster {database.cluster} has no custom endpoint {wanted!r}.", sorted(filter(None, custom)))


def _of_proxy(session: Any, found: Found, database: Database, where: TargetOptions) -> Found:
    rows = _rows(session, database, PROXY_ENDPOINTS, {"DBProxyName": database.proxy})
    names = {needed(row, "DBProxyEndpointName"): row for row in rows}
    if where.endpoint is not None:
        row = names.get(where.endpoint.strip().lower())
    else:
        row = next((row for row in rows if row.get("TargetRole") == "READ_ONLY"), None)
    if row is not None:
        return _with_host(found, needed(row, "Endpoint"), "reader" if where.reader else "further")
    what = "read-only endpoint" if where.endpoint is None else f"endpoint {where.endpoint!r}"
    raise _none(f"The proxy {database.proxy} has no {what}.", sorted(names))


def _rows(session: Any, database: Database, kind: Described, arguments: dict[str, str]) -> list[Row]:
    with aws_call(f"looking up the endpoints of {database.cluster or database.proxy}"):
        return _all(session, database.endpoint.region, kind, arguments)


def _all(session: Any, region: str, kind: Described, arguments: dict[str, str]) -> list[Row]:
    describer = Describer(session, region)
    rows = describer.all(kind, **arguments)
    describer.require(kind)
    return rows


def _none(message: str, names: list[str]) -> TargetError:
    return TargetError(message, f"It has {', '.join(names)}." if names else "", cause="endpoint-name-unknown")


def _with_host(found: Found, host: str, what: str) -> Found:
    before: Endpoint = found.endpoint
    endpoint = parse_host_name(host, port=before.port, region=before.region)
    database = None if found.database is None else replace(found.database, endpoint=endpoint)
    origin = f"{found.origin.rstrip('.')}; {host} is its {what} endpoint."
    return replace(found, endpoint=endpoint, database=database, origin=origin)


def by_custom_endpoint(session: Any, name: str, region: str) -> Found | None:
    """The custom endpoint of that name, of whichever cluster; None if there is none.

    Raises:
        AwsError: It may not be described.
    """
    with aws_call(f"looking up {name}"):
        rows = _all(session, region, CUSTOM_ENDPOINTS, {CUSTOM_ENDPOINTS.argument: name})
    row = next((row for row in rows if str(row.get(CUSTOM_ENDPOINTS.argument) or "").lower() == name.lower()), None)
    found = None if row is None else by_name_of_kind(session, CLUSTERS, needed(row, "DBClusterIdentifier"), region)
    return None if found is None or row is None else _with_host(found, needed(row, "Endpoint"), "custom")


def by_proxy_endpoint_arn(session: Any, arn: str, region: str) -> Found | None:
    """The further endpoint of a proxy with that ARN; None if there is none.

    Raises:
        AwsError: It may not be described.
    """
    with aws_call(f"looking up {arn}"):
        rows = _all(session, region, PROXY_ENDPOINTS, {})
    rows = [row for row in rows if row.get("DBProxyEndpointArn") == arn]
    found = by_name_of_kind(session, PROXIES, needed(rows[0], "DBProxyName"), region) if rows else None
    return None if found is None else _with_host(found, needed(rows[0], "Endpoint"), "further")
