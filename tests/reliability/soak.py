"""A soak test: connections cut at random under a loop of reads and writes, checked against a ledger.

`python -m tests.reliability.soak SECONDS`, or `make soak`. Nothing acknowledged may be lost, nothing may be there
twice, memory and descriptors stay flat.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from dataclasses import dataclass, field

import psutil

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import ConnectError, ConnectionLostError
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.sandbox import Sandbox
from tests.support.events import wait_until
from tests.support.logins import create_tester, login_of_tester
from tests.support.proxy import Proxy

IDLE = 0.0002
"""Minutes after which an idle session is closed: 12 ms."""


@dataclass
class Ledger:
    """What the client was told: numbers acknowledged, numbers of unknown fate, numbers certainly not written."""

    acknowledged: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    reads: int = 0
    cuts: int = 0
    rests: int = 0
    memory: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def check(self, rows: list[int]) -> None:
        """Compare with the rows of the database."""
        assert len(rows) == len(set(rows)), f"twice: {sorted(n for n in rows if rows.count(n) > 1)[:5]}"
        there = set(rows)
        assert self.acknowledged <= there, f"lost: {sorted(self.acknowledged - there)[:5]}"
        assert not (self.refused & there), f"written though refused: {sorted(self.refused & there)[:5]}"
        assert there <= self.acknowledged | self.unknown


def soak(sandbox: Sandbox, seconds: float, seed: int = 7) -> Ledger:
    """Run for so long and return the checked ledger."""
    chance = random.Random(seed)
    ledger, stop = Ledger(), threading.Event()
    with sandbox.server.root() as root:
        root.execute("CREATE OR REPLACE TABLE scratch.soak (n BIGINT NOT NULL) ENGINE=InnoDB")
    with Proxy(sandbox.server.port) as proxy:
        login = login_of_tester(sandbox, via=Address("127.0.0.1", proxy.port))
        with Connection(login, settings=SessionSettings(close_idle=IDLE), notify=[].append) as db:
            breaker = threading.Thread(target=_break, args=[proxy, chance, stop, ledger])
            breaker.start()
            try:
                _work(db, chance, time.monotonic() + seconds, ledger)
            finally:
                stop.set()
                breaker.join()
    with sandbox.server.root() as root:
        root.execute("SELECT n FROM scratch.soak")
        ledger.check([row[0] for row in root.fetchall()])
    return ledger


def _break(proxy: Proxy, chance: random.Random, stop: threading.Event, ledger: Ledger) -> None:
    ways = [
        proxy.cut,
        proxy.reset,
        lambda: proxy.cut_after(chance.randrange(1, 20_000)),
        proxy.lose_next_request,
        lambda: proxy.lose_next_request(answer_only=True),
    ]
    while not stop.wait(chance.uniform(0.02, 0.5)):
        chance.choice(ways)()
        ledger.cuts += 1


def _work(db: Connection, chance: random.Random, deadline: float, ledger: Ledger) -> None:
    number = 0
    process = psutil.Process()
    while time.monotonic() < deadline:
        number += 1
        try:
            if chance.random() < 0.1:  # closed for being idle, or lost meanwhile, or cut while it is being closed
                wait_until(lambda: db.idle_closed or db.lost)
                ledger.rests += db.idle_closed
            if chance.random() < 0.5:
                _read(db, chance)
                ledger.reads += 1
            elif chance.random() < 0.5:
                _write(db, number, ledger)
            else:
                _transact(db, number, ledger)
        except (ConnectionLostError, ConnectError):
            pass  # told; the ledger knows what it means
        if number % 50 == 0:
            ledger.memory.append(process.memory_info().rss)
            ledger.files.append(process.num_fds())


def _read(db: Connection, chance: random.Random) -> None:
    rows = chance.randrange(1, 3000)
    frame = db.query(f"SELECT seq, REPEAT('x', 20) AS filler FROM seq_1_to_{rows}")
    assert frame["seq"].tolist() == list(range(1, rows + 1))


def _write(db: Connection, number: int, ledger: Ledger) -> None:
    try:
        assert db.execute(f"INSERT INTO soak VALUES ({number})") == 1
        ledger.acknowledged.add(number)
    except ConnectionLostError:
        ledger.unknown.add(number)
        raise
    except ConnectError:
        ledger.refused.add(number)
        raise


def _transact(db: Connection, number: int, ledger: Ledger) -> None:
    committing = False
    try:
        db.execute("BEGIN")
        db.execute(f"INSERT INTO soak VALUES ({number})")
        committing = True
        db.execute("COMMIT")
        ledger.acknowledged.add(number)
    except (ConnectionLostError, ConnectError) as error:
        unknown = committing and "unknown" in str(error)
        (ledger.unknown if unknown else ledger.refused).add(number)
        raise


def main(seconds: float) -> None:
    """Run on a sandbox of its own and print what came of it."""
    with Sandbox() as sandbox:
        create_tester(sandbox.server)
        ledger = soak(sandbox, seconds, seed=int(time.time()))
    print(
        f"{seconds:g} s: {ledger.cuts} cuts, {ledger.rests} idle sessions closed, {ledger.reads} reads, "
        f"{len(ledger.acknowledged)} writes acknowledged, "
        f"{len(ledger.unknown)} of unknown fate, {len(ledger.refused)} refused; nothing lost, nothing twice.\n"
        f"Memory {ledger.memory[0] >> 20} → {ledger.memory[-1] >> 20} MB, "
        f"descriptors {ledger.files[0]} → {ledger.files[-1]}."
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 180)
