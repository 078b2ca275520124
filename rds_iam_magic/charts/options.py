"""`PlotOptions`: what is asked for of a chart; what is not named is guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from rds_iam_magic.errors import OptionError

Kind = Literal["line", "bar", "area", "scatter", "hist", "box", "heatmap"]
"""The kinds of charts."""

KINDS: tuple[Kind, ...] = get_args(Kind)

COUNTED: frozenset[Kind] = frozenset({"hist", "box", "heatmap"})
"""The kinds that show counts or quantiles of the rows, so that a server can compute them without sending the rows."""


@dataclass(frozen=True, slots=True)
class PlotOptions:
    """The kind of a chart, and the names of the columns for its axes and colours; None and () are guessed."""

    kind: Kind | None = None
    x: str | None = None
    y: tuple[str, ...] = ()
    color: str | None = None

    def check(self) -> None:
        """Refuse what does not go together, before anything is read.

        Raises:
            OptionError: It does not.
        """
        if self.kind == "hist" and self.y:
            raise OptionError("A histogram counts rows; it has no y.", "Name its column as x.")
        if self.kind == "heatmap" and self.color is not None:
            raise OptionError("The colours of a heatmap count rows; it has no color.", "Omit the color.")
        if self.kind in ("scatter", "heatmap") and len(self.y) > 1:
            raise OptionError(f"A {self.kind} has one y.", "Keep one.")
        if len(self.y) > 1 and self.color is not None:
            raise OptionError("Several y have a colour each; color names one by a column.", "Omit one of them.")
