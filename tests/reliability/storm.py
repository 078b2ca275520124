"""Interrupts at any moment: at random ones, and injected at every line of connect, reconnect, read and cancel.

Each query asks for a nonce and must get its own; what is raised must come out; afterwards nothing is left: no session
on the server, no thread, no descriptor. `python -m tests.reliability.storm SECONDS`, or `make soak`.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psutil

from rds_iam_magic.connect_options import Compress
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import ConnectionLostError, NotConnectedError, ResultError
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.sandbox import Sandbox
from rds_iam_magic.timeouts import DEFAULT, Timeouts
from tests.support.events import wait_until
from tests.support.injector import AlarmError, Injector, alarm
from tests.support.logins import create_tester, login_of_tester


@dataclass
class Watch:
    """Counts what must not be left: sessions of the tester on the server, threads, descriptors."""

    sandbox: Sandbox
    cursor: Any
    threads: set[int] = field(default_factory=set)
    files: int = 0

    def begin(self) -> None:
        gc.collect()
        self.threads = set(sys._current_frames())
        self.files = psutil.Process().num_fds()

    def sessions(self) -> int:
        self.cursor.execute("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'tester'")
        return int(self.cursor.fetchone()[0])

    def left(self) -> dict[str, object]:
        threads = set(sys._current_frames()) - self.threads
        found = {"sessions": self.sessions(), "threads": threads, "files": psutil.Process().num_fds() - self.files}
        return {name: what for name, what in found.items() if what}

    def check(self, what: str) -> None:
        """Wait a little for the server and for threads at their end."""
        gc.collect()  # what an interrupt has left to it, and the warnings of that, belong here
        deadline = time.monotonic() + 20
        while (left := self.left()) and time.monotonic() < deadline:
            gc.collect()  # a connection that an interrupt kept from its user goes with the garbage
            time.sleep(0.005)
        self.cursor.execute("SELECT STATE, INFO FROM information_schema.PROCESSLIST WHERE USER = 'tester'")
        assert not left, f"left behind after {what}: {left}, {self.cursor.fetchall()}"


@contextmanager
def watching(sandbox: Sandbox) -> Iterator[Watch]:
    with sandbox.server.root() as cursor:
        watch = Watch(sandbox, cursor)
        watch.begin()
        yield watch


# Injected at every line


def inject_into_connect(
    sandbox: Sandbox,
    error: type[BaseException],
    *,
    step: int = 1,
    compress: Compress = "off",
    close_idle: float | None = None,
) -> int:
    """At each `step`-th line of connecting and closing; returns how many were tried."""
    login = login_of_tester(sandbox, compress=compress)
    settings = SessionSettings(close_idle=close_idle)
    opened: list[Connection] = []

    def close() -> None:
        while opened:
            opened[-1].close()
            opened.pop()

    def work() -> None:
        opened.append(Connection(login, settings=settings, notify=[].append))
        close()  # interrupted, it can be called again

    return _at_each_line(sandbox, error, step, work, prepare=None, after_each=close)


def inject_into_use(
    sandbox: Sandbox,
    error: type[BaseException],
    work: Callable[[Connection], object],
    *,
    prepare: Callable[[Connection], object] = lambda _: None,
    after: type[BaseException] | None = None,
    step: int = 1,
    keeps: bool = False,
    timeouts: Timeouts = DEFAULT,
    compress: Compress = "off",
    close_idle: float | None = None,
) -> int:
    """At each `step`-th line of a use of a held connection, which must then be right or be open again.

    Args:
        keeps: Whether it must still be the same session, with its open transaction and temporary table.
        timeouts, compress, close_idle: Of the connection.
    """
    login = login_of_tester(sandbox, timeouts=timeouts, compress=compress)
    with Connection(login, settings=SessionSettings(close_idle=close_idle), notify=[].append) as db:

        def ready() -> None:
            prepare(db)
            if keeps and db.transaction_since is None:
                db.execute("CREATE TEMPORARY TABLE kept (n INT); BEGIN; INSERT INTO kept VALUES (1)")

        return _at_each_line(sandbox, error, step, lambda: work(db), prepare=ready, db=db, after=after, keeps=keeps)


def _at_each_line(
    sandbox: Sandbox,
    error: type[BaseException],
    step: int,
    act: Callable[[], object],
    *,
    prepare: Callable[[], object] | None,
    db: Connection | None = None,
    after: type[BaseException] | None = None,
    keeps: bool = False,
    after_each: Callable[[], object] = lambda: None,
) -> int:
    tried, at = 0, random.randint(1, step)  # elsewhere each time
    signal.signal(signal.SIGUSR1, alarm)
    with watching(sandbox) as watch:
        while True:
            if prepare is not None:
                prepare()
            injector = Injector(at, error, after=after)
            raised = _raised(injector, act)
            after_each()
            if injector.switched_off and not injector.injected:
                continue
            if not injector.injected:
                return tried
            assert isinstance(raised, error), f"{error.__name__} at {injector.where} came out as {raised!r}"
            del raised
            if db is None:
                watch.check(f"{error.__name__} at {injector.where}")
            else:
                when = f"after {error.__name__} at {injector.where}"
                _check_nonce(db, when)
                if keeps:
                    assert db.transaction_since is not None, f"the transaction is gone {when}"
                    assert db.query("SELECT n FROM kept")["n"].tolist() == [1], when
            tried, at = tried + 1, at + step


def _raised(injector: Injector, act: Callable[[], object]) -> BaseException | None:
    """What comes out, without its frames: they would hold what they had open."""
    try:
        with injector:
            act()
    except BaseException as error:  # noqa: BLE001 - looked at by the caller
        return error.with_traceback(None)
    return None


def _check_nonce(db: Connection, when: str) -> None:
    nonce = random.randrange(1 << 60)
    for _ in range(2):
        try:
            assert db.query(f"SELECT {nonce} AS nonce")["nonce"].tolist() == [nonce], when
        except ConnectionLostError:
            continue  # told: a transaction or temporary tables went with it
        return
    raise AssertionError(f"the connection does not come back {when}")


def inject_into_parts(
    sandbox: Sandbox,
    error: type[BaseException],
    *,
    step: int,
    consistent: bool,
    after: type[BaseException] | None = None,
) -> int:
    """At each `step`-th line of a read in parts; after each, no session but the connection's is left, and no lock."""
    with sandbox.server.root() as root, Connection(login_of_tester(sandbox), notify=[].append) as db:
        create_divided(root)
        root.execute("SET SESSION lock_wait_timeout = 1")

        def others() -> int:
            user = "USER = 'tester' AND ID != %s"
            return int(root.execute(f"SELECT 1 FROM information_schema.PROCESSLIST WHERE {user}", [db.connection_id]))

        def check() -> None:
            wait_until(lambda: not others(), "the end of the parts' sessions")
            root.execute("UPDATE scratch.divided SET id = id WHERE id < 3")

        def work() -> None:
            _ask_in_parts(db, 7, 3, consistent=consistent)

        return _at_each_line(sandbox, error, step, work, prepare=None, db=db, after=after, after_each=check)


