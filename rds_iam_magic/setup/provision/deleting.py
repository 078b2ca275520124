"""`delete`: a stack that was made here goes, and a snapshot of its database stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rds_iam_magic.errors import ProvisionError
from rds_iam_magic.hints import Note
from rds_iam_magic.setup.provision import stacks
from rds_iam_magic.setup.provision.database import StackDatabase, database_in
from rds_iam_magic.setup.provision.holders import Holder, detach, holders_of
from rds_iam_magic.setup.provision.stacks import Event, Resource, Stack

Notify = Callable[[str], None]


def delete(session: Any, name: str, *, yes: bool, notify: Notify) -> bool:
    """Delete a stack that was made here; a snapshot of its database is kept.

    Args:
        session: A boto3 session.
        name: The stack's name.
        yes: Whether to go on after telling what goes.
        notify: Called with each line for the user.

    Returns:
        Whether it was deleted.

    Raises:
        ProvisionError: There is none, it was made in another way, or is protected; or it could not be deleted.
        AwsError: AWS cannot be asked, or refuses something.
    """
    stack = stacks.describe(session, name)
    stacks.check_own(stack)
    if stack.status == "DELETE_IN_PROGRESS":
        with stacks.going_on(name, notify):
            return _deleted(session, stack, stacks.follow(session, stack.id, notify=notify), None, notify)
    there = stacks.resources(session, stack)
    holders, database = _policy_holders(session, there), database_in(there)
    for line in _what_goes(stack, there, holders, database):
        notify(line)
    _check_protection(session, stack, database)
    if not yes:
        notify(Note("Nothing was deleted yet. To go on, add {option:yes}."))
        return False
    known = stacks.events(session, stack.id)
    for holder in holders:
        detach(session, holder)
    with stacks.going_on(name, notify, begun=False):
        stacks.delete(session, stack)
    with stacks.going_on(name, notify):
        happened = stacks.follow(session, stack.id, notify=notify, known=known)
    return _deleted(session, stack, happened, database, notify)


def _what_goes(
    stack: Stack, there: list[Resource], holders: list[Holder], database: StackDatabase | None
) -> Iterator[str]:
    what = "goes with all that is in it:" if there else "is empty."
    yield f"{stack.name}, which is {stack.status}, {what}"
    for resource in there:
        yield f"  {resource}"
    if holders:
        yield f"  The policy is taken from {', '.join(map(str, holders))}."
    if database is not None:
        yield (
            "A last snapshot of the database is kept, and the logs in CloudWatch stay: both cost their storage. "
            "Automatic backups and the secret go."
        )


def _policy_holders(session: Any, there: list[Resource]) -> list[Holder]:
    arns = [resource.id for resource in there if resource.kind == "AWS::IAM::ManagedPolicy" and resource.id]
    return [holder for arn in arns for holder in holders_of(session, arn)]


def _check_protection(session: Any, stack: Stack, database: StackDatabase | None) -> None:
    if stack.is_protected:
        raise ProvisionError(f"The stack {stack.name} is protected from deletion.", cause="stack-protected")
    if database is not None and database.is_protected(session):
        raise ProvisionError(
            f"The database {database.identifier} is protected from deletion.", cause="database-protected"
        )


def _deleted(session: Any, stack: Stack, happened: list[Event], database: StackDatabase | None, notify: Notify) -> bool:
    if stacks.outcome(happened) != "DELETE_COMPLETE":
        raise stacks.failure_of(stacks.describe(session, stack.id), happened)
    kept = database.snapshot_since(session, happened[0].when) if database is not None else ""
    notify(" ".join(filter(None, [f"{stack.name} is deleted.", kept])))
    return True
