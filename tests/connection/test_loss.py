"""What the loss of a session means, without a server."""

import pytest

from rds_iam_magic.connection.loss import Ending, error_after_loss, error_on_new_session, note_on_new_session
from rds_iam_magic.connection.session_state import SessionState
from rds_iam_magic.sql.effects import effects_of
from rds_iam_magic.sql.statement import split

IDLE = SessionState()
IN_TRANSACTION = SessionState(transaction_since=1.0, rows_changed=2)


def effects(sql):
    (statement,) = split(sql)
    return effects_of(statement)


@pytest.mark.parametrize(
    ("state", "sql", "sent", "words"),
    [
        (IDLE, "SELECT 1", True, None),
        (IDLE, "SELECT 1", False, None),
        (IDLE, "INSERT INTO t VALUES (1)", False, None),
        (IDLE, "INSERT INTO t VALUES (1)", True, "may have taken effect. It was not run again"),
        (IDLE, "SELECT f(1)", True, "may have taken effect"),
        (IDLE, "COMMIT", True, "whether it took effect is unknown"),
        (IDLE, "COMMIT", False, None),
        (IDLE, "ROLLBACK RELEASE", True, "rolls the transaction back"),
        (IDLE, "ROLLBACK RELEASE", False, None),
        (IN_TRANSACTION, "SELECT 1", True, "rolls it back"),
        (IN_TRANSACTION, "SELECT 1", False, "rolls it back"),
        (IN_TRANSACTION, "INSERT INTO t VALUES (1)", True, "rolls it back"),
        (IN_TRANSACTION, "CREATE TABLE t (a INT)", True, "may have committed the open transaction"),
        (IN_TRANSACTION, "CREATE TABLE t (a INT)", False, "rolls it back"),
        (IN_TRANSACTION, "COMMIT", True, "whether it took effect is unknown"),
    ],
)
def test_in_mid_statement(state, sql, sent, words):
    error = error_after_loss(state, effects(sql), sent=sent)
    if words is None:
        assert error is None
    else:
        assert words in str(error)


@pytest.mark.parametrize(
    ("lost", "sql", "names", "words"),
    [
        (IDLE, "SELECT 1", set(), None),
        (IN_TRANSACTION, "SELECT 1", set(), "a transaction was open"),
        (SessionState(temporary_tables=frozenset({"basket"})), "SELECT * FROM basket", {"basket"}, "temporary tables"),
        (SessionState(temporary_tables=frozenset({"basket"})), "SELECT * FROM shop", {"shop"}, None),
        (IDLE.before_send(effects("SET @a = 1")), "SELECT @a", set(), "user variables"),
        (IDLE.before_send(effects("SET @a = 1")), "SELECT 1", set(), None),
        (IDLE, "SHOW WARNINGS", set(), "which this statement may depend on"),
    ],
)
def test_for_the_first_statement_afterwards(lost, sql, names, words):
    error = error_on_new_session(lost, effects(sql), names, ending=Ending.LOST)
    if words is None:
        assert error is None
    else:
        assert words in str(error)


@pytest.mark.parametrize(
    ("lost", "ending", "note"),
    [
        (IDLE, Ending.LOST, "the connection was lost and has been reopened."),
        (IDLE, Ending.RELEASED, ""),
        (IDLE, Ending.IDLE, "the session was closed while it was idle; a new one was opened for this statement."),
        (
            IDLE.before_send(effects("SET @a = 1")),
            Ending.LOST,
            "the connection was lost and has been reopened; lost with the old one: user variables.",
        ),
        (
            IDLE.before_send(effects("SET @a = 1")),
            Ending.RELEASED,
            "the session was released and a new one was opened; lost with the old one: user variables.",
        ),
    ],
)
def test_what_is_told(lost, ending, note):
    assert note_on_new_session(lost, ending=ending) == note


def test_how_the_session_ended_is_said():
    error = error_on_new_session(IDLE, effects("SELECT LAST_INSERT_ID()"), set(), ending=Ending.IDLE)
    assert error.message.startswith(
        "The session was closed while it was idle, and with it the values of LAST_INSERT_ID"
    )
