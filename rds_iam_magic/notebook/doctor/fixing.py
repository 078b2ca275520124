"""`--fix N`: a finding's mend is applied, what it changes is shown, and the login is diagnosed again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rds_iam_magic.aws.policies.attaching import Attachment
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.doctor.findings import EnableIam
from rds_iam_magic.errors import RdsIamError
from rds_iam_magic.hints import Interface
from rds_iam_magic.notebook.setup import policies, users
from rds_iam_magic.notebook.setup.lines import UserLine
from rds_iam_magic.notebook.showing import display
from rds_iam_magic.setup.users import UserChange

if TYPE_CHECKING:
    from rds_iam_magic.doctor.diagnosing import Attempt
    from rds_iam_magic.doctor.findings import Diagnosis, Finding


def fixed(diagnosis: Diagnosis, number: int, attempt: Attempt, notify: Callable[[str], None]) -> Diagnosis:
    """Apply the mend of a finding, show what that changes, and diagnose again.

    Args:
        diagnosis: A fresh one, whose findings the number counts.
        number: The finding's.
        attempt: The login that was diagnosed.
        notify: Called with each note.

    Returns:
        The diagnosis afterwards.

    Raises:
        OptionError: There is no such finding, or it has no mend that can be applied.
        RdsIamError: It could not be applied.
    """
    from rds_iam_magic.doctor.fixing import apply, finding_to_fix

    finding = finding_to_fix(diagnosis, number)
    display.say(f"Mending finding {number} ({finding.check}): {finding.sentence}")
    try:
        outcome = apply(finding, attempt, display.told)
    except RdsIamError as error:
        _hint_beyond(error, finding)
        raise
    if isinstance(outcome, Attachment):
        policies.attached(outcome, fixed=True)
    elif isinstance(outcome, UserChange):
        display.statements(list(outcome.statements))
        users.show(outcome, _line_of(outcome, attempt))
    return attempt.diagnose(notify, Interface.NOTEBOOK)


def _hint_beyond(error: RdsIamError, finding: Finding) -> None:
    """What `--fix` has no option for, the magic of the same name has."""
    if error.cause == "changes-pending" and isinstance(finding.fix, EnableIam):
        error.hint = (
            f"Let the maintenance window apply them all (%rds_iam_enable {finding.fix.arn}), or apply them now: "
            f"%rds_iam_enable {finding.fix.arn} --now --yes; some changes restart the database."
        )


def _line_of(change: UserChange, attempt: Attempt) -> UserLine:
    """The line of `%rds_iam_user` that does the same."""
    name, _, host = change.account.rpartition("@")
    return UserLine(
        action="create",
        name=name,
        secret=attempt.secret or attempt.where.secret,
        grants=[],
        like=None,
        host=host,
        dry_run=False,
        target=attempt.to.target or None,
        options=attempt.options,
        where=TargetOptions(stack=attempt.where.stack),
    )
