"""Users are created as the master, once, exactly as named; and nobody's password user is touched."""

import json
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.connecting import connect, connect_as_master
from rds_iam_magic.errors import AccessDeniedError, OptionError, StatementError, UserSetupError
from rds_iam_magic.hints import Interface
from rds_iam_magic.setup.account_names import check_user
from rds_iam_magic.setup.accounts import PLUGIN, read_accounts
from rds_iam_magic.setup.grants.grant import parse_grant
from rds_iam_magic.setup.grants.privileges import ROUTINE, SCHEMA, STATIC, TABLE
from rds_iam_magic.setup.users import (
    create_user,
    drop_user,
    grant_to_user,
    list_users,
    revoke_from_user,
    show_user,
)
from rds_iam_magic.sql.quoting import quote_name

pytestmark = pytest.mark.slow  # servers and kernels

SECRET = "sandbox/standalone/master"


@pytest.fixture
def master(inside):
    with connect_as_master(SECRET, ConnectOptions()) as connection:
        yield connection
    clean(inside)


def clean(inside):
    """Drop what tests have made: users, roles, routines."""
    with inside.server.root() as root:
        kept = "'admin', 'reader', 'tester', 'root', 'mariadb.sys'"
        root.execute(f"SELECT User, Host, Priv LIKE '%%is_role%%' FROM mysql.global_priv WHERE User NOT IN ({kept})")
        for user, host, is_role in root.fetchall():
            name = quote_name(user)
            root.execute(f"DROP ROLE {name}" if is_role else f"DROP USER {name}@{quote_name(host)}")
        root.execute("DROP PROCEDURE IF EXISTS shop.`p``'q`")
        root.execute("DROP FUNCTION IF EXISTS shop.`p``'q`")


def state(inside, *names):
    """All that the server's tables hold of users."""
    tables = {
        "global_priv": "User, Host, JSON_REMOVE(Priv, '$.password_last_changed')",
        "db": "*",
        "tables_priv": "Host, Db, User, Table_name, Table_priv, Column_priv",
        "columns_priv": "Host, Db, User, Table_name, Column_name, Column_priv",
        "procs_priv": "Host, Db, User, Routine_name, Routine_type, Proc_priv",
        "roles_mapping": "*",
    }
    rows = {}
    with inside.server.root() as root:
        for table, columns in tables.items():
            root.execute(f"SELECT {columns} FROM mysql.{table} WHERE User IN %s ORDER BY 1, 2, 3", (names,))
            rows[table] = root.fetchall()
    return rows


def grants(*texts):
    return [parse_grant(text) for text in texts]


def test_a_new_user(master, inside):
    outcome = create_user(master, "fresh", grants=grants("SELECT ON shop.*"))
    assert outcome.created
    assert outcome.granted
    assert outcome.row.to_dict("records") == [
        {"User": "fresh", "Host": "%", "Plugin": PLUGIN, "TLS": "SSL", "Locked": False, "Roles": ""}
    ]
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
    """The master holds no SUPER, as on RDS; and Aurora's privileges are no others' privileges."""
    for grant, code in (("SUPER ON *.*", 1045), ("INVOKE LAMBDA ON *.*", 1064)):
        with pytest.raises(UserSetupError, match=f"GRANT {grant.split()[0]} .*refused.*{code}") as caught:
            create_user(master, "halfway", grants=grants("SELECT ON shop.*", grant))
        assert "run this again" in caught.value.hint
        assert caught.value.message.startswith("halfway was created, but" if code == 1045 else "GRANT INVOKE")
    assert not create_user(master, "halfway", grants=grants("SELECT ON shop.*")).granted


def test_a_misspelt_privilege_changes_nothing(master):
    with pytest.raises(UserSetupError, match="no privilege SELEKT; nothing was changed"):
        create_user(master, "unborn", grants=grants("SELEKT ON shop.*"))
    assert "unborn" not in list_users(master)["User"].tolist()


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
    assert any("mysql.global_priv" in statement for statement in sent)
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


