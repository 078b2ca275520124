"""`simulate`: what IAM says to an action of a principal on resources, by its policy simulator; nothing is tried.

It covers a principal's own policies, its groups', its permissions boundary and service control policies without
conditions; not the policies of a session.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.failures import error_code
from rds_iam_magic.aws.policies.evaluate import Verdict
from rds_iam_magic.aws.session import client_of, part_of

PERMISSION = "iam:SimulatePrincipalPolicy"


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the simulator says about one resource.

    Attributes:
        verdict: Allowed, denied explicitly, or not allowed. What depends on `missing` may be otherwise at a login.
        policies: The policies of the statements that it names: those that deny, else those that allow.
        missing: The condition keys that it was not given a value for, of whichever policies it looked at.
        boundary: Whether the permissions boundary does not allow it.
        organization: Whether the organization's service control policies do not allow it.
    """

    verdict: Verdict
    policies: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    boundary: bool = False
    organization: bool = False


_VERDICTS = {"allowed": Verdict.ALLOWED, "explicitDeny": Verdict.DENIED, "implicitDeny": Verdict.NOT_ALLOWED}


def simulate(
    session: Any, region: str, principal: str, action: str, arns: Sequence[str]
) -> dict[str, Simulation] | None:
    """Simulate one action on resources.

    Args:
        session: A boto3 session.
        region: Any region of the partition whose IAM is asked: IAM has none of its own.
        principal: The ARN of a user, group or role, with its path.
        action: Such as `rds-db:connect`.
        arns: The resources; one at least.

    Returns:
        By resource, those that were answered; None if there is no such principal.

    Raises:
        AwsError: IAM does not permit it (`aws-denied`), refuses it, or cannot be reached.
    """
    with aws_call(f"simulating the policies of {principal}"):
        return _simulate(session, region, principal, action, list(arns))


def _simulate(session: Any, region: str, principal: str, action: str, arns: list[str]) -> dict[str, Simulation] | None:
    from botocore.exceptions import ClientError

    client = client_of(session, "iam", region_name=region)
    pages = client.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=principal, ActionNames=[action], ResourceArns=arns
    )
    found: dict[str, Simulation] = {}
    try:
        for page in pages:
            for row in part_of(page, "EvaluationResults"):
                for arn, simulation in _of_resources(row):
                    found.setdefault(arn, simulation)
    except ClientError as error:
        if error_code(error) != "NoSuchEntity":
            raise
        return None
    part_of(found, arns[0])  # an answer without it is none of IAM's
    return found


def _of_resources(row: Mapping[str, Any]) -> Iterator[tuple[str, Simulation]]:
    """The resources of one result; what is not said of a single one is said of all."""
    for each in row.get("ResourceSpecificResults") or ():
        yield (
            str(part_of(each, "EvalResourceName")),
            _simulation({**row, **each}, part_of(each, "EvalResourceDecision")),
        )
    if row.get("EvalResourceName"):
        yield str(row["EvalResourceName"]), _simulation(row, part_of(row, "EvalDecision"))


def _simulation(row: Mapping[str, Any], decision: str) -> Simulation:
    boundary = (row.get("PermissionsBoundaryDecisionDetail") or {}).get("AllowedByPermissionsBoundary")
    organization = (row.get("OrganizationsDecisionDetail") or {}).get("AllowedByOrganizations")
    names = (str(each.get("SourcePolicyId") or "") for each in row.get("MatchedStatements") or ())
    return Simulation(
        verdict=part_of(_VERDICTS, decision),
        policies=tuple(dict.fromkeys(filter(None, names))),
        missing=tuple(dict.fromkeys(map(str, row.get("MissingContextValues") or ()))),
        boundary=boundary is False,
        organization=organization is False,
    )
