"""Colours in IPython's terminal: SQL cells only, without a trace afterwards, and never an error."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.terminal.ptutils import IPythonPTLexer
from prompt_toolkit.document import Document

from rds_iam_magic.notebook.highlighting import terminal
from rds_iam_magic.notebook.highlighting.terminal import Highlighting

TERMINAL = SimpleNamespace(pt_app=object())
SQL = "%%rds_sql orders << # it's\nSELECT id, 'two\nlines' -- a comment\nFROM orders"


@pytest.fixture
def highlighting():
    theirs = IPythonPTLexer.lex_document
    on = [True]
    made = Highlighting(TERMINAL, lambda: on[0])
    made.begin()
    yield on
    made.end()
    assert IPythonPTLexer.lex_document is theirs


def lines(text):
    document = Document(text)
    line = IPythonPTLexer().lex_document(document)
    return [[(style, part) for style, part, *_ in line(number)] for number in range(document.line_count)]


def style_of(shown, text):
    """The style of a part of a line, by Pygments' name of it."""
    (style,) = [style for style, part in shown if part == text]
    return style.removeprefix("class:pygments.")


def test_the_body_is_sql_over_all_its_lines(highlighting):
    assert highlighting
    magic, select, rest, source = lines(SQL)
    assert style_of(select, "SELECT") == "keyword"
    assert style_of(rest, "-- a comment") == "comment.single"
    assert style_of(source, "FROM") == "keyword"
    assert {style for style, part in rest if "lines" in part} == {"class:pygments.literal.string.single"}
    assert style_of(magic, "rds_sql").startswith("name")


def test_switched_off_and_elsewhere_it_is_ipythons(highlighting):
    others = ["import os", "%%bash\nls", "%%sql\nSELECT 1", "%rds_sql SELECT 1", "# x\n%%rds_sql\nSELECT 1", ""]
    ours = [lines(text) for text in others]
    colored = lines(SQL)
    highlighting[0] = False
    assert [lines(text) for text in others] == ours
    assert lines(SQL) != colored


def test_a_shell_without_a_terminal_is_left_alone():
    theirs = IPythonPTLexer.lex_document
    Highlighting(SimpleNamespace(), lambda: True).begin()
    Highlighting(SimpleNamespace(pt_app=None), lambda: True).begin()
    assert IPythonPTLexer.lex_document is theirs


def test_another_extensions_colours_stay():
    ipythons = IPythonPTLexer.lex_document
    python = lines(SQL)
    made = Highlighting(TERMINAL, lambda: True)
    made.begin()
    before = IPythonPTLexer.lex_document

    def theirs(self, document):
        return before(self, document)

    IPythonPTLexer.lex_document = theirs
    made.end()
    assert IPythonPTLexer.lex_document is theirs
    assert lines(SQL) == python
    IPythonPTLexer.lex_document = ipythons


def test_what_fails_is_shown_without_colours(highlighting, monkeypatch):
    def broken(body):  # noqa: ARG001 - as the function that it replaces
        raise RuntimeError

    monkeypatch.setattr(terminal, "_sql", broken)
    shown = lines(SQL)
    highlighting[0] = False
    assert shown == lines(SQL)

    def later(number):
        raise RuntimeError(number)

    highlighting[0] = True
    monkeypatch.setattr(terminal, "_sql", lambda _: later)
    assert lines(SQL)[1] == [("", "SELECT id, 'two")]


@pytest.mark.parametrize("size", [terminal.LONG, terminal.VERY_LONG])
def test_long_sql_is_shown_whole(highlighting, size):
    assert highlighting
    text = "%%rds_sql\n" + "SELECT 1 -- one\n" * (size // 16 + 1)
    shown = lines(text)
    assert "\n".join("".join(part for _, part in line) for line in shown) == text
    assert (shown[-2] == [("", "SELECT 1 -- one")]) == (size == terminal.VERY_LONG)


@given(st.text(), st.booleans())
def test_any_text_is_shown_as_it_is(text, is_sql):
    made = Highlighting(TERMINAL, lambda: True)
    made.begin()
    try:
        document = Document(f"%%rds_sql\n{text}" if is_sql else text)
        line = IPythonPTLexer().lex_document(document)
        for number, expected in enumerate(document.lines):
            assert "".join(part for _, part, *_ in line(number)) == expected
    finally:
        made.end()
