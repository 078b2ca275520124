"""`Holder`: who holds a managed policy; one that somebody holds cannot be deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rds_iam_magic.errors import ProvisionError
from rds_iam_magic.setup.provision.calls import ask


@dataclass(frozen=True, slots=True)
class Holder:
    """A user, group or role that a managed policy is attached to."""

    policy: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def holders_of(session: Any, policy: str) -> list[Holder]:
    """Whom a managed policy is attached to, in the order users, groups, roles.

    Raises:
        AwsError: IAM cannot be asked.
    """
    gone = ProvisionError("", cause="policy-gone")
    try:
        answer = ask(
            session, "iam", "list_entities_for_policy", "looking up who holds the policy", {"PolicyArn": policy},
            part="PolicyRoles", refusals={"NoSuchEntity": gone},
        )  # fmt: skip
    except ProvisionError:
        return []
    return [
        Holder(policy, kind.lower(), str(row[f"{kind}Name"]))
        for kind in ("User", "Group", "Role")
        for row in answer.get(f"Policy{kind}s", [])
    ]


def detach(session: Any, holder: Holder) -> None:
    """Take the policy away.

    Raises:
        AwsError: IAM refuses it.
    """
    arguments = {f"{holder.kind.capitalize()}Name": holder.name, "PolicyArn": holder.policy}
    ask(session, "iam", f"detach_{holder.kind}_policy", f"detaching the policy from {holder}", arguments)
