"""The fault matrix as data: what breaks, when, under what, and what must come of it; and its tables for the docs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from reliability.faults import ANSWER, FAULTS, IDLE, REQUEST, ROWS, TRUNCATES, WORKING, Fault, World

READ = "SELECT"
WRITE = "INSERT"
IN_TRANSACTION = "INSERT in an open transaction"
COMMIT = "COMMIT"
BATCHES = "SELECT in batches, or to a file"

ACTIONS = {
    IDLE: (READ, WRITE, IN_TRANSACTION, COMMIT),
    REQUEST: (READ, WRITE, IN_TRANSACTION, COMMIT),
    ANSWER: (READ, WRITE, IN_TRANSACTION, COMMIT),
    WORKING: (READ, WRITE, IN_TRANSACTION),
    ROWS: (READ, BATCHES),
}

RIGHT = "right"
OPENED = "right, opened again"
AGAIN = "right, run once more"
ROLLED_BACK = "error: rolled back"
MAY_HAVE_RUN = "error: may have run"
UNKNOWN = "error: unknown"
IN_THE_MIDDLE = "error: rows lost"
REFUSED = "error: read-only"
CANNOT = "error: no connection"

LEGEND = {
    RIGHT: "The result is right, and nothing is lost.",
    OPENED: "The connection is opened again, then the statement runs, once. A line says so.",
    AGAIN: "It only reads, so it runs once more on a new session. A line says so.",
    ROLLED_BACK: "`ConnectionLostError`: the server rolled the transaction back; nothing of it is there.",
    MAY_HAVE_RUN: "`ConnectionLostError`: the statement may have taken effect; it is not run again.",
    UNKNOWN: "`ConnectionLostError`: whether the COMMIT took effect is unknown.",
    IN_THE_MIDDLE: "`ConnectionLostError` after the rows that came; none comes twice, no partial file is left.",
    REFUSED: "`StatementError` 1290: the server takes no writes; nothing has run.",
    CANNOT: "`ConnectError` within the time to connect, saying what is the matter; nothing has run. Once it is mended, "
    "the next statement runs; an open transaction is told to be rolled back first.",
}


@dataclass(frozen=True)
class Cell:
    """One cell: the fault, the moment, what runs."""

    fault: Fault
    moment: str
    action: str

    def __str__(self) -> str:
        return f"{self.fault}-{self.moment}-{self.action}"

    @property
    def in_transaction(self) -> bool:
        return self.action in (IN_TRANSACTION, COMMIT)

    @property
    def outcome(self) -> str:
        """What must come of it."""
        if not self.fault.loses:
            return RIGHT
        if self.moment == IDLE:
            return self._idle()
        if self.action == READ:
            return AGAIN if self.fault.comes_back else CANNOT
        return {WRITE: MAY_HAVE_RUN, IN_TRANSACTION: ROLLED_BACK, COMMIT: UNKNOWN, BATCHES: IN_THE_MIDDLE}[self.action]

    def _idle(self) -> str:
        if not self.fault.comes_back:
            return CANNOT
        if self.in_transaction:
            return ROLLED_BACK
        return OPENED if self.action == READ or self.fault.writable else REFUSED


def cells() -> list[Cell]:
    """All of them."""
    return [
        Cell(fault, moment, action)
        for fault in FAULTS
        for moment, actions in ACTIONS.items()
        if moment in (fault.moments or ACTIONS)
        for action in actions
    ]


SLOW_ROWS = "SELECT seq, REPEAT('x', 1000) AS filler, SLEEP(0.001) FROM seq_1_to_500"
_SLOW = {
    READ: "SELECT SLEEP(0.6) AS slept, COUNT(*) AS n FROM ledger",
    WRITE: "INSERT INTO ledger SELECT SLEEP(0.6)",
    IN_TRANSACTION: "INSERT INTO ledger SELECT SLEEP(0.6)",
}
_QUICK = {
    READ: "SELECT 0 AS slept, COUNT(*) AS n FROM ledger",
    WRITE: "INSERT INTO ledger VALUES (1)",
    IN_TRANSACTION: "INSERT INTO ledger VALUES (1)",
    COMMIT: "COMMIT",
}


def act(world: World, cell: Cell) -> Any:
    """Bring the fault about at its moment, under its action; returns what the action gives, or raises."""
    if cell.in_transaction:
        world.db.execute("BEGIN; INSERT INTO ledger VALUES (2)")
    if cell.moment == IDLE:
        cell.fault.strike(world)
        time.sleep(0.4)  # past the (shortened) idleness after which a connection is asked whether it lives
        return _run(world, cell.action, _QUICK[cell.action])
    if cell.moment == ANSWER and cell.fault is TRUNCATES:
        cell.fault.strike(world)
        return _run(world, cell.action, _QUICK[cell.action])
    if cell.moment in (REQUEST, ANSWER):
        return _act_on_request(world, cell)
    timer = threading.Timer(0.2, cell.fault.strike, [world])
    timer.start()
    try:
        return _run(world, cell.action, SLOW_ROWS if cell.moment == ROWS else _SLOW[cell.action])
    finally:
        timer.join()


def _act_on_request(world: World, cell: Cell) -> Any:
    if not cell.fault.loses:
        cell.fault.strike(world)
        return _run(world, cell.action, _QUICK[cell.action])
    struck = threading.Event()

    def strike() -> None:
        cell.fault.strike(world)
        struck.set()

    world.proxy.lose_next_request(strike, answer_only=cell.moment == ANSWER)
    try:
        return _run(world, cell.action, _QUICK[cell.action])
    finally:
        assert struck.wait(10)  # the loss may be told before all of it has come about


def _run(world: World, action: str, sql: str) -> Any:
    if action == BATCHES:
        return [row for batch in world.db.batches(sql, rows=50) for row in batch.column(0).to_pylist()]
    return world.db.query(sql) if action == READ else world.db.execute(sql)


def tables() -> str:
    """The tables of docs/reliability.md: one for each action; faults of which the same comes stand together."""
    parts = []
    for action in (READ, BATCHES, WRITE, IN_TRANSACTION, COMMIT):
        moments = [moment for moment, actions in ACTIONS.items() if action in actions]
        rows: dict[tuple[str, ...], list[str]] = {}
        for fault in FAULTS:
            possible = [moment in (fault.moments or ACTIONS) for moment in moments]
            outcomes = tuple(
                Cell(fault, moment, action).outcome if there else "–"
                for moment, there in zip(moments, possible, strict=True)
            )
            if any(possible):
                rows.setdefault(outcomes, []).append(fault.name)
        head = ["what breaks", *moments]
        lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
        lines += [f"| {'<br>'.join(names)} | {' | '.join(outcomes)} |" for outcomes, names in rows.items()]
        parts.append(f"### {action}\n\n" + "\n".join(lines) + "\n")
    legend = "\n".join(f"- **{name}**: {meaning}" for name, meaning in LEGEND.items())
    return "\n".join(parts) + f"\n{legend}\n"
