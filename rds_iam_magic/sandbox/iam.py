"""Access keys and their policies in this process's moto server: the only module that reads moto's internals.

AWS's APIs do not return secret keys, so the verifier reads them behind the API, as RDS does.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from rds_iam_magic.sandbox.verifier import Key

ACCOUNT = "123456789012"  # moto's default
PARTITION = "aws"


def find_key(access_key_id: str) -> Key | None:
    """The active access key with that id: a user's own, or a temporary one of an assumed role."""
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    iam = iam_backends[ACCOUNT][PARTITION]
    assumed = sts_backends[ACCOUNT][PARTITION].get_assumed_role_from_access_key(access_key_id)
    if assumed is not None:
        return Key(
            secret=assumed.secret_access_key,
            principal=assumed.arn,
            session_token=assumed.session_token,
            expires=assumed.expiration.replace(tzinfo=dt.timezone.utc),
            policies=tuple(_documents(iam.get_role_by_arn(assumed.role_arn))),
            limits=(json.loads(assumed.policy),) if assumed.policy else (),
        )
    for user in iam.users.values():
        for key in user.access_keys:
            if key.access_key_id == access_key_id and key.status == "Active":
                holders = [user, *iam.get_groups_for_user(user.name)]
                documents = [document for holder in holders for document in _documents(holder)]
                return Key(secret=key.secret_access_key, principal=user.arn, policies=tuple(documents))
    return None


def _documents(holder: Any) -> list[dict[str, Any]]:
    """Inline and managed policies of a user, group or role."""
    inline = holder.policies.values()
    managed = (_default(policy) for policy in holder.managed_policies.values())
    texts = [getattr(text, "policy_document", text) for text in (*inline, *managed)]
    return [text if isinstance(text, dict) else json.loads(text) for text in texts]


def _default(policy: Any) -> Any:
    versions = (version for version in policy.versions if version.version_id == policy.default_version_id)
    return next(versions).document
