"""The fault matrix of a query in parts: what strikes one of its sessions, when, and what must come of the whole."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pymysql

from rds_iam_magic.timeouts import DEFAULT, Timeouts
from tests.reliability.faults import Rig, end_session
from tests.reliability.matrix import AGAIN, IN_THE_MIDDLE, OPENED
from tests.support.events import processes, wait_until, when

ROWS = 3000
PARTS = 3

WAITING = "before its statement, until the lock comes (`consistent`)"
SLEEPING = "while the server works"
MIDDLE = "in the middle of its rows"
LOCKING = "the session of the lock (`consistent`)"

FAILED = "error: the whole fails"
KILLED = "error: query killed"

LEGEND = {
    FAILED: "`ConnectionLostError`: this part failed; the others are ended on the server.",
    KILLED: "`StatementError` 1317; the others are ended on the server.",
}


@dataclass(frozen=True)
class Blow:
    """What happens to one session.

    Attributes:
        name: What happens, for people.
        strike: Brings it about, on the proxy's way of a session and the session's id.
        outcomes: What must come of the whole, by the moment.
        timeouts: Of the connection, and so of its parts.
    """

    name: str
    strike: Callable[[Rig, Any, int], object]
    outcomes: dict[str, str]
    timeouts: Timeouts = DEFAULT


def _kill_server(rig: Rig, _way: Any, _number: int) -> None:
    rig.server.kill()
    rig.server.start()


def _truncate(count: int) -> Callable[[Rig, Any, int], None]:
    def strike(_rig: Rig, way: Any, _number: int) -> None:
        way.mark = (count, lambda: way.end(reset=False))

    return strike


_LOSS = {WAITING: OPENED, SLEEPING: AGAIN, MIDDLE: IN_THE_MIDDLE, LOCKING: FAILED}
BLOWS = (
    Blow("the network closes the connection", lambda _rig, way, _: way.end(reset=False), _LOSS),
    Blow("the network resets the connection", lambda _rig, way, _: way.end(reset=True), _LOSS),
    Blow("the connection is killed (`KILL CONNECTION`)", lambda rig, _, number: end_session(rig.server, number), _LOSS),
    Blow(
        "the network goes silent (half-open)",
        lambda _rig, way, _: setattr(way, "frozen", True),
        {**_LOSS, WAITING: FAILED},
        Timeouts(no_data=1.0, check=1.0),
    ),
    Blow(
        "the query is killed (`KILL QUERY`)",
        lambda rig, _, number: rig.root(f"KILL QUERY {number}"),
        {SLEEPING: KILLED, MIDDLE: KILLED},
    ),
    Blow("the server is killed (SIGKILL) and started again", _kill_server, {**_LOSS, WAITING: FAILED}),
    Blow("its next answer is truncated", _truncate(30), {WAITING: FAILED}),
    Blow("its answer is truncated in the columns", _truncate(150), {WAITING: FAILED}),
)


@dataclass(frozen=True)
class PartCell:
    """One cell."""

    blow: Blow
    moment: str

    def __str__(self) -> str:
        return f"{self.blow.name}-{self.moment}"

    @property
    def outcome(self) -> str:
        return self.blow.outcomes[self.moment]


def cells() -> list[PartCell]:
    """All of them."""
    return [PartCell(blow, moment) for blow in BLOWS for moment in blow.outcomes]


def create_table(rig: Rig) -> None:
    """What is read: keys from 1 to ROWS."""
    rig.root("CREATE TABLE IF NOT EXISTS scratch.divided (id INT PRIMARY KEY) ENGINE=InnoDB")
    rig.root(f"INSERT IGNORE INTO scratch.divided SELECT seq FROM scratch.seq_1_to_{ROWS}")
    rig.root("UPDATE scratch.pace SET seconds = 0")


def act(rig: Rig, cell: PartCell) -> Any:
    """Read the table in parts while one session is struck; returns the frame, or raises."""
    if cell.moment in (WAITING, LOCKING):
        return _act_before_the_snapshot(rig, cell)
    last = 1000 if cell.moment == SLEEPING else 1900  # 4 MB of rows come before it: more than a chunk of rows
    rig.root("UPDATE scratch.pace SET seconds = 600")
    sleepers: list[int] = []

    logins = rig.proxy.accepted + PARTS

    def is_there() -> bool:
        """The others have ended, so it is certain what the blow meets."""
        sleepers[:] = [row[0] for row in _sessions(rig, "STATE = 'User sleep'")]
        return bool(sleepers) and rig.proxy.accepted == logins and len(_sessions(rig, "TRUE")) == 1

    def strike() -> None:
        (number,) = sleepers
        rig.root("UPDATE scratch.pace SET seconds = 0")
        cell.blow.strike(rig, way_of(rig, number), number)
        if cell.outcome != KILLED:
            end_session(rig.server, number)  # what the network has lost would sleep on

    with when(is_there, strike):
        sql = f"SELECT id, REPEAT('x', 4000) AS filler, SLEEP(IF(id = {last + 1}, seconds, 0)) AS s FROM divided, pace"
        return rig.db.query(sql, parallel=PARTS, on="id")


def _act_before_the_snapshot(rig: Rig, cell: PartCell) -> Any:
    """A writer holds the lock up, so the parts' sessions wait for it."""
    found: dict[str, list[int]] = {}

    def all_wait() -> bool:
        found[LOCKING] = [row[0] for row in _sessions(rig, "STATE = 'Waiting for table metadata lock'")]
        found[WAITING] = [row[0] for row in _sessions(rig, "COMMAND = 'Sleep'")]
        return len(found[LOCKING]) == 1 and len(found[WAITING]) == PARTS

    with rig.server.root() as writer:
        writer.execute("BEGIN")
        writer.execute("UPDATE scratch.divided SET id = id WHERE id = 1")

        def strike() -> None:
            number = found[cell.moment][-1]
            way = way_of(rig, number)
            cell.blow.strike(rig, way, number)
            wait_until(lambda: way.over or not way.ended, "the end of the connection")
            with suppress(pymysql.MySQLError):  # the blow may have been that the server was killed
                writer.execute("ROLLBACK")
            if way.frozen or cell.moment == LOCKING:
                end_session(rig.server, number)

        with when(all_wait, strike):
            return rig.db.query("SELECT id FROM divided", parallel=PARTS, consistent=True)


