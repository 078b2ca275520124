"""Parts read at once: the frame of the whole, one budget, and nothing left when one fails or Stop is pressed."""

import re
import threading
import time
from contextlib import ExitStack

import pandas as pd
import pytest

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import ConnectError, OptionError, ResultError, StatementError
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.parallel.reading import StopFlag
from tests.support.events import WORKING, interrupt, interrupt_when, processes, rests, wait_until, when
from tests.support.injector import Injector, spread

FAILS_AMONG_ROWS = "SELECT id, EXP(id / 10) AS e FROM numbers"  # out of range at row 7,098
SLOW = "SELECT n.id, (SELECT COUNT(*) FROM numbers a, numbers b WHERE a.t > b.t AND a.id > n.id) AS c FROM numbers n"

LARGE_THEN_SLOW = "SELECT id, REPEAT('x', 2000) AS filler, IF(id % 2000 = 1999, SLEEP(600), 0) AS s FROM numbers"


@pytest.fixture
def numbers(db):
    db.execute("CREATE OR REPLACE TABLE numbers (id INT PRIMARY KEY, g INT, t VARCHAR(40) NOT NULL, d DECIMAL(9, 2))")
    db.execute(
        "INSERT INTO numbers SELECT seq, IF(seq % 7, seq % 5, NULL), MD5(seq), IF(seq % 3, seq / 3, NULL) "
        "FROM seq_1_to_20000"
    )
    return db


def queries(sandbox):
    """The parts' sessions that work."""
    return processes(sandbox.server, f"USER = 'tester' AND {WORKING} AND INFO LIKE '%AS part WHERE%'")


def others(sandbox, db):
    return processes(sandbox.server, f"USER = 'tester' AND ID != {db.connection_id}")


@pytest.mark.parametrize("backend", [None, "numpy_nullable", "pyarrow"])
@pytest.mark.parametrize("decimal", ["float", "exact"])
@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_frame_of_the_whole(numbers, backend, decimal, n):
    for sql, on in (("SELECT * FROM numbers", None), ("SELECT * FROM numbers WHERE id < 3", "g")):
        options = {"dtype_backend": backend, "decimal": decimal}
        whole = numbers.query(sql, **options)
        parts = numbers.query(sql, parallel=n, on=on, **options)
        pd.testing.assert_frame_equal(parts.sort_values("id", ignore_index=True), whole)


def test_who_watches_hears_of_the_parts(numbers):
    heard = []
    numbers.watch = heard.append
    assert len(numbers.query("SELECT id, SLEEP(IF(id = 1, 0.5, 0)) AS s FROM numbers", parallel=2, on="id")) == 20_000
    stages = list(dict.fromkeys(each.stage for each in heard))
    assert stages[0] == "finding the parts"
    assert stages[-1] in ("0 of 2 parts read", "1 of 2 parts read")
    assert all(each.rows == 0 for each in heard if each.stage == stages[0])
    rows = [each.rows for each in heard]
    assert rows == sorted(rows)


@pytest.mark.parametrize("largest", [10**18, 10**20])
def test_whole_decimals_have_the_dtype_of_the_whole(numbers, notes, largest):
    sql = f"SELECT id, CAST(IF(id = 20000, {largest}, id) AS DECIMAL(30)) AS big FROM numbers"
    notes.clear()
    whole = numbers.query(sql)
    assert whole["big"].dtype == ("Int64" if largest < 2**63 else "float64")
    pd.testing.assert_frame_equal(numbers.query(sql, parallel=3, on="id"), whole)
    assert len(notes) == (0 if largest < 2**63 else 2)


def test_without_autocommit_no_transaction_is_left(scratch, notes, numbers):  # noqa: ARG001 - the table
    with Connection(scratch.login(), settings=SessionSettings(autocommit=False), notify=notes.append) as db:
        for consistent in (False, True, False):
            assert len(db.query("SELECT * FROM numbers", parallel=2, consistent=consistent)) == 20_000
            assert db.transaction_since is None
        with pytest.raises(OptionError):
            db.query("SELECT * FROM numbers", parallel=2, on="nowhere")
        assert db.transaction_since is None
        db.execute("UPDATE numbers SET g = 99 WHERE id = 1")
        with pytest.raises(OptionError, match="open transaction"):
            db.query("SELECT * FROM numbers", parallel=2)
        assert db.rows_changed == 1
        db.execute("ROLLBACK")


def test_no_rows_have_the_dtypes_too(numbers):
    sql = "SELECT *, NULL AS nothing FROM numbers WHERE id < 0"
    pd.testing.assert_frame_equal(numbers.query(sql, parallel=3, on="id"), numbers.query(sql))


