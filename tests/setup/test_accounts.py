"""The accounts of a server: MariaDB's are asked for, MySQL's answered as its documentation has them."""

import json
import ssl

import pytest
import trustme

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.connecting import connect_as_master
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import UserSetupError
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.login import Login
from rds_iam_magic.setup.accounts import Account, frame_of, has_roles, read_accounts, read_held
from rds_iam_magic.setup.grants.grant import Level, Privilege, RoleGrant, parse_grant
from rds_iam_magic.setup.users import create_user, drop_user, grant_to_user, list_users, revoke_from_user
from tests.support.documented_mysql import DocumentedMySQL
from tests.support.packets import err, packets
from tests.support.wire_server import WireServer

pytestmark = pytest.mark.slow  # servers and kernels

SQL = """
CREATE USER 'one'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL ACCOUNT LOCK;
CREATE USER 'two'@'10.%' IDENTIFIED WITH awsauthenticationplugin AS 'RDS' REQUIRE X509;
CREATE USER 'three'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE ISSUER '/CN=x';
CREATE USER 'four'@'%' IDENTIFIED VIA AWSAuthenticationPlugin USING 'RDS' OR mysql_native_password USING PASSWORD('x');
CREATE USER 'five'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('x') OR AWSAuthenticationPlugin USING 'RDS';
CREATE USER 'six'@'%' IDENTIFIED BY 'a password';
CREATE USER ''@'192.168.%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS';
CREATE ROLE first;
CREATE ROLE second;
GRANT first TO 'one'@'%';
GRANT second TO 'one'@'%';
SET DEFAULT ROLE second FOR 'one'@'%'
"""


@pytest.fixture
def made(inside):
    statements = SQL.strip().split(";\n")
    with inside.server.root() as root:
        for statement in statements:
            root.execute(statement)
    with connect_as_master("sandbox/standalone/master", ConnectOptions()) as master:
        yield master
    with inside.server.root() as root:
        for statement in statements:
            words = statement.split()
            if words[0] == "CREATE":
                root.execute(f"DROP {words[1]} {words[2]}")


def test_what_list_has_on_mariadb(made):
    """Those with another way to log in, too: such a password gets around IAM."""
    rows = list_users(made).set_index("User").drop("reader")
    tester = rows.index == "tester"  # of other tests, if they came first
    assert rows[~tester].to_dict("split")["data"] == [
        ["192.168.%", "AWSAuthenticationPlugin", "none", False, ""],
        ["%", "mysql_native_password or AWSAuthenticationPlugin", "none", False, ""],
        ["%", "mysql_native_password or AWSAuthenticationPlugin", "none", False, ""],
        ["%", "AWSAuthenticationPlugin", "SSL", True, "first, second"],
        ["%", "AWSAuthenticationPlugin", "SPECIFIED", False, ""],
        ["10.%", "awsauthenticationplugin", "X509", False, ""],
    ]
    assert rows.index[~tester].tolist() == ["", "five", "four", "one", "three", "two"]


def test_what_is_found(made):
    there = read_accounts(made)
    assert (there.is_mariadb, there.wildcards, there.resolves_names, there.first) == (True, True, False, ())
    assert {"SELECT", "DELETE HISTORY", "GRANT OPTION"} <= there.known
    assert "shop" in there.schemas
    assert there.find("one", "%").default_roles == (RoleGrant("second"),)
    assert there.find("One", "%") is None
    assert [str(a) for a in there.others("TWO", "%")] == ["@192.168.%", "two@10.%"]
    assert there.named("first") == []
    assert there.near("tree") == ["three"]
    assert there.role(RoleGrant("first")) == there.role(RoleGrant("first", "%")) == RoleGrant("first")
    assert there.role(RoleGrant("one")) is None
    assert not there.find("six", "%").has_plugin


def test_who_may_not_read_them(inside):
    """A secret of another user than the master."""
    arn = "sandbox/other"
    secrets = inside.client("secretsmanager")
    value = {"username": "six", "password": "a password", "host": inside.hosts[0]}
    secrets.create_secret(Name=arn, SecretString=json.dumps(value))
    try:
        with inside.server.root() as root:
            root.execute("CREATE USER 'six'@'%' IDENTIFIED BY 'a password'")
        with connect_as_master(arn, ConnectOptions()) as six, pytest.raises(UserSetupError, match="1142") as caught:
            list_users(six)
        assert caught.value.hint == 'Give the master user\'s secret, with secret="SECRET_ID".'
    finally:
        secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
        with inside.server.root() as root:
            root.execute("DROP USER 'six'@'%'")


def test_names_of_one_line():
    assert str(Account("a\nb\x1b", "%")) == r"a\nb\x1b@%"


