"""How long completion takes with a catalog of 10,000 tables of 100 columns each: `python -m benchmarks.completion`.

Figures are milliseconds of one answer, as a key press waits for it. No server takes part: it is never asked.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc

from rds_iam_magic.notebook.completion.sql_body import Surroundings, complete_sql
from rds_iam_magic.schema.catalog.catalog import Catalog, SchemaNames
from rds_iam_magic.schema.catalog.names import Names

TABLES, COLUMNS, ROUNDS = 10_000, 100, 50
CELLS = {
    "a table": "SELECT * FROM table_99|",
    "a table, nothing typed": "SELECT * FROM |",
    "a table that does not exist": "SELECT * FROM zzz|",
    "columns of an alias": "SELECT t.| FROM table_9999 t",
    "columns of five tables": "SELECT c| FROM " + " JOIN ".join(f"table_{n}" for n in range(5)),
    "a column before FROM": "SELECT column_9999|",
    "a column before FROM, one letter": "SELECT c|",
    "a name that does not exist": "SELECT zzz|",
    "at the end of 100 kB of SQL": "SELECT 1 AS a, 'text' AS b FROM t WHERE x = 1;\n" * 2_000
    + "SELECT * FROM table_12|",
}


def main() -> None:
    """Print the figures."""
    for distinct in (True, False):
        tracemalloc.start()
        began = time.perf_counter()
        catalog = _catalog(distinct=distinct)
        made = time.perf_counter() - began
        size = tracemalloc.get_traced_memory()[0] / 1e6
        tracemalloc.stop()
        print(f"{TABLES:,} tables, {COLUMNS} columns each, {'all' if distinct else 'none'} of another name: "
              f"{size:.0f} MB, made in {made:.1f} s (traced)")  # fmt: skip
        for name, cell in CELLS.items():
            print(f"  {name:<36} {_shown(_times(cell, Surroundings(catalog, 'wide')))}")


def _catalog(*, distinct: bool) -> Catalog:
    tables = {
        f"table_{t}": "\0".join(f"column_{t if distinct else 'x'}_{c}" for c in range(COLUMNS)) for t in range(TABLES)
    }
    return Catalog({"wide": SchemaNames(tables=Names(tables)).with_columns(tables)})


def _times(cell: str, around: Surroundings) -> list[float]:
    at = cell.index("|")
    sql = cell.replace("|", "", 1)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        complete_sql(sql, at, around)
        times.append(1000 * (time.perf_counter() - began))
    return times


def _shown(times: list[float]) -> str:
    return f"median {statistics.median(times):6.2f} ms, slowest {max(times):6.2f} ms"


if __name__ == "__main__":
    main()
