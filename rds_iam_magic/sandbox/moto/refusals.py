"""The verifier's refusals where RDS tells them: the log `iam-db-auth-error` and CloudWatch's metrics.

The words and metrics are those of AWS's documentation, from which some are as observed (`InternalError`):
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
That a key that is unknown, expired or of another region is an `InvalidToken` is inferred: the table names no other.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from rds_iam_magic.sandbox.iam import ACCOUNT
from rds_iam_magic.sandbox.verifier import Kind, Refusal

EXPORT = "iam-db-auth-error"
METRIC = "IamDbAuthConnectionFailure"

_TEXTS = {
    Kind.INVALID_TOKEN: "Failed to authenticate the connection request for user '{user}' because the provided token is "
    "malformed or otherwise invalid. (Status Code: 400, Error Code: InvalidToken)",
    Kind.EXPIRED_TOKEN: "Failed to authenticate the connection request for user '{user}' because the token age is "
    "longer than 15 minutes. (Status Code: 400, Error Code: ExpiredToken)",
    Kind.NOT_AUTHORIZED: "Failed to authorize the connection request for user '{user}' because the IAM policy assumed "
    "by the caller '{principal}' is not authorized to perform `rds-db:connect` on the DB instance. (Status Code: 403, "
    "Error Code: NotAuthorized)",
    Kind.THROTTLED: "Failed to authorize the connection request for user '{user}' due to IAM DB authentication "
    "throttling. (Status Code: 429, Error Code: ThrottlingException)",
    Kind.SERVER_ERROR: "Failed to authorize the connection request for user '{user}' due to an internal IAM DB Auth "
    "error. (Status Code: 500, Error Code: InternalError)",
}
_CLASSES = {
    Kind.INVALID_TOKEN: "InvalidToken",
    Kind.EXPIRED_TOKEN: "InvalidToken",
    Kind.NOT_AUTHORIZED: "InsufficientPermissions",
    Kind.THROTTLED: "Throttling",
    Kind.SERVER_ERROR: "ServerError",
}


def tell(refusal: Refusal, user: str, now: dt.datetime, otherwise: tuple[str, str]) -> None:
    """Write a refusal into the log, if the database exports that, and count it.

    Args:
        refusal: The refusal.
        user: The database user that was asked for.
        now: When, with a time zone.
        otherwise: The region and owner (`cluster/ID`) that a token for no known endpoint is told to.
    """
    if refusal.kind not in _TEXTS:
        return
    region, owner = otherwise
    if refusal.endpoint is not None and refusal.endpoint.owner:
        region, owner = refusal.endpoint.region, refusal.endpoint.owner
    database = _database(region, owner)
    if EXPORT in (database.enabled_cloudwatch_logs_exports or []):
        _write(region, owner, _TEXTS[refusal.kind].format(user=user, principal=refusal.principal), now)
    _count(region, owner, _CLASSES[refusal.kind], now)


def _database(region: str, owner: str) -> Any:
    from moto.rds.models import rds_backends

    kind, _, name = owner.partition("/")
    backend = rds_backends[ACCOUNT][region]
    return backend.clusters[name] if kind == "cluster" else backend.databases[name]


def _write(region: str, owner: str, text: str, now: dt.datetime) -> None:
    from moto.logs.models import logs_backends

    group, stream = f"/aws/rds/{owner}/{EXPORT}", owner.partition("/")[2]
    logs = logs_backends[ACCOUNT][region]
    logs.ensure_log_group(group)
    logs.ensure_log_stream(group, stream)
    milliseconds = int(now.timestamp() * 1000)
    line = f"{now:%Y-%m-%dT%H:%M:%S},{milliseconds % 1000:03} [ERROR] {text}"
    logs.put_log_events(group, stream, [{"timestamp": milliseconds, "message": line}])


def _count(region: str, owner: str, kind: str, now: dt.datetime) -> None:
    from moto.cloudwatch.models import cloudwatch_backends

    of, _, name = owner.partition("/")
    dimension = {"Name": "DBClusterIdentifier" if of == "cluster" else "DBInstanceIdentifier", "Value": name}
    one = {"Dimensions": [dimension], "Value": 1.0, "Unit": "Count", "Timestamp": now.replace(tzinfo=None)}
    data = [{"MetricName": f"{METRIC}{suffix}", **one} for suffix in ("", kind)]
    cloudwatch_backends[ACCOUNT][region].put_metric_data("AWS/RDS", data)
