"""Plans of real statements; and what is sent to servers that are not here."""

import pandas as pd
import pytest

from rds_iam_magic.errors import OptionError, StatementError
from rds_iam_magic.schema.explain import explain
from rds_iam_magic.schema.text import Text
from rds_iam_magic.sql.statement import split

JOIN = "SELECT c.city, COUNT(*) AS n FROM orders o JOIN customers c ON c.id = o.customer_id GROUP BY c.city ORDER BY n"


@pytest.mark.slow
def test_a_plan_is_a_tree(shop):
    tree = shop.explain(JOIN)
    assert type(tree) is Text
    assert tree.startswith("Query\n└─ ")
    assert "c: full scan · about" in tree
    assert "(customer_id = shop.c.id)" in tree
    assert " ms" not in tree


@pytest.mark.slow
def test_analyzing_runs_a_query(shop):
    tree = shop.explain(f"-- what it took\n{JOIN};", analyze=True)
    assert "4,000 rows (" in tree
    assert tree.splitlines()[0].endswith(" ms")


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT * FROM orders WHERE 1 = 0",
        "SELECT * FROM orders WHERE id = 5",
        "SELECT id FROM orders WHERE id IN (1, 2) OR ordered_at < '2022-01-05'",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r",
        "SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY id) FROM orders LIMIT 3",
        "SELECT a.id FROM products a JOIN products b ON a.name = b.name",
        "(SELECT id FROM orders) UNION (SELECT id FROM products WHERE id IN (SELECT product_id FROM order_lines))",
        "SELECT '%s {x} :y', 'it''s' FROM products",
        "VALUES (1), (2)",
    ],
)
def test_queries_of_every_kind(shop, sql):
    for analyze in (False, True):
        assert len(shop.explain(sql, analyze=analyze).splitlines()) > 1


@pytest.mark.slow
def test_a_write_is_explained_and_not_run(db, create):
    table = create("a INT PRIMARY KEY, b INT", "(1, 1), (2, 2)")
    for sql in (
        f"DELETE FROM `{table}` WHERE a = 1",
        f"UPDATE `{table}` SET b = 3",
        f"SELECT * FROM `{table}` FOR UPDATE",
    ):
        assert table in db.explain(sql)
        with pytest.raises(OptionError) as caught:
            db.explain(sql, analyze=True)
        assert caught.value.cause == "analyze-would-write"
    assert db.preview(table)["b"].tolist() == [1, 2]


@pytest.mark.slow
def test_a_second_statement_is_never_run(db, create):
    table = create("a INT", "(1)")
    for mode in ("", "NO_BACKSLASH_ESCAPES"):
        db.execute(f"SET sql_mode = '{mode}'")
        for first in ("SELECT 1", "SELECT 'a\\\\'", "SELECT '\\\\', 'a'"):
            with pytest.raises(OptionError, match="2 statements"):
                db.explain(f"{first}; DELETE FROM `{table}`")
    for sql in ("DELIMITER //\nSELECT 1; DELETE FROM `{}` //", "SELECT 1 /*!; DELETE FROM `{}` */"):
        with pytest.raises(OptionError, match="2 statements"):
            db.explain(sql.format(table))
    assert db.explain("DELIMITER //\nSELECT 1; //")
    assert len(db.preview(table)) == 1


@pytest.mark.slow
def test_a_refused_statement_has_the_usual_error(shop):
    with pytest.raises(StatementError) as caught:
        shop.explain("SELECT * FROM ordes")
    assert caught.value.hint.startswith("Did you mean `orders`?")
    with pytest.raises(OptionError) as caught:
        shop.explain(" ")
    assert caught.value.cause == "sql-missing"


@pytest.mark.slow
def test_the_rewritten_statement_is_no_warning(db, notes):
    """MySQL's EXPLAIN always has it as a note, MariaDB's with EXTENDED."""
    db.query("EXPLAIN EXTENDED SELECT 1")
    assert db.query("SHOW WARNINGS")["Level"].tolist() == ["Note"]
    assert notes == []


class MySQL:
    """Answers as another server would."""

    server_version = "8.0.36"

    def __init__(self, **answers):
        self.answers = answers
        self.sent = []

    def query(self, sql):
        self.sent.append(sql)
        answer = self.answers[sql.removesuffix(" SELECT 1").split("=")[-1].replace(" ", "_")]
        if isinstance(answer, Exception):
            raise answer
        return pd.DataFrame({"EXPLAIN": [answer]})


def test_mysql_draws_its_own_tree():
    server = MySQL(TREE="-> Rows fetched before execution\n", EXPLAIN_ANALYZE="-> Table scan (actual time=0.1)\n")
    assert explain(server, split("SELECT 1")) == "-> Rows fetched before execution"
    assert explain(server, split("SELECT 1"), analyze=True) == "-> Table scan (actual time=0.1)"
    assert server.sent == ["EXPLAIN FORMAT=TREE SELECT 1", "EXPLAIN ANALYZE SELECT 1"]


@pytest.mark.parametrize(
    "tree",
    [
        "<not executable by iterator executor>\n",
        StatementError("Unknown EXPLAIN format name: 'TREE' (1791).", code=1791),
    ],
)
def test_older_mysql_and_what_it_draws_no_tree_of(tree):
    server = MySQL(TREE=tree, JSON='{"query_block": {"message": "No tables used"}}')
    assert explain(server, split("SELECT 1")) == "Query · No tables used"


def test_another_refusal_is_not_asked_again():
    server = MySQL(TREE=StatementError("denied (1142).", code=1142))
    with pytest.raises(StatementError, match="denied"):
        explain(server, split("SELECT 1"))
    assert len(server.sent) == 1
