"""Parameters and values become a statement: lists, NULL, names that are not known, and nothing that grows together."""

import datetime as dt
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.sql.binding import bind


def sent(sql, **values):
    return bind(sql, values).text


def test_a_statement_without_parameters_is_the_same_object():
    for sql in ("SELECT ':x', '10:30'", "SELECT 1", "SELECT @a:=1"):
        assert bind(sql, {"x": 1}).text is sql
    assert bind("SELECT ':x'", {"x": 1}).text == "SELECT ':x'"


def test_parameters_and_escaped_colons():
    bound = bind(r"SELECT :x + :x, \:x, ':x', :y -- :z", {"x": 5, "y": "it's", "z": 1})
    assert bound.text == r"SELECT 5 + 5, :x, ':x', 'it''s' -- :z"
    assert bound.names == {"x", "y"}
    assert bound.notes == ()


Row = namedtuple("Row", "day")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (":cfg.country", "'JP'"),
        (':cfg["country"]', "'JP'"),
        (":cfg.items", "7"),  # of a mapping, its keys only
        (":row.day", "DATE'2024-05-01'"),
        (":object.n", "5"),
        (":series.a", "1"),
        (":series['a']", "1"),
        (":ids[0], :ids[-1]", "1, 3"),
        (":nested['list'][1].b", "4"),
    ],
)
def test_the_way_to_a_value(sql, expected):
    values = {
        "cfg": {"country": "JP", "items": 7},
        "row": Row(dt.date(2024, 5, 1)),
        "object": SimpleNamespace(n=5),
        "series": pd.Series({"a": 1, "b": 2}),
        "ids": [1, 2, 3],
        "nested": {"list": [0, {"b": 4}]},
    }
    assert sent(f"SELECT {sql}", **values) == f"SELECT {expected}"


@pytest.mark.parametrize(
    "ids",
    [
        [1, 2],
        (1, 2),
        range(1, 3),
        {1: "a", 2: "b"}.keys(),
        pd.Series([1, 2], index=[5, 6]),
        pd.Series([1, 2], dtype="Int64"),
        pd.Index([1, 2]),
        pd.array([1, 2], dtype="int8"),
        pd.Categorical([1, 2]),
        pd.DataFrame({"id": [1, 2]}),
        np.array([1, 2]),
        np.array([1, 2], dtype=object),
        pa.array([1, 2]),
        pa.chunked_array([[1], [2]]),
    ],
    ids=lambda ids: type(ids).__name__,
)
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("x IN :ids", "x IN (1, 2)"),
        ("x in(:ids)", "x in(1, 2)"),
        ("x NOT IN ( :ids )", "x NOT IN ( 1, 2 )"),
        ("x IN /* these */ (0, :ids, 3)", "x IN /* these */ (0, 1, 2, 3)"),
        ("x IN /* these */ :ids", "x IN /* these */ (1, 2)"),
        ("x IN (/* these */ :ids /* and */, 5)", "x IN (/* these */ 1, 2 /* and */, 5)"),
        ("FIELD(x, :ids)", "FIELD(x, 1, 2)"),
        ("INSERT INTO t VALUES (:ids)", "INSERT INTO t VALUES (1, 2)"),
        ("INSERT INTO t VALUES :ids", "INSERT INTO t VALUES (1, 2)"),
    ],
)
def test_lists(ids, sql, expected):
    assert sent(sql, ids=ids) == expected


def test_sets():
    assert sent("x IN :ids", ids={5}) == sent("x IN (:ids)", ids=frozenset({5})) == "x IN (5)"


@pytest.mark.parametrize(
    "rows",
    [
        ((1, "a"), (2, "b")),
        [[1, "a"], [2, "b"]],
        pd.DataFrame({"a": [1, 2], "b": ["a", "b"]}),
        pd.MultiIndex.from_tuples([(1, "a"), (2, "b")]),
        np.array([(1, "a"), (2, "b")], dtype=object),
    ],
    ids=lambda rows: type(rows).__name__,
)
def test_rows(rows):
    assert sent("(a, b) IN :rows", rows=rows) == "(a, b) IN ((1, 'a'), (2, 'b'))"
    assert sent("(a, b) IN (:rows)", rows=rows) == "(a, b) IN ((1, 'a'), (2, 'b'))"
    assert sent("INSERT INTO t VALUES :rows", rows=rows) == "INSERT INTO t VALUES (1, 'a'), (2, 'b')"


