"""A target → the resource that a policy for it names: a cluster's, an instance's, or an RDS Proxy's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rds_iam_magic.aws import discovery
from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.discovery import Database, account_of
from rds_iam_magic.aws.endpoint import Endpoint, Kind, is_arn, is_host_name
from rds_iam_magic.aws.policies.document import Resource
from rds_iam_magic.aws.session import client_of, part_of, region_of
from rds_iam_magic.errors import AwsError, TargetError

_PROXY_ARN = re.compile(r"arn:(aws[a-z-]*):rds:([a-z0-9-]+):([0-9]{12}):db-proxy:(prx-[A-Za-z0-9]+)")


def find_for_policy(session: Any, target: str | Endpoint, *, region: str | None = None) -> Resource:
    """The resource that a policy for a target names.

    Args:
        session: A boto3 session.
        target: An identifier, an ARN, a host name, or a connection's endpoint; of a cluster, an instance or a proxy.
        region: Overrides the region in a host name, and the session's for an identifier.

    Raises:
        TargetError: As `discovery.find` and `discovery.find_by_endpoint` do.
        AwsError: It cannot be looked up, for instance without permission.
    """
    if isinstance(target, str) and (proxy := _PROXY_ARN.fullmatch(target.strip())) is not None:
        return Resource(*proxy.groups())
    if isinstance(target, str) and is_host_name(target):
        target = discovery.resolve(session, target, region=region, require_iam=False)
    try:
        if isinstance(target, Endpoint):
            return _by_endpoint(session, target)
        return _by_name(session, target, region)
    except AwsError as error:
        if error.cause != "aws-lookup-denied":
            raise
        denial = error
    # Not the hint of connecting, that a host name needs no look-up: a policy's resource id is in no host name.
    raise AwsError(denial.message, detail=denial.detail, cause="policy-lookup-denied")


def resource_of(database: Database) -> Resource:
    """The resource of a described database.

    Raises:
        AwsError: The resource id is not known, since the instance's cluster may not be described.
    """
    endpoint = database.endpoint
    if database.resource_id is None:
        raise AwsError(
            f"The policy names the resource id of the cluster that {endpoint.identifier} is in; it is unknown, since "
            "AWS does not permit looking up the cluster with these credentials (rds:DescribeDBClusters).",
            cause="policy-lookup-denied",
        )
    return Resource(endpoint.partition, endpoint.region, account_of(database), database.resource_id)


def _by_endpoint(session: Any, endpoint: Endpoint) -> Resource:
    if endpoint.kind is not Kind.PROXY:
        return resource_of(discovery.find_by_endpoint(session, endpoint))
    found = find_proxy(session, endpoint.region, host=endpoint.host)
    if found is None:
        raise TargetError(
            f"No RDS Proxy in {endpoint.region} has the endpoint {endpoint.host}.", cause="endpoint-unknown"
        )
    return found


def _by_name(session: Any, name: str, region: str | None) -> Resource:
    """By identifier or ARN; an identifier that no database has may be a proxy's."""
    try:
        return resource_of(discovery.find(session, name, region=region))
    except TargetError as error:
        if error.cause != "target-unknown" or is_arn(name):
            raise
        unknown = error
    try:
        found = find_proxy(session, region or region_of(session), name=name.strip())
    except AwsError as error:
        if error.cause != "aws-lookup-denied":
            raise
        unknown.put_before_hint("Proxies were not looked at: that takes rds:DescribeDBProxies.")
        found = None
    if found is None:
        raise unknown
    return found


def find_proxy(session: Any, region: str, *, name: str = "", host: str = "") -> Resource | None:
    """An RDS Proxy by its name, or by the host name of one of its endpoints; None if there is none.

    Raises:
        AwsError: Proxies cannot be looked up, for instance without permission.
    """
    with aws_call(f"looking up the proxy {name or host}"):
        client = client_of(session, "rds", region_name=region)
        row = _proxy(client, lambda row: _is(row, "DBProxyName", name) or _is(row, "Endpoint", host))
        if row is None and host and (owner := _owner(client, host)) is not None:
            row = _proxy(client, lambda row: _is(row, "DBProxyName", owner))
    match = _PROXY_ARN.fullmatch(str(row.get("DBProxyArn", ""))) if row is not None else None
    if row is not None and match is None:
        raise AwsError("The ARN of the proxy is not an ARN.", cause="aws-response-invalid")
    return None if match is None else Resource(*match.groups())


def _is(row: dict[str, Any], key: str, wanted: str) -> bool:
    return bool(wanted) and str(row.get(key, "")).lower() == wanted.lower()


def _proxy(client: Any, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    # All are listed: a name that RDS never issues would be refused as a parameter.
    for page in client.get_paginator("describe_db_proxies").paginate():
        for row in part_of(page, "DBProxies"):
            if fits(row):
                return dict(row)
    return None


def _owner(client: Any, host: str) -> str | None:
    """The name of the proxy that has an endpoint of its own (a reader's, or one in another VPC) by this name."""
    for page in client.get_paginator("describe_db_proxy_endpoints").paginate():
        for row in part_of(page, "DBProxyEndpoints"):
            if _is(row, "Endpoint", host):
                return str(row.get("DBProxyName", ""))
    return None


Names = dict[str, str]
"""What else a database is called (its identifier, a member's resource id) → the resource id that policies name."""


def names_in(session: Any, region: str) -> Names | None:
    """What policies may not name, for all clusters and instances of a region; None where that cannot be looked up.

    A resource id that is right maps to itself. Whatever keeps from looking is no reason to fail: a policy may name a
    region that does not exist, or that cannot be reached from here.
    """
    try:
        with aws_call(f"looking up the databases in {region}"):
            rows, denial = discovery.describe_all(client_of(session, "rds", region_name=region))
    except AwsError:
        return None
    return None if denial is not None else _names(rows)


def _names(rows: list[dict[str, Any]]) -> Names:
    clusters = {str(row["DBClusterIdentifier"]): str(row["DbClusterResourceId"]) for row in rows if not _instance(row)}
    right = set(clusters.values())
    names: dict[str, set[str]] = {}
    for name, owner in clusters.items():
        names.setdefault(name, set()).add(owner)
    for row in filter(_instance, rows):
        cluster, own = str(row.get("DBClusterIdentifier") or ""), str(row["DbiResourceId"])
        owner = clusters.get(cluster, "") if cluster else own
        if not cluster:
            right.add(own)
        for name in (own, str(row["DBInstanceIdentifier"])):
            names.setdefault(name, set()).add(owner)
    # A cluster and an instance may have one name: then it tells neither.
    alone = {name: owners.pop() for name, owners in names.items() if len(owners) == 1}
    return {**{name: owner for name, owner in alone.items() if owner}, **{own: own for own in right}}


def _instance(row: dict[str, Any]) -> bool:
    return "DBInstanceIdentifier" in row
