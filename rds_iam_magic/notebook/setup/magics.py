"""The magics that set up. Each reads as a table of contents: parse, do, show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class

from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.decorator import magic
from rds_iam_magic.notebook.setup.lines import PolicyLine, parse_policy, parse_user
from rds_iam_magic.notebook.setup.provision_lines import ProvisionLine, parse_enable, parse_provision

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.aws.endpoint import Endpoint
    from rds_iam_magic.setup.provision.stacks import Stack


@magics_class
class RdsIamSetup(Magics):
    """`%rds_iam_user` and its like; their docstrings are their `--help`.

    Args:
        shell: The shell.
        current: Returns the current connection's endpoint, and how AWS was reached for it.
    """

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, current: Callable[[], tuple[Endpoint, ConnectOptions]]) -> None:
        super().__init__(shell)
        self._current = current

    @line_magic
    @magic(grammars.USER)
    def rds_iam_user(self, line: str) -> None:
        from rds_iam_magic.connecting import connect_as_master
        from rds_iam_magic.notebook import display
        from rds_iam_magic.setup.users import create_user

        parsed = parse_user(line)
        if parsed is None:
            return display.say(grammars.USER.help())
        with connect_as_master(parsed.secret, parsed.options, target=parsed.target, notify=display.note) as master:
            outcome = create_user(master, parsed.name, grants=parsed.grants, host=parsed.host)
        return display.user_outcome(outcome, parsed.name)

    @line_magic
    @magic(grammars.POLICY)
    def rds_iam_policy(self, line: str) -> None:
        from rds_iam_magic.notebook import display

        parsed = parse_policy(line)
        if parsed is None:
            return display.say(grammars.POLICY.help())
        return display.policy(self._policy(parsed))

    @line_magic
    @magic(grammars.PROVISION)
    def rds_iam_provision(self, line: str) -> None:
        from rds_iam_magic.notebook import display
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
        from rds_iam_magic.notebook import display
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
        from rds_iam_magic.notebook import display
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

    def _policy(self, parsed: PolicyLine) -> dict[str, Any]:
        """The policy document, from ids alone or for a database that is looked up."""
        from rds_iam_magic.aws.policy import connect_policy, find_for_policy, policy_from_ids
        from rds_iam_magic.connecting import session_of

        region = parsed.options.region
        if parsed.resource_id is not None and parsed.account is not None and region is not None:
            return policy_from_ids(
                parsed.user,
                resource_id=parsed.resource_id,
                account=parsed.account,
                region=region,
                wildcard=parsed.wildcard,
            )
        if parsed.target is not None:
            database = find_for_policy(session_of(parsed.options), parsed.target, region=region)
        else:
            endpoint, reached = self._current()
            options = parsed.options if parsed.options != ConnectOptions() else reached
            database = find_for_policy(session_of(options), endpoint)
        return connect_policy(database, parsed.user, wildcard=parsed.wildcard)
