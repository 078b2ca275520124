"""Users are created as the master, once, exactly as named; and nobody's password user is touched."""

import json
import re

import pytest

from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.connecting import connect_as_master
from rds_iam_magic.errors import AccessDeniedError, OptionError, UserSetupError
from rds_iam_magic.setup.users import Grant, create_user, parse_grant

SECRET = "sandbox/standalone/master"


@pytest.fixture
def master(inside):
    with connect_as_master(SECRET, ConnectOptions()) as connection:
        yield connection
    with inside.server.root() as root:
        kept = "'admin', 'reader', 'tester', 'root', 'mariadb.sys'"
        root.execute(f"SELECT User, Host FROM mysql.global_priv WHERE User NOT IN ({kept})")
        for user, host in root.fetchall():
            root.execute("DROP USER IF EXISTS %s@%s", (user, host))


def grants(*texts):
    return [parse_grant(text) for text in texts]


def test_a_new_user(master, inside):
    outcome = create_user(master, "fresh", grants=grants("SELECT ON shop.*"))
    assert outcome.created
    assert outcome.granted
    assert outcome.row.to_dict("records") == [{"User": "fresh", "Host": "%", "Plugin": "AWSAuthenticationPlugin"}]
    with inside.server.root() as root:
        root.execute("SHOW CREATE USER 'fresh'@'%'")
        assert "REQUIRE SSL" in root.fetchone()[0]
        root.execute("SHOW GRANTS FOR 'fresh'@'%'")
        assert any("GRANT SELECT ON `shop`.*" in row[0] for row in root.fetchall())


def test_again_changes_nothing(master):
    create_user(master, "twice", grants=grants("SELECT ON shop.*"))
    outcome = create_user(master, "twice", grants=grants("SELECT ON shop.*"))
    assert not outcome.created
    assert not outcome.granted
    more = create_user(master, "twice", grants=grants("SELECT ON shop.*", "SHOW VIEW ON shop.*"))
    assert not more.created
    assert more.granted


def test_a_password_user_is_refused_and_not_granted_to(master, inside):
    with inside.server.root() as root:
        root.execute("CREATE USER 'typed'@'%' IDENTIFIED BY 'secret'")
    with pytest.raises(UserSetupError, match="nothing was changed"):
        create_user(master, "typed", grants=grants("SELECT ON shop.*"))
    with inside.server.root() as root:
        root.execute("SHOW GRANTS FOR 'typed'@'%'")
        assert not any("shop" in row[0] for row in root.fetchall())


@pytest.mark.parametrize(
    "name",
    ["o'brien", "back`tick", 'dou"ble', "back\\slash", "日本", "x'; DROP TABLE shop.orders; --", "a b", "%", "Case"],
)
def test_names_are_taken_as_they_are(master, inside, name):
    outcome = create_user(master, name, grants=grants("SELECT ON shop.*"))
    assert outcome.row["User"].tolist() == [name]
    with inside.server.root() as root:
        root.execute("SELECT COUNT(*) FROM mysql.global_priv WHERE User = %s", (name,))
        assert root.fetchone() == (1,)
        root.execute("SELECT COUNT(*) FROM shop.orders")
        assert root.fetchone() == (50000,)


def test_a_refused_grant_says_what_is_done(master):
    """The master holds no SUPER, as on RDS; and a privilege's name may be misspelt."""
    for grant, code in (("SUPER ON *.*", 1045), ("SELEKT ON shop.*", 1064)):
        with pytest.raises(UserSetupError, match=f"GRANT {grant.split()[0]} .*refused.*{code}") as caught:
            create_user(master, "halfway", grants=grants("SELECT ON shop.*", grant))
        assert "run this again" in caught.value.hint
        assert ("halfway was created, but" in caught.value.message) == (code == 1045)
    assert not create_user(master, "halfway", grants=grants("SELECT ON shop.*")).granted


def test_one_schema_is_one_schema(master, inside):
    """`_` in a schema's name stands for any character in a grant, unless it is escaped."""
    create_user(master, "narrow", grants=grants("SELECT ON sales_eu.*"))
    create_user(master, "wide", grants=grants("SELECT ON `sales_eu`.*"))
    with inside.server.root() as root:
        root.execute("SELECT User, Db FROM mysql.db WHERE User IN ('narrow', 'wide') ORDER BY User")
        assert root.fetchall() == (("narrow", r"sales\_eu"), ("wide", "sales_eu"))
    assert not create_user(master, "narrow", grants=grants("SELECT ON sales_eu.*")).granted


