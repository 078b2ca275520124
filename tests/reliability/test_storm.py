"""Interrupts at any moment, in the suite for about 20 s; `make soak` has them for minutes."""

import os
import signal
import threading
import time

import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import StatementError
from tests.reliability import storm
from tests.reliability.storm import AlarmError, inject_into_connect, inject_into_use
from tests.support.logins import create_tester


@pytest.fixture(scope="module")
def calm(sandbox):
    create_tester(sandbox.server)
    return sandbox


@pytest.mark.parametrize("error", [KeyboardInterrupt, AlarmError])
def test_at_every_line_of_connecting(calm, error):
    assert inject_into_connect(calm, error, step=5 if error is KeyboardInterrupt else 11) > 30


def lose(db: Connection) -> None:
    db._session.current.abort()


def idle(db: Connection) -> None:
    db._session.current.used_at = -1e9


LARGE = "SELECT seq, REPEAT('x', 2000) AS filler FROM seq_1_to_200"  # few rows in what is read first


def refused(db: Connection, sql: str) -> None:
    with pytest.raises(StatementError):
        db.query(sql)


WORKS = {
    "a small answer": lambda db: db.query("SELECT 41 AS a"),
    "a large answer": lambda db: db.query(LARGE),
    "batches": lambda db: sum(batch.num_rows for batch in db.batches(LARGE)),
    "a write": lambda db: db.execute("SET @a = 1; SET @a = 2"),
    "a warning": lambda db: db.query("SELECT CAST('1x' AS INT) AS a"),
    "an error": lambda db: refused(db, "SELECT nn FROM kept"),
    "a limit": lambda db: db.query(
        "SELECT a.seq, REPEAT('x', 2000) AS filler FROM seq_1_to_1000 a, seq_1_to_1000 b", limit=3
    ),
}


@pytest.mark.parametrize("name", WORKS)
def test_at_every_line_of_reading(calm, name):
    assert inject_into_use(calm, KeyboardInterrupt, WORKS[name], step=31 if name == "a limit" else 7, keeps=True) > 15


@pytest.mark.parametrize("prepare", [lose, idle])
def test_at_every_line_of_coming_back(calm, prepare):
    assert inject_into_use(calm, KeyboardInterrupt, WORKS["a small answer"], prepare=prepare, step=11) > 15


def stop_when_it_runs(sandbox, db):
    """Press Stop as soon as the server works on the query."""
    connection = db._session._identity.id
    with sandbox.server.root() as root:
        while True:
            root.execute(f"SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {connection}")
            if root.fetchone() == ("User sleep",):
                return os.kill(os.getpid(), signal.SIGINT)


def test_at_every_line_of_ending_a_query(calm):
    """A second interrupt, wherever the first one has got to."""

    def work(db):
        stop = threading.Thread(target=stop_when_it_runs, args=[calm, db])
        stop.start()
        try:
            db.query("SELECT SLEEP(3)")
        finally:
            while stop.is_alive():
                time.sleep(0.001)

    assert inject_into_use(calm, KeyboardInterrupt, work, after=KeyboardInterrupt, step=31) > 10


# Python closes a socket whose making was interrupted, with a warning: nobody has it yet. The descriptors are counted.
@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
def test_at_random_moments(calm):
    storm.random_storm(calm, 6, at_least=10)
