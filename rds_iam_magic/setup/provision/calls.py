"""`ask`: one call to AWS; a denial names the permission that is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.failures import error_code, is_denial
from rds_iam_magic.aws.session import client_of, part_of
from rds_iam_magic.errors import AwsError, RdsIamError


def ask(
    session: Any,
    service: str,
    call: str,
    doing: str,
    arguments: dict[str, Any],
    *,
    part: str = "",
    refusals: Mapping[str, RdsIamError] | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """AWS's answer to a call, with all of its pages.

    Args:
        session: A boto3 session.
        service: Such as `rds`.
        call: Such as `describe_db_clusters`.
        doing: The step, as `aws_call` has it.
        arguments: The call's arguments.
        part: What each answer has; without it, something else has answered.
        refusals: The errors for AWS's own codes.
        region: Overrides the session's region.

    Raises:
        AwsError: It failed, or is not permitted; then the error names the permission.
        RdsIamError: One of `refusals`.
    """
    with aws_call(doing):
        answer = _ask(session, service, call, doing, arguments, refusals or {}, region)
        if part:
            part_of(answer, part)
        return answer


def _ask(
    session: Any,
    service: str,
    call: str,
    doing: str,
    arguments: dict[str, Any],
    refusals: Mapping[str, RdsIamError],
    region: str | None,
) -> dict[str, Any]:
    """Within the border: the locals of these frames hold what boto3 gives."""
    client = client_of(session, service, **({"region_name": region} if region else {}))
    try:
        if client.can_paginate(call):
            return dict(client.get_paginator(call).paginate(**arguments).build_full_result())
        return dict(getattr(client, call)(**arguments))
    except client.exceptions.ClientError as error:
        code = error_code(error)
        if is_denial(error):
            permission = f"{service}:{client.meta.method_to_api_mapping[call]}"
            problem: RdsIamError = AwsError(
                f"AWS does not permit {doing} with these credentials: {permission} is missing.",
                cause="permission-missing",
                facts={"permission": permission},
            )
        elif code in refusals:
            problem = refusals[code]
        else:
            raise
    raise problem
