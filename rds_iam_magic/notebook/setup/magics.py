"""The magics that set up. Each reads as a table of contents: parse, do, show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class

from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import NotConnectedError
from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.decorator import magic
from rds_iam_magic.notebook.setup.lines import PolicyLine, UserLine, options_beside, parse_policy, parse_user

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.aws.endpoint import Endpoint
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
                options = options_beside(options, reached)
        return connect_to_set_up(options, target=target, secret=parsed.secret, notify=display.note)

    @line_magic
    @magic(grammars.POLICY)
    def rds_iam_policy(self, line: str) -> None:
        from rds_iam_magic.notebook import display

        parsed = parse_policy(line)
        if parsed is None:
            return display.say(grammars.POLICY.help())
        return display.policy(self._policy(parsed))

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
