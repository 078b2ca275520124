"""Only what gives the same rows at each evaluation is divided, and the statement of a part is well formed."""

import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.parallel.divisible import (
    check_divisible,
    is_ordered,
    is_random,
    merges_rows,
    reads_clock,
    statement_of,
)
from rds_iam_magic.sql.effects import effects_of
from rds_iam_magic.sql.statement import split


def judged(sql):
    return check_divisible([(each, effects_of(each)) for each in split(sql)])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM t",
        "select a.`limit`, t.limit, 'LIMIT 1', uuid FROM t -- LIMIT 1",
        "WITH x AS (SELECT * FROM t) SELECT * FROM x;",
        "SELECT id, RANK() OVER (ORDER BY id) FROM t",
        "SELECT ')' FROM t",
        r"SELECT '\')' FROM t",
        "TABLE t",
        "(SELECT 1 AS a) UNION (SELECT 2)",
    ],
)
def test_divisible(sql):
    assert judged(sql).text == split(sql)[0].text


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("SELECT 1; SELECT 2", "parts-several-statements"),
        ("DELETE FROM t", "parts-not-a-query"),
        ("SHOW TABLES", "parts-not-a-query"),
        ("EXPLAIN SELECT 1", "parts-not-a-query"),
        ("SELECT f() FROM t", "parts-not-a-query"),
        ("SELECT * FROM t FOR UPDATE", "parts-not-a-query"),
        ("SELECT 1 /*! LIMIT 1 */", "parts-not-a-query"),
        ("SELECT * FROM t LIMIT 3", "parts-limit"),
        ("SELECT * FROM t ORDER BY id LIMIT 3", "parts-limit"),
        ("SELECT * FROM (SELECT * FROM t FETCH FIRST 3 ROWS ONLY) AS x", "parts-limit"),
        ("SELECT RAND(), id FROM t", "parts-unstable"),
        ("SELECT row_number() OVER (ORDER BY a) AS n FROM t", "parts-unstable"),
        ("SELECT id, COUNT(*) OVER (ORDER BY g ROWS UNBOUNDED PRECEDING) AS n FROM t", "parts-unstable"),
        ("SELECT 1) AS x WHERE (1", "sql-syntax"),
        ("SELECT (1", "sql-syntax"),
    ],
)
def test_not_divisible(sql, cause):
    with pytest.raises(OptionError) as caught:
        judged(sql)
    assert caught.value.cause == cause
    assert caught.value.hint


def test_an_order_of_its_own():
    assert is_ordered(split("SELECT * FROM t ORDER BY a")[0])
    assert not is_ordered(split("SELECT SUM(a) OVER (ORDER BY a) FROM (SELECT 1 ORDER BY 1) AS x")[0])


def test_the_clock():
    assert reads_clock(split("SELECT NOW() - a AS age FROM t")[0])
    assert not reads_clock(split("SELECT 'NOW()' FROM t")[0])


def test_chance():
    assert is_random(split("SELECT a, rand () FROM t")[0])
    assert is_random(split("SELECT FOUND_ROWS() AS a FROM t")[0])
    assert not is_random(split("SELECT uuid, t.rand FROM t WHERE (a)")[0])


@pytest.mark.parametrize(
    ("sql", "merges"),
    [
        ("SELECT s, COUNT(*) FROM t GROUP BY s", True),
        ("SELECT DISTINCT s FROM t", True),
        ("SELECT HEX(s) FROM (SELECT s FROM t UNION SELECT s FROM u) AS x", True),
        ("SELECT s FROM t UNION SELECT s FROM u", False),
        ("WITH RECURSIVE n AS (SELECT 1 AS k UNION ALL SELECT k + 1 FROM n) SELECT k FROM n", False),
        ("SELECT 'GROUP', `distinct` FROM t", False),
    ],
)
def test_rows_that_become_one(sql, merges):
    assert merges_rows(split(sql)[0]) is merges


def test_a_comment_at_the_end_ends_with_its_line():
    assert statement_of("SELECT 1 -- x", "a < 1") == "SELECT * FROM (\nSELECT 1 -- x\n) AS part WHERE a < 1"
    assert statement_of("SELECT 1", select="a", then="LIMIT 1") == "SELECT a FROM (\nSELECT 1\n) AS part LIMIT 1"
