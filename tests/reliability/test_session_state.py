"""A statement that reads what the lost session held is not run on a new one: found before sending, or in mid-flight."""

import pytest

from rds_iam_magic.errors import ConnectionLostError

pytestmark = pytest.mark.slow  # servers and kernels

CASES = [
    ("SELECT 'a' + 1", "SHOW WARNINGS", "warnings"),
    ("SELECT 'a' + 1", "SELECT @@warning_count AS n", "warnings"),
    ("SELECT 'a' + 1", "SHOW COUNT(*) WARNINGS", "warnings"),
    ("SELECT 1", "SHOW STATUS LIKE 'Handler_read%'", "status"),
    ("SELECT 1", "SELECT * FROM information_schema.SESSION_STATUS", "status"),
    ("SET profiling = 1; SELECT 1", "SHOW PROFILES", "profiles"),
    ("SET profiling = 1; SELECT 1", "SELECT * FROM information_schema.PROFILING", "profiles"),
    ("SET optimizer_trace = 'enabled=on'; SELECT 1", "SELECT * FROM information_schema.OPTIMIZER_TRACE", "traces"),
    ("INSERT INTO ledger VALUES (1)", "SELECT @@last_insert_id AS n", "LAST_INSERT_ID"),
    ("CREATE OR REPLACE SEQUENCE s; SELECT NEXTVAL(s)", "SELECT LASTVAL(s) AS n", "LASTVAL"),
    ("SET div_precision_increment = 12", "SELECT 1 / 3 AS n", "SET"),
    ("SET time_zone = '+05:00'", "INSERT INTO ledger VALUES (HOUR(NOW()))", "SET"),
    ("SELECT GET_LOCK('mine', 1)", "SELECT COUNT(*) AS n FROM ledger", "locks"),
    ("CREATE TEMPORARY TABLE scratch.mine (a INT)", "SELECT * FROM mine", "temporary tables"),
]


def works(rig):
    return rig.db.query("SELECT 1 AS a")["a"].tolist() == [1]


@pytest.mark.parametrize(("before", "sql", "words"), CASES)
def test_found_before_it_is_sent(rig, before, sql, words):
    list(rig.db.run(before))
    rig.lose()
    with pytest.raises(ConnectionLostError, match=words):
        list(rig.db.run(sql))
    assert works(rig)


@pytest.mark.parametrize(("before", "sql", "words"), [case for case in CASES if not case[1].startswith("INSERT")])
def test_lost_in_mid_flight(rig, before, sql, words):
    list(rig.db.run(before))
    rig.proxy.lose_next_request(answer_only=True)
    with pytest.raises(ConnectionLostError, match=words):
        list(rig.db.run(sql))
    assert works(rig)


@pytest.mark.parametrize("sql", ["SELECT CONNECTION_ID() AS n", "SHOW GLOBAL STATUS LIKE 'Uptime'", "SHOW PROCESSLIST"])
def test_what_any_session_answers_alike_runs_again(rig, sql):
    rig.db.execute("SET autocommit = 1; SELECT RELEASE_ALL_LOCKS()")
    rig.proxy.lose_next_request(answer_only=True)
    assert len(rig.db.query(sql)) >= 1
    assert any("runs again" in note for note in rig.notes)


def test_setting_it_up_again_is_no_statement_that_needs_it(rig):
    """The cell that made the settings is the one to run again, so it runs."""
    rig.db.execute("SET div_precision_increment = 12")
    rig.lose()
    rig.db.execute("SET div_precision_increment = 12")
    assert any("session variables that were SET" in note for note in rig.notes)
    assert works(rig)
