"""`Charts`: where a chart's figures come from, and how it is shown in a cell beside the value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rds_iam_magic.charts.drawing import MOST_ROWS, boxes, counts, draw
from rds_iam_magic.charts.fields import fields_of, listed, table_of
from rds_iam_magic.charts.figures import figures_of
from rds_iam_magic.charts.layout import layout_of, named_by
from rds_iam_magic.charts.on_server import Query
from rds_iam_magic.charts.options import COUNTED
from rds_iam_magic.charts.picture import png_of
from rds_iam_magic.charts.vegalite import MIME, metadata_of, spec_of
from rds_iam_magic.charts.words import note_of, text_of
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.showing import display
from rds_iam_magic.notebook.showing.printers import ObjectPrinters
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.charts.drawing import Drawing
    from rds_iam_magic.charts.fields import Field
    from rds_iam_magic.charts.layout import Layout
    from rds_iam_magic.charts.options import PlotOptions
    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.feedback.line import Feedback
    from rds_iam_magic.notebook.options import SqlLine
    from rds_iam_magic.notebook.plots.lines import PlotLine
    from rds_iam_magic.notebook.variables import Filled


class Charts:
    """The chart of one cell.

    Args:
        options: What was asked for.
        shell: Shows it.
    """

    def __init__(self, options: PlotOptions, shell: InteractiveShell) -> None:
        self._options = options
        self._shell = shell
        self._drawing: Drawing | None = None

    def before(self, connection: Connection, line: SqlLine, filled: Filled, feedback: Feedback) -> Any | None:
        """What the server counts for the chart, as a DataFrame; None where the rows are to be read.

        They are read where a variable takes them, where there is more than one query that changes nothing, and for the
        kinds that draw rows. Whether the columns fit is known before that, wherever the server can tell.

        Raises:
            OptionError: A column is missing or cannot be used so; then nothing has been run.
        """
        query, fields = _asked(connection, filled.sql, filled.params)
        if query is None or fields is None:
            return None
        if self._options.kind is None:  # the rows decide
            named_by(fields, self._options)
            return None
        layout = layout_of(fields, self._options)
        reads_all = line.limit is None and line.parallel is None and line.type == "pandas" and not line.dtype_backend
        if layout.kind not in COUNTED or line.variable is not None or not reads_all:
            return None
        return self._count(query, layout, feedback)

    def of_table(self, connection: Connection, line: PlotLine, feedback: Feedback) -> Any:
        """The chart of a table's columns: counted by the server, else of its rows, of which so many are read as drawn.

        Raises:
            OptionError: No column is named, one cannot be used so, or there is no place for one.
        """
        query, fields = _asked(connection, line.sql, None)
        is_counted = self._options.kind in COUNTED
        if query is not None and fields is not None:
            if not line.names_columns:
                raise OptionError("Name the column to plot.", listed(fields))
            layout = layout_of(fields, self._options)
            _check_places(fields, layout)
            is_counted = layout.kind in COUNTED
            figures = self._count(query, layout, feedback) if is_counted else None
            if figures is not None:
                return figures
            self._options = replace(self._options, kind=self._options.kind or layout.kind)  # whatever the rows are
        frame = connection.query(line.sql, limit=None if is_counted else MOST_ROWS)
        feedback.after(count_of(len(frame), "row"))
        return frame

    def _count(self, query: Query, layout: Layout, feedback: Feedback) -> Any | None:
        if layout.kind == "box":
            found = query.quartiles(layout)
            self._drawing = None if found is None else boxes(found, layout)
        else:
            counted = query.count(layout)
            self._drawing = None if counted is None else counts(counted, layout)
        if self._drawing is None:
            return None
        total = sum(row["count"] for row in self._drawing.rows)
        feedback.after(f"{count_of(total, 'row')} counted on the server")
        return figures_of(self._drawing)

    def show(self, value: Any, *, is_kept: bool) -> bool:
        """Show the chart; False if there is nothing to draw, which is told.

        Raises:
            OptionError: A column is missing or cannot be used so, or the statement has no rows. Its value is not lost:
                it is shown, unless a variable has it.
        """
        drawing = self._drawing
        if drawing is None:
            if not hasattr(value, "columns"):
                raise OptionError("The statement returned no rows, so there is nothing to plot.", "Plot a SELECT.")
            try:
                drawing = draw(table_of(value), self._options)
            except OptionError:
                if not is_kept:
                    display.show(value)
                raise
        note = note_of(drawing)
        if not drawing.rows:
            display.notes_alone(self._shell, [f"there is nothing to draw{f' ({note[:-1]})' if note else ''}."])
            return False
        spec = spec_of(drawing)
        png = None if display.in_terminal(self._shell) else png_of(spec)
        display.chart(self._shell, {MIME: spec}, {MIME: metadata_of(drawing)}, text_of(drawing), png=png, note=note)
        return True


def _asked(
    connection: Connection, sql: str, params: Mapping[str, Any] | None
) -> tuple[Query | None, list[Field] | None]:
    """The query, if others can be put around it, and its columns."""
    query = Query.of(connection, sql, params)
    schema = None if query is None else query.schema()
    return query, None if schema is None else fields_of(schema)


def _check_places(fields: Sequence[Field], layout: Layout) -> None:
    placed = {field.place for field in (layout.x, *layout.y, layout.color) if field is not None}
    left = [field for field in fields if field.place not in placed]
    if left:
        raise OptionError(
            f"There is no place for column {left[0].name!r} in a {layout.kind}.", "Omit it, or choose another --kind."
        )


class ShownAsChart:
    """Values that a chart has been shown of: in that cell they are not shown a second time, later as usual.

    Args:
        shell: The shell that would show them.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._printers = ObjectPrinters(shell.display_formatter.ipython_display_formatter)  # type: ignore[union-attr] # a shell has one

    def add(self, value: object) -> None:
        """Do not show this object in the cell that runs; a terminal shows it, for its chart is small."""
        if value is None or display.in_terminal(self._shell):
            return
        cell = self._shell.execution_count

        def show_nothing(_: object) -> None:
            if self._shell.execution_count != cell:
                raise NotImplementedError  # IPython goes on to its other formatters

        self._printers.add(value, show_nothing)

    def clear(self) -> None:
        """Show all objects as usual."""
        self._printers.clear()
