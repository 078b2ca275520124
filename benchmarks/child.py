"""The child process: one tool, set up once; it runs a query whenever the parent asks, and answers what that took.

Each order is one line of JSON on stdin, each answer one on stdout. So the parent can let the tools take turns.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.memory import peak, reset_peak
from benchmarks.server import Run, Server, UnavailableError
from benchmarks.tools import TOOLS
from benchmarks.values import values_of

_TICKS = os.sysconf("SC_CLK_TCK")


def main(tool: str) -> None:
    """Answer orders until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a tool prints is no answer

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    try:
        run = TOOLS[tool](Server.of_environment())
        run("SELECT 1.5 AS a, 'x' AS b, NOW() AS c")  # what is imported late is in
    except BaseException as error:  # noqa: BLE001 - Rust's panics among them
        answer(error=f"skipped: {error}" if isinstance(error, (ImportError, UnavailableError)) else _words(error))
        return
    answer(ready=True)
    for line in sys.stdin:
        try:
            answer(**_turn(run, **json.loads(line)))
        except BaseException as error:  # noqa: BLE001 - as above
            answer(error=_words(error))


def _turn(run: Run, sql: str, repeat: int, *, look: bool) -> dict[str, Any]:
    """Run the query so many times; the first turn (`look`) also measures memory and takes the values."""
    start = reset_peak() if look else 0
    seconds: list[float] = []
    result: Any = None
    server, client = server_cpu(), time.process_time()
    for _ in range(repeat):
        del result  # before the next one, as in a notebook that runs a cell again
        began = time.perf_counter()
        result = run(sql)
        seconds.append(time.perf_counter() - began)
    client, server = time.process_time() - client, server_cpu() - server
    found = {"seconds": seconds, "client_cpu": client / repeat, "server_cpu": server / repeat}
    if look:
        found |= {"peak_bytes": max(0, peak() - start)}
    if look and (hasattr(result, "schema") or hasattr(result, "memory_usage")):
        found |= {"frame_bytes": _size(result), "rows": len(result), "values": values_of(result)}
    return found


def server_cpu() -> float:
    """Seconds of CPU that the server has used; 0 where /proc does not tell."""
    path = Path(f"/proc/{os.environ['BENCH_SERVER_PID']}/stat")
    if not path.exists():
        return 0.0
    fields = path.read_text().rpartition(")")[2].split()  # the name before may have spaces
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _size(result: Any) -> int:
    return int(result.nbytes if hasattr(result, "schema") else result.memory_usage(deep=True).sum())


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:120]


if __name__ == "__main__":
    main(sys.argv[1])
