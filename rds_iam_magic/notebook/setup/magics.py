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
from rds_iam_magic.notebook.setup.lines import PolicyLine, UserLine, parse_policy, parse_user

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.aws.endpoint import Endpoint
    from rds_iam_magic.aws.policies.document import Resource
    from rds_iam_magic.connection.connection import Connection


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
    def rds_iam_user(self, line: str) -> Any:
        from rds_iam_magic.notebook import display
        from rds_iam_magic.notebook.setup import users

        parsed = parse_user(line)
        if parsed is None:
            return display.say(grammars.USER.help())
        with self._master(parsed) as master:
            outcome = users.run(master, parsed)
        return users.show(outcome, parsed)

    def _master(self, parsed: UserLine) -> Connection:
        """A connection as the master user of the database that the line names, or else of the current connection's."""
        from rds_iam_magic.notebook import display
        from rds_iam_magic.setup.master import connect_to_set_up

        target: str | Endpoint | None = parsed.target
        options = parsed.options
        if target is None and parsed.secret is None:
            try:
                target, reached = self._current()
            except NotConnectedError:
                target = None
            else:
                options = options if options != ConnectOptions() else reached
        return connect_to_set_up(options, target=target, secret=parsed.secret, notify=display.note)

    @line_magic
    @magic(grammars.POLICY)
    def rds_iam_policy(self, line: str) -> None:
        from rds_iam_magic.aws.policies.attaching import attach_policy
        from rds_iam_magic.aws.policies.document import connect_policy
        from rds_iam_magic.notebook import display
        from rds_iam_magic.notebook.setup import policies

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
        if parsed.targets:
            session = session_of(parsed.options)
            return lambda: session, [find_for_policy(session, target, region=region) for target in parsed.targets]
        endpoint, reached = self._current()
        session = session_of(parsed.options if parsed.options != ConnectOptions() else reached)
        return lambda: session, [find_for_policy(session, endpoint)]
