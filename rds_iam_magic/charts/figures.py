"""What a chart was drawn from, as a DataFrame: the counts of bins and categories, the quartiles of boxes."""

from __future__ import annotations

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
        columns = {} if drawing.x.categories == ("",) else {drawing.x.title or "column": _values(drawing, "x")}
        return pd.DataFrame(columns | {name: _values(drawing, name) for name in names})
    axes = [("x", drawing.x), *([("y", drawing.y)] if drawing.kind == "heatmap" else [])]
    axes += [("color", drawing.color)] if drawing.kind == "hist" and drawing.color is not None else []
    columns = {}
    for name, axis in axes:
        columns |= _columns(drawing, name, axis)
    return pd.DataFrame(columns | {"rows": _values(drawing, "count")})


def _columns(drawing: Drawing, name: str, axis: Axis) -> dict[str, Any]:
    import pandas as pd

    if axis.scale == "category":
        return {axis.title: pd.Series(_values(drawing, name), dtype="str")}
    ends = {f"{axis.title}_from": _values(drawing, name), f"{axis.title}_to": _values(drawing, f"{name}2")}
    if axis.scale == "number":
        return ends
    return {key: pd.to_datetime([1000 * round(v) for v in values], unit="us") for key, values in ends.items()}


def _values(drawing: Drawing, name: str) -> list[Any]:
    return [row[name] for row in drawing.rows]
