"""What is in reach of a place, and what subqueries give: `|` is the place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.sql.lexer import tokenize
from rds_iam_magic.sql.subqueries import Star, scope_of
from tests.support.sqlish import SQLISH


def scope(text):
    before, _, after = text.partition("|")
    return scope_of(tokenize(before), tokenize(after))


@pytest.mark.parametrize(
    ("sql", "tables", "outer"),
    [
        ("SELECT | FROM a, b", ["a", "b"], []),
        ("SELECT | FROM a WHERE x IN (SELECT y FROM b)", ["a"], []),
        ("SELECT x FROM a WHERE x IN (SELECT | FROM b)", ["b"], ["a"]),
        ("SELECT x FROM a WHERE x IN (SELECT | FROM b", ["b"], ["a"]),
        ("SELECT x FROM a WHERE EXISTS (SELECT 1 FROM b WHERE y = (SELECT | FROM c))", ["c"], ["b", "a"]),
        ("SELECT | FROM (SELECT x FROM a) d JOIN (SELECT y FROM b) AS e", ["d", "e"], []),
        ("SELECT | FROM a, (SELECT x FROM b) d", ["a", "d"], []),
        ("SELECT x FROM (SELECT | FROM a) d", ["a"], []),
        ("SELECT x FROM a, LATERAL (SELECT | FROM b) d", ["b"], ["a"]),
        ("WITH r AS (SELECT | FROM a) SELECT * FROM r", ["a"], []),
        ("WITH r AS (SELECT x FROM a) SELECT | FROM r", ["r"], []),
        ("SELECT (SELECT 1 FROM b) x, (SELECT 2 FROM c) y, | FROM a", ["a"], []),
        ("SELECT COUNT(|) FROM a", ["a"], []),
        ("UPDATE a SET x = |", ["a"], []),
        ("INSERT INTO a (|", ["a"], []),
    ],
)
def test_tables_in_reach(sql, tables, outer):
    found = scope(sql)
    assert [table.name for table in found.tables] == tables
    assert [table.name for table in found.outer] == outer


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT a, t.b, s.t.c FROM t", ["a", "b", "c"]),
        ("SELECT DISTINCT a AS x, b y, `c d`, 1 AS one, 2 two FROM t", ["x", "y", "c d", "one", "two"]),
        ("SELECT SUM(a, b) total, f(x, y) AS z, COUNT(*) FROM t", ["total", "z"]),
        ("SELECT CASE WHEN a THEN b ELSE c END AS kind, CASE a WHEN 1 THEN 2 END kind2 FROM t", ["kind", "kind2"]),
        ("SELECT a + b, -c, a AND b, a IS NULL, x LIKE y FROM t", []),
        ("SELECT NULL AS n, 'text' t, 1.5 d, (SELECT 1) s", ["n", "t", "d", "s"]),
        ("SELECT a UNION SELECT b", ["a"]),
        ("SELECT (SELECT x FROM y) AS inner_one, b FROM t", ["inner_one", "b"]),
        ("SELECT a", ["a"]),
        ("SELECT", []),
        ("VALUES (1)", []),
    ],
)
def test_the_columns_that_a_query_gives(query, columns):
    for text in (
        f"WITH r AS ({query}) SELECT | FROM r",
        f"SELECT | FROM ({query}) AS r",
        f"SELECT x FROM q JOIN ({query}) r ON |",
        f"SELECT | FROM q, ({query}) r",
    ):
        assert list(scope(text).columns["r"]) == columns


def test_columns_that_are_listed():
    assert scope("WITH RECURSIVE r (a, `b c`) AS (SELECT 1, 2) SELECT |").columns == {"r": ("a", "b c")}
    assert scope("SELECT | FROM (SELECT 1, 2) R (a, b)").columns == {"r": ("a", "b")}


def test_all_columns_are_those_of_the_tables():
    def names(sql):
        [star] = scope(sql).columns["r"]
        assert isinstance(star, Star)
        return [table.name for table in star.tables]

    assert names("WITH r AS (SELECT * FROM a JOIN b USING (x)) SELECT |") == ["a", "b"]
    assert names("WITH r AS (SELECT y.* FROM a x JOIN b y USING (x)) SELECT |") == ["b"]
    assert names("WITH r AS (TABLE a) SELECT |") == ["a"]
    assert names("WITH r AS (SELECT * FROM (SELECT 1 AS z) d) SELECT |") == ["d"]


@given(SQLISH | st.text("(),.* ab`'\"AS", max_size=60).map(lambda text: f"WITH r AS (SELECT {text}"), st.data())
def test_any_text_has_a_scope(text, data):
    at = data.draw(st.integers(0, len(text)))
    found = scope_of(tokenize(text[:at]), tokenize(text[at:]))
    assert all(name == name.lower() for name in found.columns)
