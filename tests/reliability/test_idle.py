"""`close_idle` on real sessions: what is closed and what is kept, and all that may come at the very moment."""

import gc
import multiprocessing
import random
import threading
import time
from contextlib import contextmanager

import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import ConnectError, ConnectionLostError, NotConnectedError, StatementError
from rds_iam_magic.mysql.session import ServerSession
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.timeouts import Timeouts
from tests.support.events import LONG, connection_id, interrupt_when, processes, wait_until
from tests.support.logins import login_of_tester

pytestmark = pytest.mark.slow  # servers and kernels

SOON = 0.0005  # minutes: 30 ms
REOPENED = "the session was closed while it was idle; a new one was opened for this statement."


def idle_for(db, minutes):
    """Have it look as if nobody had used the connection for so long, and have its thread's look come now."""
    db._use.used_at = time.monotonic() - 60 * minutes
    db._idle_closing.look()


@pytest.fixture
def idle_rig(make_rig):
    """A rig whose sessions are closed after ten idle minutes."""
    return make_rig(settings=SessionSettings(close_idle=10))


def is_there(server, number):
    return bool(processes(server, f"ID = {number}"))


# What is closed, and what is kept


def test_it_is_closed_and_the_next_statement_opens_a_new_one(idle_rig):
    db, server = idle_rig.db, idle_rig.server
    old = db.connection_id
    idle_for(db, 9)
    assert not db.idle_closed
    assert is_there(server, old)
    idle_for(db, 10)
    assert (db.idle_closed, db.lost, db.closed) == (True, False, False)
    wait_until(lambda: not is_there(server, old), "the end of the session on the server")
    idle_for(db, 60)  # nothing is left to be closed
    assert db.execute("INSERT INTO ledger VALUES (1)") == 1
    assert idle_rig.rows() == 1
    assert connection_id(db) != old
    assert not db.idle_closed
    assert idle_rig.notes == [REOPENED]


def test_it_is_closed_by_itself(make_rig):
    rig = make_rig(settings=SessionSettings(close_idle=SOON))
    for _ in range(3):
        wait_until(lambda: rig.db.idle_closed and not rig.proxy.connections)
        assert rig.db.query("SELECT 1 AS a")["a"].tolist() == [1]
    assert set(rig.notes) == {REOPENED}


def test_without_the_option_there_is_no_thread(rig):
    assert rig.db._idle_closing is None
    assert rig.db.settings.close_idle is None


def test_what_a_new_session_restores_does_not_keep_it(make_rig):
    settings = SessionSettings(close_idle=10, time_zone="+09:00", autocommit=False)
    db = make_rig(settings=settings).db
    db.execute("USE information_schema; SET autocommit = 1")
    idle_for(db, 10)
    assert db.idle_closed
    sql = "SELECT DATABASE() AS d, @@autocommit AS a, @@time_zone AS z"
    assert db.query(sql).iloc[0].tolist() == ["information_schema", 1, "+09:00"]


HELD = {
    "BEGIN; INSERT INTO ledger VALUES (7)": "the open transaction",
    "SET autocommit = 0; SELECT COUNT(*) FROM ledger": "the open transaction",
    "CREATE TEMPORARY TABLE mine (a INT)": "temporary tables",
    "SET @a = 5": "user variables",
    "SELECT GET_LOCK('mine', 1)": "locks",
    "LOCK TABLES ledger READ": "locks",
    "PREPARE p FROM 'SELECT 1'": "prepared statements",
    "SET SESSION div_precision_increment = 12": "session variables that were SET",
    "CALL leaves()": "temporary tables and user variables",
}


@pytest.mark.parametrize("sql", HELD)
def test_what_would_be_lost_keeps_it(idle_rig, sql):
    """It is told with the next statement, once."""
    db = idle_rig.db
    if "CALL" in sql:
        idle_rig.root("CREATE OR REPLACE PROCEDURE scratch.leaves() CREATE TEMPORARY TABLE left_by (a INT)")
    list(db.run(sql))
    old = db.connection_id
    for _ in range(3):
        idle_for(db, 600)
    assert not db.idle_closed
    for _ in range(2):
        idle_for(db, 600)
        assert connection_id(db) == old
    (note,) = [note for note in idle_rig.notes if "idle" in note]
    assert note == f"the session was idle for 10 min but stays open: closing it would lose {HELD[sql]}."


def test_a_transaction_keeps_it_until_its_end(idle_rig):
    idle_rig.db.execute("BEGIN; INSERT INTO ledger VALUES (1)")
    idle_for(idle_rig.db, 10)
    idle_rig.db.execute("COMMIT")
    idle_for(idle_rig.db, 10)
    assert idle_rig.db.idle_closed
    assert idle_rig.rows() == 1


