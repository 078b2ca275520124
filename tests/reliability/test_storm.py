"""Interrupts at any moment, in the suite for about 20 s; `make soak` has them for minutes."""

import threading
import time

import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import OptionError, StatementError
from rds_iam_magic.timeouts import Timeouts
from tests.reliability import storm
from tests.reliability.faults import end_session
from tests.reliability.storm import inject_into_connect, inject_into_parts, inject_into_use
from tests.support.events import interrupt, wait_until, works_on
from tests.support.injector import AlarmError
from tests.support.logins import create_tester

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture(scope="module")
def calm(sandbox):
    create_tester(sandbox.server)
    return sandbox


@pytest.mark.parametrize("error", [KeyboardInterrupt, AlarmError])
def test_at_every_line_of_connecting(calm, error):
    assert inject_into_connect(calm, error, step=5 if error is KeyboardInterrupt else 11) > 30


def test_at_every_line_of_connecting_with_compression(calm):
    assert inject_into_connect(calm, KeyboardInterrupt, step=11, compress="zlib") > 30


@pytest.mark.parametrize("minutes", [60, 0.00001])
def test_at_every_line_of_connecting_where_idle_sessions_are_closed(calm, minutes):
    assert inject_into_connect(calm, KeyboardInterrupt, step=11, close_idle=minutes) > 30


LARGE = "SELECT seq, REPEAT('x', 2000) AS filler FROM seq_1_to_200"  # few rows in what is read first


def refused(db: Connection, sql: str) -> None:
    with pytest.raises(StatementError):
        db.query(sql)


def asked(db: Connection, sql: str) -> None:
    """Each chunk of rows has the server asked what it is doing, over a second session."""
    ignored = db.watch
    db.watch = lambda progress: progress.ask_server()
    try:
        db.query(sql)
    finally:
        db.watch = ignored


WORKS = {
    "a small answer": lambda db: db.query("SELECT 41 AS a"),
    "a large answer": lambda db: db.query(LARGE),
    "batches": lambda db: sum(batch.num_rows for batch in db.batches(LARGE)),
    "a write": lambda db: db.execute("SET @a = 1; SET @a = 2"),
    "a warning": lambda db: db.query("SELECT CAST('1x' AS INT) AS a"),
    "a question to the server": lambda db: asked(db, "SELECT 41 AS a"),
    "an error": lambda db: refused(db, "SELECT nn FROM kept"),
    "a limit": lambda db: db.query(
        "SELECT a.seq, REPEAT('x', 2000) AS filler FROM seq_1_to_1000 a, seq_1_to_1000 b", limit=3
    ),
}


@pytest.mark.parametrize("name", WORKS)
def test_at_every_line_of_reading(calm, name):
    step = 31 if name in ("a limit", "a question to the server") else 7
    assert inject_into_use(calm, KeyboardInterrupt, WORKS[name], step=step, keeps=True) > 15


@pytest.mark.parametrize("name", ["a large answer", "a write", "a limit"])
def test_at_every_line_of_reading_with_compression(calm, name):
    step = 31 if name == "a limit" else 17
    assert inject_into_use(calm, KeyboardInterrupt, WORKS[name], step=step, keeps=True, compress="zlib") > 10


def test_at_every_line_of_reconnecting(calm):
    def lose(db):
        end_session(calm.server, db.connection_id)

    assert inject_into_use(calm, KeyboardInterrupt, WORKS["a small answer"], prepare=lose, step=11) > 15


def test_at_every_line_of_opening_a_session_that_was_closed_while_it_was_idle(calm):
    def idle(db):
        wait_until(lambda: db.idle_closed)

    work = WORKS["a small answer"]
    assert inject_into_use(calm, KeyboardInterrupt, work, prepare=idle, close_idle=0.001, step=11) > 15


def test_at_every_line_of_the_check_of_an_idle_session(calm):
    idle = Timeouts(idle=0.0)
    assert inject_into_use(calm, KeyboardInterrupt, WORKS["a small answer"], timeouts=idle, step=11) > 15


@pytest.mark.parametrize("consistent", [False, True])
def test_at_every_line_of_a_read_in_parts(calm, consistent):
    assert inject_into_parts(calm, KeyboardInterrupt, step=31, consistent=consistent) > 15


def test_a_read_in_parts_that_is_refused_leaves_the_transaction(calm):
    """At every line of the refusal, too."""

    def work(db):
        with pytest.raises(OptionError, match="open transaction"):
            db.query("SELECT n FROM kept", parallel=3, on="n")

    assert inject_into_use(calm, KeyboardInterrupt, work, step=17, keeps=True) > 5


def stop_when_it_sleeps(server, number):
    """Press Stop as soon as the server works on the query."""
    wait_until(lambda: works_on(server, number, "User sleep"), "the query at the server")
    interrupt()


def test_at_every_line_of_ending_a_query(calm):
    """A second interrupt, wherever the first one has got to."""

    def work(db):
        number = db.connection_id
        stop = threading.Thread(target=stop_when_it_sleeps, args=[calm.server, number])
        stop.start()
        try:
            db.query("SELECT SLEEP(600)")
        finally:
            while stop.is_alive():
                time.sleep(0.001)
            if works_on(calm.server, number):  # the second interrupt gave the connection up, and the query with it
                end_session(calm.server, number)

    assert inject_into_use(calm, KeyboardInterrupt, work, after=KeyboardInterrupt, step=31) > 10


# An attempt that is told to end while `SSLSocket._create` makes its socket: Python closes that one, with a warning.
@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
def test_at_random_moments(calm):
    storm.random_storm(calm, 6, at_least=10)
