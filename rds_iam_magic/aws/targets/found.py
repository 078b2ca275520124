"""`Found`: what a target means; `Database`: a cluster, instance or proxy as RDS describes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.errors import AwsError


@dataclass(frozen=True, slots=True)
class Database:
    """A cluster, instance or proxy as RDS describes it.

    Attributes:
        endpoint: Its endpoint; for a cluster, the writer endpoint.
        arn: Its ARN, which names its account.
        resource_id: `cluster-…`, `db-…` or `prx-…`: what `rds-db:connect` policies name (never the identifier). None if
            it is not known: an instance's in a cluster that may not be described.
        iam_enabled: Whether IAM authentication is on; None if it is not known, as above.
        iam_pending: Whether switching it on is a pending change.
        status: Such as `available`; of an instance in a cluster, the instance's.
        pauses: Whether it may be paused: Aurora Serverless v2 with a minimum capacity of 0 ACU.
        master_secret: The ARN of the secret that RDS keeps the master user's password in, and its status, such as
            `active`; None if RDS does not manage it, or as above.
        cluster: The identifier of the cluster that it is or is in; "" for others.
        proxy: The proxy's name; "" for others.
        reader: The host name of the cluster's reader endpoint; "" if it has none, or it is not known.
        custom: The host names of the cluster's custom endpoints.
        instance: The identifier of the instance that it is; "" for others, and for one in a cluster, whose description
            is its cluster's, unless that may not be described.
        engine: Such as `aurora-mysql`; of a proxy the family, such as `mysql`.
        version: The engine's version; "" for a proxy.
        logins: Whom a proxy has secrets for: the user, "" where it is not named, and whether it takes tokens for it.
        takes_all: Whether a proxy takes tokens for every user, and passes them on: end-to-end IAM authentication.
    """

    endpoint: Endpoint
    arn: str
    resource_id: str | None
    iam_enabled: bool | None
    iam_pending: bool = False
    status: str = "available"
    pauses: bool = False
    master_secret: tuple[str, str] | None = None
    cluster: str = ""
    proxy: str = ""
    reader: str = ""
    custom: tuple[str, ...] = ()
    instance: str = ""
    engine: str = ""
    version: str = ""
    logins: tuple[tuple[str, bool], ...] = ()
    takes_all: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a target means.

    Attributes:
        endpoint: The endpoint that the token is signed for.
        origin: Where it came from, as a sentence.
        database: As AWS describes it; None if AWS was not asked.
        schema: The default database that came along with it, if any.
        secret: The id of the master user's secret that came along with it, if any.
        told: Whether the user is told the origin: where the endpoint is not what was typed, or what goes by that name.
        moves: Whether it may be another one for the next session: a global database's writer, a name of the user's own.
        again: Finds the endpoint once more, where it moves; else None.
    """

    endpoint: Endpoint
    origin: str
    database: Database | None = None
    schema: str | None = None
    secret: str | None = None
    told: bool = False
    moves: bool = False
    again: Callable[[], Endpoint] | None = None


def account_of(database: Database) -> str:
    """The account in a database's ARN.

    Raises:
        AwsError: The ARN is malformed.
    """
    parts = database.arn.split(":")
    if len(parts) < 6:
        raise AwsError(f"{database.arn!r} is not an ARN.", cause="aws-response-invalid")
    return parts[4]