def test_case_makes_two_users(master):
    create_user(master, "ana", grants=[])
    assert create_user(master, "Ana", grants=[]).created


def test_whether_the_user_may_do_anything(master):
    """Without a grant, a user logs in and sees nothing: that has to be said."""
    bare = create_user(master, "bare", grants=[])
    assert (bare.created, bare.granted, bare.privileged) == (True, False, False)
    given = create_user(master, "bare", grants=grants("SELECT ON shop.orders"))
    assert (given.created, given.granted, given.privileged) == (False, True, True)
    again = create_user(master, "bare", grants=[])
    assert (again.created, again.granted, again.privileged) == (False, False, True)


# What servers of today warn of: https://dev.mysql.com/doc/refman/9.4/en/ (each word's own page)
DEPRECATED = re.compile(r"(?<!AS )\bBINARY\s+\w|\butf8(mb3)?\b|SQL_CALC_FOUND_ROWS|&&|\|\||VALUES\(\w+\)|PROCESSLIST")


def test_our_own_statements_give_no_warning(inside):
    """Neither here nor on a MySQL that warns of old syntax; asked of the server, which logs what came."""
    notes = []
    with inside.server.root() as root:
        root.execute("SELECT @@log_output")
        before = root.fetchone()[0]
        root.execute("SET GLOBAL log_output = 'TABLE'")
        root.execute("TRUNCATE mysql.general_log")
        root.execute("SET GLOBAL general_log = ON")
        try:
            with connect_as_master(SECRET, ConnectOptions(), notify=notes.append) as master:
                create_user(master, "quiet", grants=grants("SELECT ON shop.*"))
                create_user(master, "quiet", grants=grants("SELECT ON shop.*"))
        finally:
            root.execute("SET GLOBAL general_log = OFF")
            root.execute("SET GLOBAL log_output = %s", (before,))
        of_statements = "command_type IN ('Query', 'Prepare') AND user_host LIKE 'admin%'"
        root.execute(f"SELECT argument FROM mysql.general_log WHERE {of_statements}")
        sent = [row[0] if isinstance(row[0], str) else row[0].decode() for row in root.fetchall()]
        root.execute("DROP USER 'quiet'@'%'")
    assert any("mysql.user" in statement for statement in sent)
    assert [statement for statement in sent if DEPRECATED.search(statement)] == []
    assert notes == []


@pytest.mark.parametrize(("name", "host"), [("a\ud800", "%"), (" ", "%"), ("ana", ""), ("ana", "\udfff")])
def test_names_that_are_no_text(master, name, host):
    with pytest.raises(OptionError, match=r"is empty|lone surrogate"):
        create_user(master, name, grants=[], host=host)


@pytest.mark.parametrize("name", ["", "x" * 33])
def test_impossible_names(master, name):
    with pytest.raises(OptionError, match="1 to 32"):
        create_user(master, name, grants=[])


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("SELECT ON shop.*", Grant(("SELECT",), "shop", "*")),
        (" select , show view on `my``shop`.`t 1` ", Grant(("SELECT", "SHOW VIEW"), "my`shop", "t 1", is_pattern=True)),
        ("ALL PRIVILEGES ON *.*", Grant(("ALL PRIVILEGES",), "*", "*")),
    ],
)
def test_grants(text, grant):
    assert parse_grant(text) == grant


@pytest.mark.parametrize(
    "text",
    ["", "SELECT", "SELECT ON shop", "SELECT ON shop.* TO bob", "SELECT; DROP ON a.b", "SELECT ON a.b; --", "ON a.b"],
)
def test_what_is_no_grant(text):
    with pytest.raises(OptionError, match="not a grant"):
        parse_grant(text)


def test_a_wrong_password_in_the_secret(inside):
    client = inside.client("secretsmanager")
    host = inside.hosts[0]
    value = {"username": "admin", "password": "wrong-and-hidden", "host": host, "port": 3306}
    client.create_secret(Name="stale", SecretString=json.dumps(value))
    try:
        with pytest.raises(AccessDeniedError, match="rejected the secret's password") as caught:
            connect_as_master("stale", ConnectOptions())
    finally:
        client.delete_secret(SecretId="stale", ForceDeleteWithoutRecovery=True)
    assert "wrong-and-hidden" not in f"{caught.value!r}{caught.value.detail}"