def create_divided(root: Any) -> None:
    """The table that is read in parts."""
    root.execute("CREATE OR REPLACE TABLE scratch.divided (id INT PRIMARY KEY) ENGINE=InnoDB")
    root.execute("INSERT INTO scratch.divided SELECT seq FROM scratch.seq_1_to_3000")


# At random moments


@dataclass
class Tally:
    right: int = 0
    interrupted: int = 0
    alarmed: int = 0
    written: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)


def random_storm(sandbox: Sandbox, seconds: float, seed: int = 5, *, at_least: int = 0) -> Tally:
    """Queries, writes and reconnects under SIGINT and SIGUSR1 at random moments, on the main thread.

    Args:
        sandbox: Whose server is used, as the tester.
        seconds: How long; longer, until there have been `at_least` right answers and signals of each kind.
        seed: Of what is random.
        at_least: See there.
    """
    chance, tally = random.Random(seed), Tally()
    handler = signal.getsignal(signal.SIGINT)
    with sandbox.server.root() as root:
        root.execute("CREATE OR REPLACE TABLE scratch.storm (n BIGINT NOT NULL) ENGINE=InnoDB")
        create_divided(root)
    with Connection(login_of_tester(sandbox)) as db:  # what is imported late: Python's own import bears no interrupt
        list(db.batches("SELECT 1 AS a"))
        db.query("SELECT 1 AS a")
        _ask_in_parts(db, 1, 2, consistent=True)
    with watching(sandbox) as watch:
        # What is raised while garbage is collected (in a library's callback) is lost to Python.
        gc.disable()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGUSR1, alarm)
        try:
            _weather(sandbox, chance, tally, time.monotonic() + seconds, at_least)
        finally:
            signal.signal(signal.SIGINT, handler)
            gc.enable()
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # one may be on its way; the default would end the process
        watch.check("the storm")
        watch.cursor.execute("SELECT n FROM scratch.storm")
        rows = [row[0] for row in watch.cursor.fetchall()]
        watch.cursor.execute("SET SESSION lock_wait_timeout = 1")
        watch.cursor.execute("UPDATE scratch.divided SET id = id")  # no lock is left
    assert len(rows) == len(set(rows)), "a statement ran twice"
    assert tally.written <= set(rows), "what was acknowledged is lost"
    assert set(rows) <= tally.written | tally.unknown
    return tally


