"""PyMySQL's own connection behind the guarded handshake: it works as one of PyMySQL, and no token stays in it."""

import copy
import gc
import inspect
import pickle
from traceback import walk_tb

import pymysql
import pytest
from pymysql.connections import Connection
from pymysql.cursors import DictCursor, SSCursor

from rds_iam_magic.drivers.plain_connection import PlainConnection
from rds_iam_magic.errors import AccessDeniedError, OptionError
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.driver import GuardedConnection
from rds_iam_magic.mysql.login import Login
from rds_iam_magic.mysql.session_settings import SessionSettings

pytestmark = pytest.mark.slow  # servers


PLAIN = SessionSettings()


@pytest.fixture
def tokens():
    """The tokens that were signed."""
    return []


@pytest.fixture
def plain(scratch, tokens):
    login = scratch.login()

    def credential():
        signed = login.credential()
        tokens.append(signed.secret.reveal().decode())
        return signed

    counted = Login(**{name: getattr(login, name) for name in Login.__slots__} | {"credential": credential})
    opened = []

    def open_one(settings=PLAIN, **options):
        opened.append(PlainConnection(counted, settings, **options))
        return opened[-1]

    yield open_one
    for connection in opened:
        if connection.open:
            connection.close()


def value(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def test_it_is_a_connection_of_pymysql(plain):
    connection = plain()
    assert isinstance(connection, Connection)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE plain_1 (a INT, b TEXT)")
        assert cursor.executemany("INSERT INTO plain_1 VALUES (%s, %s)", [(1, "é'\\"), (2, None)]) == 2
        cursor.execute("SELECT a, b FROM plain_1 ORDER BY a")
        assert cursor.fetchall() == ((1, "é'\\"), (2, None))
    assert connection.thread_id() == value(connection, "SELECT CONNECTION_ID()")
    assert value(connection, "SELECT @@autocommit") == 0, "as PyMySQL has it"
    connection.ping(reconnect=False)


def test_what_pymysql_knows_after_its_own_handshake_is_known_here(plain, sandbox):
    """The canary for the list of what is taken over."""
    with sandbox.server.root() as root:
        theirs = root.connection
        missing = set(vars(theirs)) - set(vars(plain()))
    assert missing == set()
    for name in ("_force_close", "makefile", "_closed", "_next_seq_id"):
        assert name in inspect.getsource(Connection)


def test_rows_that_are_read_while_they_come(plain):
    connection = plain(cursorclass=SSCursor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, REPEAT('x', 3000) FROM seq_1_to_5000")
        assert sum(number for number, _ in cursor) == 5000 * 5001 // 2


def test_pymysqls_options(plain):
    connection = plain(
        cursorclass=DictCursor, charset="latin1", sql_mode="ANSI_QUOTES", init_command="SET @a = 7", read_timeout=20
    )
    with connection.cursor() as cursor:
        cursor.execute('SELECT @a AS a, @@character_set_client AS "c", @@sql_mode AS m')
        assert cursor.fetchone() == {"a": 7, "c": "latin1", "m": "ANSI_QUOTES"}
    assert value(plain(autocommit=True), "SELECT @@autocommit") == 1
    assert value(plain(collation="utf8mb4_bin"), "SELECT @@collation_connection") == "utf8mb4_bin"


def test_a_read_takes_no_longer_than_allowed(plain):
    connection = plain(read_timeout=0.2)
    with pytest.raises(pymysql.err.OperationalError, match="timed out"):
        value(connection, "SELECT SLEEP(20)")
    assert not connection.open


def test_settings(plain):
    settings = SessionSettings(timeout=0.2, read_only=True, time_zone="+09:00", safe_updates=True)
    connection = plain(settings)
    assert value(connection, "SELECT @@time_zone") == "+09:00"
    assert value(connection, "SELECT @@sql_safe_updates") == 1
    with pytest.raises(pymysql.err.Error, match="READ ONLY"):
        value(connection, "CREATE TABLE plain_2 (a INT)")
    with pytest.raises(pymysql.err.Error, match="max_statement_time"):
        value(connection, "SELECT COUNT(*) FROM seq_1_to_1000000 a, seq_1_to_1000000 b")


def test_a_setting_that_is_rejected(plain):
    with pytest.raises(OptionError, match=r"rejected the setting time zone Mars/Base: .*\(1298\)") as caught:
        plain(SessionSettings(time_zone="Mars/Base"))
    assert caught.value.cause == "time-zone-rejected"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"init_command": "SELEC 1"}, r"rejected the setting init_command: You have an error .* \(1064\)"),
        ({"sql_mode": "NO_SUCH"}, r"rejected the setting sql_mode: .*NO_SUCH.* \(1231\)"),
        ({"charset": "klingon"}, "knows no character set 'klingon'"),
        ({"read_timeout": -1}, "read_timeout should be > 0"),
        ({"max_allowed_packets": 1}, "max_allowed_packets"),
    ],
)
def test_options_that_do_not_work(plain, options, words):
    with pytest.raises(OptionError, match=words):
        plain(**options)


def test_a_connection_for_later(plain, tokens):
    connection = plain(defer_connect=True)
    assert (connection.open, tokens) == (False, [])
    connection.connect()
    assert value(connection, "SELECT 1") == 1


def test_each_login_has_a_token_of_its_own(plain, tokens):
    connection = plain(SessionSettings(time_zone="+01:00"))
    first = connection.thread_id()
    connection.connect()
    assert connection.thread_id() != first
    assert len(tokens) == 2
    assert value(connection, "SELECT @@time_zone") == "+01:00"
    connection.close()
    connection.connect()
    assert len(tokens) == 3
    assert value(connection, "SELECT 1") == 1


def test_a_session_that_has_died_is_pymysqls_error_and_reconnecting_logs_in(plain, tokens, sandbox):
    connection = plain()
    with sandbox.server.root() as root:
        root.execute(f"KILL {connection.thread_id()}")
    with pytest.raises(pymysql.err.OperationalError):
        value(connection, "SELECT 1")
    connection.connect()
    assert value(connection, "SELECT 1") == 1
    assert len(tokens) == 2


def test_no_token_is_kept(plain, tokens):
    connection = plain()
    (token,) = tokens
    signature = token.rpartition("=")[2]
    assert connection.password == b""
    assert "token" not in repr(connection)
    seen, reached = set(), [connection]
    while reached:
        item = reached.pop()
        if id(item) in seen or inspect.ismodule(item) or isinstance(item, type) or item is tokens:
            continue
        seen.add(id(item))
        if isinstance(item, (str, bytes, bytearray)):
            assert signature not in (item if isinstance(item, str) else bytes(item).decode("latin1"))
        if isinstance(item, (dict, list, tuple, set)) or type(item).__module__.startswith(("rds_iam", "pymysql")):
            reached += gc.get_referents(item)
    assert len(seen) > 50
    for take in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be pickled"):
            take(connection)


def test_a_token_that_is_refused(scratch):
    login = scratch.login(credential=lambda: Token(scratch.login(user="nobody").credential().secret), user="reader")
    with pytest.raises(AccessDeniedError, match=r"\(1045\)") as caught:
        PlainConnection(login, SessionSettings())
    assert "Signature" not in str(caught.value) + caught.value.detail
    frames = [frame for frame, _ in walk_tb(caught.value.__traceback__)][1:]  # the first one is this test's own
    assert frames
    assert "Signature" not in repr([frame.f_locals for frame in frames])
    held = [value for frame in frames for value in frame.f_locals.values()]
    assert [value for value in held if isinstance(value, GuardedConnection)] == []