HOSTILE = [
    "o'brien \"dou``ble` \\\\",
    "``",
    "日本のユーザー",
    "x'; DROP TABLE shop.orders; --",
    "`@`%`; DROP USER admin; -- x",
    "%",
    "ünï\ncode /*! DROP */ #",
    "x" * 32,
    "é" * 32,
    "WITH GRANT OPTION",
    "\x1b[31mred",
]
EVERYTHING = (
    "SELECT, INSERT ON shop.*",
    "SELECT ON `sh%`.*",
    "SELECT (id, name), UPDATE (name), INSERT ON shop.customers",
    "EXECUTE ON PROCEDURE shop.`p``'q`",
    "EXECUTE, ALTER ROUTINE ON FUNCTION shop.`p``'q`",
    "PROCESS ON *.*",
    "`ro``l'e`",
)


@pytest.fixture
def routines(master):
    master.execute("CREATE PROCEDURE shop.`p``'q`() SELECT 1")
    master.execute("CREATE FUNCTION shop.`p``'q`() RETURNS INT RETURN 1")
    master.execute("CREATE ROLE `ro``l'e`")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.usefixtures("routines")
def test_a_users_life(master, inside, name):
    """Created, granted, shown, listed, revoked and dropped, each twice; only the first time does anything."""
    everything = grants(*EVERYTHING)
    assert create_user(master, name).created
    assert create_user(master, name).statements == ()
    assert grant_to_user(master, name, everything).granted
    assert grant_to_user(master, name, everything).statements == ()
    (account,) = show_user(master, name).grants.items()
    assert set(map(parse_grant, account[1])) == set(grants(*account[1]))
    assert len(account[1]) == len(everything)
    assert name in list_users(master)["User"].tolist()
    assert list_users(master).set_index("User").loc[name, "Roles"] == "ro`l'e"
    assert revoke_from_user(master, name, everything).granted
    assert revoke_from_user(master, name, everything).statements == ()
    assert show_user(master, name).grants[account[0]] == []
    assert drop_user(master, name).granted
    assert drop_user(master, name).statements == ()
    assert not any(map(len, state(inside, name).values()))
    with inside.server.root() as root:
        root.execute("SELECT COUNT(*) FROM shop.orders")
        assert root.fetchone() == (50000,)


