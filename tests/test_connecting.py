"""From a target to a held connection on the real server, and what a user sees when that goes wrong."""

import re
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

import rds_iam_magic
from rds_iam_magic import connecting
from rds_iam_magic.aws import availability
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.connecting import connect_as_master, iam_login
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import (
    AccessDeniedError,
    ConnectError,
    CredentialsError,
    NotConnectedError,
    OptionError,
    RdsIamWarning,
    RegionError,
    ResultError,
    StatementError,
    TargetError,
    TlsError,
    TrustStoreError,
    UnreachableError,
)
from rds_iam_magic.hints import HINTS
from rds_iam_magic.mysql.dial import Address
from tests.support.fake_aws import Changed, answering, with_least_capacity
from tests.support.listener import Listener
from tests.support.logins import login_of_tester
from tests.support.permissions import only

pytestmark = pytest.mark.usefixtures("inside")


def connect(target="sandbox", user="reader", database="shop", **options):
    return rds_iam_magic.connect(target, user=user, database=database, **options)


def fails(kind, words, hint, **options):
    """The error, which says in at most two lines what happened and what to do next."""
    with pytest.raises(kind) as caught:
        connect(**options)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert re.search(words, lines[0]), lines[0]
    assert re.search(hint, lines[1]), lines[1]
    return caught.value


@pytest.mark.parametrize("name", ["sandbox", "standalone", "sandbox-1"])
def test_an_identifier(name):
    with connect(name) as db:
        assert db.login.endpoint.host.startswith(f"{name}.")
        assert db.tls_version == "TLSv1.3"
        assert "MariaDB" in db.server_version
        assert db.query("SELECT CURRENT_USER() AS user").loc[0, "user"] == "reader@%"


def test_an_instance_whose_cluster_may_not_be_described(inside):
    with (
        only(inside, "rds:DescribeDBInstances", "rds-db:connect") as profile,
        connect("sandbox-1", profile=profile) as db,
    ):
        assert db.login.endpoint.host == inside.hosts[2]


