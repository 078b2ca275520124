"""Frames into tables: how long each tool takes to write 100,000 rows × 10 columns, committed once.

Each runs in a process of its own, which makes the frame, connects, and writes ten rows before the clock starts; the
tools take turns. `ours` checks that every value can be stored, and reads all of them back; the others do neither.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.child import server_cpu
from benchmarks.server import Server
from benchmarks.shapes import SCHEMA
from benchmarks.tools import _pymysql_options

ROWS = 100_000
TABLE = "loaded"
_COLUMNS = (
    "id BIGINT, name VARCHAR(32), code VARCHAR(16), amount DOUBLE, ratio DOUBLE, rate FLOAT, count INT, "
    "flag TINYINT(1), moment DATETIME(6), day DATETIME"
)
_DROP = f"DROP TABLE IF EXISTS {TABLE}"
_CREATE = f"CREATE TABLE {TABLE} ({_COLUMNS})"
_INSERT = f"INSERT INTO {TABLE} VALUES ({', '.join(['%s'] * 10)})"

Write = Callable[[Any], object]


def frame(rows: int) -> Any:
    """The same every time: integers, floats, texts, dates, a flag, some missing values."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(1)
    amount = random.normal(100, 30, rows)
    amount[::10] = np.nan
    moment = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 10**14, rows), unit="us")
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "name": [f"name {i % 1000} é" for i in range(rows)],
            "code": [f"{i:08x}" for i in range(rows)],
            "amount": amount,
            "ratio": random.random(rows),
            "rate": random.random(rows).astype("float32"),
            "count": random.integers(0, 10**6, rows).astype("int32"),
            "flag": random.random(rows) > 0.5,
            "moment": moment.astype("M8[us]"),
            "day": moment.floor("D").astype("M8[s]"),
        }
    )


def ours(server: Server) -> Write:
    """`Connection.load` into a new table."""
    return _ours(server, "replace")


def ours_append(server: Server) -> Write:
    """`Connection.load` into a table that is there."""
    return _ours(server, "append")


def _ours(server: Server, how: Any) -> Write:  # noqa: ARG001 - it finds the server as users do
    import rds_iam_magic

    db = rds_iam_magic.connect("sandbox", user="bench_iam", database=SCHEMA, notify=lambda _: None)

    def write(data: Any) -> None:
        db.execute(_DROP)
        if how == "append":
            db.execute(_CREATE)
        db.load(data, TABLE, if_exists=how)

    return write


def to_sql(server: Server) -> Write:
    """`pandas.to_sql` as it is, with SQLAlchemy and PyMySQL."""
    return _to_sql(server)


def to_sql_multi(server: Server) -> Write:
    """The same with `method="multi"`, a thousand rows at a time."""
    return _to_sql(server, method="multi", chunksize=1000)


def _to_sql(server: Server, **options: Any) -> Write:
    import sqlalchemy

    arguments = {**_pymysql_options(server), "database": SCHEMA, "autocommit": False}
    engine = sqlalchemy.create_engine("mysql+pymysql://", connect_args=arguments)

    def write(data: Any) -> None:
        with engine.begin() as connection:
            data.to_sql(TABLE, connection, if_exists="replace", index=False, **options)

    return write


def pymysql(server: Server) -> Write:
    """PyMySQL's `executemany` of tuples."""
    import pymysql as driver

    return _executemany(driver.connect(**_pymysql_options(server), database=SCHEMA))


def mysqlclient(server: Server) -> Write:
    """`executemany` of mysqlclient, which is written in C."""
    import MySQLdb

    return _executemany(
        MySQLdb.connect(
            host="127.0.0.1",
            port=server.port,
            user=server.user,
            password=server.password,
            database=SCHEMA,
            charset="utf8mb4",
            ssl_mode="REQUIRED",
        )
    )


def _executemany(connection: Any) -> Write:
    def write(data: Any) -> None:
        rows = _tuples(data)
        with connection.cursor() as cursor:
            cursor.execute(_DROP)
            cursor.execute(_CREATE)
            cursor.execute("BEGIN")
            cursor.executemany(_INSERT, rows)
            cursor.execute("COMMIT")

    return write


def _tuples(data: Any) -> list[tuple[Any, ...]]:
    """As scripts do it: Python's values, None where one is missing."""
    return list(data.astype(object).where(data.notna(), None).itertuples(index=False, name=None))


def load_data(server: Server) -> Write:
    """`LOAD DATA LOCAL INFILE` of a CSV file, by PyMySQL; the time to write the file is in it."""
    import pymysql as driver

    connection = driver.connect(**_pymysql_options(server), database=SCHEMA, local_infile=True)

    def write(data: Any) -> None:
        with tempfile.TemporaryDirectory() as folder, connection.cursor() as cursor:
            path = Path(folder) / "rows.csv"
            data.assign(flag=data["flag"].astype("int8")).to_csv(path, index=False, header=False, na_rep="\\N")
            cursor.execute(_DROP)
            cursor.execute(_CREATE)
            cursor.execute(
                f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE {TABLE} CHARACTER SET utf8mb4 "
                "FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"'"
            )

    return write


def insert_select(server: Server) -> Write:
    """`INSERT … SELECT` of a table with the same rows: what the server takes to store them, without a client's part."""
    import pymysql as driver

    connection = driver.connect(**_pymysql_options(server), database=SCHEMA)
    ready: list[int] = []

    def write(data: Any) -> None:
        with connection.cursor() as cursor:
            if ready != [len(data)]:
                _ours(server, "append")(data)
                cursor.execute("DROP TABLE IF EXISTS source")
                cursor.execute(f"RENAME TABLE {TABLE} TO source")
                ready[:] = [len(data)]
            cursor.execute(_DROP)
            cursor.execute(_CREATE)
            cursor.execute(f"INSERT INTO {TABLE} SELECT * FROM source")

    return write


TOOLS: dict[str, Callable[[Server], Write]] = {
    "ours": ours,
    "ours-append": ours_append,
    "to_sql": to_sql,
    "to_sql-multi": to_sql_multi,
    "pymysql": pymysql,
    "mysqlclient": mysqlclient,
    "load-data": load_data,
    "insert-select": insert_select,
}


def measure(environment: dict[str, str], rounds: int, rows: int) -> list[dict[str, Any]]:
    """An entry for each tool: its median, or why it did not run."""
    taken: dict[str, list[dict[str, Any]]] = {tool: [] for tool in TOOLS}
    for _ in range(rounds):
        for tool, turns in taken.items():
            turns.append(_child(environment, tool, rows))
    return [
        {"section": "load", "shape": f"{rows:,} rows × 10", "tool": tool, "rows": rows} | _middle(turns)
        for tool, turns in taken.items()
    ]


def _middle(turns: list[dict[str, Any]]) -> dict[str, Any]:
    failed = next((turn for turn in turns if "error" in turn), None)
    return failed or {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}


def _child(environment: dict[str, str], tool: str, rows: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.loads", tool, str(rows)]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it ended"])[-1]
        return {"error": f"skipped: {last}" if "ModuleNotFoundError" in last else last}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _main(tool: str, rows: int) -> None:
    data = frame(rows)
    write = TOOLS[tool](Server.of_environment())
    write(data if tool == "insert-select" else data.head(10))
    began, client, server = time.perf_counter(), time.process_time(), server_cpu()
    write(data)
    took = time.perf_counter() - began
    print(
        json.dumps({"seconds": took, "client_cpu": time.process_time() - client, "server_cpu": server_cpu() - server})
    )
    sys.stdout.flush()
    os._exit(0)  # connections end with the process


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
