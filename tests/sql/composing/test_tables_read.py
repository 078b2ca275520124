"""The tables that a query may read from, however it names them."""

import pytest

from rds_iam_magic.sql.composing.tables_read import tables_read


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM top",
        "SELECT * FROM `Top` AS t WHERE a = 1",
        "SELECT * FROM (SELECT 1) d, top",
        "SELECT * FROM (top)",
        "SELECT * FROM(top)",
        "SELECT * FROM ((x, top) JOIN y)",
        "SELECT * FROM x LEFT JOIN (y CROSS JOIN top) ON 1",
        "SELECT * FROM x LEFT JOIN (top CROSS JOIN y) ON 1",
        "SELECT * FROM x JOIN y ON x.a IN (1, f(2, 3)), top",
        "SELECT * FROM x JOIN y USING (a, b), top",
        "SELECT * FROM x USE INDEX (), top t",
        "SELECT * FROM x USE INDEX FOR ORDER BY (a), top",
        "SELECT * FROM x PARTITION (p0, p1), top",
        "SELECT * FROM {OJ top LEFT JOIN x ON 1}",
        "SELECT * FROM /*! top */",
        "SELECT * FROM x /*!, top */",
        "SELECT * FROM -- (\n top",
        'SELECT * FROM x, "top"',
        "SELECT * FROM x UNION (SELECT * FROM top)",
        "SELECT (SELECT MAX(a) FROM top), ')'",
        "SELECT * FROM x WHERE a IN (TABLE top)",
        "SELECT * FROM x, LATERAL (SELECT * FROM top) l",
        "SELECT * FROM (VALUES (1), (2)) v, top",
        "SELECT * FROM x.y, top",
        "SELECT ) FROM top",
    ],
)
def test_a_table_is_found(sql):
    assert "top" in tables_read(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT top FROM x",
        "SELECT top.a, top FROM x AS top WHERE top IN (top, 'FROM top')",
        "SELECT * FROM x.top, y JOIN `x` . `top` ON 1",
        "SELECT * FROM x JOIN y USING (a, top) GROUP BY a, top HAVING MAX(top) ORDER BY a DESC, top LIMIT 1",
        "SELECT * FROM x top, (SELECT 1) top -- FROM top",
        "SELECT COUNT(DISTINCT a, top), 'x' FROM x WINDOW w AS (PARTITION BY a, top)",
    ],
)
def test_what_is_no_table(sql):
    assert "top" not in tables_read(sql)


def test_all_of_a_query():
    assert tables_read("SELECT a.x FROM A a JOIN `B b` USING (x), other.c") == {"a", "b b"}
