"""What sets a fresh session as the user asked for, on both servers; texts are quoted."""

import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.mysql.session_settings import SessionSettings


@pytest.mark.parametrize("mariadb", [False, True])
def test_nothing_is_set_unasked(mariadb):
    assert SessionSettings().statements(mariadb=mariadb) == {}


@pytest.mark.parametrize(
    ("timeout", "mariadb", "statement"),
    [
        (2, True, "SET SESSION max_statement_time = 2.000"),
        (0.25, True, "SET SESSION max_statement_time = 0.250"),
        (2, False, "SET SESSION max_execution_time = 2000"),
        (0.0001, False, "SET SESSION max_execution_time = 1"),  # 0 would be no limit
    ],
)
def test_the_time_limit(timeout, mariadb, statement):
    assert SessionSettings(timeout=timeout).statements(mariadb=mariadb) == {f"timeout {timeout:g}": statement}


@pytest.mark.parametrize(
    ("settings", "statements"),
    [
        (SessionSettings(read_only=True), {"read-only": "SET SESSION TRANSACTION READ ONLY"}),
        (SessionSettings(safe_updates=True), {"safe updates": "SET SESSION sql_safe_updates = 1"}),
        (SessionSettings(autocommit=False), {"autocommit": "SET SESSION autocommit = 0"}),
        (SessionSettings(autocommit=True), {"autocommit": "SET SESSION autocommit = 1"}),
        (
            SessionSettings(time_zone="'; DROP TABLE t"),
            {"time zone '; DROP TABLE t": "SET SESSION time_zone = _utf8mb4 X'273b2044524f50205441424c452074'"},
        ),
    ],
)
def test_each_setting(settings, statements):
    assert settings.statements(mariadb=True) == settings.statements(mariadb=False) == statements


def test_the_server_takes_them(scratch, notes):
    settings = SessionSettings(timeout=7, read_only=True, safe_updates=True, time_zone="+05:30", autocommit=False)
    with scratch.connect(notes) as db:
        for statement in settings.statements(mariadb="MariaDB" in db.server_version).values():
            db.execute(statement)
        row = db.query("SELECT @@time_zone AS z, @@autocommit AS a, @@sql_safe_updates AS s").iloc[0]
    assert row.tolist() == ["+05:30", 0, 1]


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "30", True])
def test_a_timeout_is_a_number_of_seconds(timeout):
    """The server would take -1 for no limit at all."""
    with pytest.raises(OptionError, match=r"^timeout=.* is not a number greater than 0"):
        SessionSettings(timeout=timeout)
