"""`python -m benchmarks`: start a sandbox, measure the sections asked for, print the tables and keep the figures."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from benchmarks import own_tools, report
from benchmarks.sections import SECTIONS
from benchmarks.shapes import SCHEMA, SHAPES
from benchmarks.tools import THROUGHPUT, TOOLS
from rds_iam_magic.sandbox import Sandbox

OUTPUT = Path("build/bench.json")


def main() -> int:
    """Run; returns the exit code."""
    options = _options()
    run = json.loads(options.results.read_text()) if options.results else _run(options)
    print(report.text(run))
    report.write(run, options.write)
    return _check(run["entries"]) if options.check else 0


def _options() -> argparse.Namespace:
    def names(known: Any) -> Any:
        def parse(text: str) -> list[str]:
            unknown = set(text.split(",")) - set(known)
            if unknown:
                raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: not among {', '.join(known)}")
            return text.split(",")

        return parse

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sections", type=names(SECTIONS), default=list(SECTIONS), metavar="NAME,…")
    parser.add_argument("--shapes", type=names(SHAPES), default=list(SHAPES), metavar="NAME,…")
    parser.add_argument("--tools", type=names(TOOLS), default=list(THROUGHPUT), metavar="NAME,…", help="of `read`")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of rows")
    parser.add_argument("--check", action="store_true", help="fail unless our tools and PyMySQL gave the same values")
    parser.add_argument("--write", type=Path, nargs="+", default=[], metavar="PAGE", help="replace the tables in it")
    parser.add_argument("--results", type=Path, metavar="JSON", help="of an earlier run, instead of measuring")
    return parser.parse_args()


def _run(options: argparse.Namespace) -> report.Run:
    with Sandbox() as sandbox:
        with sandbox.server.root() as root:
            root.execute("SELECT VERSION()")
            version = root.fetchone()[0].split("-")[0]
        environment = _prepare(sandbox)
        entries = [entry for name in options.sections for entry in SECTIONS[name](sandbox, options, environment)]
    run = {
        "machine": report.machine(f"MariaDB {version}"),
        "rounds": options.rounds,
        "scale": options.scale,
        "entries": entries,
    }
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(run, indent=1))
    return run


def _prepare(sandbox: Sandbox) -> dict[str, str]:
    """Users for us and for the others, and the environment that leads the children to them."""
    password = secrets.token_urlsafe(16)
    with sandbox.server.root() as root:
        root.execute("SET GLOBAL require_secure_transport = OFF")  # for connectorx alone
        root.execute(f"CREATE DATABASE {SCHEMA}")
        root.execute("CREATE USER 'bench_iam'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL")
        root.execute("CREATE USER 'bench'@'%%' IDENTIFIED BY %s", (password,))
        for user in ("bench_iam", "bench"):
            for schema in (SCHEMA, "shop"):
                right = "ALL" if schema == SCHEMA else "SELECT"
                root.execute(f"GRANT {right} ON {schema}.* TO '{user}'@'%'")
    return {
        **os.environ,
        **sandbox.environment,
        "BENCH_HOST": sandbox.endpoint,
        "BENCH_PORT": str(sandbox.server.port),
        "BENCH_CA": str(sandbox.bundle),
        "BENCH_USER": "bench",
        "BENCH_PASSWORD": password,
        "BENCH_SERVER_PID": str(sandbox.server.pid),
    }


def _check(entries: list[dict[str, Any]]) -> int:
    """Whether our tools and PyMySQL ran and gave the same values; what rivals do differently is told, no failure."""
    told: dict[str, bool] = {}  # each message once, and whether it is a failure
    for entry in entries:
        error = entry.get("error") or (entry.get("differs") and f"differs in {', '.join(entry['differs'])}")
        if not error:
            continue
        if error.startswith("skipped"):
            told[f"{entry['tool']}: {error}"] = False
        else:
            is_ours = entry["tool"] in {*own_tools.TOOLS, "pymysql"}
            told[f"{entry['section']}, {entry['shape']}, {entry['tool']}: {error}"] = is_ours
    for message, is_failure in told.items():
        print(f"{'FAILED' if is_failure else 'note'}: {message}", file=sys.stderr)
    return int(any(told.values()))


if __name__ == "__main__":
    sys.exit(main())
