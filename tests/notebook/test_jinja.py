"""`--jinja`: values are bound and never pasted; what is undefined, quoted or not valid is refused."""

import sys

import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.jinja import render
from rds_iam_magic.sql.binding import bind


def sent(template, **variables):
    return bind(*render(template, variables)).text


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("SELECT {{ x }}", "SELECT 'it''s'"),
        ("SELECT {{ x | upper }}", "SELECT 'IT''S'"),
        ("SELECT {{ x ~ '!' }}, {{ 5 }}, {{ 'a' }}", "SELECT 'it''s!', 5, 'a'"),
        ("x IN {{ ids }}", "x IN (1, 2)"),
        ("SELECT {{ table | sql }}, :x", "SELECT a.b, 'it''s'"),
        ("{% for i in ids %}{{ i }}, {% endfor %}0", "1, 2, 0"),
        ("{% if missing is defined %}a{% else %}b{% endif %}", "b"),
        ("{{ missing | default(5) }}", "5"),
        ("{% macro m(v) %}a = {{ v }}{% endmacro %}{{ m(x) }} AND {{ m(5) }}", "a = 'it''s' AND a = 5"),
        ("SELECT {{ none }}\n", "SELECT NULL\n"),
        ("SELECT 1 {# {{ missing }} #}", "SELECT 1 "),
        ("SELECT '{% raw %}{{x}}{% endraw %}'", "SELECT '{{x}}'"),
        ("SELECT {{ colons }}", "SELECT ':x {{ x }}'"),
    ],
)
def test_values_are_bound(template, expected):
    assert sent(template, x="it's", ids=[1, 2], table="a.b", none=None, colons=":x {{ x }}") == expected


@pytest.mark.parametrize(
    ("template", "cause"),
    [
        ("SELECT {{ missing }}", "jinja-undefined"),
        ("SELECT {{ x.missing }}", "jinja-undefined"),
        ("{% if missing %}{% endif %}", "jinja-undefined"),
        ("SELECT '{% x'", "jinja-invalid"),
        ("SELECT '{{ x }}'", "jinja-in-quotes"),
        ("SELECT `{{ x }}`", "jinja-in-quotes"),
        ("SELECT 1 -- {{ x }}", "jinja-in-quotes"),
        ("SELECT tab_{{ x }}", "jinja-in-quotes"),
        ("SELECT {{ x }}_a", "jinja-in-quotes"),
    ],
)
def test_what_is_refused(template, cause):
    with pytest.raises(OptionError) as caught:
        sent(template, x="v")
    assert caught.value.cause == cause
    assert caught.value.hint


def test_without_jinja(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(OptionError, match="not installed") as caught:
        render("SELECT 1", {})
    assert "rds-iam-magic[jinja]" in caught.value.hint


def test_in_a_cell(connected):
    connected.ok("country = 'JP'; columns = ['id', 'country']")
    cell = connected.ok(
        "%%rds_sql --jinja\nSELECT {{ columns | join(', ') | sql }} FROM customers WHERE country = {{ country }}"
    )
    assert cell.value.shape == (803, 2)
    assert connected.ok("%%rds_sql -j -N\nSELECT {{ country }}, :country").output == "SELECT 'JP', 'JP';\n"
    assert isinstance(connected("%%rds_sql -j\nSELECT {{ contry }}").error, OptionError)


class Raises:
    @property
    def value(self):
        raise ValueError("a value")


@pytest.mark.parametrize(
    "template", ["{{ 1 / 0 }}", "{{ o.value }}", "{{ n + 'a' }}", "{% for i in n %}{% endfor %}", "{% include 'x' %}"]
)
def test_what_a_template_raises_is_one_line(template):
    with pytest.raises(OptionError) as caught:
        render(f"SELECT\n{template}", {"o": Raises(), "n": 5})
    assert caught.value.cause == "jinja-failed"
    assert "(line 2)" in str(caught.value)
    assert "a value" not in str(caught.value)


@pytest.mark.parametrize(
    "template",
    ["{% macro m(a) %}{{ a }}{% endmacro %}{{ m(s)|upper }}", "{% set y %}{{ s }}{% endset %}{{ y|upper }}"],
)
def test_a_filter_on_what_a_macro_has_written(template):
    """It gets the parameter, not its value: such a text is never sent as a value."""
    sql, values = render(f"SELECT {template}", {"s": "x"})
    with pytest.raises(OptionError) as caught:
        bind(sql, values)
    assert caught.value.cause == "parameter-unknown"
