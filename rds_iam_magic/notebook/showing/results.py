"""`Results`: shows each result of a cell as it arrives, or keeps it as the cell's value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.feedback.line import rows_and_columns
from rds_iam_magic.notebook.showing import display
from rds_iam_magic.notebook.showing.whole import VERBS
from rds_iam_magic.results.result import Changed, ResultSet

if TYPE_CHECKING:
    from rds_iam_magic.notebook.feedback.line import Feedback
    from rds_iam_magic.notebook.options import SqlLine
    from rds_iam_magic.notebook.showing.whole import WholePrinters


@dataclass(slots=True)
class Results:
    """The results of a cell.

    A result that can no longer become the cell's value is shown before the next statement runs. The value is the last
    result set of the last statement, or its row count if it has none.

    Attributes:
        convert: Converts a result set to the requested type.
        whole: Registers results to show in full.
        feedback: Tells of each result before it is shown.
        quiet: Whether nothing is shown.
        value: The cell's value, so far.
    """

    convert: Callable[[ResultSet], Any]
    whole: WholePrinters
    feedback: Feedback
    quiet: bool = False
    value: Any = None
    _waiting: Callable[[], None] | None = field(default=None, init=False)
    _statement_with_rows: int = field(default=0, init=False)

    def take(self, result: ResultSet | Changed) -> None:
        """Take the next result."""
        if isinstance(result, Changed):
            self._take_count(result)
        else:
            self._take_rows(result)
        self.feedback.begin()

    def show_waiting(self) -> None:
        """Show the pending result: another result or a failure means that it is not the cell's value."""
        show, self._waiting = self._waiting, None
        if show is not None and not self.quiet:
            show()

    def _take_rows(self, result: ResultSet) -> None:
        self._statement_with_rows = result.position
        size = rows_and_columns(result.num_rows, len(result.schema))
        value = self.convert(result)
        if result.verb in VERBS:
            self.whole.add(value)
        self._keep_or_show(result, size, value, lambda: display.show(value))

    def _take_count(self, result: Changed) -> None:
        """Take a row count. CALL ends with one, which is not the value if it returned rows."""
        count = display.row_count(result)
        if self._statement_with_rows != result.position:
            self._keep_or_show(result, repr(count), count, None)
            self.feedback.tells(count)
        elif result.rows:
            self.feedback.after(repr(count), result.position, result.count)

    def _keep_or_show(
        self, result: ResultSet | Changed, words: str, value: object, show: Callable[[], None] | None
    ) -> None:
        self.show_waiting()
        self.feedback.after(words, result.position, result.count)
        self._waiting = show
        if result.position < result.count:
            self.show_waiting()
        else:
            self.value = value


def converter(parsed: SqlLine) -> Callable[[ResultSet], Any]:
    """The function that converts a result set to the requested type; chosen before anything runs.

    Raises:
        OptionError: polars is requested but not installed.
    """
    if parsed.type == "pandas":
        return lambda result: result.to_pandas(parsed.dtype_backend)
    if parsed.type == "arrow":
        return lambda result: result.to_arrow()
    try:
        import polars  # noqa: F401 - fails before anything runs, if it is missing
    except ImportError:
        raise OptionError("polars is not installed.", cause="polars-missing") from None
    return lambda result: result.to_polars()
