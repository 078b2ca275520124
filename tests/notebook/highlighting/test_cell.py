"""Which cells are SQL: as IPython reads them, and the same for the browser's part."""

import re
from pathlib import Path

import pytest

import rds_iam_magic
from rds_iam_magic.notebook.highlighting.cell import SQL_CELL, lines_before_sql

BROWSER = (
    Path(rds_iam_magic.__file__).parent / "notebook/highlighting/labextensions/rds-iam-magic/static/remoteEntry.js"
)


@pytest.mark.parametrize(
    ("cell", "lines"),
    [
        ("%%rds_sql\nSELECT 1", 1),
        ("%%rds_sql", 1),
        ("%%rds_sql orders <<\nSELECT 1", 1),
        ("\n \n%%rds_sql\nSELECT 1", 3),
        ("  %%rds_sql\nSELECT 1", 1),
        ("%%rds_explain --analyze\nSELECT 1", 1),
        ("%%time\n%%rds_sql\nSELECT 1", 2),
        ("%%timeit -n 3\n\n%%capture\n%%rds_sql\nSELECT 1", 4),
        ("", None),
        ("%rds_sql SELECT 1", None),
        ("%%sql\nSELECT 1", None),
        ("%%rds_sql2\nSELECT 1", None),
        ("%%rds_sql.x\nSELECT 1", None),
        ("%%bash\n%%rds_sql\nSELECT 1", None),
        ("# a comment\n%%rds_sql\nSELECT 1", None),
        ("x = 1\n%%rds_sql\nSELECT 1", None),
    ],
)
def test_which_cells_are_sql(cell, lines):
    assert lines_before_sql(cell) == lines


def test_the_browser_takes_the_same():
    (pattern,) = re.findall(r"const SQL_CELL = /(.*)/;", BROWSER.read_text("utf-8"))
    assert pattern == f"^{SQL_CELL.pattern}"


def test_all_magics_with_sql_below_them_are_named():
    from rds_iam_magic.notebook.looking.magics import RdsIamLooking
    from rds_iam_magic.notebook.magics import RdsIamMagics

    names = {name for kind in (RdsIamMagics, RdsIamLooking) for name in kind.magics["cell"]}
    assert names == {"rds_sql", "rds_explain"}
    assert all(SQL_CELL.match(f"%%{name}\n") for name in names)
