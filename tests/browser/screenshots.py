"""Make the pictures of the documents: `python -m tests.browser.screenshots FOLDER`, or `make screenshots`.

Each is of cells that run now, in JupyterLab, against a sandbox; what they show depends on the sample data alone (and on
the sandbox's port, which the line of the connection names).
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from rds_iam_magic.sandbox import Sandbox
from tests.browser.notebook import CONNECT, Browser, Notebook
from tests.browser.server import Lab

WIDTH = 1150
"""Pixels of the window: its cells are as wide as a page of GitHub's."""

QUERY = """\
%%rds_sql
SELECT   city, COUNT(*) AS orders, MAX(ordered_at) AS last_order
FROM     customers JOIN orders ON customer_id = customers.id
WHERE    country = :country
GROUP BY city"""

MONTHLY = """\
%%rds_sql monthly <<
SELECT   CAST(DATE_FORMAT(o.ordered_at, '%Y-%m-01') AS DATE) AS month,
         SUM(l.quantity * l.unit_price) AS revenue
FROM     orders o JOIN order_lines l ON l.order_id = o.id
GROUP BY month
ORDER BY month"""

CHART = """\
%%rds_sql --plot
SELECT   CAST(DATE_FORMAT(ordered_at, '%Y-%m-01') AS DATE) AS month,
         status, COUNT(*) AS orders
FROM     orders
WHERE    status IN ('returned', 'shipped', 'cancelled')
GROUP BY month, status"""

LONG = """\
%%rds_sql pairs <<
SELECT o.*, p.name, l.quantity
FROM   orders o JOIN order_lines l ON l.order_id = o.id
CROSS JOIN products p
CROSS JOIN (SELECT 'ja' AS language UNION SELECT 'fr') languages"""


@dataclass(frozen=True)
class Picture:
    """Cells, and what the last one shows when the picture is taken: before its end, if that is given."""

    sources: tuple[str, ...]
    running: str = ""


COLOURS = (
    'country, since = "JP", "2024-01-01"  # a Python cell',
    """\
%%rds_sql busy =<< --decimal exact  # the busiest customers
SELECT   c.name, COUNT(*) AS orders, MAX(o.ordered_at) AS `last order`
FROM     customers c JOIN orders o ON o.customer_id = c.id  -- who has ordered
WHERE    c.country = :country AND o.status <> 'cancelled' AND o.ordered_at >= :since
GROUP BY c.id
HAVING   COUNT(*) > 5
ORDER BY orders DESC LIMIT 3""",
)
"""SQL below a Python cell."""

PICTURES = {
    "query": Picture((CONNECT, "%rds_tables", 'country = "FR"', QUERY)),
    "plot": Picture((MONTHLY, 'ax = monthly.plot(x="month", y="revenue", figsize=(9, 3), legend=False)')),
    "chart": Picture((CHART, "%rds_plot orders ordered_at --color status")),
    "colours": Picture(COLOURS),
    "columns": Picture(("%rds_columns customers",)),
    "note": Picture(("%rds_sql SELECT COUNT(*) FROM customers WHERE country = '{country}'",)),
    "error": Picture(("%rds_sql SELECT name, categry FROM products",)),
    "progress": Picture((LONG,), running="running · .* rows"),
}
"""The cells of each picture; they run one after the other, in one notebook."""


def main(folder: Path) -> None:
    """Run all cells, and write the pictures."""
    with tempfile.TemporaryDirectory() as temporary, Sandbox() as sandbox:
        with Lab({**os.environ, **sandbox.environment}, Path(temporary, "lab")) as lab:
            chromium = Browser(Path(temporary, "chromium"), width=WIDTH, scale=2)
            with chromium as browser, browser.notebook(lab) as notebook:
                for name, picture in PICTURES.items():
                    take(notebook, picture, folder / f"{name}.png")


def take(notebook: Notebook, picture: Picture, path: Path) -> None:
    """Run the cells of a picture, and take it."""
    cells = [notebook.run(source) for source in picture.sources[:-1]]
    cells.append(notebook.start(picture.sources[-1]))
    if picture.running:
        cells[-1].shows(re.compile(picture.running))
    else:
        cells[-1].wait()
        cells[-1].settle()
    assert not any("Traceback" in cell.text for cell in cells), "a cell failed that should not"
    notebook.screenshot(path, cells)
    Image.open(path).quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)  # a third of its size
    cells[-1].wait()
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
