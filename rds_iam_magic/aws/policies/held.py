"""`read_held`: the documents of all policies that apply to one user or role, as far as they may be read.

`holders.py` reads those of a whole account, by a permission that few have.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from rds_iam_magic.aws.policies.evaluate import Policy, Variables
from rds_iam_magic.aws.policies.holders import variables_of
from rds_iam_magic.aws.policies.inline import (
    describe_principal,
    missing_permission,
    read_groups,
    read_inline,
    read_managed,
    read_one,
)
from rds_iam_magic.aws.policies.principal import Principal, PrincipalKind
from rds_iam_magic.errors import AwsError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Held:
    """The policies of a user or role.

    Attributes:
        policies: Inline policies, attached ones, and those of a user's groups; what could not be read has no document.
        boundary: Its permissions boundary; None if it has none. Without a document where it is not known.
        variables: The values of policy variables for it, as far as they are the same at each login.
        denied: The first permission that was missing; "" if none was.
        failure: The first error of another kind; None if there was none.
        late: Whether not all was read, for want of time.
    """

    policies: tuple[Policy, ...]
    boundary: Policy | None = None
    variables: Variables = field(default_factory=dict)
    denied: str = ""
    failure: AwsError | None = None
    late: bool = False

    @property
    def complete(self) -> bool:
        """Whether all documents were read; the boundary's is none of them."""
        return all(policy.document is not None for policy in self.policies)

    @property
    def tells(self) -> bool:
        """Whether anything was read that can decide; no policies at all are something, too."""
        return self.complete or any(policy.document is not None for policy in self.policies)


def read_held(session: Any, region: str, principal: Principal, *, seconds: float = 60.0) -> Held:
    """Read the policies of one user or role.

    Args:
        session: A boto3 session.
        region: Any region of the partition whose IAM is asked: IAM has none of its own.
        principal: A user or role; without its path, if that is not known.
        seconds: After these, nothing more is asked for.
    """
    reading = _Reading(session, region, time.monotonic() + seconds)
    row = reading.get(lambda session, region: describe_principal(session, region, principal)) or {}
    boundary = reading.boundary(row)
    policies = reading.policies(principal)
    if principal.kind is PrincipalKind.USER:
        groups = reading.get(lambda session, region: read_groups(session, region, principal))
        policies += [Policy("the policies of its groups", None)] if groups is None else []
        for group in groups or ():
            policies += reading.policies(group, f" of group/{group.name}")
    return Held(
        policies=tuple(policies),
        boundary=boundary,
        variables=_variables(row, principal),
        denied=reading.denied,
        failure=reading.failure,
        late=reading.late,
    )


def _variables(row: dict[str, Any], principal: Principal) -> Variables:
    if row:
        name = str(row[f"{principal.kind.word.capitalize()}Name"])
        return variables_of(row, principal.kind, name, str(row["Arn"]))
    return {"aws:username": None if principal.kind is PrincipalKind.ROLE else principal.name}


class _Reading:
    """Asks IAM until the time is over, and remembers what kept it from reading something."""

    def __init__(self, session: Any, region: str, until: float) -> None:
        self._where = (session, region)
        self._until = until
        self.denied = ""
        self.failure: AwsError | None = None
        self.late = False

    def get(self, read: Callable[[Any, str], T]) -> T | None:
        """What was read; None if that was not possible."""
        if time.monotonic() >= self._until:
            self.late = True
            return None
        try:
            return read(*self._where)
        except AwsError as error:
            denied = missing_permission(error)
            self.denied = self.denied or denied
            self.failure = self.failure if denied or self.failure is not None else error
            return None

    def policies(self, holder: Principal, of: str = "") -> list[Policy]:
        """What a user, role or group holds itself."""
        inline = self.get(lambda session, region: read_inline(session, region, holder))
        managed = self.get(lambda session, region: read_managed(session, region, holder, aws_too=True))
        found = [Policy(f"{name}{of}", document) for name, document in (inline or {}).items()]
        if inline is None:
            found.append(Policy(f"the inline policies{of or f' of {holder}'}", None))
        if managed is not None:
            self.denied = self.denied or managed.denied
            found += [Policy(f"{name}{of}", document) for name, document in managed.documents.items()]
        if managed is None or managed.denied:
            found.append(Policy(f"the managed policies{of or f' of {holder}'}", None))
        return found

    def boundary(self, row: dict[str, Any]) -> Policy | None:
        """The permissions boundary in a description; without one, whether there is a boundary is not known."""
        if not row:
            return Policy("the permissions boundary", None)
        arn = str((row.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn") or "")
        if not arn:
            return None
        return Policy(arn.rpartition("/")[2], self.get(lambda session, region: read_one(session, region, arn)))
