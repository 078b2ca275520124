"""What is printed to be pasted means the names that are meant, whatever characters they have."""

import re
import shlex
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rds_iam_magic.doctor.evidence import ServerAccounts
from rds_iam_magic.doctor.verdict import diagnosis_of
from rds_iam_magic.setup.accounts import Account
from tests.doctor.worlds import NOT_ASKED, WORLDS, bad_tls, mistake, not_allowed, refused, said

IDENTIFIER = r"`(?:[^`]|``)*`"
names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)


def commands(evidence):
    mends = [finding.mend for finding in diagnosis_of(evidence).findings]
    return [line for mend in mends for line in mend.splitlines() if line.startswith(("GRANT", "CREATE", "ALTER", "%"))]


def unquoted(identifier):
    return identifier[1:-1].replace("``", "`")


def asked(evidence, **changes):
    return replace(evidence, asked=replace(evidence.asked, **changes))


@given(names)
@example("o'brien")
@example("'@'%' IDENTIFIED BY 'x'; --")
@example("`; DROP USER `admin")
@example("a\\")
def test_a_statement_names_the_user(user):
    locked = said(4151, "Access denied, this account is locked", accounts=refused().permission)
    there_is_none = refused(accounts=ServerAccounts(()))
    for evidence in (there_is_none, replace(locked, accounts=there_is_none.log)):
        (statement,) = commands(asked(evidence, user=user))
        match = re.match(rf"(?:CREATE|ALTER) USER ({IDENTIFIER})@`%` (?:IDENTIFIED WITH|ACCOUNT UNLOCK)", statement)
        assert match, statement
        assert unquoted(match[1]) == user


@given(names, names)
@example("o'brien", "a`b")
@example("x", "sales_2024")
def test_a_grant_names_the_user_and_only_that_schema(user, schema):
    refusal = said(1044, "Access denied for user to database")
    (statement,) = commands(asked(refusal, user=user, database=schema))
    match = re.fullmatch(rf"GRANT SELECT ON ({IDENTIFIER})\.\* TO ({IDENTIFIER})@`%`", statement)
    assert match, statement
    assert unquoted(match[2]) == user
    pattern = unquoted(match[1])
    assert re.search(r"(?<!\\)(?:\\\\)*[_%]", pattern) is None, "no other schema is meant"
    assert re.sub(r"\\(.)", r"\1", pattern) == schema


@given(names)
@example("a b")
@example("o'brien")
@example("team/{x}$y")
@example("-x")
def test_a_magic_names_the_user(user):
    (command,) = commands(asked(not_allowed(), user=user))
    command = command.replace("{{", "{").replace("}}", "}").replace("$$", "$")
    word = shlex.split(command)[1].strip("'") if user.startswith("-") else shlex.split(command)[1]
    assert word == user.replace("{{", "{").replace("}}", "}").replace("$$", "$")


@pytest.mark.parametrize("user", ["x\ny", "x\u2028y", "x\x1b[2Jy"])
def test_what_no_line_can_show_is_not_there_to_be_pasted(user):
    assert commands(asked(refused(accounts=ServerAccounts(())), user=user)) == []
    by_password = Account(user, "%", ("mysql_native_password",))
    assert commands(asked(refused(accounts=ServerAccounts((by_password,), match=by_password)), user=user)) == []


@pytest.mark.parametrize("user", ["x\ny", "x\u2028y", "x\x1b[2Jy", "x\u202ey"])
@pytest.mark.parametrize(("cause", "evidence"), WORLDS)
def test_no_name_breaks_a_line_or_controls_a_terminal(cause, evidence, user):
    text = str(diagnosis_of(asked(evidence, user=user)))
    assert all(line.isprintable() for line in text.split("\n")), cause


def test_very_many_names_are_counted():
    many = tuple(Account("analyst", f"10.{i // 250}.{i % 250}.%") for i in range(3000))
    there = refused(NOT_ASKED, accounts=ServerAccounts(many, many))
    tls = bad_tls("name")
    for evidence in (
        there,
        refused(NOT_ASKED, accounts=ServerAccounts((), tuple(replace(each, user="analysts") for each in many))),
        refused(NOT_ASKED, accounts=ServerAccounts(many, certain=False)),
        replace(tls, tls=replace(tls.tls, names=tuple(f"h{i}.example.com" for i in range(3000)))),
        not_allowed(*(replace(mistake("action"), policy=f"p{i}") for i in range(3000))),
    ):
        text = " ".join(str(diagnosis_of(evidence)).split())
        assert len(text) < 10_000
        assert re.search("and 2,992 others|2,995 other statements", text)
