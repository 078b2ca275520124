"""The sections of the benchmark: what is measured in each, with which tools."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from benchmarks import extras, loads
from benchmarks.shapes import SHAPES, create
from benchmarks.slowlink import SlowLink
from benchmarks.turns import Children, Entry
from rds_iam_magic.sandbox import Sandbox

SMALL = {
    "SELECT 1": "SELECT 1 AS a",
    "orders LIMIT 10": "SELECT * FROM shop.orders LIMIT 10",
    "order_lines LIMIT 100": "SELECT * FROM shop.order_lines LIMIT 100",
}
SMALL_TOOLS = ("ours", "magic", "duckdb", "read_sql", "pymysql", "pymysql-tuples")
REPEAT, TURNS = 20, 3  # small: five rounds make 300 runs
SLOW_TOOLS = ("ours-off", "ours-zlib", "duckdb", "duckdb-zlib", "read_sql")
SLOW_SCALE = 0.1
BITS_PER_SECOND, ROUND_TRIP = 50e6, 0.02
PARALLEL_TOOLS = ("parallel-1", "parallel-2", "parallel-4")


def read(sandbox: Sandbox, options: Namespace, environment: dict[str, str]) -> list[Entry]:
    """Every shape, by every tool.

    Each shape has fresh processes, so that memory is comparable; `--check` needs that not, and is quicker without.
    """
    entries = []
    with Children(options.tools, environment) if options.check else nullcontext() as kept:
        for name in options.shapes:
            rows = _create(sandbox, name, options.scale)
            _tell(f"read: {name}, {rows:,} rows, {', '.join(options.tools)}")
            with nullcontext(kept) if kept else Children(options.tools, environment) as children:
                found = children.measure(SHAPES[name].query, rounds=options.rounds)
            entries += _entries("read", name, found, rows=rows)
    return entries


def small(sandbox: Sandbox, options: Namespace, environment: dict[str, str]) -> list[Entry]:  # noqa: ARG001
    """Latency: the answers of most of a day's queries."""
    entries = []
    with Children(list(SMALL_TOOLS), environment) as children:
        for name, sql in SMALL.items():
            _tell(f"small: {name}")
            found = children.measure(sql, rounds=options.rounds * TURNS, repeat=REPEAT, warm=True)
            entries += _entries("small", name, found)
    return entries


def slow(sandbox: Sandbox, options: Namespace, environment: dict[str, str]) -> list[Entry]:
    """A slow link, compressed and not."""
    rows = _create(sandbox, "mixed", options.scale * SLOW_SCALE)
    _tell(f"slow: mixed, {rows:,} rows")
    with SlowLink(sandbox.server.port, bits_per_second=BITS_PER_SECOND, round_trip=ROUND_TRIP) as link:
        through = {"BENCH_PORT": str(link.port), "RDS_IAM_MAGIC_VIA": f"127.0.0.1:{link.port}"}
        with Children(list(SLOW_TOOLS), environment | through) as children:
            found = children.measure(SHAPES["mixed"].query, rounds=options.rounds)
    return _entries("slow", "mixed", found, rows=rows)


def parallel(sandbox: Sandbox, options: Namespace, environment: dict[str, str]) -> list[Entry]:
    """A query in parts at once."""
    rows = _create(sandbox, "mixed", options.scale)
    with sandbox.server.root() as root:
        root.execute("ALTER TABLE bench.mixed ADD PRIMARY KEY (id)")
    _tell(f"parallel: mixed, {rows:,} rows")
    with Children(list(PARALLEL_TOOLS), environment) as children:
        found = children.measure(SHAPES["mixed"].query, rounds=options.rounds)
    return _entries("parallel", "mixed", found, rows=rows)


def other(sandbox: Sandbox, options: Namespace, environment: dict[str, str]) -> list[Entry]:  # noqa: ARG001
    """`%load_ext`, and files."""
    _tell("other: load_ext, --to x.parquet")
    folder = Path("build")
    sizes = (int(rows * options.scale) for rows in (10**6, 10**7))
    entries = [
        extras.load_ext(environment, options.rounds),
        *(extras.parquet(environment, folder, rows) for rows in sizes),
    ]
    return [{"section": "other", **entry} for entry in entries]


def load(sandbox: Sandbox, options: Namespace, environment: dict[str, str]) -> list[Entry]:  # noqa: ARG001
    """Frames into tables."""
    rows = max(1, int(loads.ROWS * options.scale))
    _tell(f"load: {rows:,} rows, {', '.join(loads.TOOLS)}")
    return loads.measure(environment, options.rounds, rows)


SECTIONS = {function.__name__: function for function in (read, small, slow, parallel, load, other)}


def _create(sandbox: Sandbox, name: str, scale: float) -> int:
    rows = max(1, int(SHAPES[name].rows * scale))
    with sandbox.server.root() as root:
        create(root, SHAPES[name], rows)
    return rows


def _entries(section: str, shape: str, found: list[Entry], **more: Any) -> list[Entry]:
    return [{"section": section, "shape": shape, **entry, **more} for entry in found]


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
