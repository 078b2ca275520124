"""Grants and roles as users write them: parsed, and nothing of them pasted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.setup.grants.grant import (
    Grant,
    Level,
    Privilege,
    RoleGrant,
    has_wildcards,
    matches,
    parse_grant,
    privileges_sql,
    unescaped,
)
from rds_iam_magic.setup.grants.privileges import COLUMN, ROUTINE, SCHEMA, STATIC, TABLE

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name != "*"
)


def privileges(*names):
    return tuple(map(Privilege, names))


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("SELECT ON shop.*", Grant(privileges("SELECT"), Level("shop"))),
        (
            " select , show view on `my``shop`.`t 1` ",
            Grant(privileges("SELECT", "SHOW VIEW"), Level("my`shop", "t 1"), is_pattern=True),
        ),
        ("ALL PRIVILEGES ON *.*", Grant(privileges("ALL PRIVILEGES"), Level())),
        ("all on shop . orders", Grant(privileges("ALL PRIVILEGES"), Level("shop", "orders"))),
        ("SELECT ON TABLE shop.orders", Grant(privileges("SELECT"), Level("shop", "orders"))),
        (
            "SELECT (id, `na,me`), INSERT, UPDATE(id) ON shop.t",
            Grant(
                (
                    Privilege("SELECT", "id"),
                    Privilege("SELECT", "na,me"),
                    Privilege("INSERT"),
                    Privilege("UPDATE", "id"),
                ),
                Level("shop", "t"),
            ),
        ),
        ("EXECUTE ON PROCEDURE shop.p", Grant(privileges("EXECUTE"), Level("shop", "p", "PROCEDURE"))),
        (
            "execute, alter routine on function shop.`f`",
            Grant(privileges("EXECUTE", "ALTER ROUTINE"), Level("shop", "f", "FUNCTION")),
        ),
        ("EXECUTE ON PACKAGE BODY shop.p", Grant(privileges("EXECUTE"), Level("shop", "p", "PACKAGE BODY"))),
        ("SELECT ON function.procedure", Grant(privileges("SELECT"), Level("function", "procedure"))),
        ("BACKUP_ADMIN ON *.*", Grant(privileges("BACKUP_ADMIN"), Level())),
        ("analysts", RoleGrant("analysts")),
        ("`o'b``rien`@`10.%`", RoleGrant("o'b`rien", "10.%")),
        ("'my role'@'%'", RoleGrant("my role", "%")),
        ("analysts@%", RoleGrant("analysts", "%")),
    ],
)
def test_grants(text, grant):
    assert parse_grant(text) == grant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT, INSERT",
        "SHOW VIEW",
        "ALL",
        "SELECT ON shop",
        "SELECT ON shop.* TO bob",
        "SELECT; DROP ON a.b",
        "SELECT ON a.b; --",
        "SELECT ON a.b -- ",
        "ON a.b",
        "GRANT SELECT ON a.b",
        "GRANT analysts",
        "SELECT ON *.orders",
        "SELECT ON `*`.*",
        "SELECT ON ``.*",
        "EXECUTE ON PROCEDURE shop.*",
        "EXECUTE ON PROCEDURE *.*",
        "SELECT () ON shop.t",
        "SELECT (id ON shop.t",
        "SELECT (*) ON shop.t",
        "SELECT ON `shop.t",
        "a, b",
        "role@",
        "role IDENTIFIED BY x",
    ],
)
def test_what_is_no_grant(text):
    with pytest.raises(OptionError, match="not a grant"):
        parse_grant(text)


@pytest.mark.parametrize(
    "text",
    ["SELECT ON shop.* WITH GRANT OPTION", "GRANT OPTION ON shop.*", "SELECT, GRANT OPTION ON a.b", "PROXY ON *.*"],
)
def test_the_right_to_grant_on_is_refused(text):
    with pytest.raises(OptionError, match="not granted here") as caught:
        parse_grant(text)
    assert caught.value.cause == "grant-on"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SUPER ON shop.*", r"SUPER is granted ON \*\.\*, not ON `shop`\.\*"),
        ("EVENT ON shop.t", "EVENT is granted ON"),
        ("EXECUTE ON shop.t", "ON PROCEDURE"),
        ("SELECT ON PROCEDURE shop.p", "SELECT is granted"),
        ("DELETE (id) ON shop.t", r"DELETE \(id\) ON .* columns of a table take INSERT, REFERENCES, SELECT, UPDATE"),
        ("SELECT (id) ON shop.*", "columns of a table"),
        ("ALL (id) ON shop.t", "columns of a table"),
    ],
)
def test_privileges_on_levels_that_do_not_take_them(text, words):
    with pytest.raises(OptionError, match=words) as caught:
        parse_grant(text)
    assert caught.value.cause == "privilege-level"


def levels():
    return st.one_of(
        st.just((Level(), STATIC)),
        st.builds(lambda schema: (Level(schema), SCHEMA), NAMES),
        st.builds(lambda schema, table: (Level(schema, table), TABLE), NAMES, NAMES),
        st.builds(
            lambda schema, name, kind: (Level(schema, name, kind), ROUTINE),
            NAMES,
            NAMES,
            st.sampled_from(["PROCEDURE", "FUNCTION", "PACKAGE", "PACKAGE BODY"]),
        ),
    )


@given(data=st.data())
def test_what_is_written_is_understood(data):
    """Whatever the names hold: backquotes, quotes, comments, other scripts."""
    level, known = data.draw(levels())
    names = data.draw(st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=4, unique=True))
    wanted = list(map(Privilege, names))
    if level.kind == "table":
        columns = data.draw(st.lists(NAMES, max_size=3, unique=True))
        wanted += [Privilege(name, column) for name in sorted(COLUMN & set(names)) for column in columns]
    grant = parse_grant(f"{privileges_sql(wanted)} ON {level.sql}")
    assert set(grant.privileges) == set(wanted)
    assert grant.on == level
    assert level.routine or grant.level(wildcards=True) == level


@given(NAMES, NAMES)
def test_roles_are_understood_as_they_are_written(name, host):
    role = RoleGrant(name, host)
    assert parse_grant(role.sql) == role if name.upper() not in STATIC else True


@given(st.text(max_size=30))
def test_any_text_is_a_grant_or_refused(text):
    try:
        grant = parse_grant(text)
    except OptionError:
        return
    assert parse_grant(str(grant) if isinstance(grant, Grant) else grant.sql)


def test_one_schema_is_one_schema():
    """`_` in a schema's name stands for any character, unless it is escaped, or quoted on purpose."""
    assert parse_grant("SELECT ON a_b.*").level(wildcards=True).sql == r"`a\_b`.*"
    assert parse_grant("SELECT ON a_b.*").level(wildcards=False).sql == "`a_b`.*"
    assert parse_grant("SELECT ON `a_b`.*").level(wildcards=True).sql == "`a_b`.*"
    assert parse_grant("SELECT ON A_b.C").level(wildcards=True, lower=True).sql == "`a_b`.`c`"
    assert parse_grant("EXECUTE ON FUNCTION S.F").level(wildcards=True).sql == "FUNCTION `S`.`f`"
    assert parse_grant("SELECT ON a_b.c_d").level(wildcards=True).sql == "`a_b`.`c_d`"


