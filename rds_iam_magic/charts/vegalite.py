"""A `Drawing` as a Vega-Lite specification: all values are in it, so that nothing is fetched.

Vega-Lite reads times in the browser's zone unless told otherwise: here they are numbers on scales of UTC, which shows
them as the frame does. Fields have names of their own (x, y, color): a column's may have dots and brackets, which
Vega-Lite would take for paths. What a tooltip says is text, so that no digit is lost.

The background is white, in dark themes too, and the colours have a contrast of 3:1 and more with it; they can be told
apart with every form of colour blindness, and lines and points also by their dashes and shapes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rds_iam_magic.charts.words import alt_text

if TYPE_CHECKING:
    from rds_iam_magic.charts.drawing import Axis, Drawing

MIME = "application/vnd.vegalite.v5+json"
"""The version that JupyterLab has had from 4.0 on."""

COLORS = ("#0072B2", "#D55E00", "#332288", "#009E73", "#AA3377", "#111111")
"""The colours of the series, in order."""

_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [12, 4], [4, 2, 1, 2])
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # the name of the format; nobody asks for it
_WIDTH, _HEIGHT = 520, 280
_LONG_LABELS = 9  # characters, which do not fit under a bar
_MANY_LABELS = 16
_LETTER = 7  # pixels
_BAND = 20  # pixels for each horizontal bar
_TEXT, _LINES = "#222222", "#D9D9D9"

_MOST_IN_SVG = 1000  # marks

_ALIKE = str.maketrans({'"': "\u201d", "\\": "\u2216"})
Spec = dict[str, Any]


def spec_of(drawing: Drawing) -> Spec:
    """The specification, which is JSON: text, numbers, lists and dicts only."""
    spec: Spec = {
        "$schema": _SCHEMA,
        "description": alt_text(drawing),
        "background": "white",
        "width": _WIDTH,
        "height": _HEIGHT,
        "data": {"values": drawing.rows},
        "config": _config(),
        **_MARKS[drawing.kind](drawing),
    }
    if _is_sideways(drawing):
        spec["height"] = max(60, _BAND * len(drawing.x.categories))
    elif drawing.kind == "heatmap" and drawing.y.categories:
        spec["height"] = max(60, _BAND * len(drawing.y.categories))
    return spec


def metadata_of(drawing: Drawing) -> Spec:
    """How JupyterLab is to draw it: as SVG, whose marks and labels a screen reader can read, unless they are many."""
    return {"embed_options": {"renderer": "svg" if len(drawing.rows) <= _MOST_IN_SVG else "canvas"}}


def _config() -> Spec:
    """Set here, whatever the theme says: white letters on white would be none."""
    return {
        "axis": {
            "domainColor": _TEXT,
            "tickColor": _TEXT,
            "gridColor": _LINES,
            "labelLimit": 200,
            "labelSeparation": 6,
        },
        "axisX": {"titleLimit": _WIDTH},
        "axisY": {"titleLimit": _HEIGHT},
        "view": {"stroke": None},
        "style": {
            "guide-label": {"fill": _TEXT, "fontSize": 11},
            "guide-title": {"fill": _TEXT, "fontSize": 12},
        },
        "legend": {"labelLimit": 200, "titleLimit": 200, "symbolOpacity": 1},
        "range": {"category": list(COLORS)},
    }


def _placed(name: str, axis: Axis, *, field: str = "") -> Spec:
    """The encoding of an axis."""
    encoding: Spec = {"field": field or name, "title": _title(axis.title) or None}
    if axis.scale == "category":
        names = axis.categories
        is_wide = len(names) * (max(map(len, names), default=0) + 2) * _LETTER > _WIDTH
        angle = -45 if name == "x" and is_wide else 0
        return encoding | {"type": "nominal", "sort": list(names), "axis": {"labelAngle": angle}}
    if axis.scale == "time":
        return encoding | {"type": "temporal", "scale": {"type": "utc"}, "axis": {"labelOverlap": True}}
    ticks: Spec = {"values": list(axis.ticks), "format": ",d"} if axis.ticks else {}
    ticks |= {"format": "d"} if axis.four_digits else {}
    return encoding | {"type": "quantitative", "axis": {"labelOverlap": True, **ticks}}


def _title(text: str) -> str:
    """A title without what would end a string: Vega-Lite writes titles as they are into expressions, between quotes."""
    return " ".join(text.translate(_ALIKE).split())


def _color(drawing: Drawing) -> Spec:
    if drawing.color is None:
        return {"color": {"value": COLORS[0]}}
    names = list(drawing.color.categories)
    title = _title(drawing.color.title) or None
    scale = {"domain": names, "range": list(COLORS[: len(names)])}
    return {"color": {"field": "color", "type": "nominal", "title": title, "scale": scale}}


def _series(drawing: Drawing, channel: str, values: Any) -> Spec:
    """A second way to tell the series apart, in the same legend."""
    if drawing.color is None:
        return {}
    names = list(drawing.color.categories)
    scale = {"domain": names, "range": list(values[: len(names)])}
    title = _title(drawing.color.title) or None
    return {channel: {"field": "color", "type": "nominal", "title": title, "scale": scale}}


def _tooltip(drawing: Drawing) -> list[Spec]:
    """What is under the pointer, as text."""
    first = drawing.rows[0] if drawing.rows else {}
    axes: tuple[tuple[str, Axis | None], ...] = (("x", drawing.x), ("y", drawing.y), ("color", drawing.color))
    lines: list[Spec] = []
    for name, axis in axes:
        exact = f"{name}_text" if f"{name}_text" in first else name
        if axis is not None and exact in first:
            is_text = exact != name or axis.scale == "category"
            kind = "nominal" if is_text else "quantitative"
            lines.append({"field": exact, "type": kind, "title": axis.title or "column", **_digits(kind)})
    if "count" in first:
        lines.append({"field": "count", "type": "quantitative", "title": "rows", "format": ",d"})
    return _with_safe_titles(lines)


def _with_safe_titles(lines: list[Spec]) -> list[Spec]:
    """The lines of a tooltip with titles that are only shown, and all different: they are the keys of an object.

    Of these, `title` and `image` have a meaning: it would fetch a picture from the address that is the value. A space
    at the end makes another key of one, and cannot be seen.
    """
    taken = {"", "title", "image"}
    safe: list[Spec] = []
    for line in lines:
        title = _title(str(line.get("title", line["field"])))
        while title in taken:
            title += " "
        taken.add(title)
        safe.append(line | {"title": title})
    return safe


def _digits(kind: str) -> Spec:
    return {"format": ".12~g"} if kind == "quantitative" else {}


def _lines(drawing: Drawing) -> Spec:
    encoding: Spec = {
        "x": _placed("x", drawing.x),
        "y": _placed("y", drawing.y) | {"scale": {"zero": False}},
        **_color(drawing),
        **_series(drawing, "strokeDash", _DASHES),
        "tooltip": _tooltip(drawing),
    }
    for channel in ("color", "strokeDash"):
        if drawing.color is not None:  # lines in the legend, too, with their dashes
            encoding[channel]["legend"] = {"symbolType": "stroke", "symbolSize": 400, "symbolStrokeWidth": 2}
    few = len(drawing.rows) <= 60 * max(1, len(drawing.color.categories) if drawing.color else 1)
    return {"mark": {"type": "line", "point": few, "strokeWidth": 2}, "encoding": encoding}


def _areas(drawing: Drawing) -> Spec:
    stack = {"stack": "zero" if drawing.stacked else None}
    encoding = {
        "x": _placed("x", drawing.x),
        "y": _placed("y", drawing.y) | stack,
        **_color(drawing),
        "tooltip": _tooltip(drawing),
    }
    opacity = 0.85 if drawing.stacked or drawing.color is None else 0.4
    return {"mark": {"type": "area", "line": True, "opacity": opacity}, "encoding": encoding}


def _points(drawing: Drawing) -> Spec:
    encoding = {
        "x": _placed("x", drawing.x),
        "y": _placed("y", drawing.y),
        **_color(drawing),
        **_series(drawing, "shape", _SHAPES),
        "tooltip": _tooltip(drawing),
    }
    for axis in ("x", "y"):
        if encoding[axis]["type"] == "quantitative":
            encoding[axis]["scale"] = {"zero": False}
    is_dense = len(drawing.rows) > 500
    mark = {"type": "point", "filled": True, "opacity": 0.6 if is_dense else 0.8, "size": 30 if is_dense else 70}
    return {"mark": mark, "encoding": encoding}


def _hist(drawing: Drawing) -> Spec:
    """Bars over the categories; over bins, rectangles from edge to edge."""
    if drawing.x.scale == "category":
        return _bars(drawing)
    encoding = {
        "x": _ranged("x", drawing.x),
        "x2": {"field": "x2"},
        "y": _placed("y", drawing.y, field="top"),
        "y2": {"field": "base"},
        **_color(drawing),
        "tooltip": _tooltip(drawing),
    }
    return {"mark": {"type": "rect", "stroke": "white", "strokeWidth": 1}, "encoding": encoding}


def _ranged(name: str, axis: Axis) -> Spec:
    """The encoding of an axis with bins: it begins and ends with them."""
    encoding = _placed(name, axis)
    scale = {**encoding.get("scale", {}), "nice": False}
    return encoding | {"scale": scale | ({"zero": False} if axis.scale == "number" else {})}


def _bars(drawing: Drawing) -> Spec:
    """Bars of numbers, or of counts; side by side or stacked where they have colours."""
    value = "count" if drawing.kind == "hist" else "y"
    encoding: Spec = {"x": _placed("x", drawing.x), "y": _placed("y", drawing.y, field=value), **_color(drawing)}
    encoding["y"]["stack"] = "zero" if drawing.stacked else None
    encoding["tooltip"] = _tooltip(drawing)
    mark: Spec = {"type": "bar"}
    if drawing.x.scale != "category":
        mark["width"] = max(1, _WIDTH // max(1, len({row["x"] for row in drawing.rows})) - 1)
        if drawing.color is not None and not drawing.stacked:  # in the same place: none hides another
            mark["opacity"] = 0.5
    elif drawing.color is not None and not drawing.stacked:
        encoding["xOffset"] = {"field": "color", "sort": list(drawing.color.categories)}
    if _is_sideways(drawing):
        encoding |= {"x": encoding["y"], "y": encoding["x"] | {"axis": {"labelAngle": 0}}}
        if "xOffset" in encoding:
            encoding["yOffset"] = encoding.pop("xOffset")
    return {"mark": mark, "encoding": encoding}


def _boxes(drawing: Drawing) -> Spec:
    """Each from its least to its greatest value, with the half in the middle as a box."""
    along, across = ("x", "y") if _is_sideways(drawing) else ("y", "x")
    is_alone = drawing.x.categories == ("",)
    where: Spec = {} if is_alone else {across: _placed(across, drawing.x, field="x")}
    names = ("low", "q1", "median", "q3", "high", "count")
    lines: list[Spec] = [] if is_alone else [{"field": "x", "type": "nominal", "title": drawing.x.title or "column"}]
    tooltip = _with_safe_titles(lines + [{"field": name, "type": "quantitative", "format": ".12~g"} for name in names])

    def layer(mark: Spec, low: str, high: str = "") -> Spec:
        encoding: Spec = {along: _placed(along, drawing.y, field=low) | {"scale": {"zero": False}}, "tooltip": tooltip}
        if high:
            encoding[f"{along}2"] = {"field": high}
        return {"mark": mark, "encoding": encoding}

    size = 14 if along == "x" else 24
    return {
        "encoding": where,
        "layer": [
            layer({"type": "rule", "color": _TEXT}, "low", "high"),
            layer({"type": "bar", "size": size, "color": COLORS[0]}, "q1", "q3"),
            layer({"type": "tick", "size": size, "thickness": 2, "color": "white"}, "median"),
            layer({"type": "tick", "size": size / 2, "color": _TEXT}, "low"),
            layer({"type": "tick", "size": size / 2, "color": _TEXT}, "high"),
        ],
    }


def _heatmap(drawing: Drawing) -> Spec:
    encoding: Spec = {"x": _placed("x", drawing.x), "y": _placed("y", drawing.y)}
    for name, axis in (("x", drawing.x), ("y", drawing.y)):
        if axis.scale != "category":
            encoding |= {name: _ranged(name, axis), f"{name}2": {"field": f"{name}2"}}
    scale = {"scheme": "viridis", "reverse": True, "zero": False}
    encoding["color"] = {"field": "count", "type": "quantitative", "title": "rows", "scale": scale}
    values = {"values": list(drawing.color.ticks)} if drawing.color is not None and drawing.color.ticks else {}
    encoding["color"]["legend"] = {"format": ",d", **values}
    encoding["tooltip"] = _tooltip(drawing)
    return {"mark": "rect", "encoding": encoding}


def _is_sideways(drawing: Drawing) -> bool:
    """Whether bars lie, so that the names beside them can be read."""
    if drawing.kind not in ("bar", "hist", "box") or drawing.x.scale != "category":
        return False
    names = drawing.x.categories
    return len(names) > _MANY_LABELS or (len(names) > 3 and max(map(len, names)) > _LONG_LABELS)


_MARKS = {
    "line": _lines,
    "area": _areas,
    "scatter": _points,
    "bar": _bars,
    "hist": _hist,
    "box": _boxes,
    "heatmap": _heatmap,
}
