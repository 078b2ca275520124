"""`pymysql_connect`: from a target to PyMySQL's connection; what PyMySQL may not decide is refused."""

import inspect

import pytest
from pymysql.connections import Connection
from pymysql.constants import CLIENT

import rds_iam_magic
from rds_iam_magic.connect_options import CONNECT_ARGUMENTS, ConnectOptions, TargetOptions
from rds_iam_magic.drivers import pymysql as module
from rds_iam_magic.errors import OptionError, TlsError
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.option import options_of
from tests.support.docstrings import read_docstring


def fails(words, hint, target="sandbox", **options):
    with pytest.raises(OptionError) as caught:
        rds_iam_magic.pymysql_connect(target, **options)
    what, then = str(caught.value).split("\n")
    assert words in what
    assert hint in then
    return caught.value


@pytest.mark.parametrize("name", ["password", "passwd", "host", "unix_socket", "read_default_file", "auth_plugin_map"])
def test_options_that_are_refused(name):
    error = fails(f"{name}= cannot be given here.", "Omit it", user="reader", **{name: "s3cret"})
    assert "s3cret" not in str(error)
    assert error.cause == "driver-option-refused"


@pytest.mark.parametrize("name", ["ssl", "ssl_ca", "ssl_disabled", "ssl_verify_cert", "ssl_verify_identity"])
def test_tls_is_not_pymysqls_to_decide(name):
    fails(f"{name}= cannot be given here.", "ca= names another CA bundle", user="reader", **{name: None})


def test_an_option_with_a_typo():
    fails("There is no option cursor_class=.", "Did you mean cursorclass=?", user="reader", cursor_class=None)
    fails("There is no option regoin=.", "Did you mean region=?", user="reader", regoin="eu-west-1")
    fails("There is no option x=.", "PyMySQL's are binary_prefix, charset", user="reader", x=1)


def test_a_user_is_needed():
    fails("The database user is missing.", 'user="USER"')


def test_each_option_of_pymysql_is_passed_on_or_refused():
    """A new one of PyMySQL's has to be thought about."""
    theirs = set(inspect.signature(Connection.__init__).parameters) - {"self"}
    ours = set(inspect.signature(rds_iam_magic.pymysql_connect).parameters)
    refused = set(module._TAKEN) | {name for name in theirs if name.startswith("ssl")}
    assert theirs - ours - refused - set(module._PASSED_ON) == set()
    assert set(module._PASSED_ON) | set(module._TAKEN) <= theirs


FUNCTIONS = [rds_iam_magic.pymysql_connect, rds_iam_magic.sqlalchemy_engine]
NOT_HERE = {
    "pymysql_connect": {"compress", "max_memory", "close_idle", "section"},
    "sqlalchemy_engine": {"compress", "max_memory", "autocommit", "close_idle", "section"},
}
DIFFERENT = {"target", "autocommit"}
INFOS = CONNECT_ARGUMENTS | options_of(ConnectOptions) | options_of(SessionSettings)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_the_options_are_those_of_connect(function):
    signature, theirs = inspect.signature(function), inspect.signature(rds_iam_magic.connect)
    shared = [name for name in signature.parameters if name in INFOS]
    assert set(shared) == set(INFOS) - NOT_HERE[function.__name__]
    assert shared == [name for name in theirs.parameters if name in shared], "in the same order"
    described = read_docstring(function).arguments
    assert list(described) == list(signature.parameters)
    for name in set(shared) - DIFFERENT:
        assert described[name] == INFOS[name].argument_text()
        if name != "user":
            assert signature.parameters[name].default == theirs.parameters[name].default
            assert signature.parameters[name].annotation == theirs.parameters[name].annotation


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_each_option_is_handed_on(monkeypatch, function):
    class Enough(Exception):  # noqa: N818 - no error: it ends the call
        pass

    def login_of(*values, **named):
        raise Enough(values, named)

    monkeypatch.setattr(inspect.getmodule(function), "login_of", login_of)
    given = {name: object() for name in inspect.signature(function).parameters if not name.endswith("_options")}
    given["timeout"] = 7.5
    with pytest.raises(Enough) as caught:
        function(**given)
    (target, options, settings), named = caught.value.args
    own = {name: given[name] for name in ("user", "database", "port", "notify")}
    own["where"] = TargetOptions(**{name: given[name] for name in options_of(TargetOptions)})
    assert (target, named) == (given["target"], own)
    asked = {name: given[name] for name in options_of(ConnectOptions) if name in given}
    assert options == ConnectOptions(**asked, compress="off")
    asked = {name: given[name] for name in options_of(SessionSettings) if name in given}
    assert settings == SessionSettings(**asked | {"autocommit": None})


@pytest.mark.usefixtures("inside")
class TestInside:
    def test_a_target(self):
        with rds_iam_magic.pymysql_connect("sandbox", user="reader", database="shop") as db, db.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM orders WHERE status = %s", ("returned",))
            assert cursor.fetchone() == (2468,)
            cursor.execute("SELECT CURRENT_USER()")
            assert cursor.fetchone() == ("reader@%",)

    def test_a_held_connection_as_the_target(self):
        options = {"user": "reader", "database": "shop", "time_zone": "+09:00", "profile": "inline"}
        with rds_iam_magic.connect("sandbox", **options) as held:
            held.execute("USE information_schema")
            with rds_iam_magic.pymysql_connect(held) as db, db.cursor() as cursor:
                cursor.execute("SELECT @@time_zone, DATABASE(), CONNECTION_ID(), @@autocommit")
                zone, database, number, autocommit = cursor.fetchone()
                assert (zone, database, autocommit) == ("+09:00", "information_schema", 0)
                assert number != held.connection_id
            with rds_iam_magic.pymysql_connect(held, database="shop") as db:
                assert db.db == "shop"
            fails("has its own user and options", "Give only database=", target=held, user="reader")
            fails("has its own user and options", "Give only database=", target=held, region="us-east-1")

    def test_a_wrong_ca_bundle(self, tmp_path):
        import trustme

        other = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(str(other))
        with pytest.raises(TlsError, match="not signed by an authority of the CA bundle; nothing was sent"):
            rds_iam_magic.pymysql_connect("sandbox", user="reader", ca=str(other))


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), "10"])
def test_a_connect_timeout_is_a_number_of_seconds(inside, seconds):
    assert inside.server.pid
    fails("connect_timeout=", "like connect_timeout=30", user="reader", connect_timeout=seconds)


def test_compression_by_a_flag():
    """PyMySQL would wait for plain packets until the time allowed is over."""
    fails("client_flag=COMPRESS cannot", "compressed traffic", user="reader", client_flag=CLIENT.COMPRESS)
