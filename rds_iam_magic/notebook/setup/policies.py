"""What `%rds_iam_policy --attach` says: the mistakes that it found, the differences, and what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rds_iam_magic.notebook.showing import display

if TYPE_CHECKING:
    from rds_iam_magic.aws.policies.attaching import Attachment
    from rds_iam_magic.aws.policies.review import Mistake


def attached(attachment: Attachment, *, fixed: bool) -> None:
    """Print what `attach_policy` found and did.

    Args:
        attachment: Its outcome.
        fixed: Whether it was to replace what is wrong.
    """
    for mistake in attachment.mistakes:
        display.note(f"{_told(mistake, 'inline')}{_remedy(mistake, fixed=fixed)}")
    for mistake in attachment.managed_mistakes:
        display.note(f"{_told(mistake, 'managed')}; managed policies are not edited here.")
    for sentence in attachment.unknown:
        display.note(sentence[0].lower() + sentence[1:])
    for change in attachment.changes:
        display.say(change.difference)
    display.say(_outcome(attachment))


def _told(mistake: Mistake, kind: str) -> str:
    return f"the {kind} policy {mistake.policy} does not do what it says: {mistake.why}"


def _remedy(mistake: Mistake, *, fixed: bool) -> str:
    if mistake.right is None:
        return "; correct it by hand."
    return "; replaced in the diff below." if fixed else "; --fix replaces it."


def _outcome(attachment: Attachment) -> str:
    names = ", ".join(change.name for change in attachment.changes)
    if not attachment.changes:
        return f"{attachment.principal} has the policy {attachment.name} already; nothing was changed."
    if not attachment.written:
        return f"Nothing was changed: --dry-run. It would change {names} of {attachment.principal}."
    return f"Changed {names} of {attachment.principal}; IAM takes some seconds to apply it."
