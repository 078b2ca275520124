"""Queries within a statement: its own text stays, and a query sees no other one in the place of a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.composing.with_clause import check_query, with_queries
from rds_iam_magic.sql.lexer import RUN, tokenize
from rds_iam_magic.sql.statement import split

QUERIES = {"top": "SELECT 1 -- x", "other": "SELECT\n2"}
CLAUSE = "WITH `top` AS (\nSELECT 1 -- x\n), `other` AS (\nSELECT\n2\n)\n"
BEFORE_OWN = CLAUSE[5:-1] + ",\n"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("SELECT 1; -- done", "SELECT 1"),
        ("SELECT 1 -- done", "SELECT 1 -- done"),
        ("-- why\n/* how */ SELECT 1 # )\n;", "-- why\n/* how */ SELECT 1 # )"),
        ("""SELECT ')' AS a, "(" FROM `x)y`""", """SELECT ')' AS a, "(" FROM `x)y`"""),
        ("(SELECT 1) UNION (SELECT 2)", "(SELECT 1) UNION (SELECT 2)"),
        ("WITH a AS (SELECT 1) SELECT * FROM a FOR UPDATE", "WITH a AS (SELECT 1) SELECT * FROM a FOR UPDATE"),
        ("VALUES (1), (2)", "VALUES (1), (2)"),
        ("SELECT 1 /*!50000 + (2) */", "SELECT 1 /*!50000 + (2) */"),
        ("TABLE t LIMIT 3", "TABLE t LIMIT 3"),
        ("SELECT 1\\G", "SELECT 1"),
        ("DELIMITER //\nSELECT 1; //", "SELECT 1"),
    ],
)
def test_a_query(text, query):
    assert check_query(text) == query


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "sql-missing"),
        ("-- nothing", "sql-missing"),
        ("SELECT 1; SELECT 2", "saved-several-statements"),
        ("INSERT INTO t SELECT 1", "saved-not-a-query"),
        ("SHOW TABLES", "saved-not-a-query"),
        ("SELECT 1 INTO @x", "saved-not-a-query"),
        ("WITH a AS (SELECT 1) DELETE FROM t", "saved-not-a-query"),
        ("WITH a AS (SELECT 1) UPDATE t SET b = (SELECT 2)", "saved-not-a-query"),
        ("SELECT (1", "saved-not-closed"),
        ("SELECT 1)", "saved-not-closed"),
        ("SELECT 1) AS a, (SELECT 2", "saved-not-closed"),
        ("SELECT 1 /* x", "saved-not-closed"),
        ("SELECT 1 /*! + 1", "saved-not-closed"),
        ("SELECT 'a", "saved-not-closed"),
        ("SELECT `a", "saved-not-closed"),
        ("DELIMITER //\nSELECT 1; DELETE FROM t //", "saved-several-statements"),
        ("SELECT 1 /*! ; DELETE FROM t */", "saved-several-statements"),
    ],
)
def test_what_is_no_query(text, cause):
    with pytest.raises(OptionError) as caught:
        check_query(text)
    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("before", "after", "clause"),
    [
        ("", "SELECT * FROM top", CLAUSE),
        ("-- why\n", "SELECT * FROM top", CLAUSE),
        ("", "(SELECT 1) UNION SELECT 2", CLAUSE),
        ("", "TABLE top", CLAUSE),
        ("WITH ", "a AS (SELECT 1)\nSELECT *", BEFORE_OWN),
        ("WITH RECURSIVE ", "a AS (SELECT 1 FROM a) SELECT *", BEFORE_OWN),
        ("WITH ", "a AS (SELECT 1) UPDATE t SET b = 1", BEFORE_OWN),
        ("INSERT INTO t (a, b) ", "SELECT * FROM top", CLAUSE),
        ("REPLACE INTO t WITH ", "a AS (SELECT 1) SELECT * FROM a", BEFORE_OWN),
        ("CREATE TEMPORARY TABLE t AS ", "SELECT * FROM top", CLAUSE),
        ("EXPLAIN ", "SELECT 1", CLAUSE),
    ],
)
def test_where_the_queries_go(before, after, clause):
    assert with_queries(f"{before}{after};", QUERIES).text == f"{before}{clause}{after}"


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("UPDATE t SET a = (SELECT 1)", "saved-not-usable"),
        ("DELETE FROM t", "saved-not-usable"),
        ("INSERT INTO t VALUES (1)", "saved-not-usable"),
        ("SET @a = (SELECT 1)", "saved-not-usable"),
        ("CALL p()", "saved-not-usable"),
        ("CREATE PROCEDURE p() SELECT 1", "saved-not-usable"),
        ("CREATE OR REPLACE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SELECT 1", "saved-not-usable"),
        ("SELECT 1; SELECT 2", "saved-several-statements"),
        ("DELIMITER //\nSELECT 1; DELETE FROM t //", "saved-several-statements"),
        ("SELECT 1 /*! ; DELETE FROM t */", "saved-several-statements"),
        ("WITH Top AS (SELECT 1) SELECT 2", "invalid-option"),
    ],
)
def test_where_they_cannot_go(sql, cause):
    with pytest.raises(OptionError) as caught:
        with_queries(sql, QUERIES)
    assert caught.value.cause == cause


def names_in_order(sql, queries):
    return [part.name for part in with_queries(sql, queries).parts]


def test_no_query_sees_another_one_in_the_place_of_a_table():
    first, second = "SELECT * FROM shop.second, (SELECT 1) x", "SELECT * FROM First"
    assert names_in_order("SELECT 1", {"first": first, "second": second}) == ["second", "first"]
    assert names_in_order("SELECT 1", {"second": second, "first": first}) == ["second", "first"]
    assert names_in_order("SELECT 1", {"own": "SELECT * FROM own"}) == ["own"], "a table of its name"
    with pytest.raises(OptionError, match="second reads from a table first") as caught:
        with_queries("SELECT 1", {"first": "SELECT * FROM second", "second": second})
    assert caught.value.cause == "saved-names-clash"
    for query in ("SELECT * FROM own", "SELECT * FROM mine"):  # in a recursive clause all names are seen
        with pytest.raises(OptionError, match="own reads from a table"):
            with_queries("WITH RECURSIVE mine AS (SELECT 1) SELECT 1", {"own": query})


PIECES = st.sampled_from([
    "SELECT", "1", "(", ")", "'", '"', "`", "-- c\n", "--", "# c\n", "/* c */", "/*", "*/", "\\", ",", "\n", " ", ";",
    "FROM t", "'a'", "'it''s'", '")"', "'\\''", "`a``b`", "UNION",
])  # fmt: skip


def words(sql):
    return [token.text for token in tokenize(sql) if token.kind != RUN]


@given(st.lists(PIECES, max_size=12).map(" ".join), st.lists(PIECES, max_size=6).map(" ".join))
def test_what_is_put_in_stays_what_it_is(first, second):
    queries = {}
    for name, text in {"a": first, "b": second}.items():
        try:
            queries[name] = check_query(f"SELECT {text}")
        except OptionError:
            return
    composed = with_queries("SELECT x\n,y", queries)
    assert len(split(composed.text)) == 1
    inside = [word for name, query in queries.items() for word in [f"`{name}`", "AS", *words(query)]]
    assert words(composed.text) == ["WITH", *inside, "SELECT", "x", "y"]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 2))
def test_where_a_line_comes_from(sizes, before):
    queries = {
        f"q{n}": "\n".join(["SELECT 1", *(f", {n}{i}" for i in range(size - 1))]) for n, size in enumerate(sizes)
    }
    own = "INSERT INTO t\n" * bool(before) + "\n" * (before - 1) + "SELECT 1\nFROM x\n"
    composed = with_queries(own, queries)
    sources = {"": own.split("\n")} | {name: query.split("\n") for name, query in queries.items()}
    for number, line in enumerate(composed.text.split("\n"), 1):
        name, at = composed.origin(number)
        if "AS (" not in line and line != ")":
            assert sources[name][at - 1] == line
