"""RDS's describe calls: one of a name, or all; what may not be described is remembered, and the others are asked for.

Call these inside a border (`border.py`), in a function that the border calls: the locals of the one with the border
stay in tracebacks, and a client's hold secrets.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from rds_iam_magic.aws.failures import error_code, is_denial
from rds_iam_magic.aws.session import client_of, part_of
from rds_iam_magic.errors import AwsError

Row = dict[str, Any]
"""A cluster, an instance or the like, as RDS describes it."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")  # RDS allows ASCII letters, digits and hyphens

# An identifier that is too long, for instance, is refused as a parameter; and not every region has proxies and global
# databases. Neither is there.
_NOT_THERE = ("InvalidParameterValue", "ValidationError", "InvalidAction", "UnsupportedOperation")


def needed(row: Row, name: str) -> str:
    """A part that RDS always describes.

    Raises:
        AwsError: It is missing.
    """
    if not row.get(name):
        raise AwsError(f"AWS described a database without its {name}.", cause="aws-response-invalid")
    return str(row[name])


class Kind(NamedTuple):
    """What RDS describes: the call, the name's argument, where the answer has them, and the code for none."""

    call: str
    argument: str
    answer: str
    missing: str

    @property
    def permission(self) -> str:
        """The permission that the call takes."""
        return "rds:" + self.call.title().replace("_", "").replace("Db", "DB")


CLUSTERS = Kind("describe_db_clusters", "DBClusterIdentifier", "DBClusters", "DBClusterNotFound")
INSTANCES = Kind("describe_db_instances", "DBInstanceIdentifier", "DBInstances", "DBInstanceNotFound")
PROXIES = Kind("describe_db_proxies", "DBProxyName", "DBProxies", "DBProxyNotFound")
PROXY_ENDPOINTS = Kind(
    "describe_db_proxy_endpoints", "DBProxyEndpointName", "DBProxyEndpoints", "DBProxyEndpointNotFound"
)
CUSTOM_ENDPOINTS = Kind(
    "describe_db_cluster_endpoints", "DBClusterEndpointIdentifier", "DBClusterEndpoints", "DBClusterEndpointNotFound"
)
GLOBALS = Kind("describe_global_clusters", "GlobalClusterIdentifier", "GlobalClusters", "GlobalClusterNotFound")


class Describer:
    """Asks RDS in one region.

    Args:
        session: A boto3 session.
        region: The region.

    Attributes:
        client: The client that asks.
        denials: The first denial of each kind, by its call's name.
    """

    def __init__(self, session: Any, region: str) -> None:
        self.client = client_of(session, "rds", region_name=region)
        self.denials: dict[str, Exception] = {}

    def one(self, kind: Kind, identifier: str) -> Row | None:
        """The one of that name; None if there is none, or it may not be described."""
        if _IDENTIFIER.fullmatch(identifier) is None:
            return None  # RDS never issues such a name; do not pass it to filters or ARNs
        try:
            return describe(self.client, kind, identifier)
        except self.client.exceptions.ClientError as error:
            self._remember(kind, error)
            return None

    def all(self, *kinds: Kind, **arguments: str) -> list[Row]:
        """All of those kinds that may be described."""
        rows: list[Row] = []
        for kind in kinds:
            try:
                for page in self.client.get_paginator(kind.call).paginate(**arguments):
                    rows += part_of(page, kind.answer)
            except self.client.exceptions.ClientError as error:
                self._remember(kind, error)
        return rows

    def require(self, *kinds: Kind) -> None:
        """Raise the denial of one of those kinds, if there was one: when nothing was found."""
        for kind in kinds:
            if kind.call in self.denials:
                raise self.denials[kind.call]

    def denied(self, *kinds: Kind) -> bool:
        """Whether any of those kinds may not be described."""
        return any(kind.call in self.denials for kind in kinds)

    def _remember(self, kind: Kind, error: Exception) -> None:
        if not is_denial(error):
            raise error
        self.denials.setdefault(kind.call, error.with_traceback(None))


def describe(client: Any, kind: Kind, identifier: str) -> Row | None:
    """The one of that name; None if there is none.

    Raises:
        ClientError: As botocore does.
    """
    try:
        rows = part_of(getattr(client, kind.call)(**{kind.argument: identifier}), kind.answer)
    except client.exceptions.ClientError as error:
        if not error_code(error).startswith((kind.missing, *_NOT_THERE)):
            raise
        return None
    # Only an exact match, never the first of a response that lists all.
    return next((dict(row) for row in rows if str(row.get(kind.argument, "")).lower() == identifier.lower()), None)


def describe_all(session: Any, region: str) -> tuple[list[Row], Exception | None]:
    """All clusters and instances that may be described, and the first denial if some may not."""
    describer = Describer(session, region)
    return describer.all(CLUSTERS, INSTANCES), next(iter(describer.denials.values()), None)


def offers_iam(session: Any, region: str, engine: str, version: str) -> bool | None:
    """Whether RDS offers IAM authentication for a version of an engine; None if it does not offer that version.

    Raises:
        ClientError: As botocore does.
    """
    client = client_of(session, "rds", region_name=region)
    pages = client.get_paginator("describe_orderable_db_instance_options").paginate(
        Engine=engine, EngineVersion=version
    )
    offered = None
    for page in pages:  # one for hundreds of classes of instances; the first that has it decides
        for row in part_of(page, "OrderableDBInstanceOptions"):
            offered = offered or bool(row.get("SupportsIAMDatabaseAuthentication"))
        if offered:
            break
    return offered


def health_of_targets(session: Any, region: str, proxy: str) -> tuple[tuple[str, str, str], ...]:
    """State, reason and description of each target of a proxy; what RDS does not say is "".

    Raises:
        ClientError: As botocore does.
    """
    client = client_of(session, "rds", region_name=region)
    rows: list[Row] = []
    for page in client.get_paginator("describe_db_proxy_targets").paginate(DBProxyName=proxy):
        rows += part_of(page, "Targets")
    return tuple(_health(row.get("TargetHealth") or {}) for row in rows)


def _health(health: Row) -> tuple[str, str, str]:
    return str(health.get("State") or ""), str(health.get("Reason") or ""), str(health.get("Description") or "")
