"""The shop: the same rows each time, with statistics, so that joins are quick."""

import pytest

pytestmark = pytest.mark.slow  # servers and kernels


def test_the_sample_data_is_the_same_every_time(sandbox):
    expected = {"customers": 4000, "products": 24, "orders": 50000, "order_lines": 96381}
    with sandbox.server.root() as root:
        for table, rows in expected.items():
            root.execute(f"SELECT COUNT(*) FROM shop.{table}")
            assert root.fetchone() == (rows,)
        root.execute("SELECT SUM(quantity * unit_price) FROM shop.order_lines")
        assert str(root.fetchone()[0]) == REVENUE
        root.execute("SELECT COUNT(*) FROM shop.customers WHERE country = 'JP' AND name REGEXP '[一-龯ぁ-ん]'")
        assert root.fetchone()[0] > 100
        root.execute("SELECT COUNT(email) < COUNT(*) FROM shop.customers")
        assert root.fetchone() == (1,)


REVENUE = "5183057.34"


JOINS = {
    "two tables": "SELECT COUNT(*) FROM orders o JOIN order_lines l ON l.order_id = o.id",
    "by a column without an index": "SELECT COUNT(*) FROM products p JOIN order_lines l ON p.unit_price = l.unit_price",
    "all tables": "SELECT c.country, p.category, SUM(l.quantity * l.unit_price) FROM customers c "
    "JOIN orders o ON o.customer_id = c.id JOIN order_lines l ON l.order_id = o.id "
    "JOIN products p ON p.id = l.product_id GROUP BY c.country, p.category",
    "a few of many": "SELECT COUNT(*) FROM customers c JOIN orders o ON o.customer_id = c.id "
    "JOIN order_lines l ON l.order_id = o.id WHERE c.city = 'Paris' AND o.status = 'returned'",
    "the other way round": "SELECT COUNT(*) FROM order_lines l, orders o, customers c "
    "WHERE l.order_id = o.id AND o.customer_id = c.id AND l.discount > 0.2",
}


def test_the_sample_data_has_statistics(sandbox):
    with sandbox.server.root() as root:
        root.execute("SELECT table_name, cardinality FROM mysql.table_stats WHERE db_name = 'shop'")
        assert dict(root.fetchall()) == {"customers": 4000, "products": 24, "orders": 50000, "order_lines": 96381}
        root.execute("SELECT COUNT(DISTINCT column_name) FROM mysql.column_stats WHERE db_name = 'shop'")
        assert root.fetchone()[0] > 15
        root.execute("SELECT table_name, n_rows > 0 FROM mysql.innodb_table_stats WHERE database_name = 'shop'")
        assert set(root.fetchall()) == {(name, 1) for name in ("customers", "products", "orders", "order_lines")}


@pytest.mark.parametrize("sql", JOINS.values(), ids=JOINS)
def test_joins_read_no_more_rows_than_they_need(sandbox, sql):
    """Measured in rows that the server reads, which no machine's speed changes."""
    with sandbox.server.root() as root:
        root.execute("USE shop")
        root.execute("FLUSH STATUS")
        root.execute(sql)
        root.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        assert sum(int(count) for _, count in root.fetchall()) < 1_000_000
