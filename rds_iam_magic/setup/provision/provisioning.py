"""`deploy` and `status`: a database of one's own as a stack, from the plan to what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rds_iam_magic.aws.session import region_of
from rds_iam_magic.errors import ProvisionError
from rds_iam_magic.hints import Note
from rds_iam_magic.setup.provision import stacks
from rds_iam_magic.setup.provision.network import find_network
from rds_iam_magic.setup.provision.offer import find_offer
from rds_iam_magic.setup.provision.plan import Plan
from rds_iam_magic.setup.provision.request import Request, Source
from rds_iam_magic.setup.provision.stacks import Stack
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
    stacks.check_own(stack)
    if stack.status == "CREATE_IN_PROGRESS":
        _check_same(stack, request)
        with stacks.going_on(stack.name, notify):
            return _created(session, stack.id, notify)
    if stack.in_progress:
        raise ProvisionError(
            f"The stack {stack.name} is {stack.status}.", cause="stack-busy", facts={"stack": stack.name}
        )
    if not stack.is_usable:
        raise stacks.failure_of(stack, stacks.events(session, stack.id))
    _check_same(stack, request)
    notify(f"{stack.name} is there already; nothing was changed.")
    return stack


def _created(session: Any, stack_id: str, notify: Notify) -> Stack:
    happened = stacks.follow(session, stack_id, notify=notify)
    stack = stacks.describe(session, stack_id)
    if not stack.is_usable:
        raise stacks.failure_of(stack, happened)
    return stack


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
        error = stacks.failure_of(stack, stacks.events(session, stack.id))
        notify(error.message)
        notify(Note("To delete what is left of it: {command:delete-stack}", stack=stack.name))
    return stack


def what_next(stack: Stack) -> Iterator[str]:
    """The outputs of a stack that is there, who can reach its database, and what to do next."""
    if not stack.engine:
        if stack.outputs:
            yield "It was made in another way: its outputs are not shown, since they may hold secrets."
        return
    width = max(map(len, stack.outputs), default=0)
    for name, value in stack.outputs.items():
        yield f"{name:<{width}}  {value}"
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
