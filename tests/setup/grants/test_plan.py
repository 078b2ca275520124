"""What is run to grant and to revoke: only what is missing or held, and said what is left out."""

import pytest

from rds_iam_magic.errors import UserSetupError
from rds_iam_magic.setup.accounts import Account, Accounts
from rds_iam_magic.setup.grants.grant import Level, Privilege, RoleGrant, parse_grant
from rds_iam_magic.setup.grants.held import Held, read_grants
from rds_iam_magic.setup.grants.plan import plan_grants, plan_revokes, written
from rds_iam_magic.setup.grants.privileges import STATIC

KNOWN = STATIC | {"GRANT OPTION", "PROXY", "USAGE"}
ANA = Account("ana", "%")
MARIADB = Accounts(
    all=(ANA, Account("analysts", "", is_role=True), Account("bosses", "", is_role=True)),
    known=KNOWN,
    wildcards=True,
    resolves_names=False,
    is_mariadb=True,
    schemas=frozenset({"shop", "sales_eu"}),
)
MYSQL = Accounts(
    all=(ANA, Account("analysts", "%"), Account("bosses", "10.%")),
    known=KNOWN | {"BACKUP_ADMIN"},
    wildcards=False,
    resolves_names=True,
    is_mariadb=False,
    schemas=frozenset({"shop"}),
)
MASTER = read_grants(["GRANT SELECT, INSERT, CREATE, EXECUTE, EVENT ON *.* TO `admin`@`%` WITH GRANT OPTION"], KNOWN)
TO = " TO `ana`@`%`"
FROM = " FROM `ana`@`%`"


def held(*lines):
    return read_grants([f"GRANT {line} TO `ana`@`%`" for line in lines], KNOWN)


def grant(*texts, there=MARIADB, account=ANA, has=None, master=MASTER, like=None):
    return plan_grants(there, account, has or Held(), master, [parse_grant(text) for text in texts], like)


def revoke(*texts, there=MARIADB, account=ANA, has):
    return plan_revokes(there, account, has, [parse_grant(text) for text in texts])


def test_only_what_is_missing_is_granted():
    plan = grant("SELECT, INSERT ON shop.*", "SELECT ON shop.*", has=held("SELECT ON `shop`.*"))
    assert plan.statements == (f"GRANT INSERT ON `shop`.*{TO}",)
    assert plan.notes == plan.doubts == ()
    assert grant("SELECT ON shop.*", has=held("SELECT, INSERT ON `shop`.*")).statements == ()


def test_another_level_is_another_grant():
    plan = grant("SELECT ON shop.orders", "SELECT (id) ON shop.t", has=held("SELECT ON `shop`.*"))
    assert plan.statements == (f"GRANT SELECT ON `shop`.`orders`{TO}", f"GRANT SELECT (`id`) ON `shop`.`t`{TO}")


def test_columns_have_no_case():
    assert grant("SELECT (ID) ON shop.t", has=held("SELECT (`id`) ON `shop`.`t`")).statements == ()
    assert revoke("SELECT (ID) ON shop.t", has=held("SELECT (`id`, `b`) ON `shop`.`t`")).statements == (
        f"REVOKE SELECT (`id`) ON `shop`.`t`{FROM}",
    )


def test_all_is_what_the_master_may_grant():
    plan = grant("ALL ON shop.*")
    assert plan.statements == (f"GRANT CREATE, EVENT, EXECUTE, INSERT, SELECT ON `shop`.*{TO}",)
    assert "DELETE HISTORY" in plan.notes[0]
    assert "leaves out what the master user may not grant: ALTER, ALTER ROUTINE, " in plan.notes[0]
    assert grant("ALL ON shop.t").statements == (f"GRANT CREATE, INSERT, SELECT ON `shop`.`t`{TO}",)
    assert grant("ALL ON PROCEDURE shop.p").statements == (f"GRANT EXECUTE ON PROCEDURE `shop`.`p`{TO}",)


