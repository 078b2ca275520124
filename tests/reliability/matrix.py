"""The fault matrix as data: what is broken, when, under what, and what must come of it; and its table for the docs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reliability.proxy import Proxy

from rds_iam_magic.database.connection import Connection
from rds_iam_magic.sandbox.server import Server


@dataclass
class World:
    """What a cell of the matrix happens in: a connection through a proxy to a server."""

    server: Server
    proxy: Proxy
    db: Connection
    notes: list[str]

    @property
    def connection_id(self) -> int:
        return self.db._held._identity.id

    def root(self, sql: str) -> Any:
        with self.server.root() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def rows(self) -> int:
        return self.root("SELECT COUNT(*) FROM scratch.ledger")[0][0]


def _kill_server(world: World) -> None:
    world.server.kill()
    world.server.start()


def _kill_connection(world: World) -> None:
    world.root(f"KILL CONNECTION {world.connection_id}")


FAULTS: dict[str, Callable[[World], None]] = {
    "the server is killed and started again": _kill_server,
    "the connection is killed (`KILL CONNECTION`)": _kill_connection,
    "the network closes the connection": lambda world: world.proxy.cut(),
    "the network resets the connection": lambda world: world.proxy.reset(),
    "the network goes silent (half-open)": lambda world: world.proxy.freeze(),
}

RIGHT = "the right result; a line says that the connection was opened again"
ONCE = "it runs, once"
ROLLED_BACK = "`ConnectionLostError`: the transaction was rolled back; nothing of it is there"
MAY_HAVE_RUN = "`ConnectionLostError`: the statement may have taken effect; it is not run again"
AGAIN = "the right result: it only reads, so it runs once more, and a line says so"
NO_MIX = "`ConnectionLostError` after the rows that came; none comes twice"
UNKNOWN = "`ConnectionLostError`: whether the COMMIT took effect is unknown"

READ = "SELECT"
WRITE = "INSERT"
IN_TRANSACTION = "INSERT in an open transaction"
BATCHES = "SELECT in batches, or to a file"
COMMIT = "COMMIT"

IDLE, WORKING, ROWS = "while idle", "while the server works", "in the middle of the rows"
REQUEST, ANSWER = "as it is sent: the server gets nothing", "after it was sent: the answer is lost"


@dataclass(frozen=True)
class Cell:
    """One cell: the fault, the moment, what runs, and what must come of it."""

    fault: str
    moment: str
    action: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.fault}-{self.moment}-{self.action}"


def cells() -> list[Cell]:
    """All of them."""
    found = []
    for fault in FAULTS:
        found += [
            Cell(fault, IDLE, READ, RIGHT),
            Cell(fault, IDLE, WRITE, ONCE),
            Cell(fault, IDLE, IN_TRANSACTION, ROLLED_BACK),
            Cell(fault, WORKING, READ, AGAIN),
            Cell(fault, WORKING, WRITE, MAY_HAVE_RUN),
            Cell(fault, WORKING, IN_TRANSACTION, ROLLED_BACK),
            Cell(fault, ROWS, READ, AGAIN),
            Cell(fault, ROWS, BATCHES, NO_MIX),
        ]
    for moment in (REQUEST, ANSWER):
        fault = "the network closes the connection"
        found += [
            Cell(fault, moment, READ, AGAIN),
            Cell(fault, moment, WRITE, MAY_HAVE_RUN),
            Cell(fault, moment, IN_TRANSACTION, ROLLED_BACK),
            Cell(fault, moment, COMMIT, UNKNOWN),
        ]
    return found


SLOW_ROWS = "SELECT seq, REPEAT('x', 1000) AS filler, SLEEP(0.001) FROM seq_1_to_1200"
_SLOW = {
    READ: "SELECT SLEEP(1.2) AS slept, COUNT(*) AS n FROM ledger",
    WRITE: "INSERT INTO ledger SELECT SLEEP(1.2)",
    IN_TRANSACTION: "INSERT INTO ledger SELECT SLEEP(1.2)",
}
_QUICK = {
    READ: "SELECT 0 AS slept, COUNT(*) AS n FROM ledger",
    WRITE: "INSERT INTO ledger VALUES (1)",
    IN_TRANSACTION: "INSERT INTO ledger VALUES (1)",
    COMMIT: "COMMIT",
}


def act(world: World, cell: Cell) -> Any:
    """Bring the fault about at its moment, under its action; returns what the action gives, or raises."""
    fault = FAULTS[cell.fault]
    if cell.action in (IN_TRANSACTION, COMMIT):
        world.db.execute("BEGIN; INSERT INTO ledger VALUES (2)")
    if cell.moment == IDLE:
        fault(world)
        time.sleep(0.6)  # past the (shortened) idleness after which a connection is asked whether it lives
        return _run(world, cell.action, _QUICK[cell.action])
    if cell.moment in (REQUEST, ANSWER):
        world.proxy.lose_next_request(answer_only=cell.moment == ANSWER)
        return _run(world, cell.action, _QUICK[cell.action])
    timer = threading.Timer(0.4, fault, [world])
    timer.start()
    try:
        sql = SLOW_ROWS if cell.moment == ROWS else _SLOW[cell.action]
        return _run(world, cell.action, sql)
    finally:
        timer.join()


def _run(world: World, action: str, sql: str) -> Any:
    if action == BATCHES:
        return [row for batch in world.db.batches(sql, rows=50) for row in batch.column(0).to_pylist()]
    return world.db.query(sql) if action == READ else world.db.execute(sql)


def table() -> str:
    """The table of docs/reliability.md."""
    lines = ["| what breaks | when | what runs | what happens |", "|---|---|---|---|"]
    lines += [f"| {cell.fault} | {cell.moment} | {cell.action} | {cell.outcome} |" for cell in cells()]
    return "\n".join(lines) + "\n"
