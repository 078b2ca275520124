"""What a chart was drawn from, as a DataFrame: the counts of bins and categories, the quartiles of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.charts.drawing import Axis, Drawing


def figures_of(drawing: Drawing) -> pd.DataFrame:
    """The figures of a chart that is counted: a row for each mark, with columns for its places.

    A bin has its lower and its upper edge, `NAME_from` and `NAME_to`; a row at the upper one is in the next bin.
    """
    import pandas as pd

    names = ("low", "q1", "median", "q3", "high", "count")
    if drawing.kind == "box":
        is_alone = drawing.x.categories == ("",)
        columns = [] if is_alone else [(drawing.x.title or "column", pd.Series(_values(drawing, "x"), dtype="str"))]
        return _frame([*columns, *((name, _values(drawing, name)) for name in names)])
    axes = [("x", drawing.x), *([("y", drawing.y)] if drawing.kind == "heatmap" else [])]
    axes += [("color", drawing.color)] if drawing.kind == "hist" and drawing.color is not None else []
    columns = [column for name, axis in axes for column in _columns(drawing, name, axis)]
    return _frame([*columns, ("rows", _values(drawing, "count"))])


def _frame(columns: Sequence[tuple[str, Any]]) -> pd.DataFrame:
    """The DataFrame of columns, of which two may have the same name: a user's may be called `rows`, too."""
    import pandas as pd

    frame = pd.DataFrame(dict(enumerate(values for _, values in columns)))
    frame.columns = pd.Index([name for name, _ in columns], dtype="str")
    return frame


def _columns(drawing: Drawing, name: str, axis: Axis) -> list[tuple[str, Any]]:
    import pandas as pd

    if axis.scale == "category":
        return [(axis.title, pd.Series(_values(drawing, name), dtype="str"))]
    ends = [(f"{axis.title}_from", _values(drawing, name)), (f"{axis.title}_to", _values(drawing, f"{name}2"))]
    if axis.scale == "number":
        return ends
    return [(key, pd.to_datetime([round(1000 * v) for v in values], unit="us")) for key, values in ends]


def _values(drawing: Drawing, name: str) -> list[Any]:
    return [row[name] for row in drawing.rows]
