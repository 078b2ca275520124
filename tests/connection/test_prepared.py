"""Prepared statements on a real server: none stays, whatever ends them, and none that may write runs twice.

At once, as on MariaDB, and in two steps, as on MySQL.
"""

import datetime as dt
from contextlib import contextmanager

import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import ConnectionLostError, ResultError, StatementError
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.session_settings import SessionSettings
from tests.support.events import WORKING, connection_id, interrupt_when, processes, wait_until, when, works_on
from tests.support.logins import through_text
from tests.support.proxy import Proxy

pytestmark = pytest.mark.slow  # servers and kernels


def count(sandbox, name):
    with sandbox.server.root() as root:
        root.execute(f"SHOW GLOBAL STATUS LIKE '{name}'")
        return int(root.fetchone()[1])


ENDLESS = "SELECT a.seq, b.seq FROM seq_1_to_1000000 a, seq_1_to_1000000 b"


def steps_of(db, steps):
    """MariaDB executes a number that it has not told; as on MySQL, it may be waited for."""
    db._session._session.executes_last = steps == "at once"


@pytest.fixture(params=["at once", "in two steps"])
def steps(request):
    return request.param


@pytest.fixture
def lasting(sandbox, scratch, steps):
    """A connection; its session is the same at the end, answers, and nothing is prepared any more."""
    with scratch.connect([]) as db:
        steps_of(db, steps)
        before = connection_id(db)
        yield db
        assert connection_id(db) == before
        assert db.query("SELECT 41 AS a")["a"].tolist() == [41]
        wait_until(lambda: count(sandbox, "Prepared_stmt_count") == 0, "the end of the prepared statements")


def test_nothing_stays_prepared(sandbox, lasting):
    before = count(sandbox, "Com_stmt_prepare")
    for _ in range(5):
        lasting.query("SELECT 1 AS a")
        lasting.query(ENDLESS, limit=3)
        lasting.query("SELECT seq FROM seq_1_to_100", limit=3)
        for sql in ("SELECT nothing", "SELECT ?", "SELECT EXP(1000)", "SELECT seq, EXP(seq) FROM seq_1_to_1000"):
            with pytest.raises(StatementError):
                lasting.query(sql)
        batches = lasting.batches(ENDLESS)
        next(batches)
        batches.close()
    assert count(sandbox, "Com_stmt_prepare") - before >= 30


def test_nothing_is_prepared_through_a_proxy(sandbox, scratch):
    before = count(sandbox, "Com_stmt_prepare")
    with scratch.connect([], endpoint=through_text(scratch.login()).endpoint) as db:
        assert db.query("SELECT 1 AS a")["a"].tolist() == [1]
        assert len(db.query("SELECT seq FROM seq_1_to_100", limit=3)) == 3
    assert count(sandbox, "Com_stmt_prepare") == before


def test_no_more_may_be_prepared(sandbox, lasting):
    """1461: then as text, and never another statement's rows."""
    assert lasting.query("SELECT 5 AS a")["a"].tolist() == [5]
    with sandbox.server.root() as root:
        root.execute("SET GLOBAL max_prepared_stmt_count = 0")
        try:
            assert lasting.query("SELECT 6 AS a")["a"].tolist() == [6]
            assert lasting.query("SELECT 'x' AS b")["b"].tolist() == ["x"]
            with pytest.raises(StatementError, match="1054"):
                lasting.query("SELECT nothing")
            assert "nothing" in lasting.query("SHOW WARNINGS").loc[0, "Message"]
        finally:
            root.execute("SET GLOBAL max_prepared_stmt_count = DEFAULT")


@contextmanager
def locked(scratch):
    """A table that another session holds: preparing or executing a query of it waits."""
    with scratch.connect([]) as other:
        other.execute("CREATE OR REPLACE TABLE held (a INT); LOCK TABLES held WRITE")
        try:
            yield "SELECT * FROM held"
        finally:
            other.execute("UNLOCK TABLES")


