"""Faults beside the matrix: what ends a session from the server's side, from AWS's, and from the user's."""

import gc
import multiprocessing
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from rds_iam_magic.aws.endpoint import Kind, parse_host_name
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import (
    AccessDeniedError,
    ConnectError,
    ConnectionLostError,
    CredentialsError,
    NotConnectedError,
    ResultError,
    StatementError,
)
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.timeouts import Timeouts
from tests.reliability.faults import end_session
from tests.support.events import LONG, connection_id, interrupt_when, rests, wait_until, when, works_on
from tests.support.logins import create_tester, login_of_tester

pytestmark = pytest.mark.slow  # servers and kernels

MANY_ROWS = "SELECT a.seq FROM seq_1_to_100000 a, seq_1_to_100 b"


def kill(rig):
    """Kill the connection, and wait until that has reached this end."""
    rig.kill_connection()
    rig.wait_until_cut()


def works(rig):
    return rig.db.query("SELECT 1 AS a")["a"].tolist() == [1]


# What the server ends


def test_no_free_connection(make_rig, own_sandbox):
    """1040 at connect says so; at reconnect it is tried again until one is free."""
    rig = make_rig()
    (limit,) = rig.root("SELECT @@max_connections")[0]
    others = []
    try:
        rig.root("SET GLOBAL max_connections = 10")
        with pytest.raises(ConnectError, match="1040"):
            others.extend(Connection(login_of_tester(own_sandbox)) for _ in range(12))
        kill(rig)
        wait_until(lambda: take_place(own_sandbox, others), "the place of the killed session")
        rig.reconnect_within(1.0)
        with pytest.raises(ConnectError, match="1040"):
            rig.db.query("SELECT 1")
        rig.undo.close()
        before = rig.proxy.accepted
        with when(lambda: rig.proxy.accepted > before + 1, others.pop().close):  # one has been refused by then
            assert works(rig)
    finally:
        with own_sandbox.server.root() as root:
            root.execute(f"SET GLOBAL max_connections = {limit}")
        for other in others:
            other.close()


def take_place(sandbox, others):
    """Whether there was one."""
    with suppress(ConnectError):
        others.append(Connection(login_of_tester(sandbox)))
        return True
    return False


def test_failover_leads_to_the_new_writer(make_rig, own_sandbox):
    """The name leads elsewhere from now on; the connection follows it."""
    second = own_sandbox.add_server()
    create_tester(second)
    with second.root() as root:
        root.execute("CREATE TABLE scratch.ledger (a BIGINT)")
        root.execute("INSERT INTO scratch.ledger VALUES (41), (42)")
    rig = make_rig()
    assert rig.db.query("SELECT COUNT(*) AS n FROM ledger")["n"].tolist() == [0]
    rig.proxy.upstream = second.port
    rig.proxy.cut()
    assert rig.db.query("SELECT COUNT(*) AS n FROM ledger")["n"].tolist() == [2]
    # The old writer comes back as a reader, and a connection is left on it.
    rig.proxy.upstream = own_sandbox.server.port
    stale = make_rig()
    stale.root("SET GLOBAL read_only = 1")
    try:
        stale.db.execute("SET @since = 5")
        stale.proxy.upstream = second.port
        with pytest.raises(StatementError, match="1290") as caught:
            stale.db.execute("INSERT INTO ledger VALUES (43)")
        assert "the new writer: run the statement again" in caught.value.hint
        assert stale.db.execute("INSERT INTO ledger VALUES (43)") == 1
        assert "user variables" in stale.notes[-1]
    finally:
        stale.root("SET GLOBAL read_only = 0")
    with second.root() as root:
        root.execute("SELECT COUNT(*) FROM scratch.ledger")
        assert root.fetchone() == (3,)
    assert rig.rows() == 0
    second.stop()


def test_a_server_that_stays_read_only(rig):
    """Not a failover: the same server answers, so the connection and what it holds stay."""
    rig.db.execute("SET @kept = 5")
    rig.root("SET GLOBAL read_only = 1")
    try:
        with pytest.raises(StatementError, match="1290") as caught:
            rig.db.execute("INSERT INTO ledger VALUES (1)")
        assert "connect to the writer" in caught.value.hint
        assert rig.db.query("SELECT @kept AS k")["k"].tolist() == [5]
    finally:
        rig.root("SET GLOBAL read_only = 0")


