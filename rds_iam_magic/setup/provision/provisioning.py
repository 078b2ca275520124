"""`deploy`, `status` and `delete`: a database of one's own as a stack, from the plan to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rds_iam_magic.aws.session import region_of
from rds_iam_magic.errors import AwsError, ProvisionError
from rds_iam_magic.hints import Note
from rds_iam_magic.setup.provision import stacks
from rds_iam_magic.setup.provision.calls import ask
from rds_iam_magic.setup.provision.holders import Holder, detach, holders_of
from rds_iam_magic.setup.provision.network import find_network
from rds_iam_magic.setup.provision.offer import find_offer
from rds_iam_magic.setup.provision.plan import Plan
from rds_iam_magic.setup.provision.request import Request, Source
from rds_iam_magic.setup.provision.stacks import Event, Stack
from rds_iam_magic.setup.provision.template import template_of

Notify = Callable[[str], None]


def deploy(session: Any, request: Request, *, yes: bool, notify: Notify) -> Stack | None:
    """Make a database; one that is there already stays as it is.

    Args:
        session: A boto3 session.
        request: What to make.
        yes: Whether to go on after telling what will be made and what it costs.
        notify: Called with each line for the user.

    Returns:
        The stack; None if nothing was made, since `yes` is not given.

    Raises:
        ProvisionError: It cannot be made as wanted, or was not; what is there is something else.
        AwsError: AWS cannot be asked, or refuses something.
    """
    region = region_of(session)
    there = stacks.find(session, request.stack)
    if there is not None:
        return _there(session, there, request, notify)
    plan = Plan(request, find_offer(session, request, region), find_network(session, request, region), region)
    for line in plan.lines():
        notify(line)
    if not yes:
        notify(Note("Nothing was made yet. To go on, add {option:yes}."))
        return None
    template = template_of(request.engine)
    with stacks.going_on(request.stack, notify, begun=False):
        stack_id = stacks.create(session, request.stack, template, plan.parameters(), request.engine)
    with stacks.going_on(request.stack, notify):
        return _created(session, stack_id, notify)


def _there(session: Any, stack: Stack, request: Request, notify: Notify) -> Stack:
    """A stack of that name: as wanted, or in the making, or an error."""
    _check_own(stack)
    if stack.status == "CREATE_IN_PROGRESS":
        _check_same(stack, request)
        with stacks.going_on(stack.name, notify):
            return _created(session, stack.id, notify)
    if stack.in_progress:
        raise ProvisionError(
            f"The stack {stack.name} is {stack.status}.", cause="stack-busy", facts={"stack": stack.name}
        )
    if not stack.is_usable:
        raise _failure(stack, stacks.events(session, stack.id))
    _check_same(stack, request)
    notify(f"{stack.name} is there already; nothing was changed.")
    return stack


def _created(session: Any, stack_id: str, notify: Notify) -> Stack:
    happened = stacks.follow(session, stack_id, notify=notify)
    stack = stacks.describe(session, stack_id)
    if not stack.is_usable:
        raise _failure(stack, happened)
    return stack


def _check_own(stack: Stack) -> None:
    if not stack.engine:
        raise ProvisionError(f"The stack {stack.name} was made in another way.", cause="stack-foreign")


def _check_same(stack: Stack, request: Request) -> None:
    """Refuse what the stack that is there has not, rather than ignore it."""
    wanted = {"Engine": request.engine, **request.parameters()}
    has = {"Engine": stack.engine, **stack.parameters}
    different = [
        f"{key} {has[key] or 'empty'} instead of {value or 'empty'}"
        for key, value in wanted.items()
        if has.get(key, value) != value
    ]
    if different:
        raise ProvisionError(f"{stack.name} is there already, with {', '.join(different)}.", cause="stack-differs")


def _failure(stack: Stack, happened: list[Event]) -> ProvisionError:
    """The first failure's reason; the rest follows from it."""
    failure = stacks.first_failure(happened)
    why = f": {failure.name} ({failure.kind}) failed, {failure.reason or 'without a reason'}" if failure else ""
    return ProvisionError(
        f"The stack {stack.name} is {stack.status}{why}".rstrip(".") + ".",
        cause="stack-failed",
        facts={"stack": stack.name},
    )


def status(session: Any, name: str, *, notify: Notify) -> Stack:
    """How a stack is.

    Raises:
        ProvisionError: There is none of that name.
        AwsError: CloudFormation cannot be asked.
    """
    stack = stacks.describe(session, name)
    notify(f"{stack.name} is {stack.status}.")
    if stack.in_progress:
        for event in stacks.events(session, stack.id)[-5:]:
            notify(str(event))
    elif not stack.is_usable:
        error = _failure(stack, stacks.events(session, stack.id))
        notify(error.message)
        notify(Note("To delete what is left of it: {command:delete-stack}", stack=stack.name))
    return stack


def what_next(stack: Stack) -> Iterator[str]:
    """The outputs of a stack that is there, who can reach its database, and what to do next."""
    width = max(map(len, stack.outputs), default=0)
    for name, value in stack.outputs.items():
        yield f"{name:<{width}}  {value}"
    if not stack.engine:
        return
    yield _reach(stack)
    secret = next((value for name, value in stack.outputs.items() if name.endswith("Secret")), "SECRET_ID")
    yield Note(
        "Next: create a database user ({command:create-user-with}), attach the policy ConnectPolicyArn to whoever is "
        "to connect, and connect: {command:connect-to}",
        secret=secret,
        stack=stack.name,
    )