def test_each_part_has_a_session_of_its_own(numbers, sandbox):
    numbers.query("SELECT id, d FROM numbers", parallel=4)
    frame = numbers.query("SELECT id, @@pseudo_thread_id AS session FROM numbers", parallel=4, on="id")
    assert frame["session"].nunique() == 4
    assert numbers.connection_id not in set(frame["session"])
    assert list(frame["id"]) == list(range(1, 20_001)), "the parts follow each other by the key"
    wait_until(lambda: others(sandbox, numbers) == [], "the end of the parts' sessions")


def test_the_schema_and_settings_of_the_connection(scratch, notes):
    with scratch.connect(notes, database=None) as db:
        db.execute("USE scratch")
        assert db.query("SELECT DATABASE() AS d, 1 AS k", parallel=2, on="k").loc[0, "d"] == "scratch"


def test_one_budget_for_all(numbers, sandbox):
    size = numbers.query_arrow("SELECT * FROM numbers").nbytes
    numbers.max_memory = size * 2
    assert len(numbers.query("SELECT * FROM numbers", parallel=4)) == 20_000
    numbers.max_memory = size // 2
    with pytest.raises(ResultError, match="exceeds its memory limit") as caught:
        numbers.query("SELECT * FROM numbers", parallel=4)
    assert "of 4 failed; the others were ended" in caught.value.hint
    wait_until(lambda: others(sandbox, numbers) == [], "the end of the parts' sessions")


def test_one_part_that_fails_fails_the_whole(numbers, sandbox):
    with pytest.raises(StatementError, match="DOUBLE value is out of range") as caught:
        numbers.query(FAILS_AMONG_ROWS, parallel=4, on="id")
    assert "of 4 failed" in caught.value.hint
    wait_until(lambda: others(sandbox, numbers) == [], "the end of the parts' sessions")
    assert len(numbers.query("SELECT 1")) == 1


@pytest.mark.parametrize("consistent", [False, True])
def test_stop_ends_all_on_the_server(numbers, sandbox, consistent):
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), interrupt_when(lambda: len(queries(sandbox)) == 3):
        numbers.query(SLOW, parallel=3, on="id", consistent=consistent)
    assert threading.active_count() == before
    wait_until(lambda: others(sandbox, numbers) == [], "the end of the parts' sessions")
    assert len(numbers.query("SELECT 1")) == 1


def test_a_part_that_someone_kills(numbers, sandbox):
    def kill():
        with sandbox.server.root() as root:
            root.execute(f"KILL QUERY {queries(sandbox)[1][0]}")

    with when(lambda: len(queries(sandbox)) == 3, kill), pytest.raises(StatementError) as caught:
        numbers.query(SLOW, parallel=3, on="id")
    assert caught.value.cause == "query-killed"
    wait_until(lambda: others(sandbox, numbers) == [], "the end of the parts' sessions")


@pytest.fixture
def limited(numbers, sandbox, scratch, notes):  # noqa: ARG001 - the table
    """Connections of a user who may have only so many at once."""
    with ExitStack() as opened:

        def connect(count, **changes):
            with sandbox.server.root() as root:
                root.execute(f"GRANT USAGE ON *.* TO tester@'%' WITH MAX_USER_CONNECTIONS {count}")
            return opened.enter_context(scratch.connect(notes, **changes))

        yield connect
        with sandbox.server.root() as root:
            root.execute("GRANT USAGE ON *.* TO tester@'%' WITH MAX_USER_CONNECTIONS 0")


def test_a_part_that_cannot_connect(limited, sandbox, numbers):
    db = limited(3)  # itself, and two of three parts
    with pytest.raises(ConnectError) as caught:
        db.query(SLOW, parallel=3, on="id")
    assert caught.value.cause == "user-limit-reached"
    assert re.search(r"Part [123] of 3 failed; the others were ended\.", caught.value.hint), "whichever came last"
    assert "read fewer parts at once" in caught.value.hint
    wait_until(lambda: others(sandbox, numbers) == processes(sandbox.server, f"ID = {db.connection_id}"), "their end")
    assert len(db.query("SELECT id FROM numbers", parallel=2)) == 20_000


