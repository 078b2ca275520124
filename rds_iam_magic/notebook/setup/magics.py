"""The magics that set up. Each reads as a table of contents: parse, do, show."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class

from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import AwsError, NotConnectedError
from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.decorator import magic
from rds_iam_magic.notebook.setup.lines import (
    AccessLine,
    PolicyLine,
    UserLine,
    options_beside,
    parse_access,
    parse_policy,
    parse_user,
)
from rds_iam_magic.notebook.setup.provision_lines import ProvisionLine, parse_enable, parse_provision

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.aws.endpoint import Endpoint
    from rds_iam_magic.aws.policies.document import Resource
    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.showing.whole import WholePrinters
    from rds_iam_magic.setup.provision.stacks import Stack


@magics_class
class RdsIamSetup(Magics):
    """`%rds_iam_user` and its like; their docstrings are their `--help`.

    Args:
        shell: The shell.
        current: Returns the current connection's endpoint, and how AWS was reached for it.
        whole: Registers results to show in full.
    """

    shell: InteractiveShell

    def __init__(
        self,
        shell: InteractiveShell,
        current: Callable[[], tuple[Endpoint, ConnectOptions]],
        whole: WholePrinters,
    ) -> None:
        super().__init__(shell)
        self._current = current
        self._whole = whole

    @line_magic
    @magic(grammars.USER)
    def rds_iam_user(self, line: str) -> Any:
        from rds_iam_magic.notebook.setup import users
        from rds_iam_magic.notebook.showing import display

        parsed = parse_user(line)
        if parsed is None:
            return display.say(grammars.USER.help())
        with self._master(parsed, self._aim(parsed)) as master:
            outcome = users.run(master, parsed)
        return users.show(outcome, parsed)

    @line_magic
    @magic(grammars.ACCESS)
    def rds_iam_access(self, line: str) -> Any:
        from rds_iam_magic.connecting import session_of
        from rds_iam_magic.notebook.setup import access
        from rds_iam_magic.notebook.showing import display
        from rds_iam_magic.setup.access import who_may_connect

        parsed = parse_access(line)
        if parsed is None:
            return display.say(grammars.ACCESS.help())
        aim = self._aim(parsed)
        try:
            with self._master(parsed, aim) as master:
                found = who_may_connect(master, session_of(aim[1]), user=parsed.user, everybody=parsed.everybody)
        except AwsError as error:
            if error.cause == "aws-lookup-denied":  # a host name, which connecting is content with, is not enough
                error.hint = (
                    "Ask for that permission; by any name of the database, this takes rds:DescribeDBClusters (for an "
                    "instance also rds:DescribeDBInstances)."
                )
            raise
        self._whole.add(found, access.STYLE)
        access.show(found, parsed.user)
        return found

    def _aim(self, parsed: UserLine | AccessLine) -> tuple[str | Endpoint | None, ConnectOptions]:
        """The target that a line names, or else the current connection's endpoint; and how to reach it."""
        if parsed.target is None and parsed.secret is None and not parsed.where.names_database:
            try:
                current, reached = self._current()
            except NotConnectedError:
                return None, parsed.options
            return current, options_beside(parsed.options, reached)
        return parsed.target, parsed.options

    def _master(self, parsed: UserLine | AccessLine, aim: tuple[str | Endpoint | None, ConnectOptions]) -> Connection:
        """A connection as the master user."""
        from rds_iam_magic.notebook.showing import display
        from rds_iam_magic.setup.master import connect_to_set_up

        target, options = aim
        return connect_to_set_up(options, target=target, secret=parsed.secret, where=parsed.where, notify=display.note)

    @line_magic
    @magic(grammars.POLICY)
    def rds_iam_policy(self, line: str) -> None:
        from rds_iam_magic.aws.policies.attaching import attach_policy
        from rds_iam_magic.aws.policies.document import connect_policy
        from rds_iam_magic.notebook.setup import policies
        from rds_iam_magic.notebook.showing import display

        parsed = parse_policy(line)
        if parsed is None:
            return display.say(grammars.POLICY.help())
        session, resources = self._policy_for(parsed)
        document = connect_policy(resources, parsed.user, wildcard=parsed.wildcard)
        if parsed.attach is None:
            return display.policy(document)
        try:
            attached = attach_policy(
                session(),
                parsed.attach,
                resources,
                parsed.user,
                name=parsed.name,
                wildcard=parsed.wildcard,
                fix=parsed.fix,
                dry_run=parsed.dry_run,
            )
        except AwsError as error:
            if error.cause in ("role-reserved", "role-of-service", "policy-too-large"):
                display.policy(document)  # to be put elsewhere, as the hint says
            raise
        return policies.attached(attached, fixed=parsed.fix)

    def _policy_for(self, parsed: PolicyLine) -> tuple[Callable[[], Any], list[Resource]]:
        """How to open the session, and the resources: from ids alone, or for databases that are looked up."""
        from rds_iam_magic.aws.policies.databases import find_for_policy
        from rds_iam_magic.aws.policies.document import resource_from_ids
        from rds_iam_magic.connecting import session_of

        region = parsed.options.region
        if parsed.resource_id is not None and parsed.account is not None and region is not None:
            from_ids = resource_from_ids(resource_id=parsed.resource_id, account=parsed.account, region=region)
            return partial(session_of, parsed.options), [from_ids]
        if parsed.where.names_database:
            session = session_of(parsed.options)
            return lambda: session, [find_for_policy(session, None, where=parsed.where, region=region)]
        if parsed.targets:
            session = session_of(parsed.options)
            return lambda: session, [find_for_policy(session, target, region=region) for target in parsed.targets]
        endpoint, reached = self._current()
        session = session_of(parsed.options if parsed.options != ConnectOptions() else reached)
        return lambda: session, [find_for_policy(session, endpoint)]

    @line_magic
    @magic(grammars.PROVISION)
    def rds_iam_provision(self, line: str) -> None:
        from rds_iam_magic.notebook.showing import display
        from rds_iam_magic.setup.provision.provisioning import what_next

        parsed = parse_provision(line)
        if parsed is None:
            return display.say(grammars.PROVISION.help())
        stack = self._provision(parsed)
        for text in what_next(stack) if stack is not None and stack.is_usable else ():
            display.told(text)
        return None

    def _provision(self, parsed: ProvisionLine) -> Stack | None:
        from rds_iam_magic.connecting import session_of
        from rds_iam_magic.notebook.showing import display
        from rds_iam_magic.setup.provision import deleting, provisioning

        session = session_of(parsed.options)
        if parsed.request is not None:
            return provisioning.deploy(session, parsed.request, yes=parsed.yes, notify=display.told)
        if parsed.action == "status":
            return provisioning.status(session, parsed.stack, notify=display.told)
        deleting.delete(session, parsed.stack, yes=parsed.yes, notify=display.told)
        return None

    @line_magic
    @magic(grammars.ENABLE)
    def rds_iam_enable(self, line: str) -> None:
        from rds_iam_magic.connecting import session_of
        from rds_iam_magic.notebook.showing import display
        from rds_iam_magic.setup.enable import enable_iam

        parsed = parse_enable(line)
        if parsed is None:
            return display.say(grammars.ENABLE.help())
        return enable_iam(
            session_of(parsed.options),
            parsed.target,
            region=parsed.options.region,
            now=parsed.now,
            yes=parsed.yes,
            wait=parsed.options.wait,
            notify=display.told,
        )
