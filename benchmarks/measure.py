"""The child process: sets one tool up, runs one query so many times, and prints what it measured as JSON."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import numbers
import statistics
import sys
import time
from contextlib import redirect_stdout
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.shapes import SHAPES
from benchmarks.tools import LATENCY_TOOLS, TOOLS, Server

LATENCY_RUNS = 300


def main(tool: str, shape: str, rounds: int) -> None:
    """Measure and print."""
    latency = shape == "one"
    try:
        with redirect_stdout(sys.stderr):
            run = (LATENCY_TOOLS if latency else TOOLS)[tool](Server.of_environment())
            sql = "SELECT 1 AS a" if latency else SHAPES[shape].query
            found = _latency(run, sql) if latency else _throughput(run, sql, rounds)
    except ImportError as error:
        found = {"error": f"not installed: {error.name}"}
    print(json.dumps(found))


def _latency(run: Any, sql: str) -> dict[str, Any]:
    for _ in range(20):
        run(sql)
    times = []
    for _ in range(LATENCY_RUNS):
        began = time.perf_counter()
        run(sql)
        times.append(time.perf_counter() - began)
    return {"seconds": statistics.median(times), "rows": 1, "peak_bytes": 0, "frame_bytes": 0}


def _throughput(run: Any, sql: str, rounds: int) -> dict[str, Any]:
    run("SELECT 1.5 AS a, 'x' AS b, NOW() AS c")  # what is imported late is in
    start = _reset_peak()
    times: list[float] = []
    result = None
    peak = 0
    for number in range(rounds):
        del result
        began = time.perf_counter()
        result = run(sql)
        times.append(time.perf_counter() - began)
        if number == 0:
            peak = max(0, _peak() - start)
    frame_bytes = 0 if result is None else int(result.memory_usage(deep=True).sum())
    found = {"seconds": statistics.median(times), "peak_bytes": peak, "frame_bytes": frame_bytes}
    return found if result is None else {**found, "rows": len(result), "digest": _digest(result)}


def _digest(frame: Any) -> str:
    """A fingerprint of the values, whatever their dtypes: shape, NULLs, sums of numbers, first and last rows."""
    import pandas as pd

    parts = [str(frame.shape)]
    for name in frame.columns:
        column = frame[name]
        known = column.dropna()
        parts.append(str(len(known)))
        if len(known) and isinstance(known.iloc[0], (numbers.Number, Decimal)):
            parts.append(_shown(pd.to_numeric(known).sum()))
        parts += [_shown(column.iloc[place]) for place in (0, -1) if len(column)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _shown(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "NULL"
    if isinstance(value, (dt.timedelta, pd.Timedelta)):
        return str(pd.Timedelta(value))
    if hasattr(value, "isoformat"):
        return str(pd.Timestamp(value))
    try:
        return f"{float(value):.9g}"
    except (TypeError, ValueError):
        return str(value)


def _reset_peak() -> int:
    """Bytes in use now; the kernel's high-water mark starts from here."""
    clear = Path("/proc/self/clear_refs")
    if clear.exists():
        clear.write_text("5")
    return _status("VmRSS") or _peak()


def _peak() -> int:
    import resource

    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(field: str) -> int:
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
