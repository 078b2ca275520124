"""What is to be seen of charts in any front end that draws Vega-Lite: their labels, and the colours of their pixels."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, expect

from rds_iam_magic.charts.vegalite import COLORS, MIME
from tests.browser.notebook import PATIENCE, Cell, Notebook

STATUSES = "SELECT YEAR(ordered_at) AS year, status, COUNT(*) AS orders FROM orders GROUP BY year, status"
DAYS = "SELECT DATE(ordered_at) AS day, COUNT(*) AS n FROM orders GROUP BY day ORDER BY day LIMIT 90"
HOURS = """\
%%rds_sql --plot line
SELECT TIMESTAMP'2024-01-01 00:00:00' AS t, 1 AS n UNION SELECT TIMESTAMP'2024-01-01 06:00:00', 2"""
KINDS = {
    "line": (f"%%rds_sql --plot\n{DAYS}", ["day", "n"], 1),
    "bar": (
        "%rds_sql --plot SELECT category, AVG(unit_price) AS price FROM products GROUP BY category",
        ["category", "price", "tea", "coffee", "cups", "books"],
        1,
    ),
    "area": (
        f"%%rds_sql --plot area\n{STATUSES}",
        ["year", "orders", "status", "delivered", "2022", "2023", "2024"],
        0,
    ),
    "scatter": (
        "%rds_sql --plot scatter --color category SELECT weight_kg, unit_price, category FROM products",
        ["weight_kg", "unit_price", "category"],
        4,
    ),
    "hist": ("%rds_plot orders ordered_at --color status", ["ordered_at", "rows", "status", "2023"], 5),
    "box": ("%rds_plot products category unit_price", ["category", "unit_price", "tea"], 1),
    "heatmap": ("%rds_plot order_lines quantity unit_price", ["quantity", "unit_price", "rows"], 0),
}
"""For each kind of chart a cell, on the shop; labels that are to be read; how many colours are to be seen."""


def chart_of(cell: Cell) -> Locator:
    """A cell's only chart, once it is drawn."""
    chart = cell.at.locator(".jp-OutputArea-output .vega-embed svg.marks")
    expect(chart).to_have_count(1, timeout=PATIENCE)
    return chart


def colors_of(chart: Locator) -> Counter[str]:
    """How many pixels have each colour."""
    chart.scroll_into_view_if_needed()
    image = Image.open(io.BytesIO(chart.screenshot())).convert("RGB")
    return Counter({"#{:02X}{:02X}{:02X}".format(*rgb): count for count, rgb in image.getcolors(2**24) or []})


def saved_chart(cell: Cell) -> Any:
    """The data of a cell's chart in the file."""
    (data,) = [output.data for output in cell.saved().outputs if MIME in output.get("data", {})]
    return data


def check_charts(notebook: Notebook, kinds: Iterable[str] = KINDS) -> None:
    """Each kind is drawn, with named axes and its colours; the value is not shown beside it."""
    for kind in kinds:
        source, labels, colors = KINDS[kind]
        cell = notebook.run(source)
        chart = chart_of(cell)
        texts = chart.locator("text").all_text_contents()
        assert set(labels) <= set(texts), kind
        seen = colors_of(chart)
        assert seen["#FFFFFF"] > 10_000, kind
        assert all(seen[color] > 50 or kind == "scatter" for color in COLORS[:colors]), (kind, seen.most_common(9))
        assert len(seen) > 3, kind
        assert not cell.table, kind


def check_a_saved_chart(notebook: Notebook) -> None:
    """The file has the chart's values, its text, and a picture, which Lab adds where there is none."""
    cell = notebook.run(KINDS["bar"][0])
    chart_of(cell)
    data = saved_chart(cell)
    assert data["text/plain"].startswith("Bar chart: price by category. 4 values")
    assert data["image/png"].startswith("iVBORw0KGgo")
    assert "text/html" not in data


def check_times(notebook: Notebook) -> None:
    """A time on an axis is what the frame shows, in whatever zone the browser is."""
    session = notebook.page.context.new_cdp_session(notebook.page)
    for zone in ("Asia/Tokyo", "America/Los_Angeles"):
        session.send("Emulation.setTimezoneOverride", {"timezoneId": zone})
        cell = notebook.run(HOURS)
        texts = chart_of(cell).locator("text").all_text_contents()
        assert [text for text in texts if text in ("2024", "06 AM")] == ["2024", "06 AM"], (zone, texts)
    session.send("Emulation.setTimezoneOverride", {"timezoneId": ""})
    session.detach()
