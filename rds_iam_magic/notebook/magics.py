"""The magics. Each reads as a table of contents: parse, call, display. The instance holds the connections."""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from traitlets import Bool, Integer, Unicode, Union

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.connect_options import CONNECT_ARGUMENTS, ConnectOptions
from rds_iam_magic.errors import NotConnectedError, OptionError, RdsIamError
from rds_iam_magic.notebook import grammars, options, sqltext
from rds_iam_magic.notebook.completion.completing import Completing
from rds_iam_magic.notebook.decorator import magic
from rds_iam_magic.notebook.doctor.magics import RdsIamDoctor
from rds_iam_magic.notebook.frames.variables import Frames
from rds_iam_magic.notebook.grammar import near
from rds_iam_magic.notebook.highlighting.terminal import Highlighting
from rds_iam_magic.notebook.looking.magics import RdsIamLooking
from rds_iam_magic.notebook.plots.magics import RdsIamPlots
from rds_iam_magic.notebook.queries.saved import SavedQueries
from rds_iam_magic.notebook.settings.project import take_project_settings
from rds_iam_magic.notebook.setup.magics import RdsIamSetup
from rds_iam_magic.notebook.showing.whole import WholePrinters
from rds_iam_magic.sections import section_names

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.aws.endpoint import Endpoint
    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.feedback.line import Feedback
    from rds_iam_magic.notebook.grammar import Grammar
    from rds_iam_magic.notebook.plots.charts import Charts
    from rds_iam_magic.notebook.variables import Filled
    from rds_iam_magic.results.formats import DecimalMode
    from rds_iam_magic.results.result import Changed, ResultSet


