"""The fault matrix as data: what breaks, when, under what, and what must come of it; and its tables for the docs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any

from rds_iam_magic.connect_options import Compress
from rds_iam_magic.sandbox.server import Server
from rds_iam_magic.timeouts import Timeouts
from tests.reliability.faults import ANSWER, FAULTS, IDLE, REQUEST, ROWS, TRUNCATES, WORKING, Fault, Rig, end_session
from tests.support.events import LONG, when, works_on

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

RIGHT = "correct"
OPENED = "correct, after reconnecting"
AGAIN = "correct, run again"
ROLLED_BACK = "error: rolled back"
MAY_HAVE_RUN = "error: may have run"
UNKNOWN = "error: unknown"
IN_THE_MIDDLE = "error: rows lost"
REFUSED = "error: read-only"
CANNOT = "error: no connection"

LEGEND = {
    RIGHT: "The result is correct, and nothing is lost.",
    OPENED: "The connection is reopened, then the statement runs, once. A note says so.",
    AGAIN: "The statement only reads, so it runs again on a new session. A note says so.",
    ROLLED_BACK: "`ConnectionLostError`: the server rolled the transaction back; none of its changes remain.",
    MAY_HAVE_RUN: "`ConnectionLostError`: the statement may have taken effect; it is not run again.",
    UNKNOWN: "`ConnectionLostError`: whether the COMMIT took effect is unknown.",
    IN_THE_MIDDLE: "`ConnectionLostError` after the rows received so far; no row comes twice, no partial file is left.",
    REFUSED: "`StatementError` 1290: the server is read-only; nothing has run.",
    CANNOT: "`ConnectError` within the connect timeout, naming the cause; nothing has run. Once the fault is fixed, "
    "the next statement runs; if a transaction was open, an error first says that it was rolled back.",
}


@dataclass(frozen=True)
class Cell:
    """One cell: the fault, the moment, what runs, and how the connection is compressed."""

    fault: Fault
    moment: str
    action: str
    compress: Compress = "off"

    def __str__(self) -> str:
        return f"{self.fault}-{self.moment}-{self.action}" + (f"-{self.compress}" if self.compress != "off" else "")

    @property
    def in_transaction(self) -> bool:
        return self.action in (IN_TRANSACTION, COMMIT)

    @property
    def timeouts(self) -> Timeouts:
        """What the rig's connection is made with: while idle, each statement is as one after a long pause."""
        return replace(self.fault.timeouts, idle=0.0) if self.moment == IDLE else self.fault.timeouts

    @property
    def outcome(self) -> str:
        """What must come of it."""
        if not self.fault.drops_session:
            return RIGHT
        if self.moment == IDLE:
            return self._idle()
        if self.action == READ:
            return AGAIN if self.fault.reconnectable else CANNOT
        return {WRITE: MAY_HAVE_RUN, IN_TRANSACTION: ROLLED_BACK, COMMIT: UNKNOWN, BATCHES: IN_THE_MIDDLE}[self.action]

    def _idle(self) -> str:
        if not self.fault.reconnectable:
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


def compressed_cells() -> list[Cell]:
    """Some of them once more: each way in which a stream of frames ends, at each moment."""
    chosen = {
        "the connection is killed (`KILL CONNECTION`)": (),
        "the network closes the connection": (),
        "the network goes silent (half-open)": (ROWS,),
        "the network is slow": (ROWS,),
        TRUNCATES.name: (),
    }
    return [
        replace(cell, compress="zlib")
        for cell in cells()
        if cell.fault.name in chosen and cell.moment in (chosen[cell.fault.name] or ACTIONS) and cell.action != COMMIT
    ]


ROW_COUNT, LAST_BEFORE_PAUSE, FAULT_AFTER_BYTES = 2800, 2600, 2_300_000  # more than a chunk of rows (2 MiB)
_DIGESTS = ", ".join(f"SHA2({16 * ROW_COUNT} + 16 * seq + {number}, 512)" for number in range(16))
_FILLERS = {"off": "REPEAT('x', 1000)", "zlib": f"UNHEX(CONCAT({_DIGESTS}))"}  # as long, compressed or not
_WAITING = {
    READ: "SELECT COUNT(*) AS n FROM ledger, gate",
    WRITE: "INSERT INTO ledger SELECT 1 FROM gate",
    IN_TRANSACTION: "INSERT INTO ledger SELECT 1 FROM gate",
}
_QUICK = {
    READ: "SELECT COUNT(*) AS n FROM ledger",
    WRITE: "INSERT INTO ledger VALUES (1)",
    IN_TRANSACTION: "INSERT INTO ledger VALUES (1)",
    COMMIT: "COMMIT",
}