@pytest.mark.parametrize(
    ("pattern", "schema", "wildcards", "fits"),
    [
        ("shop", "shop", False, True),
        ("shop", "shops", False, False),
        ("sales_eu", "sales-eu", True, True),
        (r"sales\_eu", "sales_eu", False, True),
        (r"sales\_eu", "sales-eu", False, False),
        ("s%", "sales", True, True),
        (r"s\%", "sales", False, False),
        (r"s\\%", "s\\x", True, True),
        ("a.b", "axb", False, False),
        ("_", "", True, False),
        ("%", "", True, True),
        ("%a" * 30, "a" * 63 + "b", True, False),
    ],
)
def test_patterns_of_schemas(pattern, schema, wildcards, fits):
    assert matches(pattern, schema) == fits
    assert has_wildcards(pattern) == wildcards
    if not wildcards:
        assert matches(pattern, unescaped(pattern))


@pytest.mark.parametrize(
    ("above", "below", "covers"),
    [
        (Level(), Level("a", "b"), True),
        (Level("a"), Level("a", "b"), True),
        (Level("a"), Level("a", "b", "PROCEDURE"), True),
        (Level("a"), Level("b", "b"), False),
        (Level("a", "b"), Level("a"), False),
        (Level("a", "b"), Level("a", "b", "FUNCTION"), False),
        (Level("a_c"), Level(r"a\_c"), True),
        (Level("a_c"), Level("a%"), False),
        (Level("a"), Level(), False),
    ],
)
def test_which_level_is_above(above, below, covers):
    assert above.covers(below) == covers