@magics_class
class RdsIamMagics(Magics):
    """`%rds_iam_connect` and `%%rds_sql`; their docstrings are their `--help`."""

    shell: InteractiveShell
    max_memory = Union(
        [Integer(), Unicode()],
        default_value=None,
        allow_none=True,
        help=CONNECT_ARGUMENTS["max_memory"].argument_text(),
    ).tag(config=True, project=True)  # project: its pyproject.toml may set it, which must never say where to log in
    feedback = Integer(2, min=0, max=2, help=grammars.FEEDBACK.argument_text()).tag(config=True, project=True)
    completion = Bool(True, help=grammars.COMPLETION.argument_text()).tag(config=True, project=True)
    autolimit = Integer(0, min=0, help=grammars.AUTOLIMIT.argument_text()).tag(config=True, project=True)
    highlight = Bool(True, help=grammars.HIGHLIGHT.argument_text()).tag(config=True, project=True)

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.connections: dict[str, Connection] = {}
        self._reached: dict[str, ConnectOptions] = {}  # each connection's options, reused to look up its policy
        self.current: str | None = None
        self.whole = WholePrinters(shell)
        self.looking = RdsIamLooking(shell, self._connection, self.whole)
        self.plots = RdsIamPlots(shell, self._connection, self._feedback)
        self.setup = RdsIamSetup(shell, self._reach, self.whole)
        self.doctor = RdsIamDoctor(shell, self.connections, self._reached_by)
        self.saved = SavedQueries()
        self.completing = Completing(shell, self.connections, lambda: self.current, lambda: self.completion, self.saved)
        self.highlighting = Highlighting(shell, lambda: self.highlight)

    @line_magic
    @magic(grammars.CONNECT)
    def rds_iam_connect(self, line: str) -> None:
        from rds_iam_magic.notebook.showing import display

        parsed = options.parse_connect(line)
        if parsed is None:
            display.say(grammars.CONNECT.help())
        elif parsed.list_all:
            display.listing(self.connections, self.current)
            display.sections(section_names())
        elif parsed.close is not None:
            self._close(parsed.close)
            display.closed(parsed.close, self.current)
        elif parsed.where.names_database or (
            parsed.target is not None and (parsed.user or parsed.section or parsed.target not in self.connections)
        ):
            self._connect(parsed.target, parsed)
        elif parsed.target is None and not self.connections and _DEFAULT in section_names():
            self.shell.run_line_magic("rds_iam_connect", f"--section {_DEFAULT}")
        else:
            self._name(parsed.target)

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    @magic(grammars.SQL)
    def rds_sql(self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> Any:
        parsed = options.parse_sql(line, cell, self.connections)
        return self._help(grammars.SQL) if parsed is None else self._sql(parsed, local_ns)

    @needs_local_scope
    @line_magic
    @magic(grammars.LOAD)
    def rds_load(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        from rds_iam_magic.notebook.frames.lines import parse_load

        parsed = parse_load(line)
        if parsed is None:
            return self._help(grammars.LOAD)
        given, load = parsed
        as_sql = options.SqlLine(given.alias, "", None, show=False, quiet="quiet" in given.flags, load=load)
        return self._sql(as_sql, local_ns)

    @staticmethod
    def _help(grammar: Grammar) -> None:
        from rds_iam_magic.notebook.showing import display

        display.say(grammar.help())

    def _sql(self, given: options.SqlLine, local_ns: Mapping[str, Any] | None) -> Any:
        """Run what a line asks for: its SQL, or a frame to write; return the value to show."""
        from rds_iam_magic.notebook.queries.prepared import prepare
        from rds_iam_magic.notebook.showing import display

        if given.list_saved:
            return display.say(self.saved.listing())
        connection = self._connection(given.alias)
        prepared = prepare(given, self.saved, self.shell, local_ns)
        parsed, filled = prepared.line, prepared.filled
        frames = Frames(parsed, self.shell, local_ns)
        if parsed.dry_run:
            if filled.note:
                display.note(filled.note)
            with prepared.explaining():
                display.statements(connection.statements(filled.sql, params=filled.params))
            return display.told(prepared.keep())
        if parsed.file is not None:
            self.completing.runs(parsed.sql)
        feedback = self._feedback(quiet=parsed.quiet)
        charts = None if parsed.plot is None else self.plots.charts(parsed.plot)
        try:
            with prepared.explaining(), feedback.of(connection):
                if filled.note:
                    connection.notify(filled.note)
                frames.write(connection, feedback)
                value = None if parsed.load else self._run(connection, parsed, filled, feedback, charts)
        except KeyboardInterrupt:
            display.stopped(connection)
            raise
        display.told(prepared.keep(), quiet=parsed.quiet)
        if parsed.variable is not None:
            self.shell.user_ns[parsed.variable] = value
        if charts is not None and charts.show(value, is_kept=parsed.variable is not None):
            self.plots.shown(value)
        return value if parsed.show else None

    def close_all(self) -> None:
        """Close every held connection."""
        for connection in self.connections.values():
            self._end(connection)
        self.connections.clear()
        self.current = None

    def _connect(self, target: str | None, parsed: options.ConnectLine) -> None:
        from rds_iam_magic.connecting import connect_with
        from rds_iam_magic.notebook.showing import display

        if not parsed.user:
            guess = near(str(target), self.connections)
            raise OptionError(
                f"There is no connection {target!r}, and connecting to that target requires a database user.",
                f"Did you mean {guess}? Else add -u USER." if guess else "",
                cause="user-missing",
            )
        try:
            connection = connect_with(
                parsed.options,
                parsed.settings,
                target,
                user=parsed.user,
                database=parsed.database,
                port=parsed.port,
                where=parsed.where,
                notify=display.note,
            )
        except RdsIamError as error:
            if not isinstance(error, OptionError):
                self.doctor.failed(parsed)
            raise
        self.doctor.succeeded(parsed)
        endpoint = connection.login.endpoint
        is_reader = parsed.where.reader and endpoint.kind is Kind.READER  # its name begins as the writer's does
        alias = parsed.alias or parsed.section or f"{endpoint.identifier}{'-reader' if is_reader else ''}"
        replaced = self.connections.pop(alias, None)
        if replaced is not None:
            self._end(replaced)
            display.note(f"this replaces the previous connection {alias}.")
        self.connections[alias], self._reached[alias] = connection, parsed.options
        self.current = alias
        self.completing.connected(connection)
        display.connected(alias, connection)
        if parsed.save is not None:
            self._save(parsed.save, target, parsed)

    def _save(self, name: str, target: str | None, parsed: options.ConnectLine) -> None:
        from rds_iam_magic.aws.endpoint import Destination
        from rds_iam_magic.notebook.showing import display
        from rds_iam_magic.sections import path_of_sections, values_of, write_section

        to = Destination(target or "", parsed.user, parsed.database, parsed.port)
        replaced = write_section(name, values_of(parsed.options, parsed.settings, to, parsed.where))
        display.say(f"{'Replaced' if replaced else 'Saved'} section {name} in {path_of_sections()}.")

    def _close(self, alias: str) -> None:
        self._end(self._held(alias))
        del self.connections[alias]
        if self.current == alias:
            self.current = next(reversed(self.connections), None)

    def _end(self, connection: Connection) -> None:
        self.completing.closed(connection)
        connection.close()

    def _name(self, alias: str | None) -> None:
        from rds_iam_magic.notebook.showing import display

        connection = self._connection(alias)
        display.say(display.describe(str(self.current if alias is None else alias), connection))
        self.current = alias or self.current

    def _connection(self, alias: str | None) -> Connection:
        """The connection with that alias, which becomes the current one; without an alias, the current one."""
        connection = self.held(alias)
        self.current = alias or self.current
        return connection

    def held(self, alias: str | None) -> Connection:
        """The connection with that alias; without an alias, the current one.

        Raises:
            NotConnectedError: There is none.
        """
        name = alias or self.current
        if name is None:
            raise NotConnectedError("Not connected.")
        connection = self._held(name)
        connection.max_memory = self.max_memory
        return connection

    def _reach(self) -> tuple[Endpoint, ConnectOptions]:
        """The current connection's endpoint, and how AWS was reached for it."""
        connection, options = self._reached_by(None)
        return connection.login.endpoint, options

    def _reached_by(self, alias: str | None) -> tuple[Connection, ConnectOptions]:
        """The connection with that alias, or the current one, and how AWS was reached for it."""
        connection = self.held(alias)
        return connection, self._reached[str(alias or self.current)]

    def _held(self, alias: str) -> Connection:
        if alias not in self.connections:
            raise sqltext.not_held(alias, self.connections)
        return self.connections[alias]

    def _feedback(self, *, quiet: bool = False) -> Feedback:
        from rds_iam_magic.notebook.feedback.line import NOTHING, Feedback

        return Feedback(self.shell, str(self.current), NOTHING if quiet else self.feedback)

    def _run(
        self,
        connection: Connection,
        parsed: options.SqlLine,
        filled: Filled,
        feedback: Feedback,
        charts: Charts | None = None,
    ) -> Any:
        """Run the SQL, tell of each result, show each except the last, and return the last."""
        from rds_iam_magic.notebook.showing.results import Results, converter

        if parsed.explain:
            return connection.explain(filled.sql, params=filled.params)
        if charts is not None:
            figures = charts.before(connection, parsed, filled, feedback)
            if figures is not None:
                return figures
        if parsed.to is not None:
            rows = connection.write(
                filled.sql, parsed.to, params=filled.params, overwrite=parsed.overwrite, limit=parsed.limit
            )
            return feedback.written(rows, parsed.to)
        results = Results(converter(parsed), self.whole, feedback, quiet=parsed.quiet)
        try:
            # An error in showing would else keep the connection busy.
            with contextlib.closing(self._results(connection, parsed, filled)) as run:
                for result in run:
                    results.take(result)
        except BaseException:
            results.show_waiting()  # it has come, and what failed came after it
            raise
        return results.value

    def _results(
        self, connection: Connection, parsed: options.SqlLine, filled: Filled
    ) -> Generator[ResultSet | Changed, None, None]:
        """What the SQL gives, each result when it is complete."""
        is_exact = parsed.decimal == "exact" or parsed.type != "pandas" or parsed.dtype_backend == "pyarrow"
        decimal: DecimalMode = "exact" if is_exact else "float"
        if parsed.parallel is not None:
            yield connection.run_parallel(
                filled.sql,
                parsed.parallel,
                params=filled.params,
                on=parsed.on,
                consistent=parsed.consistent,
                decimal=decimal,
            )
            return
        run = connection.run(
            filled.sql,
            params=filled.params,
            decimal=decimal,
            limit=parsed.limit or self.autolimit or None,
            as_frame=parsed.type == "pandas" and parsed.dtype_backend is None,
        )
        with contextlib.closing(run):
            for result in run:
                if parsed.limit is None and getattr(result, "cut", False):
                    connection.notify("that limit is RdsIamMagics.autolimit; --limit N reads more rows.")
                yield result


_DEFAULT = "default"
"""The section of the user's own file that an empty line connects by, when nothing is connected."""

_INSTANCE = "_rds_iam_magics"


def magics_of(ipython: InteractiveShell) -> RdsIamMagics | None:
    """The shell's magics; None if they are not loaded."""
    magics = getattr(ipython, _INSTANCE, None)
    return magics if isinstance(magics, RdsIamMagics) else None


def load(ipython: InteractiveShell) -> None:
    """Register the magics; loading again keeps the open connections."""
    if magics_of(ipython) is None:
        magics = RdsIamMagics(ipython)
        setattr(ipython, _INSTANCE, magics)
        take_project_settings(magics, _note)
        magics.completing.begin()
        magics.highlighting.begin()
        atexit.register(magics.close_all)  # in order, and with a word on a transaction that was open
    magics = getattr(ipython, _INSTANCE)
    ipython.register_magics(magics, magics.looking, magics.plots, magics.setup, magics.doctor)


def _note(text: str) -> None:
    from rds_iam_magic.notebook.showing import display

    display.note(text)


def unload(ipython: InteractiveShell) -> None:
    """Close the connections and remove the magics."""
    magics = getattr(ipython, _INSTANCE, None)
    if magics is None:
        return
    atexit.unregister(magics.close_all)
    magics.completing.end()
    magics.highlighting.end()
    magics.close_all()
    magics.whole.clear()
    magics.plots.clear()
    for each in (magics, magics.looking, magics.plots, magics.setup, magics.doctor):
        if each in ipython.configurables:
            ipython.configurables.remove(each)
        for kind, names in each.magics.items():
            for name in names:
                ipython.magics_manager.magics[kind].pop(name, None)
    delattr(ipython, _INSTANCE)
