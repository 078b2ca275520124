"""`%rds_plot`: a chart of a table's columns. It reads as a table of contents: parse, count, show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class

from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.decorator import magic
from rds_iam_magic.notebook.plots.lines import parse_plot

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.charts.options import PlotOptions
    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.feedback.line import Feedback
    from rds_iam_magic.notebook.plots.charts import Charts, ShownAsChart


@magics_class
class RdsIamPlots(Magics):
    """`%rds_plot`; its docstring is its `--help`.

    Args:
        shell: The shell.
        connection: Returns the held connection with an alias, or the current one for None.
        feedback: Makes the feedback of a cell.
    """

    shell: InteractiveShell

    def __init__(
        self,
        shell: InteractiveShell,
        connection: Callable[[str | None], Connection],
        feedback: Callable[[], Feedback],
    ) -> None:
        super().__init__(shell)
        self._connection = connection
        self._feedback = feedback
        self._shown: ShownAsChart | None = None

    @line_magic
    @magic(grammars.PLOT)
    def rds_plot(self, line: str) -> Any:
        from rds_iam_magic.notebook.showing import display

        parsed = parse_plot(line)
        if parsed is None:
            return display.say(grammars.PLOT.help())
        connection, charts = self._connection(parsed.alias), self.charts(parsed.options)
        feedback = self._feedback()
        try:
            with feedback.of(connection):
                value = charts.of_table(connection, parsed, feedback)
        except KeyboardInterrupt:
            display.stopped(connection)
            raise
        if charts.show(value, is_kept=False):
            self.shown(value)
        return value

    def charts(self, options: PlotOptions) -> Charts:
        """The chart of the cell that runs."""
        from rds_iam_magic.notebook.plots.charts import Charts

        return Charts(options, self.shell)

    def shown(self, value: Any) -> None:
        """The cell that runs has shown a chart of this value, which is then not shown a second time."""
        from rds_iam_magic.notebook.plots.charts import ShownAsChart

        self._shown = self._shown or ShownAsChart(self.shell)
        self._shown.add(value)

    def clear(self) -> None:
        """Show all values as usual."""
        if self._shown is not None:
            self._shown.clear()