def test_all_where_the_master_may_grant_all():
    master = read_grants(["GRANT ALL PRIVILEGES ON `shop`.* TO `admin`@`%` WITH GRANT OPTION"], KNOWN)
    assert grant("ALL ON shop.*", master=master).notes == ()
    with pytest.raises(UserSetupError, match=r"may grant nothing ON `sales\\_eu`\.\*; nothing was changed"):
        grant("ALL ON sales_eu.*", master=master)


def test_what_the_server_will_refuse():
    plan = grant("SUPER, SELECT ON *.*")
    assert plan.statements == (f"GRANT SUPER, SELECT ON *.*{TO}",)
    assert plan.doubts == ("the master user may not grant SUPER ON *.*: that would be refused.",)


def test_usage_is_no_privilege():
    assert grant("USAGE ON *.*").statements == ()


@pytest.mark.parametrize(
    ("text", "near"),
    [("SELEKT ON shop.*", "SELECT"), ("CREATE VEIW ON shop.*", "CREATE VIEW"), ("BACKUP_ADMN ON *.*", "BACKUP_ADMIN")],
)
def test_a_misspelt_privilege(text, near):
    with pytest.raises(UserSetupError, match="no privilege") as caught:
        grant("SELECT ON shop.*", text, there=MYSQL)
    assert caught.value.hint == f"Did you mean {near}?"
    with pytest.raises(UserSetupError, match="no privilege"):
        revoke(text, there=MYSQL, has=Held())


def test_a_privilege_that_only_the_server_knows():
    """Aurora has some of its own."""
    assert grant("INVOKE LAMBDA ON *.*").statements == (f"GRANT INVOKE LAMBDA ON *.*{TO}",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT ON shopp.*", ["there is no schema shopp", "Did you mean shop?"]),
        ("SELECT ON `shopp`.*", ["there is no schema shopp"]),
        ("SELECT ON zzz.*", ["there is no schema zzz on the server; the grant is for one that is still to come."]),
        ("SELECT ON `sh%`.*", None),
        ("SELECT ON SHOP.*", None),
        (r"SELECT ON `sales\_eu`.*", None),
        ("SELECT ON sales_eu.*", None),
    ],
)
def test_a_schema_that_is_not_there(text, words):
    notes = grant(text).notes
    assert notes == () if words is None else all(word in notes[0] for word in words)


def test_an_old_grant_option_is_told():
    plan = grant(
        "INSERT ON shop.t", has=held("USAGE ON `shop`.`t`").__class__(grant_options=frozenset({Level("shop", "t")}))
    )
    assert "by an earlier GRANT OPTION" in plan.notes[0]


def test_the_grants_of_another_user():
    like = read_grants(
        [
            "GRANT SELECT, SUPER ON *.* TO `bob`@`%`",
            r"GRANT SELECT, DELETE ON `sales\_eu`.* TO `bob`@`%` WITH GRANT OPTION",
            "GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `bob`@`%`",
            "GRANT `analysts` TO `bob`@`%`",
            "GRANT PROXY ON ``@`%` TO `bob`@`%`",
        ],
        KNOWN,
    )
    plan = grant("INSERT ON shop.t", like=like)
    assert plan.statements == (
        f"GRANT INSERT ON `shop`.`t`{TO}",
        f"GRANT SELECT ON *.*{TO}",
        f"GRANT EXECUTE ON PROCEDURE `shop`.`p`{TO}",
        rf"GRANT SELECT ON `sales\_eu`.*{TO}",
        f"GRANT `analysts`{TO}",
        "SET DEFAULT ROLE `analysts` FOR `ana`@`%`",
    )
    assert plan.notes == (
        "SUPER ON *.* is not copied: the master user may not grant it.",
        r"DELETE ON `sales\_eu`.* is not copied: the master user may not grant it.",
        "the right to grant on (GRANT OPTION) is not copied.",
        "GRANT PROXY … is not copied.",
    )


def test_partial_revokes_are_not_copied_without_their_restriction():
    like = read_grants(["GRANT SELECT ON *.* TO `b`@`%`", "REVOKE SELECT ON `hr`.* FROM `b`@`%`"], KNOWN)
    with pytest.raises(UserSetupError, match="revoked for single schemas"):
        grant(like=like, there=MYSQL)


