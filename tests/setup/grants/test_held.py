"""SHOW GRANTS of MySQL and MariaDB: what an account holds, whatever the names; and never how it logs in."""

import pytest
from hypothesis import given

from rds_iam_magic.setup.grants.grant import Level, Privilege, RoleGrant, privileges_sql
from rds_iam_magic.setup.grants.held import Held, all_on, read_grants
from rds_iam_magic.setup.grants.privileges import SCHEMA, STATIC
from rds_iam_magic.sql.quoting import quote_name
from tests.setup.grants.test_grant import NAMES

KNOWN = STATIC | {"GRANT OPTION", "PROXY", "USAGE"}


def set_of(*names):
    return frozenset(map(Privilege, names))


def test_mariadb():
    held = read_grants(
        [
            "GRANT `ro``le` TO `a``b`@`%`",
            "GRANT `boss` TO `a``b`@`%` WITH ADMIN OPTION",
            "GRANT SELECT ON *.* TO `a``b`@`%` IDENTIFIED VIA AWSAuthenticationPlugin USING 'RDS' REQUIRE SSL",
            r"GRANT SELECT ON `s\_h``o'p`.* TO `a``b`@`%`",
            "GRANT SELECT (`name`, `id`), INSERT, UPDATE (`name`) ON `shop`.`customers` TO `a``b`@`%`",
            "GRANT EXECUTE ON PROCEDURE `shop`.`p``q` TO `a``b`@`%`",
            "GRANT EXECUTE, ALTER ROUTINE ON FUNCTION `shop`.`f` TO `a``b`@`%` WITH GRANT OPTION",
            "GRANT USAGE ON `shop`.`orders` TO `a``b`@`%` WITH GRANT OPTION",
            "SET DEFAULT ROLE `ro``le` FOR `a``b`@`%`",
        ],
        KNOWN,
    )
    function, orders = Level("shop", "f", "FUNCTION"), Level("shop", "orders")
    assert held.privileges == {
        Level(): set_of("SELECT"),
        Level(r"s\_h`o'p"): set_of("SELECT"),
        Level("shop", "customers"): {
            Privilege("SELECT", "name"),
            Privilege("SELECT", "id"),
            Privilege("INSERT"),
            Privilege("UPDATE", "name"),
        },
        Level("shop", "p`q", "PROCEDURE"): set_of("EXECUTE"),
        function: set_of("EXECUTE", "ALTER ROUTINE"),
    }
    assert held.grantable == {function: set_of("EXECUTE", "ALTER ROUTINE")}
    assert held.grant_options == {function, orders}
    assert held.roles == {RoleGrant("ro`le"), RoleGrant("boss")}
    assert held.admin_roles == {RoleGrant("boss")}
    assert held.left_out == ()


def test_mysql():
    """As https://dev.mysql.com/doc/refman/8.4/en/show-grants.html and partial-revokes.html show them."""
    held = read_grants(
        [
            "GRANT SELECT, INSERT, CREATE USER ON *.* TO `admin`@`%` WITH GRANT OPTION",
            "GRANT BACKUP_ADMIN,ROLE_ADMIN ON *.* TO `admin`@`%` WITH GRANT OPTION",
            "GRANT CLONE_ADMIN ON *.* TO `admin`@`%`",
            "REVOKE INSERT ON `mysql`.* FROM `admin`@`%`",
            "GRANT ALL PRIVILEGES ON `db1`.* TO `admin`@`%` WITH GRANT OPTION",
            "GRANT `r1`@`%`,`r 2`@`10.%` TO `admin`@`%`",
            "GRANT PROXY ON ``@`` TO `admin`@`%` WITH GRANT OPTION",
        ],
        KNOWN,
    )
    assert held.privileges[Level()] == set_of(
        "SELECT", "INSERT", "CREATE USER", "BACKUP_ADMIN", "ROLE_ADMIN", "CLONE_ADMIN"
    )
    assert held.may_grant(Level()) == {"SELECT", "INSERT", "CREATE USER", "BACKUP_ADMIN", "ROLE_ADMIN"}
    assert held.may_grant(Level("shop")) == {"SELECT", "INSERT"}
    assert held.may_grant(Level("mysql")) == {"SELECT"}
    assert held.may_grant(Level("db1")) == SCHEMA
    assert held.may_grant(Level("db1", "t", "FUNCTION")) == {"EXECUTE", "ALTER ROUTINE", "SHOW CREATE ROUTINE"}
    assert held.restricted == {Level("mysql"): set_of("INSERT")}
    assert held.roles == {RoleGrant("r1", "%"), RoleGrant("r 2", "10.%")}
    assert held.left_out == ("GRANT PROXY",)


def test_mysql_5_7_and_ansi_quotes():
    held = read_grants(
        [
            "GRANT USAGE ON *.* TO 'ana'@'%'",
            'GRANT SELECT (id) ON "shop"."a""b" TO \'ana\'@\'%\'',
            "GRANT LOAD FROM S3, SELECT INTO S3 ON *.* TO 'ana'@'%'",
        ],
        KNOWN,
    )
    assert held.privileges == {
        Level("shop", 'a"b'): {Privilege("SELECT", "id")},
        Level(): set_of("LOAD FROM S3", "SELECT INTO S3"),
    }


@pytest.mark.parametrize(
    "line",
    [
        "GRANT SELECT ON *.* TO `x`@`%` IDENTIFIED BY PASSWORD '*SECRETHASH' WITH GRANT OPTION",
        r"GRANT SELECT ON *.* TO `x`@`%` IDENTIFIED VIA ed25519 USING 'SECRET\'HASH' OR unix_socket REQUIRE X509",
        "GRANT WHAT (EVER) IDENTIFIED BY PASSWORD '*SECRETHASH'",
        "SECRETLY `something` else = 'new'",
    ],
)
def test_no_hash_is_kept(line):
    held = read_grants([line], KNOWN)
    assert "HASH" not in repr(held)
    assert held.privileges or held.left_out


@given(user=NAMES, host=NAMES, schema=NAMES, table=NAMES, column=NAMES)
def test_any_names(user, host, schema, table, column):
    """The account's name is not taken for anything else, such as WITH GRANT OPTION."""
    level = Level(schema, table)
    wanted = [Privilege("SELECT", column), Privilege("INSERT")]
    account = f"{quote_name(user)}@{quote_name(host)}"
    held = read_grants([f"GRANT {privileges_sql(wanted)} ON {level.sql} TO {account}"], KNOWN)
    assert held == Held({level: frozenset(wanted)})


def test_what_is_held_elsewhere():
    held = Held({Level(): set_of("SELECT"), Level("shop"): set_of("INSERT"), Level("shop", "t"): set_of("SELECT")})
    assert held.above(Level("shop", "t"), "SELECT") == [Level()]
    assert held.above(Level("shop", "t"), "INSERT") == [Level("shop")]
    assert held.above(Level("shop"), "SELECT") == [Level()]
    assert held.above(Level(), "SELECT") == []


def test_all():
    assert all_on(Level(), KNOWN) == STATIC
    assert all_on(Level("shop", "p", "PROCEDURE"), frozenset({"EXECUTE", "SELECT", "GRANT OPTION"})) == {"EXECUTE"}