def test_a_transaction_that_only_the_server_knows_of(idle_rig):
    """A procedure inserts a row, then fails: an error tells nothing of the transaction, so the server is asked."""
    idle_rig.root(
        "CREATE OR REPLACE PROCEDURE scratch.fails() BEGIN INSERT INTO ledger VALUES (1); "
        "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'too late'; END"
    )
    idle_rig.db.execute("SET autocommit = 0")
    list(idle_rig.db.run("DO 1"))
    with pytest.raises(StatementError, match="too late"):
        idle_rig.db.execute("EXECUTE IMMEDIATE 'CALL fails()'")
    idle_rig.db._session.state = idle_rig.db._session.state.renewed()  # as if the text had told nothing either
    idle_for(idle_rig.db, 10)
    assert not idle_rig.db.idle_closed
    idle_rig.db.execute("COMMIT")
    assert idle_rig.rows() == 1


def test_what_is_lost_already_is_not_said_to_be_kept(idle_rig):
    idle_rig.db.execute("SET @a = 5")
    idle_rig.db._session.discard()
    idle_for(idle_rig.db, 10)
    assert (idle_rig.db.lost, idle_rig.db.idle_closed) == (True, False)
    assert idle_rig.db.query("SELECT 1 AS a")["a"].tolist() == [1]
    assert [note for note in idle_rig.notes if "idle" in note] == []


def test_batches_that_are_being_read_are_not_idle(idle_rig):
    db = idle_rig.db
    batches = db.batches("SELECT seq, REPEAT('x', 1000) AS filler FROM seq_1_to_60000", rows=1000)
    assert next(batches).num_rows == 1000
    idle_for(db, 600)
    results = sum(batch.num_rows for batch in batches)
    assert results == 59_000
    idle_for(db, 600)
    assert db.idle_closed


def test_what_belongs_to_the_session_is_refused_afterwards(idle_rig):
    idle_rig.db.execute("INSERT INTO ledger VALUES (1)")
    idle_for(idle_rig.db, 10)
    with pytest.raises(ConnectionLostError, match="closed while it was idle, and with it the values of LAST_INSERT_ID"):
        idle_rig.db.query("SELECT LAST_INSERT_ID() AS id")
    assert idle_rig.db.query("SELECT 1 AS a")["a"].tolist() == [1]


def test_a_text_is_read_by_the_servers_rules_while_there_is_no_session(make_rig, own_sandbox):
    """Where a backslash is a character like others, this is two statements."""
    with own_sandbox.server.root() as root:
        root.execute("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'")
        try:
            db = make_rig(settings=SessionSettings(close_idle=10)).db
            idle_for(db, 10)
            assert db.idle_closed
            assert len(list(db.run("SELECT '\\' AS a; SELECT ' AND 1=0' AS b"))) == 2
        finally:
            root.execute("SET GLOBAL sql_mode = DEFAULT")


# At the very moment


@contextmanager
def paused_while_closing(monkeypatch):
    """Closing an idle session stops where the server has been asked; gives events: it has come there, it may go on."""
    come, may_go_on, ask = threading.Event(), threading.Event(), ServerSession.ask_status

    def asked(session, *, timeout):
        ask(session, timeout=timeout)
        come.set()
        assert may_go_on.wait(LONG)

    monkeypatch.setattr(ServerSession, "ask_status", asked)
    try:
        yield come, may_go_on
    finally:
        may_go_on.set()


def in_thread(action):
    results = []
    thread = threading.Thread(target=lambda: results.append(action()))
    thread.start()
    return thread, results


def test_a_statement_that_begins_while_the_session_is_closed(idle_rig, monkeypatch):
    db, old = idle_rig.db, idle_rig.db.connection_id
    with paused_while_closing(monkeypatch) as (come, may_go_on):
        closing, _ = in_thread(lambda: idle_for(db, 10))
        assert come.wait(LONG)
        statement, results = in_thread(lambda: db.execute("INSERT INTO ledger VALUES (1)"))
        wait_until(lambda: db._use._turn is not None)
        assert results == []
        may_go_on.set()
        closing.join()
        statement.join()
    assert results == [1]
    assert idle_rig.rows() == 1
    assert db.connection_id != old
    assert idle_rig.notes == [REOPENED]


def test_the_connection_is_closed_while_its_session_is(make_rig, monkeypatch):
    rig = make_rig(settings=SessionSettings(close_idle=SOON))
    with paused_while_closing(monkeypatch) as (come, may_go_on):
        assert come.wait(LONG)
        closing, _ = in_thread(rig.db.close)
        wait_until(lambda: rig.db._idle_closing._stopped)
        assert closing.is_alive(), "two threads must not write to one socket"
        may_go_on.set()
        closing.join()
    assert rig.db.closed
    assert not rig.db.idle_closed
    with pytest.raises(NotConnectedError):
        rig.db.query("SELECT 1")
    rig.db.close()


def test_an_interrupt_while_the_session_is_closed(make_rig, monkeypatch):
    """It ends the statement that waits for its turn, which then has not run."""
    rig = make_rig(settings=SessionSettings(close_idle=SOON))
    with paused_while_closing(monkeypatch) as (come, may_go_on):
        assert come.wait(LONG)
        with pytest.raises(KeyboardInterrupt), interrupt_when(come.is_set):
            rig.db.execute("INSERT INTO ledger VALUES (1)")
        may_go_on.set()
    wait_until(lambda: rig.db.idle_closed)
    assert rig.rows() == 0
    assert rig.db.execute("INSERT INTO ledger VALUES (2)") == 1


