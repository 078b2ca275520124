"""`read_holders`: every user and role of an account with all policies that apply to it, by one call of IAM's API.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.policies.document import Document
from rds_iam_magic.aws.policies.evaluate import Policy, Variables
from rds_iam_magic.aws.policies.principal import Principal, PrincipalKind
from rds_iam_magic.aws.session import client_of, part_of


@dataclass(frozen=True, slots=True)
class Holder:
    """A user or role, and what applies to it.

    Attributes:
        arn: Its ARN.
        principal: Its kind, name, path and account.
        policies: Inline policies, attached ones, and those of a user's groups.
        boundary: Its permissions boundary; None if it has none.
        variables: The values of policy variables for it, as far as they are the same at each login.
    """

    arn: str
    principal: Principal
    policies: tuple[Policy, ...]
    boundary: Policy | None = None
    variables: Variables = field(default_factory=dict)


# AWS's own policies are asked for by name: an administrator's right is in one of them.
_ALL = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]


def read_holders(session: Any, region: str) -> list[Holder]:
    """The users and roles of the credentials' account, each with its policies.

    Args:
        session: A boto3 session.
        region: Any region of the partition whose IAM is asked: IAM has none of its own.

    Raises:
        AwsError: IAM does not permit it (`iam:GetAccountAuthorizationDetails`), or cannot be reached.
    """
    lists: dict[str, list[dict[str, Any]]] = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": []}
    lists["Policies"] = []
    with aws_call("reading who holds which policies"):
        client = client_of(session, "iam", region_name=region)
        pages = client.get_paginator("get_account_authorization_details")
        for page in pages.paginate(Filter=_ALL, PaginationConfig={"PageSize": 1000}):
            for name, rows in lists.items():
                rows += part_of(page, name)
        return list(_holders(lists))


def _holders(lists: Mapping[str, list[dict[str, Any]]]) -> Iterator[Holder]:
    managed = {str(part_of(row, "Arn")): _default_version(row) for row in lists["Policies"]}
    groups = {
        str(part_of(row, "GroupName")): _own(row, "GroupPolicyList", managed, f" of group/{row['GroupName']}")
        for row in lists["GroupDetailList"]
    }
    for kind, rows in ((PrincipalKind.USER, lists["UserDetailList"]), (PrincipalKind.ROLE, lists["RoleDetailList"])):
        word = kind.word.capitalize()
        for row in rows:
            arn, name = str(part_of(row, "Arn")), str(part_of(row, f"{word}Name"))
            policies = _own(row, f"{word}PolicyList", managed)
            for group in row.get("GroupList") or ():
                policies += groups.get(str(group), [Policy(f"the policies of group/{group}", None)])
            account = arn.split(":")[4]
            yield Holder(
                arn=arn,
                principal=Principal(kind, name, str(row.get("Path") or "/"), account),
                policies=tuple(policies),
                boundary=_boundary(row, managed),
                variables=variables_of(row, kind, name, arn),
            )


def _own(row: dict[str, Any], inline: str, managed: Mapping[str, Document | None], of: str = "") -> list[Policy]:
    """The policies that a user, role or group holds itself."""
    policies = [
        Policy(f"{part_of(policy, 'PolicyName')}{of}", _document(policy.get("PolicyDocument")))
        for policy in row.get(inline) or ()
    ]
    for policy in row.get("AttachedManagedPolicies") or ():
        arn = str(part_of(policy, "PolicyArn"))
        policies.append(Policy(f"{policy.get('PolicyName') or arn}{of}", managed.get(arn)))
    return policies


def _boundary(row: dict[str, Any], managed: Mapping[str, Document | None]) -> Policy | None:
    boundary = row.get("PermissionsBoundary") or {}
    arn = boundary.get("PermissionsBoundaryArn")
    return None if not arn else Policy(str(arn).rpartition("/")[2], managed.get(str(arn)))


def _default_version(row: dict[str, Any]) -> Document | None:
    versions: Iterable[dict[str, Any]] = row.get("PolicyVersionList") or ()
    return next((_document(v.get("Document")) for v in versions if v.get("IsDefaultVersion")), None)


def _document(value: Any) -> Document | None:
    """A document, which botocore decodes; None if it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return dict(value) if isinstance(value, dict) else None


def variables_of(row: dict[str, Any], kind: PrincipalKind, name: str, arn: str) -> Variables:
    """The variables that are the same at each login, by a user's or role's description.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    same = {"aws:principalarn": arn, "aws:principalaccount": arn.split(":")[4]}
    if kind is PrincipalKind.ROLE:  # its tags are not here: those of a session go before them
        return {**same, "aws:username": None, "aws:principaltype": "AssumedRole"}
    tags = {
        f"aws:principaltag/{tag.get('Key', '')}".lower(): str(tag.get("Value", "")) for tag in row.get("Tags") or ()
    }
    return {**same, **tags, "aws:username": name, "aws:principaltype": "User", "aws:userid": str(row.get("UserId", ""))}
