"""What RDS itself says of the login: its log `iam-db-auth-error` and its metrics, after the server's answer."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeVar

from rds_iam_magic.aws.logs.metrics import PERMISSION as METRICS_PERMISSION
from rds_iam_magic.aws.logs.metrics import count_refusals
from rds_iam_magic.aws.logs.refusals import EXPORT, Refusal, Source, read_refusals
from rds_iam_magic.aws.logs.refusals import PERMISSION as LOG_PERMISSION
from rds_iam_magic.background import BackgroundCall
from rds_iam_magic.doctor.checks.check import LIMIT, Check, Tools
from rds_iam_magic.doctor.evidence import (
    Described,
    Evidence,
    Failed,
    LogEntry,
    NotLooked,
    NotPermitted,
    Target,
    Unknown,
    known,
)
from rds_iam_magic.errors import AwsError

T = TypeVar("T")


def look(tools: Tools, evidence: Evidence) -> Evidence:
    """The evidence with what RDS says; the log and the metrics are asked for at once."""
    source = _source(evidence)
    if not isinstance(source, Source):
        return replace(evidence, log=source, metrics=source)
    session, now = tools.session, _now(evidence)
    counting = BackgroundCall(lambda: _permitted(METRICS_PERMISSION, lambda: count_refusals(session, source, now)))
    counting.start()
    log = _permitted(LOG_PERMISSION, lambda: _log(read_refusals(session, source, evidence.asked.user, now), source))
    late = Failed("CloudWatch did not answer in time.")
    return replace(evidence, log=log, metrics=counting.result() if counting.wait(LIMIT) else late)


def _source(evidence: Evidence) -> Source | Unknown:
    target, database = known(evidence.target), known(evidence.database)
    if not isinstance(target, Target):
        return NotLooked("target")
    if not isinstance(database, Described):
        return NotLooked("database")
    if database.kind == "RDS Proxy":
        return Failed(f"An RDS Proxy has no log {EXPORT}; the databases behind it have.")
    if database.resource_id is None:
        return NotPermitted("rds:DescribeDBClusters")
    # An instance in a cluster has the cluster's resource id and ARN, and the cluster's log.
    *_, of, name = ("", *database.arn.split(":"))[-2:] if database.arn else ("", database.name)
    in_cluster = of == "cluster" or str(database.resource_id).startswith("cluster-")
    kind: Literal["cluster", "instance"] = "cluster" if in_cluster or database.kind == "DB cluster" else "instance"
    return Source(kind, name, target.endpoint.region)


def _now(evidence: Evidence) -> dt.datetime:
    """By AWS's clock, if this machine's is known to be wrong."""
    ahead = known(evidence.clock) or 0.0
    return dt.datetime.now(dt.timezone.utc) - dt.timedelta(seconds=ahead)


def _permitted(permission: str, read: Callable[[], T]) -> T | NotPermitted | Failed:
    """What was read, or why it was not: the one goes without the other."""
    try:
        return read()
    except AwsError as error:
        return NotPermitted(permission) if error.cause == "aws-denied" else Failed(error.message)


def _log(found: list[Refusal] | None, source: Source) -> tuple[LogEntry, ...] | Failed:
    if found is None:
        return Failed(f"The database does not export it: there is no log group {source.group}.", _how_to_export(source))
    return tuple(LogEntry(each.at, each.of, each.words) for each in found)


def _how_to_export(source: Source) -> str:
    what = "cluster" if source.kind == "cluster" else "instance"
    kinds = json.dumps({"EnableLogTypes": [EXPORT]}, separators=(",", ":"))
    return (
        "This switches its export on:\n"
        f"aws rds modify-db-{what} --region {source.region} --db-{what}-identifier {source.name} "
        f"--cloudwatch-logs-export-configuration '{kinds}'"
    )


LOG = Check(
    name="log",
    fills=("log", "metrics"),
    look=look,
    needs=("target", "database"),
    after=("answer",),
    limit=LIMIT + 1,
)