def test_roles_on_mariadb():
    """One role a statement, without a host; one is active after login."""
    plan = grant("analysts", "bosses@%")
    assert plan.statements == (
        f"GRANT `analysts`{TO}",
        f"GRANT `bosses`{TO}",
        "SET DEFAULT ROLE `analysts` FOR `ana`@`%`",
    )
    assert "SET ROLE: bosses." in plan.notes[0]
    analyst = Account("ana", "%", roles=(RoleGrant("analysts"),), default_roles=(RoleGrant("analysts"),))
    assert grant("analysts", account=analyst).statements == ()
    assert grant("bosses", account=analyst).statements == (f"GRANT `bosses`{TO}",)


def test_roles_on_mysql():
    plan = grant("analysts", "`bosses`@`10.%`", there=MYSQL)
    roles = "`analysts`@`%`, `bosses`@`10.%`"
    assert plan.statements == (f"GRANT {roles}{TO}", f"SET DEFAULT ROLE {roles}{TO}")
    role = RoleGrant("analysts", "%")
    analyst = Account("ana", "%", roles=(role,), default_roles=(role,))
    assert grant("analysts", there=MYSQL, account=analyst).statements == ()
    assert grant("bosses@'10.%'", there=MYSQL, account=analyst).statements == (
        f"GRANT `bosses`@`10.%`{TO}",
        f"SET DEFAULT ROLE {roles}{TO}",
    )
    idle = Account("ana", "%", roles=(role,))
    assert grant("analysts", there=MYSQL, account=idle).statements == (f"SET DEFAULT ROLE `analysts`@`%`{TO}",)


@pytest.mark.parametrize(
    ("text", "there", "near"),
    [
        ("analyst", MARIADB, "analysts"),
        ("ana", MARIADB, ""),
        ("analysts@10.1", MARIADB, "analysts"),
        ("bosses", MYSQL, "bosses"),
        ("SELEKT", MARIADB, "SELECT"),
    ],
)
def test_a_role_that_is_not_there(text, there, near):
    with pytest.raises(UserSetupError, match="no role") as caught:
        grant("SELECT ON shop.*", text.replace("@10.1", "@'10.1'"), there=there)
    assert (near in caught.value.hint) if near else ("Did you mean" in caught.value.hint or caught.value.hint)


def test_only_what_is_held_is_revoked():
    plan = revoke("SELECT, INSERT ON shop.*", has=held("SELECT, UPDATE ON `shop`.*"))
    assert plan.statements == (f"REVOKE SELECT ON `shop`.*{FROM}",)
    none = revoke("DELETE ON shop.*", "SELECT ON sales_eu.*", has=held("SELECT ON `shop`.*"))
    assert none.statements == ()
    assert none.notes == (
        "ana@% does not hold DELETE ON `shop`.*.",
        r"ana@% does not hold SELECT ON `sales\_eu`.*.",
    )


def test_a_privilege_means_its_columns_too():
    plan = revoke("SELECT ON shop.t", has=held("SELECT (`a`, `b`), INSERT (`a`), SELECT ON `shop`.`t`"))
    assert plan.statements == (f"REVOKE SELECT, SELECT (`a`, `b`) ON `shop`.`t`{FROM}",)


def test_all_takes_the_right_to_grant_on_too():
    has = held("INSERT, SELECT ON `shop`.`t`")
    has = Held(has.privileges, grant_options=frozenset({Level("shop", "t")}))
    assert revoke("ALL ON shop.t", has=has).statements == (f"REVOKE INSERT, SELECT, GRANT OPTION ON `shop`.`t`{FROM}",)
    left = Held(grant_options=frozenset({Level("shop", "t")}))
    assert revoke("ALL ON shop.t", has=left).statements == (f"REVOKE GRANT OPTION ON `shop`.`t`{FROM}",)


