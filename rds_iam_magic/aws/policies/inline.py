"""The policies that a role, user or group holds, by IAM's API: read, and put."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.failures import error_code
from rds_iam_magic.aws.policies.document import Document, compact
from rds_iam_magic.aws.policies.principal import Principal
from rds_iam_magic.aws.session import client_of, part_of
from rds_iam_magic.errors import AwsError


@dataclass(frozen=True, slots=True)
class Managed:
    """The managed policies of a principal.

    Attributes:
        documents: By name: those of the account; AWS's own are left out.
        denied: Whether some of them may not be read.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    denied: bool = False


def find_principal(session: Any, region: str, given: Principal) -> Principal:
    """The principal with its path and its account.

    Args:
        session: A boto3 session.
        region: Any region of the partition whose IAM is asked: IAM has none of its own.
        given: The principal, as the user names it.

    Raises:
        AwsError: There is none of that name (the hint has similar ones) or path, or it may not be looked up.
    """
    with aws_call(f"reading {given}"):
        row = _described(client_of(session, "iam", region_name=region), given)
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


def read_managed(session: Any, region: str, principal: Principal) -> Managed:
    """The managed policies of the account that are attached to it, as far as they may be read.

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
            documents.update(_managed(client, rows))
    except AwsError as error:
        if error.cause != "aws-denied":
            raise
        return Managed(documents, denied=True)
    return Managed(documents)


def _managed(client: Any, rows: list[dict[str, Any]]) -> Iterator[tuple[str, Document]]:
    for row in rows:
        arn = str(row.get("PolicyArn", ""))
        if ":iam::aws:" in arn:
            continue
        version = part_of(part_of(client.get_policy(PolicyArn=arn), "Policy"), "DefaultVersionId")
        answer = part_of(client.get_policy_version(PolicyArn=arn, VersionId=version), "PolicyVersion")
        yield str(row.get("PolicyName", arn)), _document(part_of(answer, "Document"))


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
