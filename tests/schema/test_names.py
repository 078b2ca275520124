"""Names of tables and patterns, as people write them; and in SQL, exactly as they are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.schema.names import Part, Table, like, parse_pattern, parse_table, take_name
from rds_iam_magic.sql.lexer import NAME, tokenize
from rds_iam_magic.sql.quoting import quote_name

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("text", "schema", "name"),
    [
        ("orders", None, "orders"),
        ("shop.orders", "shop", "orders"),
        ("`odd name`.`t``b`", "odd name", "t`b"),
        ("shop.`a.b`", "shop", "a.b"),
        ('"odd name"', None, "odd name"),
        ("'odd name'", None, "odd name"),
        ("odd name", None, "odd name"),
        ("  orders  ", None, "orders"),
        ("été.表", "été", "表"),
        ("a`b", None, "a`b"),
        ("2024_sales$", None, "2024_sales$"),
    ],
)
def test_the_name_of_a_table(text, schema, name):
    assert parse_table(text) == Table(schema, name)


@pytest.mark.parametrize(
    "text", ["", " ", ".", "a.", ".a", "a.b.c", "`a", "`a`b", "``", "a..b", "`a`.", "a.''", "\ud800", "a.`\udc00`"]
)
def test_what_is_no_name(text):
    with pytest.raises(OptionError, match="is not the name of a table") as caught:
        parse_table(text)
    assert caught.value.cause == "table-name-invalid"


@given(schema=NAMES | st.none(), name=NAMES)
def test_a_quoted_name_is_read_and_written_exactly(schema, name):
    table = Table(schema, name)
    assert parse_table(table.sql) == table
    assert [token.kind for token in tokenize(quote_name(name))] == [NAME]


@given(names=st.lists(NAMES, min_size=1, max_size=3), rest=st.sampled_from(["", "--all", "20 -A x"]))
def test_a_quoted_name_is_one_word_of_a_line(names, rest):
    line = " ".join([quote_name(name) for name in names] + [rest])
    for name in names:
        word, line = take_name(line)
        assert parse_pattern(word).name == Part(name, is_quoted=True)
    assert line == rest


@pytest.mark.parametrize("line", ["`a", "`a b", '"a', "a`b c"])
def test_an_open_quotation_mark_begins_no_word(line):
    assert take_name(line) == ("", line)


def matches(pattern: str, name: str) -> bool:
    """Whether a name matches, by what LIKE means on the server; test_tables asks the server itself."""
    literal = re.search(r"X'([0-9a-f]*)' ESCAPE '\|'$", like("t", parse_pattern(pattern).name))[1]
    parts = re.findall(r"\|.|.", bytes.fromhex(literal).decode(), re.DOTALL)
    regex = "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)
    return re.fullmatch(regex, name, re.IGNORECASE | re.DOTALL) is not None


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("ord%", "orders", "word"),
        ("ord*", "ORDERS", "word"),
        ("order_", "orders", "order"),
        ("order_*", "order_lines", "orders"),
        ("order?", "orders", "order"),
        ("*_%*", "a_%b", "ab"),
        ("`a%`", "a%", "ab"),
        ("`a*`", "a*", "ab"),
        ("a|b", "a|b", "ab"),
    ],
)
def test_patterns(pattern, yes, no):
    assert matches(pattern, yes)
    assert not matches(pattern, no)


@given(name=NAMES)
def test_a_quoted_name_matches_itself_only(name):
    assert matches(quote_name(name), name)
    assert not matches(quote_name(name), name + "x")


@pytest.mark.parametrize(
    ("pattern", "expected"), [("a", True), ("a_b", True), ("`a%`", True), ("a%", False), ("s*.a", False)]
)
def test_a_name_is_told_from_a_pattern(pattern, expected):
    assert parse_pattern(pattern).is_name is expected
