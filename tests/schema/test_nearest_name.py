"""The nearest name to one that the server does not know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import RdsIamError, StatementError
from rds_iam_magic.mysql.wire.events import ServerError
from rds_iam_magic.schema.nearest_name import Missing, nearest, nearest_name_hint, not_found
from rds_iam_magic.sql.statement import split


def error(code, message=""):
    return ServerError(code, "HY000", message)


@pytest.mark.parametrize(
    ("code", "message", "missing"),
    [
        (1054, "Unknown column 'pric' in 'field list'", Missing("column", "pric")),
        (1054, "Unknown column 'o.pric' in 'where clause'", Missing("column", "pric", ("o",))),
        (1054, "Unknown column 'shop.o.pric' in 'SELECT'", Missing("column", "pric", ("shop", "o"))),
        (1072, "Key column 'pric' doesn't exist in table", Missing("column", "pric")),
        (1146, "Table 'shop.ordrs' doesn't exist", Missing("table", "ordrs", ("shop",))),
        (1051, "Unknown table 'shop.a,shop.b'", Missing("table", "a", ("shop",))),
        (1049, "Unknown database 'shp'", Missing("database", "shp")),
        (1044, "Access denied for user 'tester'@'%' to database 'shp'", Missing("database", "shp")),
        (
            1142,
            "SELECT command denied to user 'ana'@'10.0.0.1' for table `shop`.`ordes`",
            Missing("table", "ordes", ("shop",)),
        ),
        (1142, "SELECT command denied to user 'ana'@'10.0.0.1' for table 'ordes'", Missing("table", "ordes")),
        (1142, "SHOW VIEW command denied", None),
        (1305, "FUNCTION shop.cuont does not exist", Missing("function", "cuont", ("shop",))),
        (1305, "PROCEDURE shop.p does not exist", Missing("procedure", "p", ("shop",))),
        (1305, "SAVEPOINT x does not exist", None),
        (1064, "You have an error near 'x'", None),
        (1054, "no quotes at all", None),
    ],
)
def test_what_was_not_found(code, message, missing):
    assert not_found(error(code, message)) == missing


@pytest.mark.parametrize(
    ("name", "candidates", "meant"),
    [
        ("ordrs", ["orders", "order_items", "customers"], "orders"),
        ("Orders", ["orders"], "orders"),
        ("oders", ["orders", "odors"], "orders"),
        ("pirce", ["price", "piece"], "price"),
        ("customerid", ["customer_id", "customer"], "customer_id"),
        ("cutsomers_name", ["customer_name", "quantity"], "customer_name"),
        ("quantity", ["qty", "price"], ""),
        ("id", ["io", "is"], ""),
        ("name", ["code", "city"], ""),
        ("x", [], ""),
    ],
)
def test_nearest(name, candidates, meant):
    assert nearest(name, candidates) == meant


@given(st.from_regex(r"[A-Za-z]{6,12}", fullmatch=True), st.integers(0, 5))
def test_a_character_left_out_is_found(name, place):
    assert nearest(name[:place] + name[place + 1 :], [name, "something else altogether"]) == name


@given(st.text(max_size=30), st.lists(st.text(max_size=30)))
def test_a_guess_is_a_candidate(name, candidates):
    assert nearest(name, candidates) in {"", *candidates}


@pytest.fixture
def shop(db):
    db.execute(
        "CREATE OR REPLACE TABLE orders (id INT, customer_id INT, unit_price INT);"
        "CREATE OR REPLACE TABLE `Odd ``one` (`a value` INT);"
        "CREATE OR REPLACE FUNCTION discounted(a INT) RETURNS INT DETERMINISTIC RETURN a"
    )
    yield db
    db.execute("DROP TABLE orders, `Odd ``one`; DROP FUNCTION discounted")


@pytest.mark.parametrize(
    ("sql", "hint"),
    [
        ("SELECT unit_pric FROM orders", "Did you mean `unit_price`?"),
        ("SELECT o.customr_id FROM orders AS o", "Did you mean `customer_id`?"),
        ("SELECT o.customr_id FROM scratch.orders o JOIN `Odd ``one` x", "Did you mean `customer_id`?"),
        ("SELECT 1 FROM `Odd ``one` WHERE `a valeu` = 1", "Did you mean `a value`?"),
        ("SELECT a.id FROM orders a, orders b WHERE b.unitprice = 1", "Did you mean `unit_price`?"),
        ("UPDATE orders SET unitprice = 1", "Did you mean `unit_price`?"),
        ("INSERT INTO orders (custmer_id) VALUES (1)", "Did you mean `customer_id`?"),
        ("SELECT 1 FROM ordrs", "Did you mean `orders`?"),
        ("SELECT 1 FROM scratch.`Odd ``ne`", "Did you mean `Odd ``one`?"),
        ("DROP TABLE ordesr", "Did you mean `orders`?"),
        ("DESCRIBE ORDERSS", "Did you mean `orders`?"),
        ("USE scrtach", "Did you mean `scratch`?"),
        ("SELECT discuonted(1)", "Did you mean `discounted`?"),
        ("SELECT LENGHT('a')", "Did you mean `LENGTH`?"),
        ("SELECT 1 FROM nothing_like_it", ""),
        ("SELECT nothing_like_it FROM orders", ""),
        ("SELECT 1 +", ""),
    ],
)
def test_the_servers_errors_give_the_nearest_name(shop, sql, hint):
    (statement,) = split(sql)
    with pytest.raises(StatementError) as caught:
        shop.execute(sql)
    event = error(caught.value.code, caught.value.server_message)

    def fetch(query):
        return [[None if v is None else str(v) for v in row] for row in shop.query(query).itertuples(index=False)]

    assert nearest_name_hint(event, statement, "scratch", fetch) == hint


def test_a_hint_is_worth_no_error():
    def fetch(_):
        raise RdsIamError("no")

    (statement,) = split("SELECT a FROM t")
    event = error(1054, "Unknown column 'aaaa' in 'field list'")
    assert nearest_name_hint(event, statement, "x", fetch) == ""
    assert nearest_name_hint(event, statement, None, lambda _: pytest.fail("nothing to ask for")) == ""


@pytest.mark.parametrize(
    ("sql", "guess", "message"),
    [
        ("SELECT * FROM ordres", "`orders`", "doesn't exist"),
        ("SELECT * FROM near_.Oders", "`orders`", "doesn't exist"),
        ("SELECT custmer FROM near_.orders", "`customer`", "Unknown column"),
        ("SELECT o.custmer FROM near_.orders AS o JOIN near_.lines l ON 1 = 1", "`customer`", "Unknown column"),
        ("SELECT * FROM near_.orders WHERE plcaed_at > 1", "`placed_at`", "Unknown column"),
    ],
)
def test_the_nearest_name_is_offered(sandbox, scratch, notes, sql, guess, message):
    with sandbox.server.root() as root:
        root.execute("CREATE DATABASE IF NOT EXISTS near_")
        root.execute("GRANT ALL ON near_.* TO 'tester'@'%'")
        root.execute("CREATE OR REPLACE TABLE near_.orders (id INT, customer TEXT, placed_at DATE)")
        root.execute("CREATE OR REPLACE TABLE near_.lines (id INT, quantity INT)")
    with scratch.connect(notes) as db:
        db.execute("USE near_")
        with pytest.raises(StatementError) as caught:
            db.query(sql)
        assert caught.value.hint.startswith(f"Did you mean {guess}?")
        assert message in db.query("SHOW ERRORS").loc[0, "Message"], "the guess has left the server's errors alone"
        with pytest.raises(StatementError) as caught:
            db.query("SELECT zzzzzzz FROM orders")
        assert "Did you mean" not in caught.value.hint
    with sandbox.server.root() as root:
        root.execute("DROP DATABASE near_")


@given(st.text(max_size=20), st.lists(st.text(min_size=1, max_size=20), max_size=5))
def test_the_nearest_is_one_of_the_candidates(name, candidates):
    assert nearest(name, candidates) in {"", *candidates}


@pytest.mark.parametrize("message", ["", "Unknown column", "''", "Table 'x", "'a.b.c.d'"])
@pytest.mark.parametrize("code", [1054, 1146, 1305, 1049, 1])
def test_messages_of_another_shape(code, message):
    not_found(ServerError(code, "", message))
