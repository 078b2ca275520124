"""A target → the resource that a policy for it names: a cluster's, an instance's, or an RDS Proxy's."""

from __future__ import annotations

import re
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.aws.policies.document import Resource
from rds_iam_magic.aws.targets.describe import describe_all
from rds_iam_magic.aws.targets.found import Database, account_of
from rds_iam_magic.aws.targets.resolve import NOWHERE, described
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.errors import AwsError

_PROXY_ARN = re.compile(r"arn:(aws[a-z-]*):rds:([a-z0-9-]+):([0-9]{12}):db-proxy:(prx-[A-Za-z0-9]+)")


def find_for_policy(
    session: Any, target: str | Endpoint | None, *, where: TargetOptions = NOWHERE, region: str | None = None
) -> Resource:
    """The resource that a policy for a target names.

    Args:
        session: A boto3 session.
        target: As in `resolve`, or a connection's endpoint.
        where: As in `resolve`.
        region: Overrides the region in a host name, and the session's for an identifier.

    Raises:
        TargetError: As `described` does.
        AwsError: It cannot be looked up, for instance without permission.
    """
    if isinstance(target, str) and (proxy := _PROXY_ARN.fullmatch(target.strip())) is not None:
        return Resource(*proxy.groups())
    try:
        return resource_of(described(session, target, where=where, region=region))
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


Names = dict[str, str]
"""What else a database is called (its identifier, a member's resource id) → the resource id that policies name."""


def names_in(session: Any, region: str) -> Names | None:
    """What policies may not name, for all clusters and instances of a region; None where that cannot be looked up.

    A resource id that is right maps to itself. Whatever keeps from looking is no reason to fail: a policy may name a
    region that does not exist, or that cannot be reached from here.
    """
    try:
        with aws_call(f"looking up the databases in {region}"):
            return _all_names(session, region)
    except AwsError:
        return None


def _all_names(session: Any, region: str) -> Names | None:
    rows, denial = describe_all(session, region)
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
