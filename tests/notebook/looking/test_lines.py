"""The lines of the magics for looking around."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammars import TABLES
from rds_iam_magic.notebook.looking.lines import parse_look
from rds_iam_magic.sql.quoting import quote_name


@pytest.mark.parametrize(
    "line", ["`odd name`.`t``b` -A prod;", "-A prod `odd name`.`t``b`", "--alias=prod `odd name`.`t``b` "]
)
def test_a_name_and_options_in_any_order(line):
    parsed = parse_look(TABLES, line)
    assert (parsed.name, parsed.alias) == ("`odd name`.`t``b`", "prod")


def test_an_empty_line_and_help():
    assert parse_look(TABLES, "").name is None
    assert parse_look(TABLES, "ord% -h") is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a b", "does not understand 'b'"),
        ("`a b", "not closed"),
        ("a --alas x", "no option --alas"),
        ("-A a x -A b", "--alias is given twice"),
        ("a -A", "--alias needs a value"),
        ("mysql://u:secret@h/db", "password|URL|login"),
    ],
)
def test_what_cannot_be_understood(line, words):
    with pytest.raises(OptionError, match=words) as caught:
        parse_look(TABLES, line)
    assert "secret" not in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 2


def test_a_missing_name():
    with pytest.raises(OptionError, match="name of a table is missing"):
        parse_look(TABLES, "-A x", least=1)


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_quoted_name_arrives(name):
    assert parse_look(TABLES, f"-A prod {quote_name(name)}").name == quote_name(name)


@given(line=st.text("`'\"-A= .%*xh", max_size=12))
def test_any_line_is_read_or_refused(line):
    with suppress(OptionError):
        parse_look(TABLES, line, most=2)