def test_no_account():
    assert frame_of([]).columns.tolist() == ["User", "Host", "Plugin", "TLS", "Locked", "Roles"]
    assert frame_of([])["Locked"].dtype == bool


@pytest.mark.parametrize(
    ("version", "roles"),
    [("8.0.36", True), ("8.4.3", True), ("9.1.0", True), ("5.7.44-log", False), ("10.11.6-MariaDB", False)],
)
def test_which_servers_set_roles(version, roles):
    assert has_roles(version) == roles


def test_what_list_has_on_mysql():
    mysql = DocumentedMySQL()
    assert list_users(mysql).to_dict("split")["data"] == [
        ["ana", "%", "AWSAuthenticationPlugin", "SSL", False, "analysts, bosses@10.%"],
        ["ben", "10.%", "AWSAuthenticationPlugin", "none", True, ""],
        ["cleo", "%", "AWSAuthenticationPlugin", "X509", False, ""],
        ["dan", "%", "AWSAuthenticationPlugin", "SPECIFIED", False, ""],
    ]
    assert mysql.sent == ["SET ROLE ALL"]


def test_before_mysql_8_there_are_no_roles():
    mysql = DocumentedMySQL("5.7.44-log", partial_revokes=False)
    assert set(list_users(mysql)["Roles"]) == {""}
    assert read_accounts(mysql).wildcards
    assert mysql.sent == []


def test_the_masters_rights_are_those_of_its_role():
    """From MySQL 8.0.36 on, RDS's master user has rds_superuser_role, and little else."""
    mysql = DocumentedMySQL()
    there = read_accounts(mysql)
    assert not there.wildcards
    assert read_held(mysql, there.known).may_grant(Level("shop")) == {"SELECT", "INSERT"}
    outcome = create_user(
        mysql, "eve", grants=[parse_grant("ALL ON sales_eu.*"), parse_grant("analysts")], dry_run=True
    )
    assert outcome.statements == (
        "SET ROLE ALL",
        "CREATE USER `eve`@`%` IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL",
        "GRANT INSERT, SELECT ON `sales_eu`.* TO `eve`@`%`",
        "GRANT `analysts`@`%` TO `eve`@`%`",
        "SET DEFAULT ROLE `analysts`@`%` TO `eve`@`%`",
    )
    assert set(mysql.sent) == {"SET ROLE ALL"}
    assert "leaves out what the master user may not grant: ALTER, " in outcome.notes[1]


def test_grants_on_mysql():
    mysql = DocumentedMySQL()
    ana = read_held(mysql, read_accounts(mysql).known, Account("ana", "%"))
    assert ana.roles == {RoleGrant("analysts", "%")}
    assert grant_to_user(mysql, "ana", [parse_grant("analysts")]).statements == ()
    assert revoke_from_user(mysql, "ana", [parse_grant("bosses@'10.%'")], dry_run=True).statements == (
        "SET ROLE ALL",
        "REVOKE `bosses`@`10.%` FROM `ana`@`%`",
    )
    assert drop_user(mysql, "cleo", dry_run=True).statements == ("SET ROLE ALL", "DROP USER `cleo`@`%`")
    assert not {Privilege("SELECT")} & set().union(*ana.privileges.values())


def test_mysql_over_the_wire():
    """The same through a connection: the master's roles come first, on each connection."""
    authority = trustme.CA()
    of_server, of_client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert("db.example.com").configure_cert(of_server)
    authority.configure_trust(of_client)
    mysql, notes = DocumentedMySQL(), []
    cannot_prepare = packets([err(1295, b"Not supported")])
    with WireServer(of_server, mysql.answer, prepared=lambda _: cannot_prepare) as server:
        login = Login(
            endpoint=Endpoint("db.example.com", 3306, "us-east-1"),
            user="admin",
            credential=lambda: Token(Secret("a token")),
            context=of_client,
            trust_source="",
            via=Address("127.0.0.1", server.port),
        )
        with Connection(login, notify=notes.append) as master:
            outcome = create_user(master, "eve", grants=[parse_grant("SELECT ON shop.*")])
            assert list_users(master)["User"].tolist() == ["ana", "ben", "cleo", "dan"]
    assert mysql.sent[0] == "SET ROLE ALL"
    assert [sql for sql in mysql.sent if sql != "SET ROLE ALL"] == list(outcome.statements[1:])
    assert notes == []


def test_users_without_the_plugin_on_mysql():
    mysql = DocumentedMySQL()
    with pytest.raises(UserSetupError, match="analysts@% exists and logs in with caching_sha2_password"):
        drop_user(mysql, "analysts")
    assert mysql.sent == ["SET ROLE ALL"]
