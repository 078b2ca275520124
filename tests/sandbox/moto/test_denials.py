"""Calls to CloudWatch that are not permitted, and that are."""

import datetime as dt

import pytest
from botocore.exceptions import ClientError

from tests.support.permissions import only
from tests.support.tokens import session_of

pytestmark = pytest.mark.slow  # servers and kernels

NOW = dt.datetime.now(dt.timezone.utc)
METRIC = {"Namespace": "AWS/RDS", "MetricName": "x"}
CALLS = {
    "logs:FilterLogEvents": lambda client: client("logs").filter_log_events(logGroupName="none"),
    "cloudwatch:GetMetricData": lambda client: client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "a", "MetricStat": {"Metric": METRIC, "Period": 60, "Stat": "Sum"}}],
        StartTime=NOW - dt.timedelta(hours=1),
        EndTime=NOW,
    ),
}


@pytest.mark.parametrize("permission", CALLS)
def test_a_call_that_is_not_permitted_names_its_permission(inside, permission):
    with only(inside, "rds:*"), pytest.raises(ClientError) as caught:
        CALLS[permission](session_of(inside, "stranger").client)
    error = caught.value.response["Error"]
    assert error["Code"] in ("AccessDeniedException", "AccessDenied")
    assert error["Message"].endswith(f"user/stranger is not authorized to perform: {permission}")


def test_calls_that_are_permitted(inside):
    with only(inside, *CALLS):
        client = session_of(inside, "stranger").client
        assert CALLS["cloudwatch:GetMetricData"](client)["MetricDataResults"][0]["Values"] == []
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            CALLS["logs:FilterLogEvents"](client)
