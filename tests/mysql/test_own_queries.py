"""Short queries of our own, on a real session: rows as texts, and what the server refuses."""

import pytest

from rds_iam_magic.errors import ConnectionLostError, RdsIamError
from rds_iam_magic.mysql.own_queries import fetch_all, fetch_one, identify

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def session(scratch):
    opened = scratch.login().open()
    yield opened
    opened.close()


def test_rows_are_texts(session):
    sql = "SELECT 1, NULL, 'größe', 1.50 UNION ALL SELECT 2, '', REPEAT('x', 300), -1"
    assert fetch_all(session, sql) == [["1", None, "größe", "1.50"], ["2", "", "x" * 300, "-1.00"]]
    assert fetch_one(session, sql) == ["1", None, "größe", "1.50"]


def test_a_statement_without_rows(session):
    assert fetch_all(session, "DO 1") == []
    with pytest.raises(RdsIamError, match="no row for 'DO 1'") as caught:
        fetch_one(session, "DO 1")
    assert caught.value.cause == "own-query-failed"


def test_what_the_server_refuses(session):
    with pytest.raises(RdsIamError, match=r"The server refused 'SELEC 1': .* \(1064\)") as caught:
        fetch_all(session, "SELEC 1")
    assert caught.value.cause == "own-query-failed"
    assert fetch_one(session, "SELECT 1") == ["1"], "the session goes on"


def test_who_a_session_is(session, scratch):
    ours = identify(session)
    assert [str(ours.id)] == fetch_one(session, "SELECT CONNECTION_ID()")
    assert [str(ours.max_packet)] == fetch_one(session, "SELECT @@max_allowed_packet")
    other = scratch.login().open()
    try:
        theirs = identify(other)
    finally:
        other.close()
    assert theirs.server == ours.server
    assert theirs.id != ours.id


def test_a_server_that_does_not_answer_in_time(session):
    with pytest.raises(ConnectionLostError) as caught:
        fetch_all(session, "SELECT SLEEP(60)", timeout=0.1)
    assert "no answer within 0.1 s" in caught.value.detail


def test_a_closed_session(session):
    session.close()
    with pytest.raises(ConnectionLostError):
        fetch_all(session, "SELECT 1")
