"""The policies that a role, user or group holds, by IAM's API: read, and put."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.failures import error_code
from rds_iam_magic.aws.policies.document import Document, compact
from rds_iam_magic.aws.policies.principal import Principal, PrincipalKind
from rds_iam_magic.aws.session import client_of, part_of
from rds_iam_magic.errors import AwsError


@dataclass(frozen=True, slots=True)
class Managed:
    """The managed policies of a principal.

    Attributes:
        documents: By name.
        denied: The first permission that is missing, such as `iam:GetPolicy`, if some may not be read; else "".
    """

    documents: dict[str, Document] = field(default_factory=dict)
    denied: str = ""


def find_principal(session: Any, region: str, given: Principal) -> Principal:
    """The principal with its path and its account.

    Args:
        session: A boto3 session.
        region: Any region of the partition whose IAM is asked: IAM has none of its own.
        given: The principal, as the user names it.

    Raises:
        AwsError: There is none of that name (the hint has similar ones) or path, or it may not be looked up.
    """
    row = describe_principal(session, region, given)
    if row is None:
        near = difflib.get_close_matches(given.name, _names(session, region, given), n=3, cutoff=0.5)
        similar = f"Similar names: {', '.join(f'{given.kind.word}/{name}' for name in near)}." if near else ""
        raise AwsError(f"There is no {given.kind.word} {given.name}.", similar, cause="principal-unknown")
    name = str(row[f"{given.kind.word.capitalize()}Name"])  # IAM finds it in any case
    found = Principal(given.kind, name, str(row["Path"]), str(row["Arn"]).split(":")[4])
    if given.account not in (None, found.account):
        raise AwsError(
            f"{given} is in account {given.account}; the credentials are of account {found.account}.",
            cause="principal-in-other-account",
        )
    if given.path not in (None, found.path):
        raise AwsError(
            f"There is no {given}.", f"There is one of that name with another path: {found}.", cause="principal-unknown"
        )
    return found


def _described(client: Any, principal: Principal) -> dict[str, Any] | None:
    word = principal.kind.word
    try:
        answer = getattr(client, f"get_{word}")(**_named(principal))
    except client.exceptions.NoSuchEntityException:
        return None
    row = dict(part_of(answer, word.capitalize()))
    for part in ("Path", "Arn", f"{word.capitalize()}Name"):
        part_of(row, part)
    return row


def _named(principal: Principal) -> dict[str, str]:
    return {f"{principal.kind.word.capitalize()}Name": principal.name}


def _names(session: Any, region: str, principal: Principal) -> list[str]:
    """All names of that kind, for the nearest; none if they may not be listed."""
    word, plural = principal.kind.word, principal.kind.value.plural
    try:
        with aws_call(f"listing the {plural}"):
            pages = client_of(session, "iam", region_name=region).get_paginator(f"list_{plural}").paginate()
            rows = [row for page in pages for row in part_of(page, plural.capitalize())]
    except AwsError:
        return []
    return [str(row[f"{word.capitalize()}Name"]) for row in rows]


def read_inline(session: Any, region: str, principal: Principal) -> dict[str, Document]:
    """All inline policies by name.

    Raises:
        AwsError: They may not be read.
    """
    word = principal.kind.word
    with aws_call(f"reading the inline policies of {principal}"):
        client = client_of(session, "iam", region_name=region)
        pages = client.get_paginator(f"list_{word}_policies").paginate(**_named(principal))
        names = [str(name) for page in pages for name in part_of(page, "PolicyNames")]
        read = getattr(client, f"get_{word}_policy")
        answers = {name: read(PolicyName=name, **_named(principal)) for name in names}
        return {name: _document(part_of(answer, "PolicyDocument")) for name, answer in answers.items()}


def _document(value: Any) -> Document:
    """What botocore made of a document; where that is no JSON, it stays a text."""
    from botocore.parsers import ResponseParserError

    if not isinstance(value, dict):
        raise ResponseParserError("a policy is no JSON object")
    return dict(value)


def read_managed(session: Any, region: str, principal: Principal, *, aws_too: bool = False) -> Managed:
    """The managed policies that are attached to it, as far as they may be read.

    Args:
        session: A boto3 session.
        region: Any region of the partition whose IAM is asked.
        principal: The principal.
        aws_too: Whether to read AWS's own, too, which name no database; else the account's only.

    Raises:
        AwsError: For another reason than a missing permission.
    """
    word = principal.kind.word
    documents: dict[str, Document] = {}
    try:
        with aws_call(f"reading the managed policies of {principal}"):
            client = client_of(session, "iam", region_name=region)
            pages = client.get_paginator(f"list_attached_{word}_policies").paginate(**_named(principal))
            rows = [row for page in pages for row in part_of(page, "AttachedPolicies")]
            documents.update(_managed(client, rows, aws_too=aws_too))
    except AwsError as error:
        if not (denied := missing_permission(error)):
            raise
        return Managed(documents, denied)
    return Managed(documents)


def missing_permission(error: AwsError) -> str:
    """The permission that IAM has denied a call for; "" for another error."""
    return f"iam:{error.detail.partition(':')[0]}" if error.cause == "aws-denied" else ""


def _managed(client: Any, rows: list[dict[str, Any]], *, aws_too: bool) -> Iterator[tuple[str, Document]]:
    for row in rows:
        arn = str(row.get("PolicyArn", ""))
        if aws_too or ":iam::aws:" not in arn:
            yield str(row.get("PolicyName", arn)), _default_version(client, arn)


def _default_version(client: Any, arn: str) -> Document:
    version = part_of(part_of(client.get_policy(PolicyArn=arn), "Policy"), "DefaultVersionId")
    answer = part_of(client.get_policy_version(PolicyArn=arn, VersionId=version), "PolicyVersion")
    return _document(part_of(answer, "Document"))


def read_one(session: Any, region: str, arn: str) -> Document:
    """The document of a managed policy.

    Raises:
        AwsError: It may not be read.
    """
    with aws_call(f"reading the policy {arn}"):
        return _default_version(client_of(session, "iam", region_name=region), arn)


def read_groups(session: Any, region: str, user: Principal) -> list[Principal]:
    """The groups that a user is in.

    Raises:
        AwsError: They may not be listed.
    """
    with aws_call(f"reading the groups of {user}"):
        pages = (
            client_of(session, "iam", region_name=region).get_paginator("list_groups_for_user").paginate(**_named(user))
        )
        rows = [row for page in pages for row in part_of(page, "Groups")]
        return [Principal(PrincipalKind.GROUP, str(part_of(row, "GroupName"))) for row in rows]


def describe_principal(session: Any, region: str, principal: Principal) -> dict[str, Any] | None:
    """A role, user or group as IAM describes it; None if there is none.

    Raises:
        AwsError: It may not be described.
    """
    with aws_call(f"reading {principal}"):
        return _described(client_of(session, "iam", region_name=region), principal)


def put_inline(session: Any, region: str, principal: Principal, name: str, document: Document) -> None:
    """Put an inline policy, in place of one of that name.

    Raises:
        AwsError: IAM does not permit it, or the policies become too large.
    """
    with aws_call(f"putting the policy {name} of {principal}"):
        client = client_of(session, "iam", region_name=region)
        put = getattr(client, f"put_{principal.kind.word}_policy")
        try:
            put(PolicyName=name, PolicyDocument=compact(document), **_named(principal))
        except client.exceptions.ClientError as error:
            if error_code(error) != "LimitExceeded":
                raise
            raise AwsError(
                f"The inline policies of {principal} would be too large, says IAM.", cause="policy-too-large"
            ) from None