def create_tables(server: Server) -> None:
    """What the statements need: `gate` holds up who reads it while it is locked, `pace` has the length of a pause."""
    with server.root() as root:
        for sql in (
            "CREATE TABLE scratch.ledger (a BIGINT) ENGINE=InnoDB",
            "CREATE TABLE scratch.gate (a INT) ENGINE=InnoDB",
            "INSERT INTO scratch.gate VALUES (1)",
            "CREATE TABLE scratch.pace (seconds INT) ENGINE=InnoDB",
            "INSERT INTO scratch.pace VALUES (0)",
        ):
            root.execute(sql)


def act(rig: Rig, cell: Cell) -> Any:
    """Bring the fault about at its moment, under its action; returns what the action gives, or raises."""
    if cell.in_transaction:
        rig.db.execute("BEGIN; INSERT INTO ledger VALUES (2)")
    if not cell.fault.reconnectable:
        rig.reconnect_within(1.0)
    if cell.moment == IDLE:
        return _act_after_idleness(rig, cell)
    if cell.moment == WORKING:
        return _act_on_waiting_statement(rig, cell)
    if cell.moment == ROWS:
        return _act_among_rows(rig, cell)
    if cell.fault is TRUNCATES or not cell.fault.drops_session:
        cell.fault.inject(rig)
        return _run(rig, cell.action, _QUICK[cell.action])
    return _act_on_request(rig, cell)


def _act_after_idleness(rig: Rig, cell: Cell) -> Any:
    cell.fault.inject(rig)
    if cell.fault.drops_session and cell.fault.seen:
        rig.wait_until_cut()
    return _run(rig, cell.action, _QUICK[cell.action])


def _act_on_request(rig: Rig, cell: Cell) -> Any:
    injected = threading.Event()

    def inject() -> None:
        cell.fault.inject(rig)
        injected.set()

    rig.proxy.lose_next_request(inject, answer_only=cell.moment == ANSWER)
    try:
        return _run(rig, cell.action, _QUICK[cell.action])
    finally:
        assert injected.wait(LONG)  # the loss may be told before all of it has come about


def _act_on_waiting_statement(rig: Rig, cell: Cell) -> Any:
    """The server cannot finish before the fault has come about; afterwards it may, and does, if it still can."""
    server, number = rig.server, rig.connection_id
    with rig.gate():

        def inject() -> None:
            cell.fault.inject(rig)
            rig.open_gate()

        with when(lambda: works_on(server, number, "Waiting for table metadata lock"), inject):
            return _run(rig, cell.action, _WAITING[cell.action])


def _act_among_rows(rig: Rig, cell: Cell) -> Any:
    """The fault comes about while the server pauses for long in the middle of its rows; the second run has no pause."""
    server, number, injected = rig.server, rig.connection_id, threading.Event()
    if cell.fault.drops_session:
        rig.root("UPDATE scratch.pace SET seconds = 600")

    def inject() -> None:
        rig.root("UPDATE scratch.pace SET seconds = 0")
        cell.fault.inject(rig)
        if cell.fault.drops_session:
            end_session(server, number)  # what the network has lost would sleep on
        injected.set()

    rig.proxy.after_bytes(FAULT_AFTER_BYTES, inject)
    try:
        return _run(rig, cell.action, _rows(cell))
    finally:
        assert injected.wait(LONG)


def _rows(cell: Cell) -> str:
    return (
        f"SELECT seq, {_FILLERS[cell.compress]} AS filler, SLEEP(IF(seq = {LAST_BEFORE_PAUSE}, seconds, 0)) "
        f"FROM pace, seq_1_to_{ROW_COUNT}"
    )


def _run(rig: Rig, action: str, sql: str) -> Any:
    if action == BATCHES:
        return [row for batch in rig.db.batches(sql, rows=50) for row in batch.column(0).to_pylist()]
    return rig.db.query(sql) if action == READ else rig.db.execute(sql)


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