def ended_by(sandbox, db, how):
    """Have a running statement end in one of the ways in which that can be."""
    number = connection_id(db)

    def kill():
        with sandbox.server.root() as root:
            root.execute(f"KILL QUERY {number}")

    if how == "KILL QUERY":
        return when(lambda: works_on(sandbox.server, number), kill)
    return interrupt_when(lambda: works_on(sandbox.server, number))


@pytest.mark.parametrize("how", ["KILL QUERY", "Ctrl-C"])
@pytest.mark.parametrize("place", ["a lock", "before its rows", "among its rows"])
def test_a_statement_that_is_ended(sandbox, scratch, lasting, how, place):
    error = StatementError if how == "KILL QUERY" else KeyboardInterrupt
    with locked(scratch) as waiting:
        sql = {"a lock": waiting, "before its rows": f"{ENDLESS} WHERE a.seq + b.seq = 0", "among its rows": ENDLESS}
        with pytest.raises(error), ended_by(sandbox, lasting, how):
            for _ in lasting.batches(sql[place]):
                pass
        wait_until(lambda: not processes(sandbox.server, f"USER = 'tester' AND {WORKING}"), "its end on the server")


def test_a_time_limit_of_the_server(scratch, lasting):
    lasting.execute("SET max_statement_time = 0.1")
    with locked(scratch) as waiting:
        for sql in (waiting, "SELECT SLEEP(60)", f"{ENDLESS} WHERE a.seq + b.seq = 0"):
            with pytest.raises(StatementError, match="1969"):
                lasting.query(sql)
    lasting.execute("SET max_statement_time = 0")


def test_waiting_for_a_lock_ends_once(scratch, lasting):
    """Not once while it is prepared and once more as text; and the server's own error is kept."""
    lasting.execute("SET lock_wait_timeout = 1")
    with locked(scratch) as waiting:
        began = dt.datetime.now(dt.timezone.utc)
        with pytest.raises(StatementError, match="1205"):
            lasting.query(waiting)
        assert (dt.datetime.now(dt.timezone.utc) - began).total_seconds() < 1.9
        assert lasting.query("SHOW WARNINGS")["Code"].tolist() == [1205]


def test_a_time_limit_of_ours(sandbox, scratch):
    with Connection(scratch.login(), settings=SessionSettings(timeout=0.2)) as db:
        for sql in ("SELECT SLEEP(60)", ENDLESS):
            with pytest.raises((ResultError, StatementError)):
                db.query(sql)
    wait_until(lambda: count(sandbox, "Prepared_stmt_count") == 0, "the end of the prepared statements")


# ── A network that breaks between and within the packets ──────────────────────────────────────────────────────────


@pytest.fixture
def writes(sandbox, scratch):
    """A table that remembers what the function `note(n)` was called with; Aria rolls nothing back."""
    assert scratch.login(), "the schema is there"
    with sandbox.server.root() as root:
        root.execute("USE scratch")
        root.execute("CREATE OR REPLACE TABLE noted (n INT) ENGINE=Aria")
        root.execute(
            "CREATE OR REPLACE FUNCTION note(n INT) RETURNS INT BEGIN INSERT INTO noted VALUES (n); RETURN n; END"
        )

    def noted(number):
        with sandbox.server.root() as root:
            root.execute(f"SELECT COUNT(*) FROM scratch.noted WHERE n = {number}")
            return root.fetchone()[0]

    return noted


@pytest.fixture
def behind(sandbox, scratch, notes, steps):
    """A proxy, and a connection through it."""
    with Proxy(sandbox.server.port) as proxy:
        with scratch.connect(notes, via=Address("127.0.0.1", proxy.port)) as db:

            def again():
                """A session that has asked all that it asks at its begin."""
                db.query("SELECT 1 AS a")
                notes.clear()
                steps_of(db, steps)
                return db

            yield proxy, again


