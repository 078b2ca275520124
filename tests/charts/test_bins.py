"""Bins hold all values, have round edges, and say in SQL what they say here."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rds_iam_magic.charts.bins import Bins, bins_of
from rds_iam_magic.charts.columns import microseconds_of
from rds_iam_magic.charts.fields import Field

NUMBER, WHOLE = Field("a", 0, "number"), Field("a", 0, "number", whole=True)
TIME, DAY = Field("a", 0, "time"), Field("a", 0, "time", whole=True)


@pytest.mark.parametrize(
    ("low", "high", "field", "edges"),
    [
        (0.0, 10.0, WHOLE, list(range(12))),
        (1.0, 5.0, WHOLE, [1, 2, 3, 4, 5, 6]),
        (0.1, 0.7, NUMBER, [round(0.02 * n, 2) for n in range(5, 37)]),
        (3.0, 3.0, WHOLE, [3, 4]),
        (0.0, 0.0, NUMBER, [0, 0.1]),
        (1.0, 1000.0, WHOLE, list(range(0, 1051, 50))),
    ],
)
def test_round_edges(low, high, field, edges):
    assert bins_of(low, high, field, 30).edges == pytest.approx(edges, abs=0)


def at(text):
    return microseconds_of(dt.datetime.fromisoformat(text))


@pytest.mark.parametrize(
    ("low", "high", "field", "first", "last", "count"),
    [
        ("2024-01-03", "2024-01-20", DAY, "2024-01-03", "2024-01-21", 18),
        ("2024-01-03", "2024-06-01", DAY, "2024-01-01", "2024-06-03", 22),  # weeks, from Monday
        ("2023-01-03", "2024-12-31", DAY, "2023-01-01", "2025-01-01", 24),
        ("1990-05-05", "2024-12-31", DAY, "1990-01-01", "2026-01-01", 18),
        ("2024-01-01 10:00:01", "2024-01-01 10:00:20", TIME, "2024-01-01 10:00:01", "2024-01-01 10:00:21", 20),
        ("2024-01-01 10:10", "2024-01-01 20:00", TIME, "2024-01-01 10:00", "2024-01-01 20:30", 21),
        ("0001-01-01", "8999-12-31", DAY, "0001-01-01", "9000-01-01", 18),
    ],
)
def test_calendar_edges(low, high, field, first, last, count):
    bins = bins_of(at(low), at(high), field, 30)
    assert bins.is_time
    assert bins.edges[0] == at(first)
    assert bins.edges[-1] == at(last)
    assert len(bins) == count


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(numbers, numbers)
@example(0.3, 0.7)
@example(1.0, 1.0000000000000002)
@example(-1.7e308, 1.7e308)
@example(5e-324, 5e-324)
def test_all_numbers_are_in_a_bin(one, other):
    low, high = sorted((one, other))
    bins = bins_of(low, high, NUMBER, 30)
    assert list(bins.edges) == sorted(set(bins.edges))
    assert len(bins) <= 40
    codes = bins.codes(np.clip([low, high, low / 2 + high / 2], low, high))
    assert ((codes >= 0) & (codes < len(bins))).all()
    assert codes[0] == 0


@given(st.datetimes(), st.datetimes())
def test_all_times_are_in_a_bin(one, other):
    low, high = sorted(map(microseconds_of, (one, other)))
    bins = bins_of(low, high, TIME, 30)
    assert list(bins.edges) == sorted(set(bins.edges))
    assert len(bins) <= 40
    assert (bins.codes(np.array([low, high], dtype="int64")) == [0, len(bins) - 1]).all()
    assert len(bins.texts()) == len(bins.edges)


def test_the_last_year_ends():
    bins = bins_of(at("9999-12-30"), at("9999-12-31"), DAY, 9)
    assert bins.texts() == ["9999-12-30", "9999-12-31", "10000-01-01"]
    assert "10000" not in bins.sql("v")


def test_the_sql_halves_the_bins():
    assert Bins((0.0, 0.1, 1.0)).sql("v") == (
        "CASE WHEN v IS NOT NULL THEN CASE WHEN v < 0.1e0 THEN CASE WHEN v < 0.0e0 THEN -1 ELSE 0 END "
        "ELSE CASE WHEN v < 1.0e0 THEN 1 ELSE 2 END END END"
    )
    assert "TIMESTAMP'2024-01-01 00:00:00'" in bins_of(at("2024-01-01"), at("2024-01-02"), DAY, 9).sql("v")
