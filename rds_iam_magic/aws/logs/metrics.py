"""`count_refusals`: how many logins RDS has refused in the last minutes, by class; of all users.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Troubleshooting.html
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.logs.refusals import RefusalClass, Source
from rds_iam_magic.aws.session import client_of, part_of

PERMISSION = "cloudwatch:GetMetricData"

_METRICS: dict[RefusalClass, str] = {
    "token": "IamDbAuthConnectionFailureInvalidToken",
    "permission": "IamDbAuthConnectionFailureInsufficientPermissions",
    "throttling": "IamDbAuthConnectionFailureThrottling",
    "server": "IamDbAuthConnectionFailureServerError",
}
_DIMENSIONS = {"cluster": "DBClusterIdentifier", "instance": "DBInstanceIdentifier"}
_WINDOW = dt.timedelta(minutes=10)


def count_refusals(session: Any, source: Source, now: dt.datetime) -> dict[RefusalClass, int]:
    """The refusals of each class; without those that CloudWatch did not tell. The last minute's may be missing.

    Args:
        session: A boto3 session.
        source: The cluster or instance.
        now: By AWS's clock, with a time zone.

    Raises:
        AwsError: They may not be read (`aws-denied`), or CloudWatch cannot be reached.
    """
    with aws_call(f"reading the metrics of {source.name}"):
        return _count(session, source, now)


def _count(session: Any, source: Source, now: dt.datetime) -> dict[RefusalClass, int]:
    client = client_of(session, "cloudwatch", region_name=source.region)
    pages = client.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[_query(of, metric, source) for of, metric in _METRICS.items()],
        StartTime=now - _WINDOW,
        EndTime=now + dt.timedelta(minutes=1),
    )
    counts: dict[RefusalClass, int] = {}
    for page in pages:
        rows = {part_of(row, "Id"): row for row in part_of(page, "MetricDataResults")}
        for of in _METRICS:
            row = rows.get(of, {})
            if row.get("StatusCode") in ("Complete", "PartialData"):
                counts[of] = counts.get(of, 0) + round(sum(part_of(row, "Values")))
    return counts


def _query(of: RefusalClass, metric: str, source: Source) -> dict[str, Any]:
    dimension = {"Name": _DIMENSIONS[source.kind], "Value": source.name}
    named = {"Namespace": "AWS/RDS", "MetricName": metric, "Dimensions": [dimension]}
    return {"Id": of, "MetricStat": {"Metric": named, "Period": 60, "Stat": "Sum"}, "ReturnData": True}