def _reach(stack: Stack) -> str:
    group = stack.outputs.get("SecurityGroupId", "the database's security group")
    source = Source(stack.parameters.get("FromCidr", ""), stack.parameters.get("FromSecurityGroup", ""))
    if not source.cidr and not source.group:
        return Note(
            "Nobody can reach it yet: {group} lets nobody in. Let in the security group of a machine in the VPC (aws "
            "ec2 authorize-security-group-ingress, TCP 3306), then connect through that machine: {command:connect-by}",
            group=group,
            stack=stack.name,
        )
    if stack.parameters.get("Public") == "true" or not source.is_on_the_internet:
        return f"{source} can reach it, by {group}."
    return Note(
        "{source} may reach it, by {group}; but it has no public address, so that only machines in the VPC, or in "
        "networks that are connected with it, can. From elsewhere, connect through such a machine: "
        "{command:connect-by}",
        source=source,
        group=group,
        stack=stack.name,
    )


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
    _check_own(stack)
    if stack.status == "DELETE_IN_PROGRESS":
        with stacks.going_on(name, notify):
            return _deleted(session, stack, stacks.follow(session, stack.id, notify=notify), notify, "")
    there = stacks.resources(session, stack)
    holders = _policy_holders(session, there)
    database = _database(there)
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
    return _deleted(session, stack, happened, notify, database)


def _deleted(session: Any, stack: Stack, happened: list[Event], notify: Notify, database: str) -> bool:
    if stacks.outcome(happened) == "DELETE_COMPLETE":
        kept = _snapshot(session, stack, database, since=happened[0]) if database else ""
        notify(f"{stack.name} is deleted." + (f" {kept}" if kept else ""))
        return True
    raise _failure(stacks.describe(session, stack.id), happened)


_KINDS = {
    "AWS::RDS::DBCluster": ("describe_db_clusters", "DBClusterIdentifier", "DBClusters"),
    "AWS::RDS::DBInstance": ("describe_db_instances", "DBInstanceIdentifier", "DBInstances"),
}


def _database(there: list[tuple[str, str, str]]) -> str:
    """The identifier of the cluster, else of the instance, with its type in front; "" if neither is there."""
    found = {kind: physical for _, kind, physical in there if kind in _KINDS}
    return next((f"{kind} {found[kind]}" for kind in _KINDS if kind in found), "")


def _what_goes(stack: Stack, there: list[tuple[str, str, str]], holders: list[Holder], database: str) -> Iterator[str]:
    yield (
        f"{stack.name}, which is {stack.status}, goes with all that is in it:"
        if there
        else (f"{stack.name}, which is {stack.status}, is empty.")
    )
    for name, kind, physical in there:
        yield f"  {name} ({kind}){f' {physical}' if physical else ''}"
    if holders:
        yield f"  The policy is taken from {', '.join(map(str, holders))}."
    if database:
        yield "A last snapshot of the database is kept, and costs its storage; automatic backups and the secret go."


def _check_protection(session: Any, stack: Stack, database: str) -> None:
    if stack.is_protected:
        raise ProvisionError(f"The stack {stack.name} is protected from deletion.", cause="stack-protected")
    if not database:
        return
    kind, name = database.split(" ")
    call, argument, answer = _KINDS[kind]
    gone = ProvisionError("", cause="database-gone")
    try:
        rows = ask(
            session, "rds", call, f"looking up {name}", {argument: name}, part=answer,
            refusals={"DBClusterNotFoundFault": gone, "DBInstanceNotFound": gone},
        )[answer]  # fmt: skip
    except ProvisionError:  # somebody has deleted it; the stack can go
        return
    if any(row.get("DeletionProtection") for row in rows):
        raise ProvisionError(f"The database {name} is protected from deletion.", cause="database-protected")


def _policy_holders(session: Any, there: list[tuple[str, str, str]]) -> list[Holder]:
    arns = [physical for _, kind, physical in there if kind == "AWS::IAM::ManagedPolicy" and physical]
    return [holder for arn in arns for holder in holders_of(session, arn)]


def _snapshot(session: Any, stack: Stack, database: str, *, since: Event) -> str:
    """A sentence about the snapshot that was kept; its name, if that may be looked up; "" if there is none."""
    kind, name = database.split(" ")
    is_cluster = kind == "AWS::RDS::DBCluster"
    label, call = ("DBCluster", "describe_db_cluster_snapshots") if is_cluster else ("DB", "describe_db_snapshots")
    part, wanted = f"{label}Snapshots", {_KINDS[kind][1]: name, "SnapshotType": "manual"}
    try:
        rows = ask(session, "rds", call, f"looking up the snapshots of {stack.name}", wanted, part=part)[part]
    except AwsError:
        return "A snapshot of its database was kept."
    names = [row[f"{label}SnapshotIdentifier"] for row in rows if _is_since(row, since)]
    return f"The snapshot {names[-1]} was kept." if names else ""


def _is_since(row: dict[str, Any], event: Event) -> bool:
    made = row.get("SnapshotCreateTime")
    return made is not None and bool(made >= event.when)