@pytest.mark.parametrize("moment", ["before it is asked", "when it has been asked"])
@pytest.mark.parametrize("way", ["cut", "reset", "kill_connection", "freeze"])
def test_the_connection_breaks_while_the_session_is_closed(make_rig, monkeypatch, way, moment):
    rig = make_rig(settings=SessionSettings(close_idle=10), timeouts=Timeouts(check=0.2))
    fault = rig.kill_connection if way == "kill_connection" else getattr(rig.proxy, way)
    if moment == "before it is asked":
        fault()
    else:
        ask = ServerSession.ask_status

        def asked(session, *, timeout):
            ask(session, timeout=timeout)
            fault()

        monkeypatch.setattr(ServerSession, "ask_status", asked)
    idle_for(rig.db, 10)
    monkeypatch.undo()
    if moment == "when it has been asked":
        assert rig.db.idle_closed
    assert rig.db.execute("INSERT INTO ledger VALUES (1)") == 1
    assert rig.rows() == 1
    assert len(rig.notes) == 1


def test_the_server_is_gone_when_the_next_statement_comes(idle_rig):
    """Nothing has run; and how the session had ended is told when there is a new one."""
    idle_for(idle_rig.db, 10)
    idle_rig.proxy.refuse()
    idle_rig.reconnect_within(0.5)
    with pytest.raises(ConnectError):
        idle_rig.db.execute("INSERT INTO ledger VALUES (1)")
    assert idle_rig.db.idle_closed
    idle_rig.undo.close()
    idle_rig.proxy.refuse(False)
    assert idle_rig.db.execute("INSERT INTO ledger VALUES (2)") == 1
    assert (idle_rig.rows(), idle_rig.notes) == (1, [REOPENED])


# Threads and processes


# Python says, with the option and without, that nobody has closed it.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")
def test_a_connection_that_nobody_has_any_more_takes_its_thread_along(own_sandbox):
    db = Connection(login_of_tester(own_sandbox), settings=SessionSettings(close_idle=60), notify=[].append)
    threads = db._idle_closing._threads
    wait_until(lambda: threads)
    number = db.connection_id
    del db
    gc.collect()
    wait_until(lambda: not is_there(own_sandbox.server, number))


def _closed_in_child(db, answers):
    try:
        first = connection_id(db)
        wait_until(lambda: db.idle_closed, "the child's own thread")
        answers.put((first, connection_id(db)))
        db.close()
    except BaseException as error:  # noqa: BLE001 - told by the test
        answers.put(repr(error))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_fork_has_a_thread_of_its_own(make_rig):
    rig = make_rig(settings=SessionSettings(close_idle=SOON))
    rig.db.execute("SET @kept = 5")  # the parent's stays open
    own = rig.db.connection_id
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=_closed_in_child, args=[rig.db, answers])
    child.start()
    first, second = answers.get()
    child.join(LONG)
    assert child.exitcode == 0
    assert len({own, first, second}) == 3
    assert rig.db.query("SELECT @kept AS k")["k"].tolist() == [5]
    answers.close()
    child.close()


def test_statements_and_closing_at_any_moment(own_sandbox):
    """Several threads, with pauses about as long as the time after which the session is closed, for some seconds.

    Each statement runs once: none is lost with a session that is closed, none runs twice.
    """
    with own_sandbox.server.root() as root:
        root.execute("CREATE OR REPLACE TABLE scratch.idled (n BIGINT NOT NULL) ENGINE=InnoDB")
    written: list[int] = []
    failures: list[BaseException] = []
    reopened: list[str] = []
    over = threading.Event()

    def work(db, seed):
        chance, number = random.Random(seed), 0
        try:
            while not over.wait(chance.choice((0.0, 0.001, 0.002, 0.004, 0.008)) * chance.random()):
                number += 1
                nonce = 1000 * number + seed
                if chance.random() < 0.5:
                    assert db.execute(f"INSERT INTO idled VALUES ({nonce})") == 1
                    written.append(nonce)
                elif chance.random() < 0.2:
                    rows = sum(batch.num_rows for batch in db.batches("SELECT seq FROM seq_1_to_3000", rows=500))
                    assert rows == 3000
                else:
                    assert db.query(f"SELECT {nonce} AS n")["n"].tolist() == [nonce]
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)
            over.set()

    settings = SessionSettings(close_idle=0.00005)  # 3 ms
    with Connection(login_of_tester(own_sandbox), settings=settings, notify=reopened.append) as db:
        threads = [threading.Thread(target=work, args=[db, seed]) for seed in (1, 2)]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + LONG
        while not over.wait(0.05) and (len(reopened) < 60 or len(written) < 60):
            assert time.monotonic() < deadline
        over.set()
        for thread in threads:
            thread.join()
    assert failures == []
    with own_sandbox.server.root() as root:
        root.execute("SELECT n FROM scratch.idled")
        rows = [row[0] for row in root.fetchall()]
    assert sorted(rows) == sorted(written)
    assert set(reopened) == {REOPENED}