# What the network does


def test_it_comes_back_within_the_time_to_connect(make_rig):
    rig = make_rig()
    rig.proxy.refuse()
    rig.proxy.cut()
    with when(lambda: rig.proxy.refused > 1, lambda: rig.proxy.refuse(False)):
        assert works(rig)


def test_lost_twice_in_a_row(rig):
    """The second loss is told; there is no third try."""
    rig.proxy.lose_next_request()
    rig.db.notify = lambda _: rig.proxy.lose_next_request()  # told when the connection is open again
    with pytest.raises(ConnectionLostError, match="twice"):
        rig.db.query("SELECT COUNT(*) AS n FROM ledger")
    rig.db.notify = rig.notes.append
    assert works(rig)


# What AWS does


def test_an_established_session_outlives_its_right(rig, principal):
    principal.revoke()
    try:
        assert works(rig)
    finally:
        principal.permit()


def test_expired_static_credentials_are_found_before_signing(inside, monkeypatch):
    import rds_iam_magic

    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z")
    before = len(inside.refusals())
    with pytest.raises(CredentialsError, match="have expired"):
        rds_iam_magic.connect("sandbox", user="reader")
    assert len(inside.refusals()) == before, "nothing was signed or sent"


@pytest.mark.parametrize("external_id", [None, "partner-7"])
@pytest.mark.usefixtures("inside")
def test_a_role_is_assumed(external_id):
    import rds_iam_magic

    role = "arn:aws:iam::123456789012:role/analytics"
    who = {"user": "reader", "profile": "stranger"}
    with rds_iam_magic.connect("sandbox", **who, role_arn=role, external_id=external_id) as db:
        assert db.query("SELECT 1 AS a")["a"].tolist() == [1]
    with pytest.raises(AccessDeniedError):
        rds_iam_magic.connect("sandbox", **who)


# What the user does


@pytest.mark.parametrize(
    "sql",
    ["SELECT SLEEP(600)", "SELECT seq, REPEAT('x', 1000), SLEEP(IF(seq < 3000, 0, 600)) FROM seq_1_to_3000"],
    ids=["before the first row", "among the rows"],
)
def test_an_interrupt_ends_the_query_on_the_server(rig, sql):
    """Long before its own end; transaction and temporary tables stay, every time."""
    rig.db.execute("CREATE TEMPORARY TABLE kept (a INT); INSERT INTO kept VALUES (7)")
    rig.db.execute("BEGIN; INSERT INTO ledger VALUES (1)")
    before = connection_id(rig.db)
    for _ in range(3):
        began = time.monotonic()
        sleeps = interrupt_when(lambda: works_on(rig.server, before, "User sleep"))
        with pytest.raises(KeyboardInterrupt), sleeps:
            rig.db.query(sql)
        assert time.monotonic() - began < LONG
        wait_until(lambda: rests(rig.server, before), "the end of the query on the server")
        assert rig.db.query("SELECT a FROM kept")["a"].tolist() == [7]
        assert connection_id(rig.db) == before
    rig.db.execute("COMMIT")
    assert rig.rows() == 1


def test_a_second_interrupt_gives_up_the_connection_at_once(make_rig):
    """When the query cannot be ended (the network is silent), a second press does not wait for it."""
    rig = make_rig(timeouts=Timeouts(command=2 * LONG))
    rig.proxy.freeze()
    rig.proxy.be_silent()
    before = rig.proxy.accepted
    began = time.monotonic()
    first = interrupt_when(lambda: rig.proxy.holds_back)
    second = interrupt_when(lambda: rig.proxy.accepted > before)  # the session that is to end the query
    with pytest.raises(KeyboardInterrupt), first, second:
        rig.db.query("SELECT SLEEP(600)")
    assert time.monotonic() - began < LONG
    rig.proxy.be_silent(False)
    assert works(rig)


def test_a_time_limit_of_the_server(make_rig):
    rig = make_rig(settings=SessionSettings(timeout=0.5))
    began = time.monotonic()
    with pytest.raises(StatementError, match="1969") as caught:
        rig.db.query("SELECT SLEEP(600), COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000 b")
    assert "timeout=" in caught.value.hint
    assert time.monotonic() - began < LONG
    assert works(rig)


