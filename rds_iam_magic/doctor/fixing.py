"""`apply`: what a finding's mend says is done: the one thing that the doctor changes, and only when it is asked to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Union

from rds_iam_magic.aws.policies.attaching import Attachment, attach_policy
from rds_iam_magic.aws.policies.document import Resource
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.connecting import session_of
from rds_iam_magic.doctor.findings import AttachPolicy, CreateUser
from rds_iam_magic.errors import OptionError
from rds_iam_magic.setup.enable import enable_iam
from rds_iam_magic.setup.master import connect_to_set_up
from rds_iam_magic.setup.users import UserChange, create_user

if TYPE_CHECKING:
    from rds_iam_magic.doctor.diagnosing import Attempt
    from rds_iam_magic.doctor.findings import Diagnosis, Finding

Outcome = Union[Attachment, UserChange, None]  # noqa: UP007 - as the other unions of this room

_DATABASE_USER = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):rds-db:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):"
    r"dbuser:(?P<resource_id>[\w-]+)/(?P<user>.+)",
    re.DOTALL,
)


def finding_to_fix(diagnosis: Diagnosis, number: int) -> Finding:
    """The finding of that number.

    Raises:
        OptionError: There is none, or it is not one that can be mended from here.
    """
    can = [str(finding.number) for finding in diagnosis.findings if finding.fix is not None]
    those = f"The findings that can be mended from here: {', '.join(can)}." if can else ""
    found = next((finding for finding in diagnosis.findings if finding.number == number), None)
    if found is None:
        raise OptionError(
            f"There is no finding {number}; there are {len(diagnosis.findings)}.",
            those or "None of them is mended here.",
        )
    if found.fix is None and found.state in ("unknown", "skipped"):
        raise OptionError(
            f"Finding {number} ({found.check}) is {found.state}; there is nothing to mend yet: {found.sentence}",
            those or "Nothing was changed.",
        )
    if found.fix is None and found.state == "ok":
        raise OptionError(f"Finding {number} ({found.check}) is no problem; nothing was changed.", those or "Omit it.")
    if found.fix is None:
        by_hand = "Do what its mend says, by hand." if found.mend else "It has to be mended where it came up."
        raise OptionError(
            f"Finding {number} ({found.check}) has no mend that is safe from here: {found.sentence}",
            " ".join(filter(None, [by_hand, those])),
        )
    return found


def apply(finding: Finding, attempt: Attempt, notify: Callable[[str], None]) -> Outcome:
    """Do what a finding's fix says, once.

    Args:
        finding: One with a fix.
        attempt: The login that was diagnosed: how AWS and the database are reached.
        notify: Called with each line for the user.

    Returns:
        What became of the policy or the user; None for what was told by `notify`.

    Raises:
        RdsIamError: As `attach_policy`, `create_user`, `connect_to_set_up` and `enable_iam` do.
    """
    fix = finding.fix
    if isinstance(fix, AttachPolicy):
        resource, user = _database_user(fix.arn)
        return attach_policy(session_of(attempt.options), fix.principal, [resource], user, fix=True)
    if isinstance(fix, CreateUser):
        where = TargetOptions(stack=attempt.where.stack)  # users are created on the writer
        secret = attempt.secret or attempt.where.secret
        target = attempt.to.target or None
        options = replace(attempt.options, compress="auto")
        with connect_to_set_up(options, target=target, secret=secret, where=where, notify=notify) as master:
            return create_user(master, fix.user)
    if fix is not None:
        enable_iam(session_of(attempt.options), fix.arn, now=True, notify=notify)
    return None


def _database_user(arn: str) -> tuple[Resource, str]:
    match = _DATABASE_USER.fullmatch(arn)
    if match is None:
        raise OptionError(f"{arn!r} is not the ARN of a database user.")
    return Resource(match["partition"], match["region"], match["account"], match["resource_id"]), match["user"]
