"""The tables of a statement."""

import pytest
from hypothesis import given

from rds_iam_magic.sql.lexer import tokenize
from rds_iam_magic.sql.tables import common_tables, table_references
from tests.support.sqlish import SQLISH


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT 1", []),
        ("SELECT * FROM a", ["a"]),
        ("SELECT * FROM shop.a AS x JOIN b y ON x.id = y.id", ["shop.a x", "b y"]),
        ("SELECT * FROM a, `odd ``b`.`c d` q, d WHERE 1", ["a", "odd `b.c d q", "d"]),
        ("SELECT * FROM a LEFT JOIN b USING (id)", ["a", "b"]),
        ("SELECT * FROM (SELECT x FROM inner_one) t, other", ["inner_one"]),
        ("UPDATE a SET x = 1", ["a"]),
        ("INSERT INTO a VALUES (1)", ["a"]),
        ("SELECT 1 FROM a INTO @x", ["a"]),
        ("DELETE FROM a RETURNING id", ["a"]),
    ],
)
def test_tables(sql, tables):
    found = [
        ".".join(filter(None, [t.schema, t.name])) + (f" {t.alias}" if t.alias != t.name else "")
        for t in table_references(list(tokenize(sql)))
    ]
    assert found == tables


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 1", []),
        ("WITH a AS (SELECT 1) SELECT * FROM a", ["a"]),
        ("WITH RECURSIVE a (x, y) AS (SELECT 1), `b c` AS (SELECT 2) SELECT 1", ["a", "b c"]),
        ("WITH a AS (SELECT f(1) AS x, 2 AS y FROM t) SELECT", ["a"]),
    ],
)
def test_common_tables(sql, names):
    assert common_tables(list(tokenize(sql))) == names


@given(SQLISH)
def test_any_text_has_tables_or_none(text):
    tokens = list(tokenize(f"WITH {text} FROM {text}"))
    list(table_references(tokens))
    common_tables(tokens)
