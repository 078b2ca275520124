"""Make the pictures of the documents: `python -m tests.browser.screenshots FOLDER`, or `make screenshots`.

Each is of cells that run now, in JupyterLab, against a sandbox; what they show depends on the sample data alone (and on
the sandbox's port, which the line of the connection names).
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from rds_iam_magic.sandbox import Sandbox
from tests.browser.notebook import CONNECT, Browser, Notebook
from tests.browser.server import Lab

WIDTH = 1150
"""Pixels of the window: its cells are as wide as a page of GitHub's."""

QUERY = """\
%%rds_sql
SELECT   p.name, SUM(l.quantity) AS sold,
         SUM(l.quantity * l.unit_price) AS revenue, MAX(o.ordered_at) AS last
FROM     products p
JOIN     order_lines l ON l.product_id = p.id
JOIN     orders o ON o.id = l.order_id
WHERE    p.category = 'coffee'
GROUP BY p.name
ORDER BY revenue DESC"""

MONTHLY = """\
%%rds_sql monthly <<
SELECT   CAST(DATE_FORMAT(o.ordered_at, '%Y-%m-01') AS DATE) AS month,
         SUM(l.quantity * l.unit_price) AS revenue
FROM     orders o JOIN order_lines l ON l.order_id = o.id
GROUP BY month
ORDER BY month"""

PICTURES = {
    "query": [CONNECT, QUERY],
    "plot": [MONTHLY, 'ax = monthly.plot(x="month", y="revenue", figsize=(9, 3), legend=False)'],
    "error": ["%rds_sql SELECT name, categry FROM products"],
}
"""The cells of each picture; they run one after the other, in one notebook."""


def main(folder: Path) -> None:
    """Run all cells, and write a picture of each group."""
    with tempfile.TemporaryDirectory() as temporary, Sandbox() as sandbox:
        with Lab({**os.environ, **sandbox.environment}, Path(temporary, "lab")) as lab:
            with Browser(Path(temporary, "chromium"), width=WIDTH) as browser, browser.notebook(lab) as notebook:
                for name, sources in PICTURES.items():
                    picture(notebook, sources, folder / f"{name}.png")


def picture(notebook: Notebook, sources: list[str], path: Path) -> None:
    """Run cells and take their picture."""
    cells = [notebook.run(source) for source in sources]
    cells[-1].settle()
    assert not any("Traceback" in cell.text for cell in cells), "a cell failed that should not"
    notebook.screenshot(path, cells)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
