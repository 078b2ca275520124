"""Texts and names as SQL: the server reads them as they were."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rds_iam_magic.sql.quoting import quote_name, quote_text


@settings(max_examples=settings.default.max_examples * 3 // 5)
@given(st.text(max_size=40))
def test_a_quoted_text_is_that_text(db, text):
    assert db.query(f"SELECT {quote_text(text)} AS t")["t"].tolist() == [text]


@settings(max_examples=settings.default.max_examples * 3 // 5)
@given(
    st.text(
        st.characters(blacklist_characters="\0", blacklist_categories=["C", "Z"], max_codepoint=0xFFFF),
        min_size=1,
        max_size=30,
    )
)
def test_a_quoted_name_is_that_name(db, name):
    name = name.strip() or "x"
    assert list(db.query(f"SELECT 1 AS {quote_name(name)}").columns) == [name]
