"""Where the cursor is in a statement, and what is expected there."""

import pytest

from rds_iam_magic.notebook.completion.sql_place import place_in


@pytest.mark.parametrize(
    ("sql", "kind", "clause"),
    [
        ("|", "start", ""),
        ("SELECT 1; |", "start", ""),
        ("SELECT |", "value", "SELECT"),
        ("SELECT a|", "value", "SELECT"),
        ("SELECT a |", "after value", "SELECT"),
        ("SELECT a, |", "value", "SELECT"),
        ("SELECT COUNT(|", "value", "SELECT"),
        ("SELECT COUNT(*) |", "after value", "SELECT"),
        ("SELECT * |", "after value", "SELECT"),
        ("SELECT a.* |", "after value", "SELECT"),
        ("SELECT a * |", "value", "SELECT"),
        ("SELECT EXTRACT(YEAR FROM |", "value", "FROM"),
        ("SELECT a FROM |", "table", "FROM"),
        ("SELECT a FROM t |", "after table", "FROM"),
        ("SELECT a FROM `t` |", "after table", "FROM"),
        ("SELECT a FROM t, |", "table", "FROM"),
        ("SELECT a FROM t JOIN u |", "after table", "JOIN"),
        ("SELECT a FROM t JOIN u ON |", "value", "ON"),
        ("SELECT a FROM (SELECT b FROM u WHERE |", "value", "WHERE"),
        ("SELECT a FROM (SELECT b FROM u) |", "after table", "FROM"),
        ("SELECT a FROM t WHERE a IN (SELECT |", "value", "SELECT"),
        ("SELECT a FROM t WHERE f(1) |", "after value", "WHERE"),
        ("SELECT a FROM t WHERE a = ':(' AND |", "value", "WHERE"),
        ("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE |", "value", "SET"),
        ("SELECT a FROM t FOR UPDATE |", "nothing", "UPDATE"),
        ("SELECT a AS |", "nothing", "SELECT"),
        ("SELECT CAST(f(a) AS |", "type", "SELECT"),
        ("WITH x AS (|", "start", "WITH"),
        ("EXPLAIN |", "start", ""),
    ],
)
def test_what_is_expected(sql, kind, clause):
    place = place_in(sql.replace("|", ""), sql.index("|"))
    assert (place.kind, place.clause) == (kind, clause)


def test_the_fragment_and_what_is_before_it():
    place = place_in("select a.`b c`.`d e", 18)
    assert (place.fragment, place.start, place.is_quoted, place.qualifiers) == ("d ", 15, True, ("a", "b c"))
    assert place.is_lower
    place = place_in("SELECT x\nFROM t WHERE :na", 24)
    assert (place.mark, place.fragment, place.is_lower) == (":", "n", True)


def test_the_tables_behind_the_cursor_count_too():
    place = place_in("SELECT  FROM a JOIN b; SELECT 1 FROM c", 7)
    assert [table.name for table in place.scope.tables] == ["a", "b"]