def test_a_single_value_in_a_list():
    assert sent("x IN :id", id="JP") == "x IN ('JP')"
    assert sent("x IN (:id, 5)", id=4) == "x IN (4, 5)"


def test_columns_of_dates():
    days = pd.Series(pd.to_datetime(["2024-05-01 00:00", "2024-05-02 10:00"]))
    assert sent("x IN :d", d=days) == "x IN (TIMESTAMP'2024-05-01 00:00:00', TIMESTAMP'2024-05-02 10:00:00')"
    assert sent("x IN :d", d=days.to_numpy().astype("M8[D]")) == "x IN (DATE'2024-05-01', DATE'2024-05-02')"


@pytest.mark.parametrize(
    ("sql", "value", "cause"),
    [
        ("x IN :v", [], "parameter-list-empty"),
        ("x IN (:v)", pd.Series([], dtype="int64"), "parameter-list-empty"),
        ("x IN :v", [()], "parameter-list-empty"),
        ("x IN :v", pd.Series([1.0, np.nan]), "parameter-nan"),
        ("x IN :v", [1, None], "parameter-list-null"),
        ("x NOT IN (:v)", pd.Series([1, pd.NA], dtype="Int64"), "parameter-list-null"),
        ("x IN :v", None, "parameter-list-null"),
        ("x NOT IN (1, :v)", pd.NaT, "parameter-list-null"),
        ("(a, b) IN :v", [(1, None)], "parameter-list-null"),
        ("x IN :v", [1, (2, 3)], "parameter-list-mixed"),
        ("x IN :v", [[[1]]], "parameter-list-mixed"),
        ("x = :v", [1, 2], "parameter-list-place"),
        ("x = (:v)", [1], "parameter-list-place"),
        ("SELECT :v", (1, 2), "parameter-list-place"),
        ("SELECT a, :v, b", (1, 2), "parameter-list-place"),
        ("x IN (SELECT a, :v)", [1], "parameter-list-place"),
        ("LIMIT :v", np.array([1]), "parameter-list-place"),
        (":v", {"a": 1}, "parameter-type"),
        ("x IN :v", {"a": 1}, "parameter-type"),
        (":v", len, "parameter-type"),
        (":v.lower", "JP", "parameter-type"),
        (":v", pd, "parameter-type"),
        (":v", dt.date, "parameter-type"),
        (":v", (n for n in [1]), "parameter-type"),
        ("x IN :v", ["a", "\udc80"], "parameter-not-text"),
    ],
)
def test_values_that_ask_for_a_decision(sql, value, cause):
    with pytest.raises(OptionError) as caught:
        sent(sql, v=value)
    assert caught.value.cause == cause
    assert caught.value.message.startswith(":v")
    assert caught.value.hint


def test_which_value_of_a_list():
    with pytest.raises(OptionError, match=r":v \(number 3\) is NaN"):
        sent("x IN :v", v=[1.0, 2.0, float("nan")])


