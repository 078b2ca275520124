"""`Results`: shows each result of a cell as it arrives, or keeps it as the cell's value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rds_iam_magic.notebook import display
from rds_iam_magic.notebook.whole import VERBS
from rds_iam_magic.results.result import Changed, ResultSet

if TYPE_CHECKING:
    from rds_iam_magic.notebook.whole import WholePrinters


@dataclass(slots=True)
class Results:
    """The results of a cell.

    A result that can no longer become the cell's value is shown before the next statement runs. The value is the last
    result set of the last statement, or its row count if it has none.

    Attributes:
        convert: Converts a result set to the requested type.
        whole: Registers results to show in full.
        quiet: Whether nothing is shown.
        value: The cell's value, so far.
    """

    convert: Callable[[ResultSet], Any]
    whole: WholePrinters
    quiet: bool = False
    value: Any = None
    _waiting: Callable[[], None] | None = field(default=None, init=False)
    _statement_with_rows: int = field(default=0, init=False)

    def take(self, result: ResultSet | Changed) -> None:
        """Take the next result."""
        follows_rows = self._statement_with_rows == result.position
        if isinstance(result, Changed):
            if not follows_rows:
                self._keep_or_show(result, display.row_count(result), lambda: display.changed(result))
            elif (
                result.rows and not self.quiet
            ):  # CALL ends with a row count, which is not the value if it returned rows
                display.changed(result)
            return
        self._statement_with_rows = result.position
        value = self.convert(result)
        if result.verb in VERBS:
            self.whole.add(value)
        self._keep_or_show(result, value, lambda: display.show(value))

    def show_waiting(self) -> None:
        """Show the pending result: another result or a failure means that it is not the cell's value."""
        show, self._waiting = self._waiting, None
        if show is not None and not self.quiet:
            show()

    def _keep_or_show(self, result: ResultSet | Changed, value: object, show: Callable[[], None]) -> None:
        self.show_waiting()
        self._waiting = show
        if result.position < result.count:
            self.show_waiting()
        else:
            self.value = value
