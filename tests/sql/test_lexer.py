"""The lexer: tokens cover the text, and white space and comments give none."""

from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.sql.lexer import tokenize
from tests.support.sqlish import SQLISH


@given(SQLISH, st.booleans())
def test_tokens_are_in_order_and_what_is_between_them_is_space_or_comment(sql, escapes):
    end = 0
    for token in tokenize(sql, backslash_escapes=escapes):
        assert token.start >= end
        assert sql[token.start : token.end] == token.text
        between = sql[end : token.start].strip()
        assert not between or between.startswith(("#", "--", "/*"))
        end = token.end
