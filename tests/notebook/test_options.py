"""The magic lines."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import NotConnectedError, OptionError
from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.options import parse_connect, parse_sql
from rds_iam_magic.notebook.setup.lines import parse_policy, parse_user

HELD = ("sandbox", "prod")


@pytest.mark.parametrize(
    ("line", "body", "expected"),
    [
        ("-A prod SELECT 1", None, {"alias": "prod", "sql": "SELECT 1"}),
        ("prod -A prod", "SELECT 1", {"alias": "prod"}),
        ("-f a.sql", None, {"file": "a.sql", "sql": ""}),
        ("prod x << -f '~/a b.sql'", None, {"file": "~/a b.sql", "alias": "prod", "variable": "x"}),
        ("-S top -e", "SELECT 1", {"save": "top", "explain": True}),
        ("--saved", None, {"list_saved": True}),
    ],
)
def test_habits(line, body, expected):
    parsed = parse_sql(line, body, HELD)
    assert {key: getattr(parsed, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("line", "body", "words"),
    [
        ("prod -A sandbox", "SELECT 1", "named twice"),
        ("-f a.sql", "SELECT 1", "SQL beside it"),
        ("-f a.sql SELECT 1", None, "SQL beside it"),
        ("-f", None, "needs a value"),
        ("--saved -q", None, "must stand alone"),
        ("--saved SELECT 1", None, "must stand alone"),
        ("-e -N", "SELECT 1", "--explain shows the plan"),
        ("-e --parallel 2", "SELECT 1", "--explain shows the plan"),
        ("-e --limit 2", "SELECT 1", "--explain shows the plan"),
        ("-e --type arrow", "SELECT 1", "--explain shows the plan"),
        ("-e --decimal exact", "SELECT 1", "--explain shows the plan"),
        ("--saved", "DELETE FROM t", "must stand alone"),
        ("prod --saved", "SELECT 1", "must stand alone"),
        ("x << --persist df", None, "--persist writes a DataFrame; --out does not go with it"),
        ("-A prod x << -A sandbox", "SELECT 1", "--alias is given twice"),
        ("--limit 1 prod --limit 2 SELECT 1", None, "--limit is given twice"),
    ],
)
def test_habits_that_do_not_go_together(line, body, words):
    with pytest.raises(OptionError, match=words):
        parse_sql(line, body, HELD)


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


def test_help_is_help_behind_an_alias_or_a_variable_too():
    assert parse_sql("prod --help", None, HELD) is None
    assert parse_sql("x << -h", "SELECT 1", HELD) is None


def test_a_first_word_on_a_cell_line_is_an_alias():
    assert parse_sql("prod", "SELECT 1", HELD).alias == "prod"
    with pytest.raises(NotConnectedError, match="'nobody'"):
        parse_sql("nobody", "SELECT 1", HELD)
    with pytest.raises(OptionError, match="SQL goes below"):
        parse_sql("sandbox SELECT", "SELECT 1", HELD)


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


@pytest.mark.parametrize("line", ["--stack shop", "--secret shop -d sales"])
def test_a_stack_or_a_secret_needs_a_user(line):
    with pytest.raises(OptionError, match="The database user is missing") as caught:
        parse_connect(line)
    assert caught.value.cause == "user-missing"
    assert parse_connect(f"{line} -u ana").where.names_database
