"""The magics for looking around. Each reads as a table of contents: parse, ask, show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class

from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.decorator import magic
from rds_iam_magic.notebook.looking.lines import parse_look
from rds_iam_magic.notebook.whole import Style
from rds_iam_magic.wording import bytes_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.grammar import Grammar
    from rds_iam_magic.notebook.whole import WholePrinters

_TABLES = Style(formats={"rows_estimate": "{:,}".format, "bytes": bytes_text}, index=False, null="")


@magics_class
class RdsIamLooking(Magics):
    """`%rds_tables` and its like; their docstrings are their `--help`.

    Args:
        shell: The shell.
        connection: Returns the held connection with an alias, or the current one for None.
        whole: Registers results to show in full.
    """

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
        return self._ask(parsed.alias, lambda db: db.tables(parsed.name), _TABLES)

    def _ask(self, alias: str | None, ask: Callable[[Connection], Any], style: Style) -> Any:
        """What a connection answers, to be shown in full."""
        from rds_iam_magic.notebook import display

        connection = self._connection(alias)
        try:
            value = ask(connection)
        except KeyboardInterrupt:
            display.stopped(connection)
            raise
        self._whole.add(value, style)
        return value


def _help(grammar: Grammar) -> None:
    from rds_iam_magic.notebook import display

    display.say(grammar.help())