def test_what_goes_on_by_another_grant():
    has = held("SELECT ON *.*", "SELECT ON `sales_eu`.*", "SELECT ON `shop`.`t`", "SELECT (`a`) ON `shop`.`u`")
    assert revoke("SELECT ON shop.t", has=has).notes == ("ana@% holds SELECT ON *.*, too, which goes on.",)
    assert revoke(r"SELECT ON `sales\_eu`.*", has=has).notes[1] == (
        "ana@% holds SELECT ON *.* and ON `sales_eu`.*, too, which goes on."
    )
    column = revoke("SELECT (a) ON shop.t", has=has)
    assert column.statements == ()
    assert "holds SELECT ON `shop`.`t` and ON *.*, too" in column.notes[1]


def test_a_schema_that_was_granted_without_escapes():
    """As most are, by hand: then `_` is a wildcard, and the name means that grant, too."""
    has = held("SELECT ON `sales_eu`.*", r"SELECT, INSERT ON `sales\_eu`.*")
    plan = revoke("SELECT ON sales_eu.*", has=has)
    assert plan.statements == (
        rf"REVOKE SELECT ON `sales\_eu`.*{FROM}",
        f"REVOKE SELECT ON `sales_eu`.*{FROM}",
    )
    assert plan.notes == ()
    only = revoke("ALL ON sales_eu.*", has=held("SELECT ON `sales_eu`.*"))
    assert only.statements == (f"REVOKE SELECT ON `sales_eu`.*{FROM}",)
    assert only.notes == ()


def test_a_privilege_that_mariadb_renamed():
    has = held("BINLOG MONITOR ON *.*")
    assert grant("REPLICATION CLIENT ON *.*", has=has).statements == ()
    assert revoke("REPLICATION CLIENT ON *.*", has=has).statements == (f"REVOKE BINLOG MONITOR ON *.*{FROM}",)
    without = Accounts((ANA,), KNOWN - {"BINLOG MONITOR"}, wildcards=True, resolves_names=True, is_mariadb=False)
    assert grant("REPLICATION CLIENT ON *.*", there=without).statements == (f"GRANT REPLICATION CLIENT ON *.*{TO}",)


def test_roles_are_revoked():
    analyst = Account("ana", "%", roles=(RoleGrant("analysts"),), default_roles=(RoleGrant("analysts"),))
    plan = revoke("analysts", "bosses", "nobodies", account=analyst, has=Held())
    assert plan.statements == ("SET DEFAULT ROLE NONE FOR `ana`@`%`", f"REVOKE `analysts`{FROM}")
    assert plan.notes == ("ana@% does not have the role bosses.", "ana@% does not have the role nobodies.")
    role = RoleGrant("analysts", "%")
    on_mysql = Account("ana", "%", roles=(role,), default_roles=(role,))
    assert revoke("analysts", there=MYSQL, account=on_mysql, has=Held()).statements == (f"REVOKE `analysts`@`%`{FROM}",)


def test_what_is_shown_can_be_granted_again():
    has = held(
        "SELECT (`b`, `a`), INSERT ON `shop`.`t`",
        r"SELECT ON `sales\_eu`.*",
        "`analysts`",
        "EXECUTE ON PROCEDURE `shop`.`p`",
    )
    lines = written(has)
    assert lines == [
        "`analysts`",
        "EXECUTE ON PROCEDURE `shop`.`p`",
        r"SELECT ON `sales\_eu`.*",
        "INSERT, SELECT (`a`, `b`) ON `shop`.`t`",
    ]
    assert revoke(*lines[1:], has=has).notes == ()
    assert (
        grant(
            *lines,
            has=has,
            account=Account("ana", "%", roles=(RoleGrant("analysts"),), default_roles=(RoleGrant("bosses"),)),
        ).statements
        == ()
    )


def test_what_is_shown_besides():
    has = Held(
        {Level(): frozenset({Privilege("SELECT")})},
        grant_options=frozenset({Level()}),
        restricted={Level("hr"): frozenset({Privilege("SELECT")})},
        left_out=("GRANT PROXY",),
    )
    assert written(has) == ["SELECT ON *.* WITH GRANT OPTION", "not SELECT ON `hr`.*", "GRANT PROXY …"]