def test_a_time_limit_from_here_is_the_last_resort(make_rig):
    """The server's own limit is switched off, as where MySQL has none."""
    rig = make_rig(settings=SessionSettings(timeout=0.5))
    rig.db.execute("SET SESSION max_statement_time = 0")
    before = connection_id(rig.db)
    with pytest.raises(ResultError, match="time limit"):
        rig.db.query("SELECT SLEEP(600)")
    assert works(rig)
    assert connection_id(rig.db) == before, "the query was ended, not the connection"


def test_modes_hold_after_a_reconnect(make_rig):
    settings = SessionSettings(read_only=True, safe_updates=True, time_zone="+09:00", autocommit=False, timeout=30)
    rig = make_rig(settings=settings)

    def modes():
        return (
            rig.db.query(
                "SELECT @@tx_read_only, @@sql_safe_updates, @@time_zone, @@autocommit, @@max_statement_time, DATABASE()"
            )
            .iloc[0]
            .tolist()
        )

    expected = [1, 1, "+09:00", 0, 30.0, "scratch"]
    assert modes() == expected
    with pytest.raises(StatementError, match="1792"):
        rig.db.execute("INSERT INTO ledger VALUES (1)")
    rig.db.execute("ROLLBACK")
    kill(rig)
    assert modes() == expected


def test_what_the_session_had_comes_back_or_is_named(rig):
    rig.db.execute("CREATE DATABASE IF NOT EXISTS scratch; USE information_schema")
    rig.db.execute("SET @v = 5; CREATE TEMPORARY TABLE scratch.t (a INT); SET SESSION autocommit = 0")
    kill(rig)
    assert rig.db.query("SELECT DATABASE() AS d, @@autocommit AS a").iloc[0].tolist() == ["information_schema", 0]
    (note,) = [note for note in rig.notes if "reopened" in note]
    assert "temporary tables" in note
    assert "user variables" in note


@pytest.mark.parametrize(
    ("before", "sql", "words"),
    [
        ("SET @v = 5", "SELECT @v AS v", "user variables"),
        ("CREATE TEMPORARY TABLE mine (a INT)", "SELECT * FROM mine", "temporary tables"),
        ("PREPARE p FROM 'SELECT 1'", "EXECUTE p", "prepared statements"),
        ("INSERT INTO ledger VALUES (1)", "SELECT LAST_INSERT_ID()", "LAST_INSERT_ID"),
    ],
)
def test_a_statement_that_needs_what_is_gone_is_refused(rig, before, sql, words):
    rig.db.execute(before)
    kill(rig)
    with pytest.raises(ConnectionLostError, match=words):
        rig.db.query(sql)
    assert works(rig)


def test_transactions_across_calls(rig):
    rig.db.execute("BEGIN")
    rig.db.execute("INSERT INTO ledger VALUES (1)")
    assert rig.db.transaction_since is not None
    rig.db.execute("ROLLBACK")
    assert rig.db.transaction_since is None
    assert rig.rows() == 0
    rig.db.execute("BEGIN; INSERT INTO ledger VALUES (1); COMMIT")
    assert rig.db.transaction_since is None
    assert rig.rows() == 1


def test_closing_with_an_open_transaction_says_so(rig):
    rig.db.execute("BEGIN; INSERT INTO ledger VALUES (1)")
    rig.db.close()
    assert any("rolled it back" in note for note in rig.notes)
    assert rig.rows() == 0


def test_threads_take_turns(rig):
    """Each thread's statements run whole, on one session."""
    errors = []

    def work(number):
        try:
            for _ in range(15):
                frame = rig.db.query(f"SELECT {number} AS n, CONNECTION_ID() AS id; SELECT {number} AS m")
                assert frame["m"].tolist() == [number]
        except Exception as error:  # noqa: BLE001 - told by the test
            errors.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_two_connections_never_mix(make_rig):
    first, second = make_rig(), make_rig()
    first.db.execute("SET @who = 1")
    second.db.execute("SET @who = 2")
    batches = first.db.batches("SELECT seq, @who AS w FROM seq_1_to_50000", rows=1000)
    assert next(batches).column(1)[0].as_py() == 1
    assert second.db.query("SELECT @who AS w")["w"].tolist() == [2]
    assert sum(batch.num_rows for batch in batches) == 49_000


