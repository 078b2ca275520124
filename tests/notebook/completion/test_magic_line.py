"""What may be written on a magic's line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.completion.magic_line import alias_on, complete_line, queries_on, sql_start
from rds_iam_magic.notebook.completion.suggestion import Suggestion

VALUES = {
    "alias": ["prod", "staging"],
    "target": ["my-cluster", "other.cluster-x.us-east-1.rds.amazonaws.com"],
    "user": ["analyst", "o'neill"],
    "database": ["sales", "with space"],
    "profile": ["default", "work"],
    "section": ["nightly"],
    "stack": ["my-stack"],
    "table": ["orders"],
    "column": ["order_id"],
    "variable": ["df"],
    "query": ["top", "best"],
    "path": ["report.sql"],
    "frame": ["limits"],
}


def known(key):
    return [Suggestion(text, key) for text in VALUES.get(key, ())]


def texts(grammar, line, *, is_cell=False):
    suggestions = complete_line(grammar, line, known, is_cell=is_cell)
    assert 0 <= suggestions.start <= len(line)
    return line[suggestions.start :], [item.text for item in suggestions.items]


@pytest.mark.parametrize(
    ("grammar", "line", "fragment", "expected"),
    [
        (grammars.CONNECT, " --pro", "--pro", ["--profile"]),
        (grammars.CONNECT, " --dry", "--dry", []),
        (grammars.CONNECT, " x --CONNECT_T", "--CONNECT_T", ["--connect-timeout"]),
        (grammars.CONNECT, " my", "my", ["my-cluster"]),
        (grammars.CONNECT, " p", "p", ["prod"]),
        (grammars.CONNECT, " my-cluster -u ", "", ["analyst", '"o\'neill"']),
        (grammars.CONNECT, " my-cluster -u an", "an", ["analyst"]),
        (grammars.CONNECT, " my-cluster --user=an", "an", ["analyst"]),
        (grammars.CONNECT, " my-cluster -d w", "w", ["'with space'"]),
        (grammars.CONNECT, " my-cluster -d 'w", "'w", ["'with space'"]),
        (grammars.CONNECT, ' my-cluster -d "with s', '"with s', ['"with space"']),
        (grammars.CONNECT, " my-cluster --profile ", "", ["default", "work"]),
        (grammars.CONNECT, " --section ", "", ["nightly"]),
        (grammars.CONNECT, " --close ", "", ["prod", "staging"]),
        (grammars.CONNECT, " x --compress z", "z", ["zlib", "zstd"]),
        (grammars.CONNECT, " x --compress=z", "z", ["zlib", "zstd"]),
        (grammars.CONNECT, " x --read-only=", "", []),
        (grammars.CONNECT, " x --region us-east-1 --rea", "--rea", ["--reader", "--read-only"]),
        (grammars.CONNECT, " x --autocommit --no-a", "--no-a", []),
        (grammars.CONNECT, " x -uanalyst --us", "--us", []),
        (grammars.LOAD, " l", "l", ["limits"]),
        (
            grammars.LOAD,
            " limits ",
            "",
            ["orders", "--append", "--replace", "--no-index", "--quiet", "--alias", "--help"],
        ),
        (grammars.LOAD, " limits orders --app", "--app", ["--append"]),
        (grammars.SQL, " --persist ", "", ["limits"]),
        (grammars.SQL, " --append=l", "l", ["limits"]),
        (grammars.SQL, " --plot h", "h", ["hist", "heatmap"]),
        (grammars.SQL, " --plot pr", "pr", ["prod"]),
        (grammars.SQL, " --plot hist -x o", "o", ["order_id"]),
        (grammars.SQL, " --plot -y a --color ", "", ["order_id"]),
        (grammars.PLOT, " o", "o", ["orders"]),
        (grammars.PLOT, " orders o", "o", ["order_id"]),
        (grammars.PLOT, " orders order_id --kind b", "b", ["bar", "box"]),
        (grammars.SQL, " --type ", "", ["pandas", "arrow", "polars"]),
        (grammars.SQL, " df << --dec", "--dec", ["--decimal"]),
        (grammars.SQL, " prod --decimal e", "e", ["exact"]),
        (grammars.SQL, " -o d", "d", ["df"]),
        (grammars.SQL, " --parallel 4 --on o", "o", ["order_id"]),
        (grammars.SQL, " -f rep", "rep", ["report.sql"]),
        (grammars.SQL, " --file=", "", ["report.sql"]),
        (grammars.SQL, " -w ", "", ["top", "best"]),
        (grammars.SQL, " -w top --with=b", "b", ["best"]),
        (grammars.SQL, " -w t=", "", ["limits"]),
        (grammars.SQL, " --with=t=l", "l", ["limits"]),
        (grammars.SQL, " -S t", "t", ["top"]),
        (grammars.SQL, " -A p", "p", ["prod"]),
        (grammars.CONNECT, " my-cluster -S ", "", ["nightly"]),
        (grammars.USER, " ", "", ["create", "grant", "revoke", "drop", "show", "list", "--secret"]),
        (grammars.USER, " s", "s", ["show"]),
        (grammars.USER, " show a", "a", ["analyst"]),
        (grammars.USER, " show analyst x", "x", []),
        (grammars.PROVISION, " st", "st", ["status"]),
        (grammars.PROVISION, " status ", "", ["my-stack", "--yes"]),
        (grammars.POLICY, " analyst my", "my", ["my-cluster"]),
        (grammars.POLICY, " analyst x my", "my", ["my-cluster"]),
        (grammars.POLICY, " analyst --target x --tar", "--tar", ["--target"]),
        (grammars.COLUMNS, " o", "o", ["orders"]),
        (grammars.COLUMNS, " -A ", "", ["prod", "staging"]),
    ],
)
def test_at_the_end_of_a_line(grammar, line, fragment, expected):
    found, suggestions = texts(grammar, line)
    assert found == fragment
    assert suggestions[: len(expected)] == expected
    assert bool(suggestions) == bool(expected)


def test_a_cells_line_offers_aliases_and_options():
    assert texts(grammars.SQL, " ", is_cell=True)[1][:4] == ["prod", "staging", "--out", "--quiet"]
    assert texts(grammars.SQL, " prod ", is_cell=True)[1][:2] == ["--out", "--quiet"]


@pytest.mark.parametrize(
    ("grammar", "line", "expected"),
    [
        (grammars.SQL, " SELECT a", "SELECT a"),
        (grammars.SQL, " SEL", "SEL"),
        (grammars.SQL, " ", ""),
        (grammars.SQL, " prod df << --limit 5 SELECT 1 << ", "SELECT 1 << "),
        (grammars.SQL, " df=<< SELECT 1", "SELECT 1"),
        (grammars.SQL, " --limit 5", None),
        (grammars.SQL, " --lim", None),
        (grammars.EXPLAIN, " -A prod --analyze SELECT -", "SELECT -"),
        (grammars.EXPLAIN, " prod SELECT", "prod SELECT"),
        (grammars.CONNECT, " x", None),
    ],
)
def test_where_the_sql_begins(grammar, line, expected):
    start = sql_start(grammar, line, ["prod"])
    assert (None if start is None else line[start:]) == expected


@pytest.mark.parametrize(
    ("grammar", "line", "alias"),
    [
        (grammars.SQL, "", None),
        (grammars.SQL, " prod df <<", "prod"),
        (grammars.SQL, " -q prod", "prod"),
        (grammars.SQL, " staging SELECT 1", "staging"),
        (grammars.SQL, " SELECT 'prod'", None),
        (grammars.EXPLAIN, " -A staging SELECT 1", "staging"),
        (grammars.COLUMNS, " orders --alias=prod", "prod"),
        (grammars.COLUMNS, " orders -Aprod", "prod"),
    ],
)
def test_the_alias_of_a_line(grammar, line, alias):
    assert alias_on(grammar, line, ["prod", "staging"]) == alias


LINES = st.lists(
    st.sampled_from(["--", "-u", "--user", "=", " ", "'", '"', "prod", "<<", "SELECT", "x", "é", "--limit", "\t", "1"])
).map("".join)


@given(st.sampled_from(grammars.GRAMMARS), LINES, st.booleans())
def test_whatever_is_typed_what_is_offered_continues_it(grammar, line, is_cell):
    suggestions = complete_line(grammar, line, known, is_cell=is_cell)
    fragment = line[suggestions.start :].strip("'\"").lower().replace("_", "-")
    for item in suggestions.items:
        assert re.sub("['\"]", "", item.text).lower().replace("_", "-").startswith(re.sub("['\"]", "", fragment))
    sql_start(grammar, line, ["prod"])
    alias_on(grammar, line, ["prod"])


@given(st.sampled_from(grammars.GRAMMARS))
def test_each_option_is_offered_once(grammar):
    offered = texts(grammar, " -")[1]
    assert offered == [f"--{option.name}" for option in grammar.all_options]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (" -w top", ["top"]),
        (" prod x << --with top -wbest --with=other -q", ["top", "best", "other"]),
        (" -w top=df -w best", ["best"]),
        (" --width top", []),
    ],
)
def test_the_saved_queries_of_a_line(line, names):
    assert queries_on(grammars.SQL, line) == names
    assert queries_on(grammars.CONNECT, line) == []
