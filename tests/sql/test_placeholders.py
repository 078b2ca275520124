"""Which parameters may be a `?`: those of conditions, where it changes neither a column nor its name."""

import datetime as dt
import enum
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest

from rds_iam_magic.sql.binding import bind
from rds_iam_magic.sql.placeholders import MOST_VALUES, plain

VALUES = {"x": 5, "ids": [1, 2], "pairs": ((1, "a"), (2, "b")), "day": dt.date(2024, 5, 1)}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT a FROM t WHERE b = :x", "SELECT a FROM t WHERE b = ?"),
        ("SELECT a FROM t WHERE b=:x-- :x", "SELECT a FROM t WHERE b=?-- :x"),
        ("SELECT a FROM t WHERE b IN :ids AND c = ':x'", "SELECT a FROM t WHERE b IN (?, ?) AND c = ':x'"),
        ("SELECT a FROM t WHERE b IN (:ids) OR (c <= :x)", "SELECT a FROM t WHERE b IN (?, ?) OR (c <= ?)"),
        ("SELECT a FROM t WHERE b NOT LIKE :x;", "SELECT a FROM t WHERE b NOT LIKE ?;"),
        ("SELECT a FROM t JOIN u ON t.a = :x", "SELECT a FROM t JOIN u ON t.a = ?"),
        ("SELECT a FROM t GROUP BY a HAVING a > :x", "SELECT a FROM t GROUP BY a HAVING a > ?"),
        ("SELECT a FROM t WHERE b IN (SELECT c FROM u WHERE d = :x)", None),
        ("WITH w AS (SELECT a FROM t WHERE b = :x) SELECT * FROM w", None),
    ],
)
def test_conditions(sql, expected):
    with_placeholders = bind(sql, VALUES).with_placeholders
    assert with_placeholders is not None
    if isinstance(expected, str):
        assert with_placeholders.sql == expected
    assert len(with_placeholders.values) == with_placeholders.sql.count("?")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT :x",
        "SELECT :x FROM t WHERE b = :x",
        "SELECT a FROM t WHERE b = :x ORDER BY :x",
        "SELECT a FROM t WHERE b = :x GROUP BY :x",
        "SELECT a FROM t WHERE b = :x LIMIT :x",
        "SELECT a FROM t WHERE b = :x UNION SELECT :x",
        "SELECT (SELECT a FROM u WHERE b = :x) FROM t",
        "SELECT ' WHERE ', :x FROM t",
        "SELECT t.where, :x FROM t",
        "SELECT `where`, :x FROM t",
        "SELECT a FROM t WHERE b = :x AND c = '?'",
        "SELECT a FROM t WHERE b = :x /*! AND 1 */",
        "SELECT a FROM t WHERE b > NOW() - INTERVAL :x DAY",
        "SELECT a FROM (SELECT b + :x FROM t) u",
        "DELETE FROM t WHERE a = :x",
        "SELECT a FROM t WHERE (b, c) IN (:pairs)",
        "SELECT a FROM t WHERE b IN (1, :ids)",
        "SELECT a FROM t WHERE b BETWEEN :x AND :x",
        "SELECT a FROM t WHERE b = :x + 1",
        "SELECT a FROM t WHERE CONCAT(b, :x) = 5",
        "SELECT a FROM t WHERE b = LEFT(:x, 1)",
        "SELECT a FROM t WHERE :x",
        "SELECT a FROM t WHERE b = :x COLLATE utf8mb4_bin",
        "TABLE t",
    ],
)
def test_elsewhere_it_is_a_literal(sql):
    assert bind(sql, VALUES).with_placeholders is None


def test_many_values_are_literals():
    sql = "SELECT a FROM t WHERE b IN :ids"
    assert bind(sql, {"ids": [1] * MOST_VALUES}).with_placeholders is not None
    assert bind(sql, {"ids": [1] * (MOST_VALUES + 1)}).with_placeholders is None


class Color(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int8(5), 5),
        (np.float32(0.5), 0.5),
        (np.str_("a"), "a"),
        (pd.Timestamp("2024-05-01 10:00"), dt.datetime.fromisoformat("2024-05-01 10:00:00")),
        (pd.Timedelta("1h"), dt.timedelta(hours=1)),
        (np.datetime64("2024-05-01"), dt.date(2024, 5, 1)),
        (dt.time(1, 2, 3, 4), dt.timedelta(hours=1, minutes=2, seconds=3, microseconds=4)),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Color.RED, "red"),
        (Decimal("1.5"), Decimal("1.5")),
    ],
)
def test_plain_values(value, expected):
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        None,
        pd.NA,
        pd.NaT,
        True,
        np.False_,
        pd.Timestamp("2024-05-01", tz="UTC"),
        type("Text", (str,), {})("a"),
        bytearray(b"a"),
    ],
)
def test_others_are_literals(value):
    with pytest.raises(ValueError, match=r"."):
        plain(value)
    assert bind("SELECT a FROM t WHERE b = :x", {"x": value}).with_placeholders is None