# Bytes of the answers: of none, of that to PREPARE, of the columns, of all (some 200 to 300, with TLS).
BYTES = [0, 1, 30, 60, 90, 120, 150, 180, 210, 240, 270]


def test_a_query_is_run_again_wherever_its_answer_is_cut(behind, notes):
    proxy, again = behind
    told = 0
    for size in BYTES:
        db = again()
        (proxy.cut_after if size else lambda _: proxy.lose_next_request(answer_only=True))(size)
        assert db.query("SELECT 7 AS v, 'x' AS w").values.tolist() == [[7, "x"]]
        told += any("runs again" in line or "lost" in line for line in notes)
    assert told > 5


def test_a_query_is_run_again_once_only(behind):
    proxy, again = behind
    db = again()
    proxy.lose_next_request(answer_only=True)
    db.notify = lambda _: proxy.lose_next_request(answer_only=True)
    with pytest.raises(ConnectionLostError, match="twice"):
        db.query("SELECT 7 AS v")
    db.notify = lambda _: None


def value_or_loss(db, sql):
    try:
        return int(db.query(sql).iloc[0, 0])
    except ConnectionLostError as error:
        return error.message


def test_what_may_write_is_never_run_twice(behind, writes):
    proxy, again = behind
    lost = 0
    for size in BYTES:
        db = again()
        (proxy.cut_after if size else lambda _: proxy.lose_next_request(answer_only=True))(size)
        outcome = value_or_loss(db, f"SELECT note({size}) AS v")
        assert outcome == size or "may have" in outcome
        lost += outcome != size
        assert writes(size) <= 1
    assert lost


def test_what_was_lost_before_it_was_sent_runs(behind, writes):
    proxy, again = behind
    db = again()
    proxy.lose_next_request()
    outcome = value_or_loss(db, "SELECT note(99) AS v")
    assert outcome == 99 or "may have" in outcome
    assert writes(99) == (outcome == 99)


def test_a_statement_over_sixteen_megabytes(lasting):
    size = 17 << 20
    lasting.query("SELECT 1")
    frame = lasting.query(f"SELECT LENGTH('{'x' * size}') AS n, 1 AS a")
    assert frame.values.tolist() == [[size, 1]]
    frame = lasting.query("SELECT REPEAT('x', 17000000) AS big, 2 AS a UNION ALL SELECT 'small', 3")
    assert frame["big"].str.len().tolist() == [17_000_000, 5]
    assert frame["a"].tolist() == [2, 3]


def test_temporary_tables_and_locks_are_seen(lasting):
    lasting.execute("CREATE TEMPORARY TABLE brief SELECT 5 AS a")
    assert lasting.query("SELECT * FROM brief")["a"].tolist() == [5]
    assert lasting.query("SELECT * FROM brief", limit=1)["a"].tolist() == [5]
    lasting.execute("CREATE OR REPLACE TABLE free (a INT); CREATE OR REPLACE TABLE held (a INT)")
    lasting.execute("INSERT INTO held VALUES (6); LOCK TABLES held WRITE")
    assert lasting.query("SELECT * FROM held")["a"].tolist() == [6]
    with pytest.raises(StatementError, match="1100"):
        lasting.query("SELECT * FROM free")
    lasting.execute("INSERT INTO held VALUES (7)")
    assert len(lasting.query("SELECT * FROM held", limit=1)) == 1
    lasting.execute("UNLOCK TABLES; DROP TABLE held, free; DROP TEMPORARY TABLE brief")


def test_a_table_that_changes_between_two_queries(lasting):
    for columns in ("a INT", "a VARCHAR(9), b INT", "b DATE", "a BIT(3)"):
        lasting.execute(f"CREATE OR REPLACE TABLE moved ({columns})")
        assert len(lasting.query("SELECT * FROM moved").columns) == columns.count(",") + 1
