"""Two more measurements: how long `%load_ext` takes, and the memory of `--to x.parquet`; each in its own process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

_LOAD = """
import time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
began = time.perf_counter()
shell.run_line_magic("load_ext", "rds_iam_magic")
print(time.perf_counter() - began)
"""

_WRITE = """
import json, sys, time
import rds_iam_magic
from benchmarks.memory import peak, reset_peak
rows, path = int(sys.argv[1]), sys.argv[2]
sql = f"SELECT seq AS a, seq / 7.0e0 AS b, seq % 1000 AS c, MD5(seq % 5000) AS t FROM seq_1_to_{rows}"
with rds_iam_magic.connect("sandbox", user="bench_iam", database="bench") as db:
    db.write("SELECT 1 AS a", path, overwrite=True)
    start = reset_peak()
    began = time.perf_counter()
    db.write(sql, path, overwrite=True)
    print(json.dumps({"seconds": time.perf_counter() - began, "peak_bytes": max(0, peak() - start), "rows": rows}))
"""


def load_ext(environment: dict[str, str], rounds: int) -> dict[str, Any]:
    """Seconds of `%load_ext` in a fresh IPython."""
    times = [float(_python(environment, _LOAD)) for _ in range(rounds)]
    return {"shape": "%load_ext", "tool": "ours", "seconds": statistics.median(times)}


def parquet(environment: dict[str, str], folder: Path, rows: int) -> dict[str, Any]:
    """Peak memory of writing so many rows to a Parquet file, as they come."""
    folder.mkdir(exist_ok=True)
    path = folder / "bench.parquet"
    found = json.loads(_python(environment, _WRITE, str(rows), str(path)))
    path.unlink()
    return {"shape": f"--to x.parquet, {rows:,} rows", "tool": "ours", **found}


def _python(environment: dict[str, str], script: str, *arguments: str) -> str:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
