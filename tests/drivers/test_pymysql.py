"""`pymysql_connect`: from a target to PyMySQL's connection; what PyMySQL may not decide is refused."""

import inspect

import pytest
from pymysql.connections import Connection

import rds_iam_magic
from rds_iam_magic.drivers import pymysql as module
from rds_iam_magic.errors import OptionError, TlsError


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
