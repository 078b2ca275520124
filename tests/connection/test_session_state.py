"""What a session holds, followed statement by statement, without a server."""

from rds_iam_magic.connection.session_state import AUTOCOMMIT, IN_TRANSACTION, SessionState
from rds_iam_magic.sql.effects import effects_of
from rds_iam_magic.sql.statement import split


def after(state, sql, *, changed=0, status=AUTOCOMMIT, now=1.0):
    (statement,) = split(sql)
    effects = effects_of(statement)
    return state.before_send(effects).after_success(effects, changed, status, now)


def test_a_transaction_begins_counts_and_ends():
    state = after(SessionState(), "BEGIN", status=AUTOCOMMIT | IN_TRANSACTION, now=5.0)
    assert (state.in_transaction, state.transaction_since) == (True, 5.0)
    state = after(state, "UPDATE t SET a = 1", changed=3, status=AUTOCOMMIT | IN_TRANSACTION, now=6.0)
    state = after(state, "UPDATE t SET a = 2", changed=4, status=AUTOCOMMIT | IN_TRANSACTION, now=7.0)
    assert (state.transaction_since, state.rows_changed) == (5.0, 7)
    state = after(state, "COMMIT", now=8.0)
    assert (state.in_transaction, state.rows_changed) == (False, 0)


def test_the_server_says_that_an_error_ended_it():
    state = after(SessionState(), "BEGIN", status=IN_TRANSACTION)
    assert not state.with_status(AUTOCOMMIT, 2.0).in_transaction


def test_what_is_left_counts_from_the_moment_of_sending():
    (statement,) = split("CREATE TEMPORARY TABLE Basket (a INT)")
    assert SessionState().before_send(effects_of(statement)).temporary_tables == {"basket"}


def test_the_default_schema_follows_use():
    state = after(SessionState(database="shop"), "SELECT 1")
    assert state.database == "shop"
    assert after(state, "USE other").database == "other"


def test_autocommit_is_what_the_server_told_last():
    assert SessionState().autocommit is None
    state = after(SessionState(), "SET autocommit = 0", status=0)
    assert state.autocommit is False
    assert after(state, "SET autocommit = 1").autocommit is True


def test_a_new_session_has_the_schema_and_autocommit_alone():
    state = after(SessionState(database="shop"), "SET @a = 1", status=IN_TRANSACTION)
    assert state.left
    assert state.renewed() == SessionState(database="shop", autocommit=False)
