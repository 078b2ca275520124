"""The lexer: tokens cover the text, and white space and comments give none."""

import re

from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.sql.lexer import tokenize
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
