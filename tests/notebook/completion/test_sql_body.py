"""What is offered in SQL: `|` is the cursor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.notebook.completion import keywords
from rds_iam_magic.notebook.completion.sql_body import Surroundings, complete_sql
from rds_iam_magic.schema.catalog.catalog import Catalog, SchemaNames
from rds_iam_magic.schema.catalog.names import Names
from tests.support.sqlish import SQLISH


def schema(tables, **routines):
    columns = {name: "\0".join(names.split()) for name, names in tables.items()}
    return SchemaNames(tables=Names(tables), **routines).with_columns(columns)


CATALOG = Catalog(
    {
        "information_schema": SchemaNames(),
        "shop": schema(
            {
                "customers": "customer_id name country",
                "orders": "order_id customer_id ordered_at total",
                "order_lines": "order_id line amount order",
                "Odd Name": "x",
            },
            functions=("order_total",),
            procedures=("one", "two"),
        ),
        "stock": schema({"items": "item_id count", "orders": "supplier"}),
    }
)
AROUND = Surroundings(CATALOG, "shop", ("since", "until"))


def offered(text, around=AROUND):
    at = text.index("|")
    sql = text.replace("|", "", 1)
    suggestions = complete_sql(sql, at, around)
    assert 0 <= suggestions.start <= at
    return [item.text for item in suggestions.items]


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        # tables
        ("SELECT * FROM |", ["customers", "`Odd Name`", "order_lines", "orders", "shop", "stock"]),
        ("SELECT * FROM ord|", ["order_lines", "orders"]),
        ("SELECT * FROM orders o JOIN c|", ["customers"]),
        ("SELECT * FROM orders, c|", ["customers"]),
        ("SELECT * FROM stock.|", ["items", "orders"]),
        ("SELECT * FROM stock.i|", ["items"]),
        ("SELECT * FROM `od|", ["`Odd Name`"]),
        ("SELECT * FROM `stock`.`i|", ["`items`"]),
        ("INSERT INTO cu|", ["customers"]),
        ("UPDATE cu|", ["customers"]),
        ("DELETE FROM cu|", ["customers"]),
        ("DESCRIBE cu|", ["customers"]),
        ("DROP TABLE IF EXISTS cu|", ["customers"]),
        ("SHOW CREATE TABLE cu|", ["customers"]),
        ("WITH recent AS (SELECT 1) SELECT * FROM re|", ["recent"]),
        # schemas
        ("USE s|", ["shop", "stock"]),
        ("SHOW TABLES FROM s|", ["shop", "stock"]),
        # columns, of the statement's tables first
        ("SELECT | FROM customers", ["customer_id", "name", "country", "customers", "*"]),
        ("SELECT na|\nFROM customers", ["name"]),
        ("SELECT o.| FROM orders o", ["order_id", "customer_id", "ordered_at", "total"]),
        ("SELECT o.or|der FROM orders AS o", ["order_id", "ordered_at"]),
        ("SELECT orders.t| FROM orders", ["total"]),
        ("SELECT * FROM orders o WHERE o.t|", ["total"]),
        ("SELECT * FROM orders o JOIN customers c ON c.c|", ["customer_id", "country"]),
        ("SELECT * FROM orders o JOIN customers c ON cu|", ["o.customer_id", "c.customer_id"]),
        ("SELECT * FROM orders o JOIN customers c USING (cu|", ["customer_id"]),
        ("SELECT * FROM stock.items WHERE i|", ["item_id", "items"]),
        ("SELECT stock.items.c|", ["count"]),
        ("SELECT * FROM orders GROUP BY c|", ["customer_id"]),
        ("SELECT * FROM orders ORDER BY total, o|", ["order_id", "ordered_at", "orders"]),
        ("UPDATE customers SET n|", ["name"]),
        ("INSERT INTO customers (|", ["customer_id", "name", "country"]),
        ("SELECT * FROM orders WHERE total > 5 AND o|", ["order_id", "ordered_at", "orders"]),
        ("SELECT SUM(t|) FROM orders", ["total"]),
        ("SELECT * FROM order_lines WHERE ord|", ["order_id", "`order`", "order_lines"]),
        ("SELECT l.ord| FROM order_lines l", ["order_id", "order"]),
        ("SELECT 1; SELECT n| FROM customers; SELECT t FROM orders", ["name"]),
        ("SELECT coun|", ["country", "count"]),
        ("SELECT customers.n|", ["name"]),
        # columns of subqueries
        (
            "WITH r AS (SELECT customer_id, SUM(total) AS spent FROM orders) SELECT | FROM r",
            ["customer_id", "spent", "r"],
        ),
        ("WITH r AS (SELECT * FROM customers) SELECT r.n| FROM r", ["name"]),
        ("WITH r AS (SELECT o.* FROM orders o), q AS (SELECT * FROM r) SELECT tot| FROM q", ["total"]),
        ("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT | FROM n", ["i", "n"]),
        ("SELECT | FROM (SELECT name, 1 AS one FROM customers) AS d", ["name", "one", "d"]),
        ("SELECT d.| FROM (SELECT name FROM customers) d", ["name"]),
        ("SELECT | FROM customers WHERE customer_id IN (SELECT customer_id FROM orders)", ["customer_id", "name"]),
        (
            "SELECT name FROM customers WHERE EXISTS (SELECT 1 FROM orders WHERE c|",
            ["customer_id", "country", "customers.customer_id"],
        ),
        # functions, keywords
        ("SELECT COU| FROM orders", ["COUNT"]),
        ("SELECT order_t|", ["order_total"]),
        ("|", ["SELECT", "WITH", "SHOW"]),
        ("sel|", ["select"]),
        ("SEL|", ["SELECT"]),
        ("SELECT * |", ["FROM"]),
        ("SELECT * FR|", ["FROM"]),
        ("select * fr|", ["from"]),
        ("select * from orders |", ["where", "join", "left join"]),
        ("SELECT * FROM orders WH|", ["WHERE"]),
        ("SELECT * FROM orders o LEFT |", ["JOIN"]),
        ("SELECT * FROM orders WHERE total > 5 |", ["AND", "OR"]),
        ("SELECT * FROM orders WHERE total IS |", ["NULL", "NOT NULL"]),
        ("SELECT * FROM orders ORDER |", ["BY"]),
        ("SELECT * FROM orders ORDER BY total |", ["DESC", "ASC"]),
        ("SELECT NOW() - INTERVAL 1 D|", ["DAY"]),
        ("SELECT CAST(x AS D|", ["DATE"]),
        ("INSERT |", ["INTO"]),
        ("INSERT INTO customers |", ["VALUES", "SELECT"]),
        ("SHOW |", ["TABLES", "DATABASES"]),
        ("SELECT * FROM (|", ["SELECT"]),
        ("CALL |", ["one", "two"]),
        # variables
        ("SELECT * FROM orders WHERE ordered_at >= :|", ["since", "until"]),
        ("SELECT * FROM orders WHERE ordered_at >= :u|", ["until"]),
        ("SET @total = 1; SELECT @t|", ["total"]),
    ],
)
def test_in_order_of_likelihood(sql, first):
    assert offered(sql)[: len(first)] == first


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'o|",
        'SELECT "o|',
        "SELECT 'it''s o|",
        "SELECT 'it\\'s o|",
        "-- o|",
        "# o|",
        "SELECT 1 /* o|",
        "SELECT 12|",
        "SELECT 1.|",
        "SELECT 1.5|",
        "SELECT total AS o|",
        "SELECT nothing.o|",
        "SELECT o.zzz| FROM orders o",
        "SELECT * FROM zzz|",
        "SELECT x::o|",
    ],
)
def test_where_nothing_fits_nothing_is_offered(sql):
    assert offered(sql) == [] or sql == "SELECT x::o|"


def test_behind_a_comment_or_a_string_it_goes_on():
    assert offered("-- it's\nSELECT 'o' FROM cu|") == ["customers"]
    assert offered("SELECT 'a;b' /* ' */ FROM cu|") == ["customers"]


def test_another_default_schema():
    around = Surroundings(CATALOG, "stock")
    assert offered("SELECT * FROM |", around)[:2] == ["items", "orders"]
    assert offered("SELECT | FROM orders", around)[:1] == ["supplier"]
    assert offered("SELECT | FROM shop.customers", around)[:1] == ["customer_id"]
    assert offered("SELECT * FROM |", Surroundings(CATALOG))[:2] == ["shop", "stock"]


def test_without_a_catalog_keywords_remain():
    around = Surroundings(Catalog())
    assert offered("SELECT * FROM |", around)[:1] == ["SELECT"]
    assert offered("SELECT COU|", around) == ["COUNT"]


def test_no_python_names():
    assert not {"print", "copyright"} & {name.lower() for name in offered("SELECT p|") + offered("SELECT c|")}


def test_each_keyword_is_written_in_capitals():
    words = [*keywords.STATEMENTS, *keywords.OPERANDS, *keywords.BETWEEN_VALUES, *keywords.COMMON_FUNCTIONS]
    words += [word for table in (keywords.OPERATORS, keywords.FOLLOWING) for words in table.values() for word in words]
    assert [word for word in words if word != word.upper()] == []


WORDS = st.lists(
    st.sampled_from(
        ["SELECT", "FROM", "orders", "o", ".", ",", "(", ")", " ", "\n", "'", "`", "JOIN", "ON", ":", "=", ";", "AS",
         "WITH", "-- ", "/*", "1", "customers", "c", "WHERE", "*", "é"]
    )
).map(" ".join)  # fmt: skip


@given(WORDS | SQLISH, st.data())
def test_anywhere_in_any_text_what_is_offered_begins_with_what_was_typed(sql, data):
    at = data.draw(st.integers(0, len(sql)))
    suggestions = complete_sql(sql, at, AROUND)
    typed = sql[suggestions.start : at].lstrip("`").lower()
    for item in suggestions.items:
        assert typed in item.text.lower()
