"""`python -m benchmarks`: make the tables, measure each tool in a process of its own, print one table."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import extras
from benchmarks.shapes import SCHEMA, SHAPES, create
from benchmarks.tools import TOOLS
from rds_iam_magic.sandbox import Sandbox

OUTPUT = Path("build/bench.json")
FIGURES = ("shape", "tool", "seconds", "rows_per_second", "peak_bytes", "frame_bytes", "floor_ratio")


def main() -> int:
    """Run; returns the exit code."""
    options = _options()
    results: list[dict[str, Any]] = []
    with Sandbox() as sandbox:
        environment = _prepare(sandbox)
        for name in options.shapes:
            rows = max(1, int(SHAPES[name].rows * options.scale))
            with sandbox.server.root() as root:
                create(root, SHAPES[name], rows)
            results += _shape(name, rows, options, environment)
        if options.extras:
            results.append(extras.load_ext(environment, options.rounds))
            results += [extras.parquet(environment, OUTPUT.parent, int(n * options.scale)) for n in (10**6, 10**7)]
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps([dict.fromkeys(FIGURES) | entry for entry in results], indent=1))
    print(table(results))
    return _check(results) if options.check else 0


def _options() -> argparse.Namespace:
    def names(known: dict[str, Any]) -> Any:
        return lambda text: [name for name in text.split(",") if name and (known[name] or True)]

    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--shapes", type=names(SHAPES), default=list(SHAPES))
    parser.add_argument("--tools", type=names(TOOLS), default=list(TOOLS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of rows")
    parser.add_argument("--no-extras", dest="extras", action="store_false")
    parser.add_argument("--check", action="store_true", help="fail unless all tools gave the same values")
    return parser.parse_args()


def _prepare(sandbox: Sandbox) -> dict[str, str]:
    """Users for us and for the others, and the environment that leads the children to them."""
    password = secrets.token_urlsafe(16)
    with sandbox.server.root() as root:
        root.execute("SET GLOBAL require_secure_transport = OFF")  # for connectorx alone
        root.execute(f"CREATE DATABASE {SCHEMA}")
        root.execute("CREATE USER 'bench_iam'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL")
        root.execute("CREATE USER 'bench'@'%%' IDENTIFIED BY %s", (password,))
        for user in ("bench_iam", "bench"):
            root.execute(f"GRANT SELECT ON {SCHEMA}.* TO '{user}'@'%'")
    return {
        **os.environ,
        **sandbox.environment,
        "BENCH_HOST": sandbox.endpoint,
        "BENCH_PORT": str(sandbox.server.port),
        "BENCH_CA": str(sandbox.bundle),
        "BENCH_USER": "bench",
        "BENCH_PASSWORD": password,
    }


def _shape(name: str, rows: int, options: argparse.Namespace, environment: dict[str, str]) -> list[dict[str, Any]]:
    found = []
    for tool in options.tools:
        print(f"{name}: {tool} …", file=sys.stderr, flush=True)
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.measure", tool, name, str(options.rounds)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            measured = {"error": (done.stderr.strip().splitlines() or ["it failed"])[-1][:120]}
        else:
            # A tool may say goodbye behind it.
            measured = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
        found.append({"shape": name, "tool": tool, "rows": rows, **measured})
    floor = next((entry["seconds"] for entry in found if entry["tool"] == "floor" and "seconds" in entry), None)
    for entry in found:
        if "seconds" in entry:
            entry["rows_per_second"] = rows / entry["seconds"]
            entry["floor_ratio"] = entry["seconds"] / floor if floor else None
    return found


def table(results: list[dict[str, Any]]) -> str:
    """One Markdown table of all results."""
    lines = [
        "| shape | tool | seconds | rows/s | peak MB | frame MB | to the floor |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([*lines, *map(_line, results)])


def _line(entry: dict[str, Any]) -> str:
    if "seconds" not in entry:
        return f"| {entry['shape']} | {entry['tool']} | {entry.get('error', '')} | | | | |"

    def shown(key: str, text: str, divide: float = 1) -> str:
        return text.format(entry[key] / divide) if entry.get(key) else ""

    cells = [
        shown("seconds", "{:.4f}" if entry["seconds"] < 0.1 else "{:.2f}"),
        shown("rows_per_second", "{:,.0f}"),
        shown("peak_bytes", "{:,.0f}", 1e6),
        shown("frame_bytes", "{:,.0f}", 1e6),
        shown("floor_ratio", "{:.2f}"),
    ]
    return f"| {entry['shape']} | {entry['tool']} | {' | '.join(cells)} |"


def _check(results: list[dict[str, Any]]) -> int:
    """Whether every tool that ran gave the same values for the same shape."""
    wrong = [entry for entry in results if "error" in entry]
    for shape in {entry["shape"] for entry in results}:
        digests = {entry["tool"]: entry["digest"] for entry in results if entry["shape"] == shape and "digest" in entry}
        if len(set(digests.values())) > 1:
            wrong.append({"shape": shape, **digests})
    for entry in wrong:
        print(f"disagreement or failure: {entry}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