def test_the_same_thread_is_not_locked_out_silently(rig):
    batches = rig.db.batches("SELECT seq FROM seq_1_to_50000", rows=1000)
    next(batches)
    with pytest.raises(ResultError, match="another query"):
        rig.db.query("SELECT 1")
    batches.close()
    assert works(rig)


def _in_child(db, answers):
    try:
        answers.put(db.query("SELECT CONNECTION_ID() AS id").loc[0, "id"])
        db.close()
    except BaseException as error:  # noqa: BLE001 - told by the test
        answers.put(repr(error))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_fork_does_not_share_the_socket(rig):
    context = multiprocessing.get_context("fork")
    rig.db.execute("CREATE TEMPORARY TABLE mine (a INT)")
    own = connection_id(rig.db)
    answers = context.SimpleQueue()
    child = context.Process(target=_in_child, args=[rig.db, answers])
    child.start()
    other = answers.get()
    child.join(LONG)
    assert child.exitcode == 0
    assert int(other) != own
    assert rig.db.query("SELECT COUNT(*) AS n FROM mine")["n"].tolist() == [0], "the parent's session is untouched"
    answers.close()
    child.close()


def _drop_in_child(db, batches, answers):
    notes = []
    db.notify = notes.append
    try:
        batches.close()
        del batches
        gc.collect()
        db.close()
        answers.put(notes)
    except BaseException as error:  # noqa: BLE001 - told by the test
        answers.put(repr(error))


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_child_leaves_the_parents_stream_and_transaction_alone(rig):
    """It drops the iterator and closes the connection: that ends no query of the parent's, and tells of no rollback."""
    rig.db.execute("BEGIN; INSERT INTO ledger VALUES (1)")
    batches = rig.db.batches("SELECT seq, REPEAT('x', 1000) AS filler FROM seq_1_to_60000", rows=1000)
    assert next(batches).num_rows == 1000
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=_drop_in_child, args=[rig.db, batches, answers])
    child.start()
    assert answers.get() == []
    child.join(10)
    assert child.exitcode == 0
    assert sum(batch.num_rows for batch in batches) == 59_000
    rig.db.execute("COMMIT")
    assert rig.rows() == 1
    answers.close()
    child.close()


def test_what_the_sql_does_not_tell_does_not_run_twice(rig):
    """A view that calls a function that writes looks like a table; the server itself refuses it the second time."""
    rig.root("CREATE OR REPLACE TABLE scratch.calls (a INT) ENGINE=MyISAM")  # written at once, whatever comes then
    rig.root(
        "CREATE OR REPLACE FUNCTION scratch.writes() RETURNS INT MODIFIES SQL DATA "
        "BEGIN INSERT INTO scratch.calls VALUES (1); RETURN SLEEP(600); END"
    )
    rig.root("CREATE OR REPLACE VIEW scratch.innocent AS SELECT scratch.writes() AS w")
    number = rig.connection_id

    def inject():
        rig.proxy.cut()
        end_session(rig.server, number)  # it has written, and sleeps; its lock would hold up the second run

    loss = when(lambda: works_on(rig.server, number, "User sleep"), inject)
    with pytest.raises(ConnectionLostError, match=r"may have taken effect.*it writes"), loss:
        rig.db.query("SELECT * FROM innocent")
    assert rig.root("SELECT COUNT(*) FROM scratch.calls") == ((1,),)
    rig.db.execute("INSERT INTO ledger VALUES (1)")
    assert rig.rows() == 1, "the next statement may write again"


@pytest.mark.parametrize("after", ["SELECT COUNT(*) AS n FROM ledger", "SELECT nonsense FROM ledger", "SHOW TABLES"])
def test_the_second_run_leaves_no_transaction_behind(rig, after):
    rig.proxy.lose_next_request(answer_only=True)
    with suppress(StatementError):
        rig.db.query(after)
    assert rig.db.transaction_since is None
    assert rig.db.execute("INSERT INTO ledger VALUES (1)") == 1
    assert rig.rows() == 1