def test_errors_do_not_quote_values():
    for value in ("s3cret" + "\ud800", ["s3cret", {"s3cret": 1}], {"s3cret": 1}, [["s3cret"], "s3cret"]):
        with pytest.raises(OptionError) as caught:
            sent("x IN :v", v=value)
        assert "s3cret" not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("sql", "message", "guess"),
    [
        ("SELECT :contry", "no value for :contry", "country"),
        ("SELECT :cfg.valu", "a dict without 'valu'", "value"),
        ("SELECT :cfg['valu']", "a dict without 'valu'", "value"),
        ("SELECT :row.dat", "a Row without 'dat'", "day"),
        ("SELECT :ids[5]", "a list without 5", ""),
        ("SELECT :ids.x", "a list without 'x'", ""),
        ("SELECT :__name__", "no value for :__name__", ""),
        ("SELECT :zzzz", "no value for :zzzz", ""),
    ],
)
def test_names_that_are_not_known(sql, message, guess):
    values = {"country": 1, "cfg": {"value": 1}, "ids": [1], "row": Row(1), "__name__": "m", 5: 5}
    with pytest.raises(OptionError, match=message) as caught:
        bind(sql, values)
    assert caught.value.cause == "parameter-unknown"
    assert (f"Did you mean {guess}?" in caught.value.hint) == bool(guess)
    assert "colon" in caught.value.hint


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 'a':x'b'", "SELECT 'a' 'v' 'b'"),
        ("SELECT `a`:x`b`", "SELECT `a` 'v' `b`"),
        ("SELECT @:x", "SELECT @:x"),
        ("a=:x.5", "a='v' .5"),
        ("a=:x$b", "a='v' $b"),
        ("a-:n", "a- -5"),
        ("a--:n", "a-- -5"),
        ("a=:n", "a=-5"),
        ("(:x)", "('v')"),
        ("DATE :d, DATE(:d), t.date :d", "DATE '2024-05-01', DATE(DATE'2024-05-01'), t.date DATE'2024-05-01'"),
        ("TIMESTAMP:d", "TIMESTAMP:d"),
    ],
)
def test_nothing_grows_together(sql, expected):
    assert sent(sql, x="v", n=-5, d=dt.date(2024, 5, 1)) == expected


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT 1 FROM t WHERE a = :x", True),
        ("SELECT 1 FROM t WHERE a <> :x", True),
        ("DELETE FROM t WHERE a != :x", True),
        ("SELECT 1 FROM t WHERE a <=> :x", False),
        ("SELECT 1 FROM t WHERE a IS :x", False),
        ("UPDATE t SET a = :x WHERE b = 1", False),
        ("UPDATE t JOIN u ON t.a = u.a SET t.a = :x", False),
        ("INSERT INTO t SET a = :x ON DUPLICATE KEY UPDATE a = :x", False),
        ("SELECT @a := :x", False),
        ("SELECT a = :x FROM t", False),
    ],
)
def test_null_in_a_comparison_is_told(sql, told):
    bound = bind(sql, {"x": None})
    assert bound.text == sql.replace(":x", "NULL")
    assert [("IS NULL" in note) for note in bound.notes] == [True] * told


@pytest.mark.parametrize("clause", ["ORDER BY", "group  by", "ORDER BY /* it */"])
def test_a_text_to_order_by_is_told(clause):
    (note,) = bind(f"SELECT 1 FROM t {clause} :column", {"column": "price"}).notes
    assert "a column's name" in note
    assert bind(f"SELECT 1 FROM t {clause} :column", {"column": 2}).notes == ()


def test_time_zones_are_told_once():
    moment = dt.datetime(2024, 5, 1, 10, tzinfo=dt.timezone.utc)
    (note,) = bind("SELECT :since, :since WHERE x IN :all", {"since": moment, "all": [5]}).notes
    assert ":since" in note
    assert "session's" in note


def test_a_long_list_takes_little_time():
    ids = list(range(20_000))
    assert len(sent("x IN (:ids)", ids=ids)) > 100_000


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT GROUP_CONCAT(a SEPARATOR :x)", "X'5c27'"),
        ("LOAD DATA INFILE 'f' INTO TABLE t FIELDS TERMINATED BY :x ESCAPED  BY :x", "X'5c27'"),
        ("SHOW TABLES LIKE :x", r"'\\'''"),
        ("ALTER TABLE t COMMENT = :x", r"'\\'''"),
        ("SELECT 1 INTO OUTFILE :x", r"'\\'''"),
        ("INSERT INTO t SET comment = :x", "_utf8mb4 X'5c27'"),
    ],
)
def test_a_backslash_where_no_expression_can_stand(sql, expected):
    assert sent(sql, x="\\'") == sql.replace(":x", expected)


@pytest.mark.parametrize("mode", [{"backslash_escapes": False}, {"mode_may_change": True}])
def test_a_backslash_in_quotes_needs_a_known_mode(mode):
    assert bind("SHOW TABLES LIKE :x", {"x": "\\"}, **mode).text == "SHOW TABLES LIKE _utf8mb4 X'5c'"


class Raises:
    """An object whose attributes and items raise what they like."""

    def __getattr__(self, name):
        raise RuntimeError("a value")

    def __getitem__(self, key):
        raise RuntimeError("a value")


@pytest.mark.parametrize("way", [":x.a", ":x['a']", ":x[0]"])
def test_what_the_way_to_a_value_raises(way):
    with pytest.raises(OptionError) as caught:
        sent(f"SELECT {way}", x=Raises())
    assert caught.value.cause == "parameter-unknown"
    assert "a value" not in str(caught.value)
    assert caught.value.__context__ is None
