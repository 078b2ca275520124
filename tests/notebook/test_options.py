"""The magic lines."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import NotConnectedError, OptionError
from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.options import parse_connect, parse_policy, parse_sql, parse_user

HELD = ("sandbox", "prod")


@pytest.mark.parametrize(
    "line",
    [
        "sandbox -u reader -d shop --connect-timeout 3",
        "-u reader -d shop sandbox --connect_timeout=3",
        "  --user reader --database=shop --connect-timeout '3' sandbox",
        "-ureader -dshop sandbox --connect-timeout 3",
    ],
)
def test_connect_line(line):
    parsed = parse_connect(line)
    assert (parsed.target, parsed.user, parsed.database) == ("sandbox", "reader", "shop")
    assert parsed.options.connect_timeout == 3


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sandbox --usr reader", "--user"),
        ("sandbox -u", "needs a value"),
        ("sandbox -u -d shop", "needs a value"),
        ("sandbox -u a -u b", "twice"),
        ("sandbox prod -u a", "one target; unexpected 'prod'"),
        ("sandbox -u a -p x", "whole number"),
        ("sandbox -u a -p 70000", "65535"),
        ("sandbox -u a --connect-timeout nan", "greater than 0"),
        ("sandbox -u 'a", "not closed"),
        ("sandbox -l=3", "takes no value"),
        ("sandbox -Z", "no option -Z"),
        ("prod --read-only", "--read-only applies to a new connection only"),
        ("-u reader -d shop", "needs a target and -u USER"),
        ("sandbox -d shop", "needs a target and -u USER"),
        ("-x prod sandbox", "--close must stand alone"),
        ("-x prod --read-only", "--close must stand alone"),
        ("-l -x prod", "--connections must stand alone"),
    ],
)
def test_bad_connect_lines_say_what_to_do(line, words):
    with pytest.raises(OptionError, match=words) as caught:
        parse_connect(line)
    assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize(
    "line",
    [
        "mysql://ana@sandbox:3307/sales",
        "mysql://ana@sandbox:3307/sales -u ana",
        "mysql://sandbox -u ana -d sales -p 3307",
        "mysql://ana@sandbox -d sales --port 3307",
    ],
)
def test_connect_line_with_a_url(line):
    parsed = parse_connect(f"{line} --read-only")
    assert (parsed.target, parsed.user, parsed.database, parsed.port) == ("sandbox", "ana", "sales", 3307)


@pytest.mark.parametrize(
    ("parse", "line"),
    [
        (parse_connect, "-x mysql://ana@sandbox"),
        (parse_connect, "sandbox -u mysql://ana@sandbox"),
        (parse_user, "create mysql://ana@sandbox --secret s"),
        (parse_policy, "mysql://ana@sandbox"),
        (parse_policy, "ana --target mysql://ana@sandbox"),
        (lambda text: parse_sql(text, None, HELD), "mysql://ana@sandbox SELECT 1"),
    ],
)
def test_a_url_is_a_target_of_a_connection_only(parse, line):
    with pytest.raises(OptionError, match="is not a target"):
        parse(line)


@pytest.mark.parametrize(
    ("line", "alias", "variable", "sql", "show"),
    [
        ("SELECT 1", None, None, "SELECT 1", True),
        ("sandbox SELECT 1", "sandbox", None, "SELECT 1", True),
        ("df << SELECT 1", None, "df", "SELECT 1", False),
        ("df<< SELECT 1 << 2", None, "df", "SELECT 1 << 2", False),
        ("df =<< SELECT 1", None, "df", "SELECT 1", True),
        ("prod df << SELECT 1", "prod", "df", "SELECT 1", False),
        ("-o df SELECT 1", None, "df", "SELECT 1", False),
        ("prod -o df SELECT 1", "prod", "df", "SELECT 1", False),
        ("-q SELECT 1", None, None, "SELECT 1", False),
        ("SELECT 1 << 2", None, None, "SELECT 1 << 2", True),
        ("SELECT 'it''s', \"{x}\", '$y', '%Y' -- :z", None, None, "SELECT 'it''s', \"{x}\", '$y', '%Y' -- :z", True),
        ("SELECT -u FROM t --user x", None, None, "SELECT -u FROM t --user x", True),
    ],
)
def test_sql_line(line, alias, variable, sql, show):
    parsed = parse_sql(line, None, HELD)
    assert (parsed.alias, parsed.variable, parsed.sql, parsed.show) == (alias, variable, sql, show)


@pytest.mark.parametrize("body", ["SELECT 1 << 2", "--user x\nSELECT 1", "df << nothing", "  \n%s {x} $y\\\n"])
def test_the_body_of_a_cell_is_left_alone(body):
    assert parse_sql("prod df <<", body, HELD).sql == body


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("<< SELECT 1", "missing"),
        ("1x << SELECT 1", "not a variable"),
        ("class << SELECT 1", "not a variable"),
        ("df << -o other SELECT 1", "twice"),
        ("--on id SELECT 1", "need --parallel"),
        ("--consistent SELECT 1", "need --parallel"),
        ("--parallel 4 --limit 3 SELECT 1", "reads all rows"),
        ("--parallel 4 --to a.csv SELECT 1", "reads all rows"),
        ("--parallel four SELECT 1", "--parallel"),
    ],
)
def test_bad_sql_lines(line, words):
    with pytest.raises(OptionError, match=words):
        parse_sql(line, None, HELD)


def test_a_first_word_on_a_cell_line_is_an_alias():
    assert parse_sql("prod", "SELECT 1", HELD).alias == "prod"
    with pytest.raises(NotConnectedError, match="'nobody'"):
        parse_sql("nobody", "SELECT 1", HELD)
    with pytest.raises(OptionError, match="SQL goes below"):
        parse_sql("sandbox SELECT", "SELECT 1", HELD)


def test_user_line():
    parsed = parse_user("create analyst --secret s --grant 'SELECT, SHOW VIEW ON `my shop`.*' --grant 'INSERT ON a.b'")
    assert [str(g) for g in parsed.grants] == ["SELECT, SHOW VIEW ON `my shop`.*", "INSERT ON `a`.`b`"]
    assert parsed.host == "%"


@pytest.mark.parametrize(
    "grant",
    ["SELECT", "SELECT ON shop", "SELECT ON shop.* TO root", "SELECT; DROP ON a.b", "ALL ON `a.b", "SELECT ON a.b -- "],
)
def test_grants_are_parsed_not_pasted(grant):
    with pytest.raises(OptionError, match="not a grant"):
        parse_user(f'create analyst --secret s --grant "{grant}"')


@pytest.mark.parametrize("line", ["", "analyst", "drop analyst", "create", "create a b --secret s"])
def test_bad_user_lines(line):
    with pytest.raises(OptionError):
        parse_user(line)


def test_policy_needs_a_user():
    with pytest.raises(OptionError, match="user is missing"):
        parse_policy("")


IDS = "--resource-id cluster-ABC --account 123456789012 --region eu-west-1"


def test_policy_line():
    parsed = parse_policy(f"ana {IDS}")
    assert (parsed.user, parsed.target, parsed.wildcard) == ("ana", None, False)
    assert (parsed.resource_id, parsed.account, parsed.options.region) == ("cluster-ABC", "123456789012", "eu-west-1")
    assert parse_policy("'read*' --wildcard --target sandbox --region eu-west-1").wildcard


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("'*'", "more than one database user"),
        ("'${aws:username}'", "more than one database user"),
        (f"'*' {IDS}", "more than one database user"),
        ("''", "name is empty"),
        ("a" * 33, "1 to 32 characters"),
        ("ana --resource-id cluster-ABC", "--account and --region are missing"),
        ("ana --resource-id cluster-ABC --account 123456789012", "--region is missing"),
        ("ana --account 123456789012 --target sandbox", "--resource-id and --region are missing"),
        (f"ana {IDS} --target sandbox", "--target has no effect"),
        (f"ana {IDS} --profile x", "--profile has no effect"),
    ],
)
def test_bad_policy_lines(line, words):
    with pytest.raises(OptionError, match=words) as caught:
        parse_policy(line)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize("parse", [parse_connect, parse_user, parse_policy, lambda t: parse_sql(t, None, HELD)])
@given(text=st.text(alphabet=st.sampled_from("ab -=<>'\"\\uod{}$;"), max_size=40))
def test_any_line_is_parsed_or_an_option_error(parse, text):
    with suppress(OptionError, NotConnectedError):
        parse(text)


@pytest.mark.parametrize("grammar", grammars.GRAMMARS)
def test_help_names_every_option_once(grammar):
    text = grammar.help()
    for option in grammar.all_options:
        assert text.count(f"  {option.spelling}") == 1
    assert max(len(line) for line in text.splitlines()) <= 120