NAMES = st.text(
    st.characters(max_codepoint=0xFFFF, exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=32
)


def usable(name):
    try:
        check_user(name)
    except OptionError:
        return False
    return True


@settings(max_examples=15)
@given(name=NAMES.filter(usable))
def test_any_name(master, inside, name):
    kept = {"admin", "reader", "tester", "root", "mariadb.sys"}
    assume(name not in kept)
    outcome = create_user(master, name, grants=grants("SELECT (id) ON shop.orders"))
    assert outcome.row["User"].tolist() == [name]
    assert outcome.privileged
    assert create_user(master, name, grants=grants("SELECT (id) ON shop.orders")).statements == ()
    assert drop_user(master, name).statements
    assert drop_user(master, name).statements == ()
    assert set(name_of(inside)) <= kept


def name_of(inside):
    with inside.server.root() as root:
        root.execute("SELECT User FROM mysql.global_priv")
        return [row[0] for row in root.fetchall()]


DOINGS = {
    "create": lambda m, n, dry: create_user(m, n, grants=grants(*EVERYTHING, "ALL ON sales_eu.*"), dry_run=dry),
    "like": lambda m, n, dry: create_user(m, n, like="model", host="10.%", dry_run=dry),
    "grant": lambda m, n, dry: grant_to_user(m, n, grants("ALL ON *.*", "ALL ON shop.orders", "r2"), dry_run=dry),
    "revoke": lambda m, n, dry: revoke_from_user(
        m,
        n,
        grants("ALL ON shop.*", "SELECT ON shop.customers", "`ro``l'e`", "EXECUTE ON FUNCTION shop.`p``'q`"),
        dry_run=dry,
    ),
    "drop": lambda m, n, dry: drop_user(m, n, dry_run=dry),
}


@pytest.mark.parametrize("doing", DOINGS)
@pytest.mark.parametrize("name", ["ana", "o'b`r\\ien; --\"日%"])
@pytest.mark.usefixtures("routines")
def test_the_dry_run_is_what_runs(master, inside, doing, name):
    """Its SQL, run by hand, leads to the same state; and it leads to none by itself."""
    master.execute("CREATE ROLE r2")
    create_user(master, "model", grants=grants(*EVERYTHING))
    if doing not in ("create", "like"):
        create_user(master, name, grants=grants(*EVERYTHING))
    before = state(inside, name)
    dry = DOINGS[doing](master, name, True)
    assert dry.dry_run
    assert dry.statements
    assert state(inside, name) == before
    done = DOINGS[doing](master, name, False)
    assert done.statements == dry.statements
    by_command = state(inside, name)
    assert by_command != before
    # The same from the same beginning, now by hand.
    with inside.server.root() as root:
        root.execute("SELECT Host FROM mysql.global_priv WHERE User = %s", (name,))
        for (host,) in root.fetchall():
            root.execute(f"DROP USER {quote_name(name)}@{quote_name(host)}")
    if doing not in ("create", "like"):
        create_user(master, name, grants=grants(*EVERYTHING))
    assert state(inside, name) == before
    with connect_as_master(SECRET, ConnectOptions()) as by_hand:
        by_hand.execute(";\n".join(dry.statements) + ";")
    assert state(inside, name) == by_command
    assert DOINGS[doing](master, name, True).statements == ()


def test_a_dry_run_only_reads(inside):
    """The server's own log: no statement of a dry run writes."""
    with inside.server.root() as root:
        root.execute("SELECT @@log_output")
        before = root.fetchone()[0]
        root.execute("SET GLOBAL log_output = 'TABLE'")
        root.execute("TRUNCATE mysql.general_log")
        root.execute("SET GLOBAL general_log = ON")
        try:
            with connect_as_master(SECRET, ConnectOptions()) as master:
                create_user(master, "quiet", grants=grants("ALL ON shop.*"), like="reader", dry_run=True)
                grant_to_user(master, "reader", grants("SELECT ON shop.orders"), dry_run=True)
                revoke_from_user(master, "reader", grants("SELECT ON shop.*"), dry_run=True)
                drop_user(master, "reader", dry_run=True)
                list_users(master)
                show_user(master, "reader")
        finally:
            root.execute("SET GLOBAL general_log = OFF")
            root.execute("SET GLOBAL log_output = %s", (before,))
        root.execute(
            "SELECT argument FROM mysql.general_log "
            "WHERE command_type IN ('Query', 'Prepare') AND user_host LIKE 'admin%'"
        )
        sent = [row[0] if isinstance(row[0], str) else row[0].decode() for row in root.fetchall()]
    assert {statement.split()[0].upper() for statement in sent} <= {"SELECT", "SHOW", "SET"}
    assert not any("SHOW VARIABLES" in statement and "SET" in statement for statement in sent)


def test_other_accounts_of_the_name_are_shown(master, inside):
    """One of them may be the one that matches: the most specific host comes first."""
    with inside.server.root() as root:
        root.execute("CREATE USER 'Ana'@'%' IDENTIFIED BY 'secret'")
        root.execute("CREATE USER 'ana'@'10.%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'")
    outcome = create_user(master, "ana")
    assert outcome.others[["User", "Host", "TLS"]].to_dict("split")["data"] == [
        ["Ana", "%", "none"],
        ["ana", "10.%", "none"],
    ]
    assert show_user(master, "ana").accounts["Host"].tolist() == ["%", "10.%", "%"]
    with pytest.raises(UserSetupError, match=r"no user ANA@%; there is Ana@% and ana@% and ana@10\.%"):
        grant_to_user(master, "ANA", grants("SELECT ON shop.*"))
    with pytest.raises(UserSetupError, match="several users ana: ana@%, ana@10"):
        create_user(master, "bea", like="ana", host="::1")
    dropped = drop_user(master, "ana", host="10.1.%")
    assert not dropped.statements
    assert "There is no user ana@10.1.%; there is Ana@%" in dropped.notes[0]


def test_accounts_that_could_not_be_made_here(master, inside):
    """Somebody else made them: they can be looked at, and dropped."""
    with inside.server.root() as root:
        for account in ("`ana@%`@`%`", "`ana`@`10.0.0.0/8`", f"`{'x' * 60}`@`%`"):
            root.execute(f"CREATE USER {account} IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'")
    assert show_user(master, "ana@%").grants == {"ana@%@%": []}
    assert grant_to_user(master, "ana@%", grants("SELECT ON shop.*")).granted
    for name, host in (("ana@%", "%"), ("ana", "10.0.0.0/8"), ("x" * 60, "%")):
        assert drop_user(master, name, host=host).granted
    for act in (drop_user, show_user, lambda m, n: grant_to_user(m, n, grants("SELECT ON shop.*"))):
        with pytest.raises(OptionError, match="holds a host pattern, too"):
            act(master, "ana@%")


@pytest.fixture
def almighty(inside):
    """A master user who may do all, as none on RDS."""
    with inside.server.root() as root:
        root.execute("CREATE USER 'almighty'@'%' IDENTIFIED BY 'for a moment'")
        root.execute("GRANT ALL ON *.* TO 'almighty'@'%' WITH GRANT OPTION")
    secrets = inside.client("secretsmanager")
    value = {"username": "almighty", "password": "for a moment", "host": inside.hosts[0]}
    secrets.create_secret(Name="almighty", SecretString=json.dumps(value))
    with connect_as_master("almighty", ConnectOptions()) as connection:
        yield connection
    secrets.delete_secret(SecretId="almighty", ForceDeleteWithoutRecovery=True)
    clean(inside)


@pytest.mark.parametrize(
    ("on", "names"),
    [("*.*", STATIC), ("shop.*", SCHEMA), ("shop.orders", TABLE), ("PROCEDURE shop.`p``'q`", ROUTINE)],
)
def test_each_privilege_by_its_name(almighty, on, names):
    """What the server calls it in SHOW GRANTS, is what it is called here: else nothing of it would be idempotent."""
    almighty.execute("CREATE PROCEDURE shop.`p``'q`() SELECT 1")
    create_user(almighty, "ana")
    known = read_accounts(almighty).known
    for name in sorted(names & (known | {"REPLICATION CLIENT"})):
        grant = grants(f"{name} ON {on}")
        assert grant_to_user(almighty, "ana", grant).granted, name
        assert grant_to_user(almighty, "ana", grant).statements == (), name
        assert revoke_from_user(almighty, "ana", grant).granted, name
        assert show_user(almighty, "ana").grants["ana@%"] == [], name
    everything = grants(f"ALL ON {on}")
    outcome = grant_to_user(almighty, "ana", everything)
    assert outcome.granted
    assert outcome.notes == ()
    assert grant_to_user(almighty, "ana", everything).statements == ()
    assert revoke_from_user(almighty, "ana", everything).granted
    assert show_user(almighty, "ana").grants["ana@%"] == []


def test_hosts_have_no_case(master):
    assert create_user(master, "ana", host="Host.Example").created
    assert create_user(master, "ana", host="host.EXAMPLE").statements == ()
    assert drop_user(master, "ana", host="HOST.example").granted


def test_a_host_that_nobody_comes_from(master):
    """The sandbox looks up no names, as most databases on RDS."""
    assert "skip_name_resolve" in create_user(master, "ana", host="db.example.com").notes[0]
    with pytest.raises(OptionError, match="No client matches"):
        create_user(master, "ana", host="10.0.0.0/8")


def test_tls_is_required_of_a_user_that_was_made_without(master, inside):
    with inside.server.root() as root:
        root.execute("CREATE USER 'loose'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'")
        root.execute("CREATE USER 'strict'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE X509")
    outcome = create_user(master, "loose")
    assert outcome.statements == ("ALTER USER `loose`@`%` REQUIRE SSL",)
    assert outcome.notes == ("loose@% exists without REQUIRE SSL, which is added.",)
    assert create_user(master, "loose").row["TLS"].tolist() == ["SSL"]
    assert create_user(master, "strict").statements == ()
    assert create_user(master, "strict").row["TLS"].tolist() == ["X509"]


def test_what_to_know_of_an_account(master, inside):
    with inside.server.root() as root:
        root.execute("CREATE USER 'shut'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL ACCOUNT LOCK")
        root.execute(
            "CREATE USER 'both'@'%' IDENTIFIED VIA AWSAuthenticationPlugin USING 'RDS' "
            "OR mysql_native_password USING PASSWORD('x') REQUIRE SSL"
        )
    assert create_user(master, "shut").notes == ("shut@% is locked (ACCOUNT LOCK): it cannot log in.",)
    assert grant_to_user(master, "both", grants("SELECT ON shop.*")).notes == (
        "both@% may log in with mysql_native_password, too, without IAM.",
    )


def test_the_right_to_grant_on_is_taken(master, inside):
    create_user(master, "ana")
    with inside.server.root() as root:
        root.execute("GRANT SELECT ON shop.orders TO 'ana'@'%' WITH GRANT OPTION")
    told = grant_to_user(master, "ana", grants("INSERT ON shop.orders"))
    assert told.notes == ("ana@% may grant on what it holds ON `shop`.`orders`, by an earlier GRANT OPTION.",)
    assert show_user(master, "ana").grants["ana@%"] == ["INSERT, SELECT ON `shop`.`orders` WITH GRANT OPTION"]
    revoke_from_user(master, "ana", grants("ALL ON shop.orders"))
    with inside.server.root() as root:
        root.execute("SHOW GRANTS FOR 'ana'@'%'")
        assert len(root.fetchall()) == 1


def test_a_reader_is_told_from_a_refused_grant(master, inside):
    create_user(master, "ana")
    with inside.server.root() as root:
        root.execute("SET GLOBAL read_only = ON")
        try:
            with pytest.raises(StatementError, match="read-only") as caught:
                grant_to_user(master, "ana", grants("SELECT ON shop.*"))
        finally:
            root.execute("SET GLOBAL read_only = OFF")
    assert "connect to the writer" in caught.value.hint


def test_all_is_what_the_master_may_grant(master, inside):
    """`GRANT ALL` fails on RDS: there is always something that the master may not grant."""
    outcome = create_user(master, "ana", grants=grants("ALL ON shop.*", "ALL PRIVILEGES ON *.*"))
    assert "ALL ON `shop`.* leaves out what the master user may not grant: DELETE HISTORY." in outcome.notes[0]
    assert "SUPER" in outcome.notes[1]
    with inside.server.root() as root:
        root.execute("SHOW GRANTS FOR 'ana'@'%'")
        shown = [row[0] for row in root.fetchall()]
    assert "LOCK TABLES" in shown[1]
    assert "PROCESS" in shown[0]
    assert not any("GRANT OPTION" in line for line in shown)


def test_only_users_with_the_plugin_are_changed(master):
    for act in (drop_user, lambda m, n: revoke_from_user(m, n, grants("SELECT ON *.*")), grant_to_user):
        with pytest.raises(UserSetupError, match="admin@% exists and logs in with mysql_native_password") as caught:
            act(master, "admin")
        assert caught.value.cause == "user-without-plugin"


@pytest.mark.parametrize("name", ["raeder", "Reader"])
def test_a_user_that_is_not_there(master, name):
    for act in (
        lambda: grant_to_user(master, name, grants("SELECT ON shop.*")),
        lambda: revoke_from_user(master, name, grants("SELECT ON shop.*")),
        lambda: show_user(master, name),
        lambda: create_user(master, "ana", like=name),
    ):
        with pytest.raises(UserSetupError, match=f"There is no user {name}.*; there is reader") as caught:
            act()
        assert "case-sensitive" in caught.value.hint


def test_revoking_tells_what_goes_on(master):
    create_user(master, "ana", grants=grants("SELECT ON *.*", "SELECT ON shop.orders"))
    outcome = revoke_from_user(master, "ana", grants("SELECT ON shop.orders"))
    assert outcome.statements == ("REVOKE SELECT ON `shop`.`orders` FROM `ana`@`%`",)
    assert outcome.notes == ("ana@% holds SELECT ON *.*, too, which goes on.",)
    assert outcome.privileged


def test_what_the_master_may_not_revoke(master, inside):
    create_user(master, "ana")
    with inside.server.root() as root:
        root.execute("GRANT SUPER ON *.* TO 'ana'@'%'")
    with pytest.raises(UserSetupError, match=r"REVOKE SUPER ON \*\.\* was refused"):
        revoke_from_user(master, "ana", grants("SUPER ON *.*"))


def test_a_role_is_active_after_login(master, inside):
    master.execute("CREATE ROLE analysts")
    master.execute("GRANT SELECT ON shop.* TO analysts")
    create_user(master, "ana", grants=grants("analysts"))
    with connect_as("ana", inside) as ana:
        assert ana.query("SELECT COUNT(*) AS n FROM shop.products")["n"].iloc[0] > 0
    revoke_from_user(master, "ana", grants("analysts"))
    with connect_as("ana", inside) as ana, pytest.raises(StatementError):
        ana.query("SELECT COUNT(*) AS n FROM shop.products")


@pytest.mark.parametrize("name", ["o'brien`;-- ", "日本 ユーザー", 'a"\\%_'])
def test_hostile_names_log_in(master, inside, name):
    """With a token that is signed for that name."""
    name = name.strip()
    create_user(master, name, grants=grants("SELECT (id) ON shop.orders"))
    with connect_as(name, inside) as session:
        assert session.query("SELECT CURRENT_USER() AS u, COUNT(id) AS n FROM shop.orders").iloc[0].tolist() == [
            f"{name}@%",
            50000,
        ]


def connect_as(name, inside):
    return connect(inside.hosts[0], user=name)


def test_names_of_routines_have_no_case(master):
    """The server keeps them in lower case."""
    master.execute("CREATE PROCEDURE shop.`p``'q`() SELECT 1")
    create_user(master, "ana", grants=grants("EXECUTE ON PROCEDURE shop.`P``'Q`"))
    assert create_user(master, "ana", grants=grants("EXECUTE ON PROCEDURE shop.`P``'q`")).statements == ()
    assert revoke_from_user(master, "ana", grants("EXECUTE ON PROCEDURE shop.`P``'Q`")).statements


def test_what_a_dropped_user_leaves(master, inside):
    create_user(master, "ana")
    with inside.server.root() as root:
        root.execute("CREATE DEFINER='ana'@'%' VIEW shop.of_ana AS SELECT 1 AS a")
        try:
            dropped = drop_user(master, "ana", dry_run=True)
        finally:
            root.execute("DROP VIEW shop.of_ana")
    assert dropped.notes == ("ana@% is the DEFINER of 1 view: what runs with its rights fails without it.",)
    assert drop_user(master, "ana").notes == ()


OBJECTS = st.text(
    st.characters(max_codepoint=0xFFFF, exclude_characters="\0*", exclude_categories=["Cs"]), min_size=1, max_size=12
)


@settings(max_examples=15)
@given(schema=OBJECTS)
def test_any_schema(master, schema):
    """Granted, held, and taken again, whatever its name; or refused by the server before it is granted."""
    grant = [parse_grant(f"SELECT ON {quote_name(schema)}.*")]
    create_user(master, "ana")
    try:
        grant_to_user(master, "ana", grant)
    except UserSetupError as error:
        assert error.cause == "grant-refused"  # noqa: PT017 - one of two outcomes
        return
    assert grant_to_user(master, "ana", grant).statements == ()
    assert len(show_user(master, "ana").grants["ana@%"]) == 1
    assert revoke_from_user(master, "ana", grant).statements
    assert show_user(master, "ana").grants["ana@%"] == []


def test_hostile_tables_and_columns(master, inside):
    table, column = "t`a'b\"; DROP TABLE x; -- 日", "c`),(`d'"
    with inside.server.root() as root:
        root.execute(f"CREATE TABLE shop.{quote_name(table)} ({quote_name(column)} INT)")
        try:
            grant = grants(f"SELECT ({quote_name(column)}), DELETE ON shop.{quote_name(table)}")
            assert create_user(master, "ana", grants=grant).granted
            assert create_user(master, "ana", grants=grant).statements == ()
            assert next(parse_grant(text) for text in show_user(master, "ana").grants["ana@%"]).on == grant[0].on
            assert revoke_from_user(master, "ana", grant).granted
            assert show_user(master, "ana").grants["ana@%"] == []
        finally:
            root.execute(f"DROP TABLE shop.{quote_name(table)}")


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        ("SELECT ON shop.ordres", "db.tables()"),
        ("SELECT (idd) ON shop.orders", "db.columns("),
        ("EXECUTE ON PROCEDURE shop.nothing", "SHOW PROCEDURE STATUS"),
    ],
)
def test_what_a_grant_is_on_must_be_there(master, grant, words):
    create_user(master, "ana")
    with pytest.raises(UserSetupError, match="was refused") as caught:
        grant_to_user(master, "ana", grants(grant))
    assert words in caught.value.hint
    assert "The master user can grant only" not in caught.value.hint
    caught.value.interface = Interface.NOTEBOOK
    assert "db." not in caught.value.hint


def test_no_hash_of_a_password_is_shown(master, inside):
    """MariaDB's SHOW GRANTS has them."""
    shown = show_user(master, "admin")
    assert shown.grants["admin@%"][0].endswith("ON *.* WITH GRANT OPTION")
    with inside.server.root() as root:
        root.execute("SELECT JSON_VALUE(Priv, '$.authentication_string') FROM mysql.global_priv WHERE User = 'admin'")
        secret = root.fetchone()[0]
    assert secret
    assert secret not in repr(shown)
    assert secret not in shown.accounts.to_csv()


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
