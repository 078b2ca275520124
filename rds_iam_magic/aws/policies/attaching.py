"""`attach_policy`: look over what a principal holds, then put or update one inline policy, or show what that would do.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.aws.policies.databases import names_in
from rds_iam_magic.aws.policies.document import (
    Document,
    Resource,
    connect_policy,
    difference,
    size_of,
    with_statements_of,
)
from rds_iam_magic.aws.policies.inline import find_principal, put_inline, read_inline, read_managed
from rds_iam_magic.aws.policies.principal import Principal, check_editable, check_policy_name, parse_principal
from rds_iam_magic.aws.policies.review import Known, Mistake, mend, regions_in_doubt, review
from rds_iam_magic.errors import AwsError

POLICY_NAME = "rds-iam-connect"


@dataclass(frozen=True, slots=True)
class Change:
    """One inline policy that changes.

    Attributes:
        name: Its name.
        before: The document as it was; None for a new policy.
        after: The document as it is now, or would be.
    """

    name: str
    before: Document | None
    after: Document

    @property
    def difference(self) -> str:
        """A unified diff of both as indented JSON."""
        return difference(self.before, self.after, self.name)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What `attach_policy` found and did.

    Attributes:
        principal: Whose policies they are.
        name: The policy's name.
        changes: What changed, or would change; empty if all was there already.
        mistakes: Statements of inline policies that do not do what they say, as they were.
        managed_mistakes: The same of managed policies, which are not edited.
        unknown: What could not be looked at, as sentences.
        written: Whether the changes were made.
    """

    principal: Principal
    name: str
    changes: tuple[Change, ...]
    mistakes: tuple[Mistake, ...]
    managed_mistakes: tuple[Mistake, ...]
    unknown: tuple[str, ...]
    written: bool


def attach_policy(
    session: Any,
    principal: str,
    resources: Sequence[Resource],
    user: str,
    *,
    name: str = POLICY_NAME,
    wildcard: bool = False,
    fix: bool = False,
    dry_run: bool = False,
) -> Attachment:
    """Let a role, user or group connect as a database user, by an inline policy. Run again, it changes nothing.

    A policy of that name that is there already keeps all that it allows.

    Args:
        session: A boto3 session of the principal's account.
        principal: `role/NAME`, `user/NAME`, `group/NAME`, with a path or not, or its ARN.
        resources: What to connect to; one at least.
        user: The database user; case-sensitive.
        name: The inline policy's name.
        wildcard: Whether `user` may be a pattern, for several users.
        fix: Whether to replace what is wrong in the principal's inline policies, where it is known what is right.
        dry_run: Whether to change nothing.

    Raises:
        OptionError: The principal, the name or the user cannot be understood.
        AwsError: There is no such principal; it cannot be edited (nothing was written); the policies would become too
            large (nothing was written); IAM denies a call.
    """
    given = parse_principal(principal)
    check_policy_name(name)
    wanted = connect_policy(resources, user, wildcard=wildcard)
    check_editable(given)
    region = resources[0].region
    found = find_principal(session, region, given)
    check_editable(found)
    _check_account(found, resources)
    inline = read_inline(session, region, found)
    managed = read_managed(session, region, found)
    known, unknown = _known(session, [*inline.values(), *managed.documents.values()], resources)
    if managed.denied:
        unknown.append(_not_looked_over(found))
    mistakes = _mistakes(inline, known, found)
    after = {**inline, **({policy: mend(inline[policy], _of(mistakes, policy)) for policy in inline} if fix else {})}
    after[name] = with_statements_of(after.get(name), wanted)
    changes = [Change(p, inline.get(p), document) for p, document in after.items() if inline.get(p) != document]
    if changes:
        _check_size(found, after)
    if not dry_run:
        for change in changes:
            put_inline(session, region, found, change.name, change.after)
    return Attachment(
        principal=found,
        name=name,
        changes=tuple(changes),
        mistakes=tuple(mistakes),
        managed_mistakes=tuple(_mistakes(managed.documents, known, found)),
        unknown=tuple(unknown),
        written=bool(changes) and not dry_run,
    )


def _mistakes(documents: dict[str, Document], known: Known, principal: Principal) -> list[Mistake]:
    return [each for name, document in documents.items() for each in review(document, name, known, principal.account)]


def _of(mistakes: list[Mistake], policy: str) -> list[Mistake]:
    return [mistake for mistake in mistakes if mistake.policy == policy]


def _check_account(principal: Principal, resources: Sequence[Resource]) -> None:
    """Refuse a policy that would let nobody in: a principal connects to databases of its own account only."""
    other = next((each.account for each in resources if each.account != principal.account), None)
    if other is not None:
        raise AwsError(
            f"{principal} is in account {principal.account}, the database in account {other}: RDS lets principals of "
            "its own account in.",
            cause="principal-in-other-account",
        )


def _known(session: Any, documents: Sequence[Document], resources: Sequence[Resource]) -> tuple[Known, list[str]]:
    """What databases are called in the regions that the policies name, and what could not be looked at."""
    regions = regions_in_doubt(documents, (resource.resource_id for resource in resources))
    names = {region: names_in(session, region) for region in sorted(regions)}
    denied = ", ".join(region for region, each in names.items() if each is None)
    unknown = f"The databases in {denied} could not be looked up (rds:DescribeDBClusters, rds:DescribeDBInstances): "
    unknown += "whether policies name them by their resource ids was judged by the ids' form."
    return {region: each for region, each in names.items() if each is not None}, [unknown] if denied else []


def _not_looked_over(principal: Principal) -> str:
    listing = f"iam:ListAttached{principal.kind.word.capitalize()}Policies"
    return f"Managed policies were not all looked over: that takes {listing}, iam:GetPolicy, iam:GetPolicyVersion."


def _check_size(principal: Principal, documents: dict[str, Document]) -> None:
    size, most = sum(map(size_of, documents.values())), principal.kind.characters
    if size > most:
        raise AwsError(
            f"The inline policies of {principal} would have {size:,} characters; IAM allows a {principal.kind.word} "
            f"{most:,} in all, white space aside.",
            cause="policy-too-large",
        )
