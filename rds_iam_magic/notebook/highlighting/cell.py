"""Which cells are coloured as SQL, and where their SQL begins. No I/O.

`labextensions/rds-iam-magic/static/remoteEntry.js` says the same for JupyterLab and Notebook 7.
"""

from __future__ import annotations

import re

SQL_CELL = re.compile(r"\s*(?:%%(?:time|timeit|capture|prun)\b[^\n]*\n\s*)*%%rds_(?:sql|explain)(?![\w.])")
"""The beginning of a cell whose body is SQL. Blank lines may stand before the magic, as IPython has it, and magics that
run the cell below them; comments may not."""


def lines_before_sql(cell: str) -> int | None:
    """How many lines stand before a cell's SQL, the magic's own among them; None if the cell is none of SQL."""
    match = SQL_CELL.match(cell)
    return None if match is None else match[0].count("\n") + 1