def test_a_database_that_starts(inside, monkeypatch):
    """It is told and not dialled; or waited for, once: what a connection opens again is not looked up."""
    monkeypatch.setattr(availability, "STEP", 0.001)
    statuses, notes = ["starting", "starting", "starting"], []

    def change(action, text):
        starts = action == "DescribeDBInstances" and statuses
        return text.replace("<DBInstanceStatus>available<", f"<DBInstanceStatus>{statuses.pop()}<") if starts else text

    with answering(Changed(inside, change)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        error = fails(TargetError, "standalone is starting", "wait=True", target="standalone")
        assert error.cause == "endpoint-not-ready"
        with connect("standalone", wait=True, notify=notes.append) as db:
            assert len(db.query("SELECT 1")) == 1
            assert not db.partitions("SELECT * FROM orders", on="id", n=2)[0].recipe.options.wait
    assert (len(notes), statuses) == (2, [])


def test_a_cluster_that_may_be_paused_has_time_to_resume(inside, monkeypatch):
    """It is not known whether it is paused now; a time that the user has set stays, and a host name tells nothing."""
    notes = []
    with answering(Changed(inside, with_least_capacity("0.0"))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", url)
        for target in ("sandbox", "sandbox-1"):
            with connect(target, notify=notes.append) as db:
                assert db.login.timeout == 60
                assert db.partitions("SELECT * FROM orders", on="id", n=2)[0].recipe.options.connect_timeout == 60
            (note,) = notes
            assert "minimum capacity is 0 ACU" in note
            assert "60 s instead of 10" in note
            notes.clear()
        with connect(connect_timeout=7, notify=notes.append) as db:
            assert db.login.timeout == 7
        with connect(inside.endpoint, notify=notes.append) as db, connect("standalone", notify=notes.append) as other:
            assert (db.login.timeout, other.login.timeout) == (10, 10)
        assert iam_login(ConnectOptions(), "sandbox", user="reader", notify=[].append).timeout == 60
        secret = inside.client("rds").describe_db_clusters(DBClusterIdentifier="sandbox")["DBClusters"][0]
        for given in ({"target": "sandbox"}, {"target": None}):
            with connect_as_master(
                secret["MasterUserSecret"]["SecretArn"], ConnectOptions(), notify=notes.append, **given
            ) as db:
                assert db.login.timeout == 60
            assert "0 ACU" in notes.pop()
    assert notes == []


def test_a_database_that_says_nothing_may_be_paused():
    with Listener(tls=False, silent=True) as listener:
        via = f"127.0.0.1:{listener.port}"
        fails(UnreachableError, "does not answer", "paused .*connect_timeout=", via=via, connect_timeout=0.5)


def test_the_host_names_region_signs_the_token(inside, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    connect(inside.endpoint).close()
    with pytest.warns(RdsIamWarning, match="is in us-east-1 by its name"), pytest.raises(AccessDeniedError):
        connect(inside.endpoint, region="eu-west-1")


def test_a_url(inside):
    for url, named in (
        ("mysql://reader@sandbox/shop", {"user": None, "database": None}),
        (f"mysql+pymysql://reader@{inside.endpoint}:3306/shop", {"user": None, "database": None}),
        (f"mysql://{inside.endpoint}", {"user": "reader", "database": "shop"}),
    ):
        with connect(url, **named) as db:
            assert (db.login.endpoint.host, db.login.user, db.database) == (inside.hosts[0], "reader", "shop")
    fails(OptionError, "user reader, and user tester", "Keep one", target="mysql://reader@sandbox", user="tester")
    fails(OptionError, "user is missing", "user=", target="mysql://sandbox", user=None)


def test_an_arn(inside):
    with connect("arn:aws:rds:us-east-1:123456789012:cluster:sandbox") as db:
        assert db.login.endpoint.host == inside.hosts[0]
    fails(TargetError, "not the ARN of a DB", ":cluster:NAME", target="arn:aws:s3:::bucket")


def test_each_host_name(inside):
    for host in inside.hosts:
        with connect(f"  {host.upper()} ") as db:
            assert db.login.endpoint.host == host


def test_profiles():
    with connect(profile="inline") as db, connect(profile="analytics") as other:
        assert len(db.query("SELECT 1")) == len(other.query("SELECT 1")) == 1


def test_no_right_to_connect():
    error = fails(
        AccessDeniedError,
        r"rejected the token for reader \(1045\)",
        r"rds-db:connect on .*/reader\. Why: rds_iam_magic\.diagnose\(",
        profile="stranger",
    )
    assert "1045" in error.detail


def test_credentials_that_have_expired_are_told_from_a_right_that_is_missing(monkeypatch):
    """Static ones do not tell; so STS is asked, and only when the database has refused."""
    asked = []

    class Sts(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b"<ErrorResponse><Error><Code>ExpiredToken</Code><Message>expired</Message></Error></ErrorResponse>"
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Sts) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{web.server_address[1]}")
            connect().close()
            assert asked == [], "the database let the user in"
            fails(CredentialsError, "have expired", "fresh ones", profile="stranger")
            assert len(asked) == 1
        finally:
            web.shutdown()
            thread.join()


def test_a_user_that_the_database_does_not_know():
    fails(AccessDeniedError, r"no IAM-authenticated user nobody .*\(1045\)", "CREATE USER `nobody`", user="nobody")


def test_a_password_user_gets_no_token(inside):
    with inside.server.root() as root:
        root.execute("CREATE OR REPLACE USER 'old'@'%' IDENTIFIED BY 'x'")
    fails(AccessDeniedError, r"no IAM-authenticated user old ", "create the user", user="old")


def test_a_user_without_a_password_is_not_let_in_without_a_token(inside):
    """Being let in without a token is no IAM authentication, so it is refused."""
    with inside.server.root() as root:
        root.execute("CREATE OR REPLACE USER 'open'@'%'")
    try:
        fails(AccessDeniedError, "no IAM-authenticated user open ", "", user="open", database=None)
    finally:
        with inside.server.root() as root:
            root.execute("DROP USER 'open'@'%'")


def test_an_unknown_database():
    fails(ConnectError, r"Logged in as reader, but .*nowhere", "without database=", database="nowhere")


def test_nothing_listens():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    fails(UnreachableError, "cannot be reached", "via=", via=f"127.0.0.1:{port}")


@pytest.mark.parametrize("handled", [KeyError, TimeoutError, KeyboardInterrupt])
def test_connecting_while_another_error_is_handled(handled):
    """What the user's code was dealing with already is not why connecting fails."""
    try:
        raise handled
    except handled:
        fails(AccessDeniedError, "nobody", "", user="nobody")
        fails(UnreachableError, "does not resolve", "tunnel", via="no-such-host.invalid:3306")


def test_compression():
    with connect(compress="zlib") as db:
        assert db.compression == "zlib"
        assert db.query("SELECT COUNT(*) AS n FROM orders").loc[0, "n"] > 0
    with connect(compress="off") as db:
        assert db.compression == ""
    fails(ConnectError, "does not offer zstd compression; nothing was sent", 'compress="zlib"', compress="zstd")
    fails(OptionError, "compress='gzip' is not valid", "auto, zlib, zstd, off", compress="gzip")


def test_a_name_that_nobody_knows():
    fails(UnreachableError, "does not resolve", "tunnel", via="no-such-host.invalid:3306")


def test_a_server_that_says_nothing():
    with Listener(tls=False, silent=True) as listener:
        fails(
            UnreachableError,
            "does not answer as a MySQL server",
            "",
            via=f"127.0.0.1:{listener.port}",
            connect_timeout=0.5,
        )


def test_a_ca_that_did_not_sign(tmp_path):
    path = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(path)
    error = fails(TlsError, "not signed by an authority of the CA bundle; nothing was sent", "ca=", ca=str(path))
    assert str(path) in error.hint


def test_a_certificate_for_another_host(inside):
    other = inside.hosts[0].replace(".cluster-", ".cluster-x", 1)
    fails(TlsError, "is for another host; nothing was sent", "tunnel", target=other)


def test_a_ca_file_that_is_missing():
    fails(TrustStoreError, "cannot be read", "ca=", ca="/nowhere/bundle.pem")


def test_no_credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.delenv(name)
    fails(CredentialsError, "No AWS credentials", "aws configure|AWS_PROFILE|aws sso login")


def test_no_region(monkeypatch):
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    fails(RegionError, "region", "region=")


def test_an_unknown_profile():
    fails(CredentialsError, "no-such", "profile", profile="no-such")


def test_an_identifier_that_is_not_there():
    error = fails(
        TargetError, "no DB cluster or instance 'sandbocks'", "Similar names there: .*sandbox", target="sandbocks"
    )
    assert "sandbox-1" in error.hint


@pytest.mark.parametrize("target", ["warehouse"])
def test_another_engine(target):
    fails(TargetError, "warehouse is a postgres database", "MySQL", target=target)


@pytest.mark.parametrize("target", ["db.example.com", "127.0.0.1", "localhost", "sandbox:3306"])
def test_a_host_that_is_none_of_rds(target):
    with pytest.raises(TargetError):
        connect(target)


def test_no_user():
    with pytest.raises(OptionError, match="user="):
        connect(user="")


def test_a_statement_that_fails_says_where():
    with connect() as db:
        with pytest.raises(StatementError) as caught:
            db.query("SELECT 1; SELECT * FROM ordres; SELECT 3")
        assert caught.value.code == 1146
        assert caught.value.position == 2
        assert "ordres" in str(caught.value)
        assert db.query("SELECT 1").shape == (1, 1), "the connection goes on"


def test_no_sql():
    with connect() as db:
        for text in ("", "  \n", "-- only a comment", ";;"):
            with pytest.raises(OptionError, match="no SQL"):
                db.query(text)


def test_query_without_rows(db):
    with pytest.raises(ResultError, match="no rows"):
        db.query("SET @a = 1")


def test_execute_counts_the_rows_that_changed(db):
    db.execute("CREATE OR REPLACE TABLE counted (a INT)")
    assert db.execute("INSERT INTO counted VALUES (1), (2); INSERT INTO counted VALUES (3)") == 3
    assert db.execute("SELECT * FROM counted") == 0
    assert db.execute("UPDATE counted SET a = a + 1 WHERE a > 1") == 2
    db.execute("DROP TABLE counted")


def test_the_sql_arrives_byte_for_byte(db):
    """Hints, executable comments, quotes, %, {}, $, <<, := and unusual spaces."""
    text = "SELECT '%s {x} $HOME << :=', /*!40101 'run' */ AS a, \"it''s\" AS `b``c`, 'ünï ☃ 𝄞' -- end\n"
    frame = db.query(text)
    assert list(frame.iloc[0]) == ["%s {x} $HOME << :=", "run", "it''s", "ünï ☃ 𝄞"]
    assert list(frame.columns)[1:3] == ["a", "b`c"]


def test_a_closed_connection(db):
    db.close()
    db.close()
    assert db.closed
    with pytest.raises(NotConnectedError, match="closed"):
        db.query("SELECT 1")


def test_no_secret_in_a_repr(inside):
    with connect() as db:
        shown = repr(db) + repr(db.login) + str(vars(db))
    assert not any(secret in shown for _, secret in inside.keys.values())
    assert "X-Amz" not in shown


def test_a_fresh_token_for_every_attempt(sandbox):
    given = []
    login = login_of_tester(sandbox, user="reader", database="shop")
    first = login.credential

    def counted():
        given.append(first())
        return given[-1]

    with pytest.raises(AccessDeniedError):
        Connection(login_of_tester(sandbox, user="reader", credential=counted))
    with pytest.raises(AccessDeniedError):
        Connection(login_of_tester(sandbox, user="reader", credential=counted))
    assert len(given) == 2
    assert given[0] is not given[1]


def test_tls_is_verified_for_the_endpoint_through_a_tunnel(sandbox):
    """The tunnel's own address in the certificate would not do: the endpoint's name is what counts."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    with Listener(tls=True, context=context) as listener, pytest.raises(TlsError, match="for another host"):
        login_of_tester(sandbox, context=trusted, via=Address("127.0.0.1", listener.port)).open()


@pytest.mark.parametrize(
    ("given", "kind", "doctor"),
    [
        ({"user": "nobody"}, AccessDeniedError, "diagnose('sandbox', user='nobody')"),
        (
            {"user": "reader", "profile": "stranger", "read_only": True, "reader": True},
            AccessDeniedError,
            "diagnose('sandbox', user='reader', reader=True, profile='stranger')",
        ),
        ({"target": "nowhere", "user": "reader"}, TargetError, "diagnose('nowhere', user='reader')"),
        (
            {"user": "reader", "via": "127.0.0.1:1", "connect_timeout": 5},
            UnreachableError,
            "diagnose('sandbox', user='reader', via='127.0.0.1:1', connect_timeout=5)",
        ),
    ],
)
def test_a_failed_connect_ends_with_what_says_why(given, kind, doctor):
    with pytest.raises(kind) as caught:
        rds_iam_magic.connect(**{"target": "sandbox", **given})
    assert str(caught.value).endswith(f" Why: rds_iam_magic.{doctor}")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"user": "reader", "profile": "nope"}, CredentialsError),
        ({"user": "reader", "database": "nope"}, ConnectError),
        ({"user": "reader", "compress": "nope"}, OptionError),
        ({"user": "reader", "via": "127.0.0.1:3306", "ssh": "bastion"}, OptionError),
    ],
)
def test_where_nothing_more_can_be_found_out_the_error_says_it_all(given, kind):
    with pytest.raises(kind) as caught:
        rds_iam_magic.connect("sandbox", **given)
    assert "diagnose" not in str(caught.value)


def test_the_causes_about_which_nothing_more_can_be_found_out_are_causes():
    assert set(HINTS) > connecting._SELF_EVIDENT
