r"""Where a colon is a parameter: not in strings, names, comments and where SQL has colons of its own."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.parameters import (
    COMMENT,
    ESCAPE,
    STRING,
    Step,
    find_parameters,
    may_have_parameters,
    read_pieces,
    unbound_parameter,
)


def found(sql, **mode):
    return [sql[piece.start : piece.end] for piece in find_parameters(sql, **mode)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ':x'",
        'SELECT ":x"',
        "SELECT `:x`",
        "SELECT 'it''s :x'",
        r"SELECT 'it\'s :x'",
        r"SELECT 'a\\', ' :x'",
        "SELECT 1 -- :x",
        "SELECT 1 --\n-- :x\n",
        "SELECT 1 # :x",
        "SELECT /* :x */ 1",
        "SELECT /*+ MAX_EXECUTION_TIME(:x) */ 1",
        "SELECT @a:=1, @a:=b",
        "SELECT a::int",
        "SELECT @a:b",
        "tag:LOOP",
        "SELECT '10:30', 10:30",
        "SELECT 'unclosed :x",
        "SELECT `unclosed :x",
        "/* unclosed :x",
        "SELECT doc->'$.a:b', doc->>'$.\":x\"'",
        "SELECT : x, 1 :",
        "SELECT a\\",
    ],
)
def test_no_parameter(sql):
    assert found(sql) == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT :x", [":x"]),
        ("WHERE a=:a AND b>:b_1", [":a", ":b_1"]),
        ("(:a,:b)", [":a", ":b"]),
        ("SELECT a--:x", [":x"]),  # two minus signs: a comment needs a space
        ("SELECT a-- :y\n:x", [":x"]),
        ("SELECT ':y':x", [":x"]),
        (r"SELECT 'a\\':x", [":x"]),
        ("doc->:path", [":path"]),
        ("SELECT :国", [":国"]),
        ("SELECT :a.b, :a . b", [":a.b", ":a"]),
        ("SELECT :a['k'][0][-1].b, :a[ 'k' ]", [":a['k'][0][-1].b", ":a[ 'k' ]"]),
        ('SELECT :a["it\'s"]', [':a["it\'s"]']),
        ("SELECT :a[x], :a[1.5]", [":a", ":a"]),
        (r"SELECT \:x, :y", [r"\:x", ":y"]),
        ("SELECT :x/* */, :y-- \n, :z#\n", [":x", ":y", ":z"]),
        ("@a:=:x", [":x"]),
    ],
)
def test_parameters(sql, expected):
    assert found(sql) == expected
    assert may_have_parameters(sql)


def test_what_a_parameter_is():
    first, second = find_parameters(r"f(:row.day, g(1), \:x)")
    assert first.parameter == ("row", (Step("day", is_attribute=True),), 2, 10, 2)
    assert second == (ESCAPE, 18, 21, None)
    (only,) = find_parameters('IN (SELECT (1), :a["k"][-2])')
    assert only.parameter.group == 4
    assert only.parameter.steps == (Step("k", is_attribute=False), Step(-2, is_attribute=False))


def test_names_are_compared_as_pythons():
    (piece,) = find_parameters("SELECT :ﬁt")  # a ligature
    assert piece.parameter.name == "fit"


def test_a_backslash_as_the_session_reads_it():
    sql = r"SELECT 'a\', :x, 'b'"
    assert found(sql, backslash_escapes=False) == [":x"]
    assert found(sql) == []


@pytest.mark.parametrize("sql", [r'SELECT "a\" , ":x', r'SELECT :y, "a\", :x, "b"'])
def test_double_quotes_that_two_modes_read_in_two_ways(sql):
    with pytest.raises(OptionError, match="depends on the SQL mode") as caught:
        found(sql)
    assert caught.value.cause == "parameter-ambiguous"


def test_a_backslash_in_double_quotes_that_makes_no_difference():
    assert found(r'SELECT "a\\b\n", :x') == [":x"]


def test_a_mode_that_may_change_before_the_statement_runs():
    sql = r"SELECT 'it\'s', :x"
    assert found(sql) == [":x"]
    with pytest.raises(OptionError, match="depends on the SQL mode"):
        found(sql, mode_may_change=True)
    assert found(r"SELECT 'a\_b', :x", mode_may_change=True) == [":x"]


# Where it is not run, it ends at the first `*/`, and the parameter stands in quotes.
NOT_RUN = "SELECT 1 /*!999999 -- */, '\n */ :x '"


@pytest.mark.parametrize("sql", ["SELECT /*! :x */ 1", "SELECT /*M!100100 :x */ 1", "SELECT /*! '*/' */ :x", NOT_RUN])
def test_executable_comments_bind_nothing(sql):
    with pytest.raises(OptionError, match="depends on its version"):
        found(sql)


def test_behind_an_executable_comment():
    assert found("SELECT /*! STRAIGHT_JOIN */ :x") == [":x"]


def test_strings_and_comments_are_told():
    sql = "SELECT 'a' /* b */ -- c"
    assert [(kind, sql[start:end]) for kind, start, end, _ in read_pieces(sql)] == [
        (STRING, "'a'"),
        (COMMENT, "/* b */"),
        (COMMENT, "-- c"),
    ]


@given(st.text(st.sampled_from("':\"`\\/*!-# \nx.[]1a;()@="), max_size=60), st.booleans())
def test_any_text_is_read_to_its_end(sql, escapes):
    with contextlib.suppress(OptionError):
        find_parameters(sql, backslash_escapes=escapes)


@pytest.mark.parametrize(
    ("near", "sql", "parameter"),
    [
        (":since' at line 1", "SELECT :since", ":since"),
        (":day.year' at line 1", "SELECT :day.year", ":day"),
        (":since AND a = 1' at line 3", "SELECT 1 -- :x\nWHERE a > :since AND a = 1", ":since"),
        ("FRMO t' at line 1", "SELECT :since FRMO t", ""),
        (":since' at line 1", "SELECT ':since'", ""),
        (":5' at line 1", "SELECT a :5", ""),
        (":x' at line 1", "SELECT :x /*! :y */", ""),  # not read: whether it runs is unknown
    ],
)
def test_a_parameter_that_the_server_did_not_understand(near, sql, parameter):
    assert unbound_parameter(f"You have an error in your SQL syntax; check … to use near '{near}", sql) == parameter
