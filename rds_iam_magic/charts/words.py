"""A `Drawing` in text: what it shows in a sentence, and a small chart of letters, for terminals and screen readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    from rds_iam_magic.charts.drawing import Axis, Drawing

_NAMES = {
    "line": "Line chart",
    "bar": "Bar chart",
    "area": "Area chart",
    "scatter": "Scatter plot",
    "hist": "Histogram",
    "box": "Box plot",
    "heatmap": "Heatmap",
}
_BAR, _LABEL, _LINES = 30, 24, 30  # characters, characters, lines
_ACROSS, _DOWN = 60, 12  # characters of a line or a field of points
_EIGHTHS = " ▏▎▍▌▋▊▉"
_HEIGHTS = "▁▂▃▄▅▆▇█"
_SHADES = " ░▒▓█"


def alt_text(drawing: Drawing) -> str:
    """What the chart shows, in one line."""
    what = f"{_NAMES[drawing.kind]}: {drawing.y.title}"
    if drawing.kind == "hist" and drawing.x.scale == "category":
        what = f"{_NAMES['bar']}: rows by {drawing.x.title}"
    elif drawing.kind == "hist":
        what = f"{_NAMES['hist']} of {drawing.x.title}"
    elif drawing.kind == "heatmap":
        what = f"{_NAMES['heatmap']}: rows by {drawing.x.title} and {drawing.y.title}"
    elif drawing.x.title:
        what += f" by {drawing.x.title}"
    if drawing.color is not None and drawing.kind != "heatmap":
        what += f", coloured by {drawing.color.title}" if drawing.color.title else ""
        what += f" ({', '.join(map(_short, drawing.color.categories))})"
    return f"{_line(what)}. {_extent(drawing)}"


def text_of(drawing: Drawing) -> str:
    """The chart as text: the sentence, then the chart, then what is not drawn."""
    lines = [alt_text(drawing)]
    if drawing.rows:
        lines += _CHARTS[drawing.kind](drawing)
    return "\n".join([*lines, *([note_of(drawing)] if drawing.notes else [])])


def note_of(drawing: Drawing) -> str:
    """What is not drawn, as a sentence; "" if all is."""
    return f"not drawn: {'; '.join(drawing.notes)}." if drawing.notes else ""


def _extent(drawing: Drawing) -> str:
    rows = drawing.rows
    if not rows:
        return "There are no values."
    if "count" in rows[0]:
        total = sum(row["count"] for row in rows)
        marks = {"hist": "bar", "heatmap": "cell", "box": "box"}[drawing.kind]
        number = count_of(len(rows), marks) if marks != "box" or len(rows) == 1 else f"{len(rows):,} boxes"
        return f"{count_of(total, 'row')} in {number}."
    low, high = (_place(choose(rows, key=lambda row: row["y"]), "y", drawing.y) for choose in (min, max))
    return f"{count_of(len(rows), 'value')} from {low} to {high}."


def _place(row: dict[str, Any], name: str, axis: Axis) -> str:
    """A place on an axis as a text: of a bin its lower edge."""
    if axis.scale == "number":
        return _shown(row[name])
    return str(row.get(f"{name}_text", row[name])).partition(" to below ")[0]


def _shown(value: float) -> str:
    """A number with as many digits as can be read."""
    return f"{value:,.6g}" if abs(value) < 1e5 or abs(value) >= 1e15 else f"{value:,.0f}"


def _bars(drawing: Drawing) -> list[str]:
    value = "count" if "count" in drawing.rows[0] else "y"
    totals: dict[str, float] = {}
    for row in drawing.rows:
        name = _name(row, drawing)
        totals[name] = totals.get(name, 0) + row[value]
    names = list(totals)
    if drawing.x.categories and drawing.color is None:
        names = [name for name in drawing.x.categories if name in totals]
    most = max((abs(number) for number in totals.values()), default=0) or 1
    width = min(_LABEL, max(map(len, names)))
    lines = [
        f"{_short(name, width):>{width}} {_bar(abs(totals[name]) / most)} {_shown(totals[name])}"
        for name in names[:_LINES]
    ]
    return [*lines, *([f"… and {len(names) - _LINES:,} more"] if len(names) > _LINES else [])]


def _name(row: dict[str, Any], drawing: Drawing) -> str:
    name = _place(row, "x", drawing.x)
    return (
        f"{name} · {row['color']}" if drawing.color is not None and "color" in row and drawing.kind == "bar" else name
    )


def _bar(share: float) -> str:
    eighths = round(share * _BAR * 8)
    return f"{'█' * (eighths // 8)}{_EIGHTHS[eighths % 8].strip()}"


def _boxes(drawing: Drawing) -> list[str]:
    low, high = min(row["low"] for row in drawing.rows), max(row["high"] for row in drawing.rows)
    span = (high - low) or 1
    width = min(_LABEL, max(len(str(row["x"])) for row in drawing.rows))
    lines = []
    for row in drawing.rows[:_LINES]:
        at = {name: round((row[name] - low) / span * (_BAR - 1)) for name in ("low", "q1", "median", "q3", "high")}
        drawn = [" "] * _BAR
        drawn[at["low"] : at["high"] + 1] = "─" * (at["high"] - at["low"] + 1)
        drawn[at["q1"] : at["q3"] + 1] = "▒" * (at["q3"] - at["q1"] + 1)
        drawn[at["median"]] = "█"
        five = " · ".join(_shown(row[name]) for name in at)
        lines.append(f"{_short(str(row['x']), width):>{width}} {''.join(drawn)} {five}")
    return [*lines, *([f"… and {len(drawing.rows) - _LINES:,} more"] if len(drawing.rows) > _LINES else [])]


def _lines(drawing: Drawing) -> list[str]:
    """Each series as a row of columns, along the values of x in order."""
    series: dict[str, list[dict[str, Any]]] = {}
    for row in drawing.rows:
        series.setdefault(str(row.get("color", "")), []).append(row)
    low, high = min(row["y"] for row in drawing.rows), max(row["y"] for row in drawing.rows)
    span = (high - low) or 1
    lines = []
    for name, rows in series.items():
        if drawing.x.scale != "category":
            rows = sorted(rows, key=lambda row: row["x"])
        step = -(-len(rows) // _ACROSS)
        means = [
            sum(row["y"] for row in rows[i : i + step]) / len(rows[i : i + step]) for i in range(0, len(rows), step)
        ]
        drawn = "".join(_HEIGHTS[round((mean - low) / span * 7)] for mean in means)
        first, last = (_place(row, "x", drawing.x) for row in (rows[0], rows[-1]))
        lines.append(f"{f'{_short(name)}: ' if name else ''}{_short(first)} {drawn} {_short(last)}")
    return lines


def _fields(drawing: Drawing) -> list[str]:
    """Points or cells as shades: the darker, the more."""
    across, x_low, x_high = _positions(drawing.rows, "x", drawing.x, _ACROSS)
    down, y_low, y_high = _positions(drawing.rows, "y", drawing.y, _DOWN)
    width, height = max(across) + 1, max(down) + 1
    found = [[0] * width for _ in range(height)]
    for row, right, up in zip(drawing.rows, across, down, strict=True):
        found[height - 1 - up][right] += row.get("count", 1)
    most = max(map(max, found))
    shades = ["".join(_SHADES[0 if not n else max(1, -(-4 * n // most))] for n in line) for line in found]
    return [f"{_line(drawing.y.title)}: {y_low} to {y_high}", *shades, f"{_line(drawing.x.title)}: {x_low} to {x_high}"]


def _positions(rows: Sequence[dict[str, Any]], name: str, axis: Axis, most: int) -> tuple[list[int], str, str]:
    if axis.scale == "category":
        names = list(axis.categories)
        scale = min(1.0, (most - 1) / max(1, len(names) - 1))
        return [round(names.index(row[name]) * scale) for row in rows], _short(names[0]), _short(names[-1])
    lowest, highest = min(rows, key=lambda row: row[name]), max(rows, key=lambda row: row[name])
    ends = [_place(row, name, axis) for row in (lowest, highest)]
    if f"{name}2" in lowest:
        starts = sorted({row[name] for row in rows})
        return [starts.index(row[name]) for row in rows], ends[0], ends[1]
    low, span = lowest[name], (highest[name] - lowest[name]) or 1
    return [round((row[name] - low) / span * (most - 1)) for row in rows], ends[0], ends[1]


def _line(text: str) -> str:
    return " ".join(text.split())


def _short(text: str, most: int = _LABEL) -> str:
    text = _line(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


_CHARTS = {
    "line": _lines,
    "area": _lines,
    "bar": _bars,
    "hist": _bars,
    "box": _boxes,
    "scatter": _fields,
    "heatmap": _fields,
}