@pytest.mark.parametrize("consistent", [False, True])
def test_stop_needs_no_connection_more(limited, sandbox, numbers, consistent):
    db = limited(4 + consistent)  # itself, three parts and the lock
    with pytest.raises(KeyboardInterrupt), interrupt_when(lambda: len(queries(sandbox)) == 3):
        db.query(SLOW, parallel=3, on="id", consistent=consistent)
    wait_until(lambda: others(sandbox, numbers) == processes(sandbox.server, f"ID = {db.connection_id}"), "their end")
    assert len(db.query("SELECT id FROM numbers", parallel=3)) == 20_000


def test_a_part_that_ends_itself_needs_no_connection_more(limited, sandbox, numbers):
    """What exceeds the memory limit ends in its own thread, while the server has yet to come to the next row."""
    db = limited(4)
    db.max_memory = 3_000_000
    with pytest.raises(ResultError, match="exceeds its memory limit"):
        db.query(LARGE_THEN_SLOW, parallel=3, on="id")
    wait_until(lambda: len(others(sandbox, numbers)) == 1, "the end of the parts' sessions")
    assert db.query("SELECT 1 AS one")["one"].tolist() == [1]


def test_other_threads_wait_while_parts_are_read(numbers, sandbox):
    """The connection has to be free to end the parts."""
    answers = []
    other = threading.Thread(target=lambda: answers.append(numbers.query("SELECT 1 AS one")))

    def begin():
        other.start()
        wait_until(lambda: rests(sandbox.server, numbers.connection_id), "the connection's rest")
        assert answers == []
        interrupt()

    with pytest.raises(KeyboardInterrupt), when(lambda: len(queries(sandbox)) == 3, begin):
        numbers.query(SLOW, parallel=3, on="id")
    other.join()
    assert len(answers) == 1


def test_what_other_sessions_do_not_see_is_refused(numbers):
    for sql, query, undo in (
        ("START TRANSACTION", "SELECT * FROM numbers", "ROLLBACK"),
        ("CREATE TEMPORARY TABLE mine (id INT PRIMARY KEY)", "SELECT * FROM mine", "DROP TEMPORARY TABLE mine"),
        ("SET @limit = 3", "SELECT * FROM numbers WHERE id < @limit", "DO 0"),
        ("DO 0", "SELECT id, FOUND_ROWS() AS a FROM numbers", "DO 0"),
        ("SET SESSION sql_mode = ''", "SELECT * FROM numbers", "SET SESSION sql_mode = DEFAULT"),
    ):
        numbers.execute(sql)
        with pytest.raises(OptionError, match="session of its own") as caught:
            numbers.query(query, parallel=2)
        assert caught.value.cause == "parts-session-state"
        numbers.execute(undo)


def test_options_that_exclude_each_other(numbers):
    for options in ({"limit": 3}, {"chunksize": 3}):
        with pytest.raises(OptionError, match="limit and chunksize do not"):
            numbers.query("SELECT * FROM numbers", parallel=2, **options)
    for options in ({"on": "id"}, {"consistent": True}):
        with pytest.raises(OptionError, match="need parallel"):
            numbers.query("SELECT * FROM numbers", **options)
    with pytest.raises(OptionError, match="parallel=0 is not valid"):
        numbers.query("SELECT * FROM numbers", parallel=0)


def test_notes_come_once(db, notes):
    db.execute("CREATE OR REPLACE TABLE odd (id INT PRIMARY KEY, d DATE)")
    db.execute("SET sql_mode = ''; INSERT INTO odd VALUES (1, 0), (2, 0), (3, 0), (4, 0); SET sql_mode = DEFAULT")
    db._session.state = db._session.state.renewed()
    notes.clear()
    db.query("SELECT * FROM odd ORDER BY d", parallel=2)
    assert "ORDER BY has no effect" in notes[0]
    assert len(notes) == 2
    assert "column d" in notes[1]


def test_the_flag():
    stop = StopFlag()
    assert not stop()
    stop.set()
    assert stop()


def test_logins_are_throttled(numbers):
    began = time.monotonic()
    numbers.query("SELECT * FROM numbers", parallel=20)
    assert time.monotonic() - began >= 0.19


@pytest.mark.parametrize("consistent", [False, True])
def test_an_interrupt_at_any_line_leaves_nothing(numbers, sandbox, consistent):
    def act():
        return numbers.query("SELECT id FROM numbers WHERE id <= 1000", parallel=3, consistent=consistent)

    hits = 0
    for line in spread(act, 60):
        try:
            with Injector(line, KeyboardInterrupt) as injector:
                act()
        except KeyboardInterrupt:
            hits += 1
        wait_until(lambda: others(sandbox, numbers) == [], f"the end of all sessions after {injector.where}")
    assert hits > 30
    assert len(act()) == 1000
