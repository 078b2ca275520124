"""`%rds_iam_doctor`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class

from rds_iam_magic.hints import Interface
from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.decorator import magic

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connect_options import ConnectOptions
    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.doctor.diagnosing import Attempt
    from rds_iam_magic.notebook.options import ConnectLine


class JsonText(str):
    """JSON as a cell's value, shown without quotes around it."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's signature
        printer.text(str(self))


@magics_class
class RdsIamDoctor(Magics):
    """`%rds_iam_doctor`; its docstring is its `--help`.

    Args:
        shell: The shell.
        connections: The open connections by their aliases.
        reached: Returns the connection of an alias, of the current one for None, and how AWS was reached for it.
    """

    shell: InteractiveShell

    def __init__(
        self,
        shell: InteractiveShell,
        connections: Mapping[str, Connection],
        reached: Callable[[str | None], tuple[Connection, ConnectOptions]],
    ) -> None:
        super().__init__(shell)
        self._connections = connections
        self._reached = reached
        self._failed: ConnectLine | None = None

    def failed(self, line: ConnectLine) -> None:
        """A connection could not be opened; it is what an empty line is about."""
        self._failed = line

    def succeeded(self, line: ConnectLine) -> None:
        """A connection was opened: if it had failed before, that is over."""
        before = self._failed
        if before is not None and (before.target, before.user, before.where) == (line.target, line.user, line.where):
            self._failed = None

    @line_magic
    @magic(grammars.DOCTOR)
    def rds_iam_doctor(self, line: str) -> Any:
        from rds_iam_magic.notebook.doctor.fixing import fixed
        from rds_iam_magic.notebook.doctor.lines import attempt_on, parse_doctor
        from rds_iam_magic.notebook.showing import display

        parsed = parse_doctor(line)
        if parsed is None:
            return display.say(grammars.DOCTOR.help())
        attempt = attempt_on(parsed, failed=self._failed_attempt(), aliases=self._connections, held=self._held)
        waiting = display.LiveLine(self.shell)
        diagnosis = attempt.diagnose(waiting.show, Interface.NOTEBOOK)
        if parsed.fix is not None:
            diagnosis = fixed(diagnosis, parsed.fix, attempt, waiting.show)
        if waiting.shown:
            waiting.finish("Nothing is waited for any more.", [])
        diagnosis = diagnosis.masked() if parsed.share else diagnosis
        return JsonText(diagnosis.to_json()) if parsed.json else diagnosis

    def _failed_attempt(self) -> Attempt | None:
        from rds_iam_magic.aws.endpoint import Destination
        from rds_iam_magic.doctor.diagnosing import Attempt

        line = self._failed
        if line is None:
            return None
        return Attempt(Destination(line.target or "", line.user, line.database, line.port), line.options, line.where)

    def _held(self, alias: str | None) -> Attempt:
        """The login of an open connection: to its endpoint, as its user, in the same way.

        Raises:
            NotConnectedError: There is none.
        """
        from dataclasses import replace

        from rds_iam_magic.aws.endpoint import Destination
        from rds_iam_magic.connect_options import DEFAULT_PORT
        from rds_iam_magic.doctor.diagnosing import Attempt

        connection, options = self._reached(alias)
        login = connection.login
        endpoint = login.endpoint
        port = endpoint.port if endpoint.port != DEFAULT_PORT else None
        to = Destination(endpoint.host, login.user, connection.database, port)
        return Attempt(to, replace(options, region=endpoint.region))
