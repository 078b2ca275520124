"""Aurora global databases: the member that writes, in whose region the token is signed.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-global-database-connecting.html
"""

from __future__ import annotations

from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.targets.arn import Arn, parse_arn
from rds_iam_magic.aws.targets.describe import CLUSTERS, GLOBALS, Describer, Row, needed
from rds_iam_magic.aws.targets.found import Found
from rds_iam_magic.aws.targets.rows import database_of
from rds_iam_magic.errors import TargetError


def find_global(session: Any, region: str, *, name: str = "", host: str = "", required: bool = False) -> Row | None:
    """The global database of that name, or with that endpoint; None if there is none.

    Args:
        session: A boto3 session.
        region: Any region of the partition.
        name: Its identifier.
        host: The host name of its endpoint, instead; then None also if global databases may not be described.
        required: Whether that is an error for a host name, too.

    Raises:
        AwsError: It cannot be looked up.
    """
    with aws_call(f"looking up {name or host}"):
        return _named(session, region, name) if name else _with_host(session, region, host, required)


def _named(session: Any, region: str, name: str) -> Row | None:
    describer = Describer(session, region)
    row = describer.one(GLOBALS, name)
    describer.require(GLOBALS)
    return row


def _with_host(session: Any, region: str, host: str, required: bool) -> Row | None:
    describer = Describer(session, region)
    rows = describer.all(GLOBALS)
    if required:
        describer.require(GLOBALS)
    return next((row for row in rows if str(row.get("Endpoint", "")).lower() == host), None)


def writer_arn(row: Row) -> Arn:
    """The ARN of the cluster that writes for a described global database; its region is where tokens are signed.

    Raises:
        TargetError: None writes at the moment.
        AwsError: It is not described as it should be.
    """
    writer = next((each for each in row.get("GlobalClusterMembers") or () if each.get("IsWriter")), None)
    if writer is None:
        raise TargetError(
            f"The global database {row['GlobalClusterIdentifier']} has no writer at the moment (status: "
            f"{row.get('Status', 'unknown')}).",
            cause="global-without-writer",
        )
    return parse_arn(needed(writer, "DBClusterArn"))


def writer_of(session: Any, row: Row, region: str) -> Found:
    """The cluster that writes for a described global database; which one that is may change at any time.

    Raises:
        TargetError: None writes at the moment, or it is another engine.
        AwsError: The cluster may not be described.
    """
    name, member = str(row["GlobalClusterIdentifier"]), writer_arn(row)
    with aws_call(f"looking up {member.name}"):
        cluster = _cluster(session, member.region or region, member.name)
    if cluster is None:
        raise TargetError(
            f"The global database {name} has the writer {member.name} in {member.region}, which does not exist.",
            cause="global-without-writer",
        )
    database = database_of(cluster, cluster, member.region)
    origin = f"{name} is a global database; its writer is {database.endpoint.host} in {member.region}."
    return Found(database.endpoint, origin, database, told=True, moves=True)


def _cluster(session: Any, region: str, name: str) -> Row | None:
    describer = Describer(session, region)
    row = describer.one(CLUSTERS, name)
    describer.require(CLUSTERS)
    return row
