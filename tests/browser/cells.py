"""The cells that a notebook of `front_end` begins with: each kind of cell, and what each is to be taken for."""

from __future__ import annotations

import nbformat

SQL = """\
%%rds_sql orders << --limit 10 # it's a comment
SELECT o.id, 'text', 12 AS n -- a comment
FROM `orders` o
WHERE city = :city"""

_code = nbformat.v4.new_code_cell
KINDS = (
    (_code(SQL), "rds_sql"),
    (_code("\n\n%%time\n%%rds_explain\nSELECT COUNT(*) FROM customers"), "rds_sql"),
    (_code("%%rds_sql"), "rds_sql"),
    (_code("import os\nselect = [row for row in range(3)]"), "python"),
    (_code("%rds_sql SELECT 1"), "python"),
    (_code("%%sql\nSELECT 1 FROM orders"), "python"),
    (_code("%%rds_sql_of_others\nSELECT 1"), "python"),
    (_code("%%bash\nselect 1"), "python"),
    (_code("# No cell magic, for IPython neither\n%%rds_sql\nSELECT 1"), "python"),
    (nbformat.v4.new_markdown_cell("%%rds_sql\nSELECT 1"), "markdown"),
    (nbformat.v4.new_raw_cell("%%rds_sql\nSELECT 1"), None),
)
"""Each cell, with the language that its editor is to have."""

CELLS = [cell for cell, _ in KINDS]
