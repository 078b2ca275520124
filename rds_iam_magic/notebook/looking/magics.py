"""The magics for looking around. Each reads as a table of contents: parse, ask, show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import NotConnectedError
from rds_iam_magic.hints import Note
from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.decorator import magic
from rds_iam_magic.notebook.looking.lines import aws_options, number_of_rows, parse_explain, parse_look
from rds_iam_magic.notebook.looking.styles import BLANK, COLUMNS, PLAIN, PREVIEW, PROFILE, TABLES

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.grammar import Grammar
    from rds_iam_magic.notebook.showing.whole import Style, WholePrinters


@magics_class
class RdsIamLooking(Magics):
    """`%rds_tables` and its like; their docstrings are their `--help`.

    Args:
        shell: The shell.
        connection: Returns the held connection with an alias, or the current one for None.
        whole: Registers results to show in full.
    """

    shell: InteractiveShell

    def __init__(
        self, shell: InteractiveShell, connection: Callable[[str | None], Connection], whole: WholePrinters
    ) -> None:
        super().__init__(shell)
        self._connection = connection
        self._whole = whole

    @line_magic
    @magic(grammars.TABLES)
    def rds_tables(self, line: str) -> Any:
        parsed = parse_look(grammars.TABLES, line)
        if parsed is None:
            return _help(grammars.TABLES)
        return self._ask(parsed.alias, lambda db: db.tables(parsed.name), TABLES)

    @line_magic
    @magic(grammars.COLUMNS)
    def rds_columns(self, line: str) -> Any:
        parsed = parse_look(grammars.COLUMNS, line, least=1)
        if parsed is None:
            return _help(grammars.COLUMNS)
        return self._ask(parsed.alias, lambda db: db.columns(parsed.words[0]), COLUMNS)

    @line_magic
    @magic(grammars.PREVIEW)
    def rds_preview(self, line: str) -> Any:
        parsed = parse_look(grammars.PREVIEW, line, least=1, most=2)
        if parsed is None:
            return _help(grammars.PREVIEW)
        rows = number_of_rows(parsed)
        return self._ask(parsed.alias, lambda db: db.preview(parsed.words[0], *rows), PREVIEW)

    @line_magic
    @magic(grammars.DDL)
    def rds_ddl(self, line: str) -> Any:
        parsed = parse_look(grammars.DDL, line, least=1)
        if parsed is None:
            return _help(grammars.DDL)
        return self._ask(parsed.alias, lambda db: db.ddl(parsed.words[0]))

    @line_magic
    @magic(grammars.PROFILE)
    def rds_profile(self, line: str) -> Any:
        parsed = parse_look(grammars.PROFILE, line, least=1)
        if parsed is None:
            return _help(grammars.PROFILE)
        sample = "all" not in parsed.flags
        return self._ask(parsed.alias, lambda db: db.profile(parsed.words[0], sample=sample), PROFILE)

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    @magic(grammars.EXPLAIN)
    def rds_explain(self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> Any:
        from rds_iam_magic.notebook.variables import bindable

        parsed = parse_explain(line, cell)
        if parsed is None:
            return _help(grammars.EXPLAIN)
        analyze = "analyze" in parsed.flags
        sql = parsed.words[0]
        params = bindable(self.shell, local_ns) if ":" in sql else None
        return self._ask(parsed.alias, lambda db: db.explain(sql, params=params, analyze=analyze))

    @line_magic
    @magic(grammars.DATABASES)
    def rds_databases(self, line: str) -> Any:
        from rds_iam_magic.notebook.showing import display

        parsed = parse_look(grammars.DATABASES, line, most=0)
        if parsed is None:
            return _help(grammars.DATABASES)
        options = aws_options(parsed)
        if "aws" not in parsed.flags:
            return self._ask(parsed.alias, lambda db: db.databases(), PLAIN)
        found = self._on_aws(parsed.alias, options)
        if not len(found):
            display.note(Note("no DB cluster or instance there; {option:region} looks in another region."))
        self._whole.add(found, BLANK)
        return found

    def _on_aws(self, alias: str | None, options: ConnectOptions) -> Any:
        """As the connection's identity and in its region; without a connection, by the options."""
        from rds_iam_magic.connecting import session_of
        from rds_iam_magic.schema.databases import list_on_aws

        if options == ConnectOptions():
            try:
                return self._connection(alias).databases(aws=True)
            except NotConnectedError as error:
                if error.cause != "not-connected":
                    raise
        return list_on_aws(session_of(options))

    def _ask(self, alias: str | None, ask: Callable[[Connection], Any], style: Style | None = None) -> Any:
        """What a connection answers, to be shown in full."""
        from rds_iam_magic.notebook.showing import display

        connection = self._connection(alias)
        try:
            value = ask(connection)
        except KeyboardInterrupt:
            display.stopped(connection)
            raise
        if style is not None:
            self._whole.add(value, style)
        return value


def _help(grammar: Grammar) -> None:
    from rds_iam_magic.notebook.showing import display

    display.say(grammar.help())