def _weather(sandbox: Sandbox, chance: random.Random, tally: Tally, deadline: float, at_least: int) -> None:
    held: list[Connection] = []
    number = 0
    while time.monotonic() < deadline or min(tally.right, tally.interrupted, tally.alarmed) < at_least:
        number += 1
        sent = signal.SIGUSR1 if chance.random() < 0.5 else signal.SIGINT
        delay = chance.choice((0.0005, 0.002, 0.01, 0.05, 0.2)) * chance.random() + 1e-6
        stop = threading.Timer(delay, os.kill, [os.getpid(), sent])
        try:
            try:
                stop.start()
                _round(sandbox, held, chance, number, tally)
            except ConnectionLostError:
                tally.unknown.add(number)
            except (KeyboardInterrupt, AlarmError) as error:
                tally.unknown.add(number)
                tally.interrupted += isinstance(error, KeyboardInterrupt)
                tally.alarmed += isinstance(error, AlarmError)
            _wait_for(stop)
        except (KeyboardInterrupt, AlarmError):  # between two lines of this; each round has one signal
            tally.unknown.add(number)
            _wait_for(stop)
        if chance.random() < 0.05:
            _close(held)
    _close(held)


def _round(sandbox: Sandbox, held: list[Connection], chance: random.Random, number: int, tally: Tally) -> None:
    if not held:
        login = login_of_tester(sandbox, compress=chance.choice(("off", "zlib")))
        settings = SessionSettings(close_idle=chance.choice((None, 0.0001)))  # 6 ms
        held.append(Connection(login, settings=settings, notify=[].append))
    _ask(held[0], chance, number, tally)
    tally.right += 1


def _wait_for(stop: threading.Timer) -> None:
    """The signal of this round must not come in the next one."""
    while stop.ident is not None and not stop.finished.is_set():
        with suppress(KeyboardInterrupt, AlarmError):
            time.sleep(0.001)
    with suppress(KeyboardInterrupt, AlarmError):
        time.sleep(0.001)


def _close(held: list[Connection]) -> None:
    while held:
        held[0].close()
        held.pop()


def _ask(db: Connection, chance: random.Random, number: int, tally: Tally) -> None:
    nonce = chance.randrange(1 << 60)
    kind = chance.randrange(8)
    if kind == 0:
        assert db.execute(f"INSERT INTO storm VALUES ({number})") == 1
        tally.written.add(number)
    elif kind == 1:
        rows = chance.choice((1, 1500, 30_000, 200_000))
        frame = db.query(f"SELECT seq, {nonce} AS nonce FROM seq_1_to_{rows}")
        assert frame["nonce"].unique().tolist() == [nonce]
        assert frame["seq"].tolist() == list(range(1, rows + 1))
    elif kind == 2:
        frame = db.query(f"SELECT {nonce} AS nonce, SLEEP(0.02) AS slept")
        assert frame["nonce"].tolist() == [nonce]
    elif kind == 3:
        with suppress(ResultError):
            for batch in db.batches(f"SELECT {nonce} AS nonce FROM seq_1_to_50000", rows=9_999):
                assert set(batch.column(0).to_pylist()) == {nonce}
    elif kind in (4, 5):
        _ask_in_parts(db, nonce, chance.choice((2, 3, 5)), consistent=kind == 5)
    else:
        with suppress(NotConnectedError):
            assert db.query(f"SELECT {nonce} AS nonce")["nonce"].tolist() == [nonce]


def _ask_in_parts(db: Connection, nonce: int, parts: int, *, consistent: bool) -> None:
    rows = 3000
    sql = f"SELECT id, {nonce} AS nonce FROM divided"
    frame = db.query(sql, parallel=parts, consistent=consistent)
    assert frame["nonce"].unique().tolist() == [nonce]
    assert frame["id"].tolist() == list(range(1, rows + 1))


def main(seconds: float) -> None:
    """Run on a sandbox of its own and print what came of it."""
    with Sandbox() as sandbox:
        create_tester(sandbox.server)
        lines = inject_into_connect(sandbox, KeyboardInterrupt)
        tally = random_storm(sandbox, seconds, seed=int(time.time()))
    print(
        f"{lines} lines of connecting interrupted; {seconds:g} s of storm: {tally.right} answers right, "
        f"{tally.interrupted} interrupts and {tally.alarmed} alarms came out, "
        f"{len(tally.written)} writes acknowledged; nothing lost, nothing twice, nothing left."
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 120)
