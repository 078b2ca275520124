"""Access keys, and the policies that apply to a principal, in this process's moto server, whose internals it reads.

AWS's APIs do not return secret keys, so the verifier reads them behind the API, as RDS does.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.sandbox.policies import Document
from rds_iam_magic.sandbox.verifier import Key

ACCOUNT = "123456789012"  # moto's default
PARTITION = "aws"


@dataclass(frozen=True, slots=True)
class Source:
    """A policy of a principal: its identifier and type as the policy simulator names them, and its document."""

    identifier: str
    kind: str
    document: Document


def find_key(access_key_id: str, partition: str = PARTITION) -> Key | None:
    """The active access key with that id, in a partition: a user's own, or a temporary one of an assumed role."""
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    iam = iam_backends[ACCOUNT][partition]
    assumed = sts_backends[ACCOUNT][partition].get_assumed_role_from_access_key(access_key_id)
    if assumed is not None:
        role = iam.get_role_by_arn(assumed.role_arn)
        session_policy = (json.loads(assumed.policy),) if assumed.policy else ()
        return Key(
            secret=assumed.secret_access_key,
            principal=assumed.arn,
            session_token=assumed.session_token,
            expires=assumed.expiration.replace(tzinfo=dt.timezone.utc),
            policies=_documents(iam, role),
            limits=(*session_policy, *_limits(iam, role)),
        )
    for user in iam.users.values():
        for key in user.access_keys:
            if key.access_key_id == access_key_id and key.status == "Active":
                policies = _documents(iam, user)
                return Key(key.secret_access_key, user.arn, policies=policies, limits=_limits(iam, user))
    return None


def sources_of(iam: Any, principal: Any) -> list[Source]:
    """Inline and managed policies of a user, group or role; a user's groups' too.

    Args:
        iam: moto's backend.
        principal: A user, group or role of it.
    """
    kind = type(principal).__name__.lower()
    inline = [
        Source(f"{kind}_{principal.name}_{name}", kind, _parsed(getattr(text, "policy_document", text)))
        for name, text in principal.policies.items()
    ]
    managed = [
        Source(policy.name, "aws-managed" if ":aws:policy/" in policy.arn else "user-managed", default_of(policy))
        for policy in principal.managed_policies.values()
    ]
    groups = iam.get_groups_for_user(principal.name) if kind == "user" else []
    return [*inline, *managed, *(source for group in groups for source in sources_of(iam, group))]


def boundary_of(iam: Any, principal: Any) -> Document | None:
    """The document of a user's or role's permissions boundary; None without one."""
    arn = getattr(principal, "permissions_boundary_arn", None)
    return default_of(iam.managed_policies[arn]) if arn else None


def control_policies(iam: Any) -> list[Document]:
    """The organization's service control policies, which a test may change; none: the account is in no organization."""
    return vars(iam).setdefault("service_control_policies", [])  # type: ignore[no-any-return] # moto's object


def default_of(policy: Any) -> Document:
    """The default version of a managed policy."""
    versions = (version for version in policy.versions if version.version_id == policy.default_version_id)
    return _parsed(next(versions).document)


def _documents(iam: Any, principal: Any) -> tuple[Document, ...]:
    return tuple(source.document for source in sources_of(iam, principal))


def _limits(iam: Any, principal: Any) -> tuple[Document, ...]:
    boundary = boundary_of(iam, principal)
    return (*([boundary] if boundary is not None else []), *control_policies(iam))


def _parsed(text: Any) -> Document:
    return text if isinstance(text, dict) else json.loads(text)
