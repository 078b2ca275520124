"""The lexer: tokens cover the text, and white space and comments give none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.sql.lexer import (
    ASSIGN,
    CLOSE,
    END,
    NAME,
    OPEN,
    RUN,
    SHELL,
    VARIABLE,
    WORD,
    comment_end,
    string_end,
    tokenize,
    upper,
)
from tests.support.sqlish import SQLISH


@given(SQLISH, st.booleans())
def test_tokens_are_in_order_and_what_is_between_them_is_space_or_comment(sql, escapes):
    comment = re.compile(r"#[^\n]*|--[^\n]*|/\*.*?(\*/|$)", re.DOTALL)
    end = 0
    for token in tokenize(sql, backslash_escapes=escapes):
        assert token.start >= end
        assert sql[token.start : token.end] == token.text
        assert comment.sub("", sql[end : token.start]).strip() == ""
        end = token.end


def kinds_of(sql, **how):
    return [(token.kind, token.text) for token in tokenize(sql, **how)]


@pytest.mark.parametrize(
    ("sql", "tokens"),
    [
        ("SELECT a", [(WORD, "SELECT"), (WORD, "a")]),
        ("größe 日本", [(WORD, "größe"), (WORD, "日本")]),
        ("1a", [(WORD, "1a")]),
        ("1 2, 'x'", [(RUN, "1 2, 'x'")]),
        ("1e5 0x1F NULL", [(RUN, "1e5 0x1F NULL")]),
        ("`a ``b`", [(NAME, "`a ``b`")]),
        ("`open", [(NAME, "`open")]),
        ("@a @@b @`c d` @@session.`e`", [(VARIABLE, v) for v in ("@a", "@@b", "@`c d`", "@@session.`e`")]),
        ("@a := 1", [(VARIABLE, "@a"), (ASSIGN, ":="), (RUN, "1")]),
        ("a;b", [(WORD, "a"), (END, ";"), (WORD, "b")]),
        ("/*!50000 a */", [(OPEN, "/*!50000"), (WORD, "a"), (CLOSE, "*/")]),
        ("/*M!100100 a */", [(OPEN, "/*M!100100"), (WORD, "a"), (CLOSE, "*/")]),
        ("/* a */ b /* open", [(WORD, "b")]),
        ("-- a\nb # c\n--\td", [(WORD, "b")]),
        ("1--1", [(RUN, "1--1")]),
        (r"a \G", [(WORD, "a"), (SHELL, r"\G")]),
        ("\\", [(SHELL, "\\")]),
        ("'a;b' \"c;d\"", [(RUN, "'a;b' \"c;d\"")]),
        ("'open; a", [(RUN, "'open; a")]),
        ("", []),
    ],
)
def test_tokens(sql, tokens):
    assert kinds_of(sql) == tokens


def test_a_backslash_ends_no_string_but_under_no_backslash_escapes():
    sql = r"'\' a '"
    assert kinds_of(sql) == [(RUN, sql)]
    assert [kind for kind, _ in kinds_of(sql, backslash_escapes=False)] == [RUN, WORD, RUN]


def test_tokens_from_a_place_on():
    assert [token.start for token in tokenize("a; b; c", 3)] == [3, 4, 6]


@pytest.mark.parametrize("count", [49, 50, 51, 999, 1000, 1001, 5000])
def test_a_string_of_many_escapes_is_one_token(count):
    """Past the number that the pattern bounds its repetition with, another way measures the string."""
    sql = "'" + r"\'" * count + "' a"
    assert [kind for kind, _ in kinds_of(sql)] == [RUN, WORD]
    assert string_end(sql, 0, backslash_escapes=True) == len(sql) - 2


@pytest.mark.parametrize(
    ("sql", "escapes", "end"),
    [
        ("'a' b", True, 3),
        ("'a", True, 2),
        ("'a\\", True, 3),
        ("'a\\' b", True, 6),
        ("'a\\' b", False, 4),
        ("'", False, 1),
    ],
)
def test_where_a_string_ends(sql, escapes, end):
    assert string_end(sql, 0, backslash_escapes=escapes) == end


@pytest.mark.parametrize(("sql", "end"), [("/**/ a", 4), ("/*/ */", 6), ("/* a", 4), ("/* /* */ */", 8)])
def test_where_a_comment_ends(sql, end):
    assert comment_end(sql, 0) == end


@given(SQLISH, st.booleans())
def test_no_token_is_in_a_comment(sql, escapes):
    for token in tokenize(f"/* {sql.replace('*/', '')} */ a -- {sql.partition(chr(10))[0]}", backslash_escapes=escapes):
        assert (token.kind, token.text) == (WORD, "a")


@pytest.mark.parametrize(("text", "upper_text"), [("select", "SELECT"), ("Größe", "Größe"), ("lımıt", "lımıt")])
def test_upper_is_that_of_keywords(text, upper_text):
    assert upper(text) == upper_text
