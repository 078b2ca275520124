"""Counts, sizes and durations as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.wording import bytes_text, count_of, duration_text, limit_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 rows"),
        (1, "1 row"),
        (2, "2 rows"),
        (2000, "2,000 rows"),
        (1_234_567, "1,234,567 rows"),
    ],
)
def test_counts(number, text):
    assert count_of(number, "row") == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (200e6, "200 MB"),
        (1.5e9, "1.5 GB"),
        (64e9, "64.0 GB"),
        (2e12, "2000.0 GB"),
    ],
)
def test_sizes(size, text):
    assert bytes_text(size) == text


@given(st.integers(0, 10**15))
def test_a_size_is_near_what_it_says(size):
    number, unit = bytes_text(size).split()
    shown = float(number) * {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]
    assert abs(shown - size) <= 0.5 * {"bytes": 1, "kB": 1e3, "MB": 1e6, "GB": 1e8}[unit] + 1e-6 * size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0042, "4 ms"),
        (0.0994, "99 ms"),
        (0.0995, "0.1 s"),
        (0.64, "0.6 s"),
        (9.94, "9.9 s"),
        (9.95, "10 s"),
        (59.4, "59 s"),
        (59.5, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (3720, "1 h 2 min"),
    ],
)
def test_durations(seconds, text):
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(5, "5 s"), (4.99999, "5 s"), (2.5, "2.5 s"), (0.01, "0.01 s"), (120, "120 s"), (59.98, "60 s")],
)
def test_time_limits(seconds, text):
    assert limit_text(seconds) == text
