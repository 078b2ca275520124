"""A query ended over a second session, on a real server: the first one is synchronised and keeps what it holds."""

from dataclasses import replace

import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.mysql.cancel import cancel, is_running, second_session, work_of
from rds_iam_magic.mysql.own_queries import fetch_all, fetch_one, identify
from rds_iam_magic.mysql.reader import ResponseReader
from tests.support.events import interrupt_when, processes, wait_until, works_on

pytestmark = pytest.mark.slow  # servers and kernels

PROXY = parse_host_name("app.proxy-abc123.us-east-1.rds.amazonaws.com")
SLEEP = b"SELECT SLEEP(600)"


@pytest.fixture
def login(sandbox, scratch):
    assert sandbox.server.pid
    return scratch.login()


@pytest.fixture
def session(login):
    opened = login.open()
    yield opened
    opened.close()


@pytest.fixture
def interrupted(sandbox, session):
    """Has a statement interrupted while the server works on it; returns its reader and who the session is."""
    readers = []

    def run(sql):
        identity = identify(session)
        reader = ResponseReader(session, sql)
        readers.append(reader)
        with pytest.raises(KeyboardInterrupt), interrupt_when(lambda: works_on(sandbox.server, identity.id)):
            list(reader)
        return reader, identity

    yield run
    for reader in readers:
        reader.close()


def test_the_query_ends_and_the_session_keeps_what_it_holds(sandbox, login, session, interrupted):
    fetch_all(session, "CREATE TEMPORARY TABLE mine (a INT)")
    fetch_all(session, "BEGIN")
    fetch_all(session, "INSERT INTO mine VALUES (7)")
    reader, identity = interrupted(SLEEP)
    assert cancel(login, session, identity, reader)
    assert reader.is_settled
    assert not works_on(sandbox.server, identity.id)
    assert fetch_one(session, "SELECT CONNECTION_ID(), a, @@in_transaction FROM mine") == [str(identity.id), "7", "1"]


def test_the_kill_does_not_strike_the_next_statement(login, session, interrupted):
    for _ in range(3):
        reader, identity = interrupted(SLEEP)
        assert cancel(login, session, identity, reader)
        assert fetch_one(session, "SELECT SLEEP(0.01)") == ["0"]


def test_what_was_not_sent_needs_no_kill(login, session):
    reader = ResponseReader(session, SLEEP)
    unreachable = replace(login, credential=lambda: pytest.fail("a second session was opened"))
    assert cancel(unreachable, session, identify(session), reader)
    assert not reader.sent
    assert fetch_one(session, "SELECT 1") == ["1"]


def test_another_servers_session_of_that_id_is_left_alone(sandbox, login, session, interrupted):
    """A tunnel that leads elsewhere by now: the id there is somebody else's."""
    reader, identity = interrupted(SLEEP)
    assert not cancel(login, session, replace(identity, server="another one"), reader)
    assert works_on(sandbox.server, identity.id)
    assert cancel(login, session, identity, reader)


def test_nothing_is_killed_through_a_proxy(sandbox, login, session, interrupted):
    reader, identity = interrupted(SLEEP)
    assert not cancel(replace(login, endpoint=PROXY), session, identity, reader)
    assert works_on(sandbox.server, identity.id)
    assert cancel(login, session, identity, reader)


def test_whether_the_server_still_works(login, session, interrupted):
    identity = identify(session)
    assert is_running(login, session, identity) is False
    reader, identity = interrupted(SLEEP)
    assert is_running(login, session, identity) is True
    assert cancel(login, session, identity, reader)
    assert is_running(login, session, identity) is False


def test_in_doubt_the_server_is_taken_to_work(login, session):
    identity = identify(session)
    assert is_running(login, session, replace(identity, server="another one")) is True
    assert is_running(replace(login, endpoint=PROXY), session, identity) is True
    assert is_running(replace(login, user="nobody"), session, identity) is True, "who may not log in, cannot tell"


def test_what_the_server_works_on(login, session, interrupted):
    identity = identify(session)
    assert work_of(login, session, identity) == ""
    reader, identity = interrupted(SLEEP)
    assert work_of(login, session, identity) == "User sleep"
    for other in (
        work_of(login, session, replace(identity, server="another one")),
        work_of(replace(login, endpoint=PROXY), session, identity),
        work_of(replace(login, user="nobody"), session, identity),
    ):
        assert other is None
    assert cancel(login, session, identity, reader)


def test_a_second_session_is_closed_whatever_happens(sandbox, login, session):
    numbers = []

    def fail():
        with second_session(login, session) as second:
            assert second.peer == session.peer
            numbers.append(identify(second).id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    wait_until(lambda: not processes(sandbox.server, f"ID = {numbers[0]}"), "the end of the second session")