def _sessions(rig: Rig, where: str) -> list[tuple[Any, ...]]:
    """The parts' sessions, and the lock's, in the order of their logins."""
    return sorted(
        processes(rig.server, f"USER IN ('tester', 'unauthenticated user') AND ID != {rig.connection_id} AND {where}")
    )


def way_of(rig: Rig, number: int) -> Any:
    """The proxy's way of a session."""
    host = rig.root(f"SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = {number}")[0][0]
    port = int(host.rpartition(":")[2])
    (way,) = [way for way in rig.proxy._alive() if way.server.getsockname()[1] == port]
    return way


def table() -> str:
    """The table of docs/reliability.md."""
    moments = [WAITING, LOCKING, SLEEPING, MIDDLE]
    rows: dict[tuple[str, ...], list[str]] = {}
    for blow in BLOWS:
        rows.setdefault(tuple(blow.outcomes.get(moment, "–") for moment in moments), []).append(blow.name)
    lines = [f"| what happens to one session | {' | '.join(moments)} |", f"|{'---|' * (1 + len(moments))}"]
    lines += [f"| {'<br>'.join(names)} | {' | '.join(outcomes)} |" for outcomes, names in rows.items()]
    legend = [f"- **{name}**: {meaning}" for name, meaning in LEGEND.items()]
    return "\n".join([*lines, "", *legend, ""])