def test_a_long_query_goes_on_though_nobody_may_ask_for_it(make_rig, principal):
    """The second session is refused, so it cannot be told whether the server still works: then it is not given up."""
    rig = make_rig(timeouts=Timeouts(no_data=0.3))
    before = len(rig.sandbox.refusals())
    principal.revoke()
    try:
        with rig.gate(), when(lambda: len(rig.sandbox.refusals()) >= before + 3, rig.open_gate):
            assert rig.db.query("SELECT COUNT(*) AS n FROM gate")["n"].tolist() == [1]
    finally:
        principal.permit()
    assert rig.notes == []


@pytest.mark.parametrize("statement", ["SELECT LENGTH('{}') AS n", "INSERT INTO ledger SELECT LENGTH('{}')"])
def test_a_network_that_takes_nothing_more_in_the_middle_of_a_statement(make_rig, statement):
    """Not all of it was sent, so that it has not run: it runs on a new session."""
    rig = make_rig(timeouts=Timeouts(no_data=0.5))
    rig.proxy.freeze()
    sql = statement.format("x" * 12_000_000)
    if statement.startswith("SELECT"):
        assert rig.db.query(sql)["n"].tolist() == [12_000_000]
    else:
        assert rig.db.execute(sql) == 1
        assert rig.rows() == 1
    assert rig.notes == ["the connection was lost and has been reopened."]


def test_an_interrupted_ping_leaves_no_answer_behind(make_rig):
    """Were the session used on, the next statement would be given the ping's row."""
    rig = make_rig(timeouts=Timeouts(idle=0.0, check=LONG))
    rig.proxy.freeze()
    with pytest.raises(KeyboardInterrupt), interrupt_when(lambda: rig.proxy.holds_back):
        rig.db.query("SELECT 41 AS answer")
    rig.proxy.thaw()
    assert rig.db.query("SELECT 42 AS answer")["answer"].tolist() == [42]


def test_an_implicit_commit_before_a_time_limit_is_seen(make_rig):
    rig = make_rig(settings=SessionSettings(timeout=0.5))
    rig.db.execute("SET SESSION max_statement_time = 0; BEGIN; INSERT INTO ledger VALUES (1)")
    with pytest.raises(ResultError, match="time limit"):
        rig.db.execute("CREATE OR REPLACE TABLE copied AS SELECT SLEEP(600) AS s")
    assert rig.db.transaction_since is None
    assert rig.db.rows_changed == 0
    assert rig.rows() == 1


@pytest.fixture
def through_rds_proxy(make_rig, own_sandbox):
    """A rig whose endpoint is taken for an RDS Proxy's."""
    return make_rig(endpoint=replace(parse_host_name(own_sandbox.endpoint), kind=Kind.PROXY))


def test_nothing_is_killed_through_a_proxy(through_rds_proxy):
    """There a connection's id may be somebody else's by now; the session is given up instead."""
    rig = through_rds_proxy
    before = connection_id(rig.db)
    assert len(rig.db.query(MANY_ROWS, limit=10)) == 10
    assert rig.db.lost
    assert works(rig)
    assert connection_id(rig.db) != before


def test_a_connection_that_was_given_up_still_tells_of_itself(through_rds_proxy):
    rig = through_rds_proxy
    rig.db.query(MANY_ROWS, limit=10)
    assert rig.db.lost
    assert "MariaDB" in rig.db.server_version
    assert rig.db.tls_version == "TLSv1.3"
    assert works(rig)
    assert not rig.db.lost


def test_the_connection_id_is_the_servers(rig):
    first = rig.db.connection_id
    assert first == connection_id(rig.db)
    kill(rig)
    assert works(rig)
    assert rig.db.connection_id == connection_id(rig.db) != first
    rig.db.close()
    with pytest.raises(NotConnectedError, match="closed"):
        _ = rig.db.connection_id


def test_verified_tls_after_a_reconnect_too(make_rig, own_sandbox):
    """The context is the same for every session: another authority's certificate is refused then as well."""
    import trustme

    from tests.support.listener import Listener

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(own_sandbox.endpoint).configure_cert(context)
    rig = make_rig()
    with Listener(tls=True, context=context) as listener:
        rig.proxy.upstream = listener.port
        rig.proxy.cut()
        with pytest.raises(ConnectError):
            rig.db.query("SELECT 1")
        assert b"X-Amz" not in listener.received
    rig.proxy.upstream = own_sandbox.server.port
