"""How what was looked at is shown: tidy text, whole; the values stay as they are."""

import datetime as dt
from decimal import Decimal

import pandas as pd

from rds_iam_magic.notebook.looking.styles import PREVIEW, PROFILE, TABLES
from rds_iam_magic.notebook.showing.whole import Grid, Style, as_html, as_text

PROFILED = pd.DataFrame(
    {
        "column": ["price", "at", "name"],
        "min": [Decimal("1.10"), dt.date(2024, 1, 2), None],
        "mean": [1234.56789, None, None],
        "nulls": [1234, 0, 0],
        "top": [[(Decimal("1.10"), 1000)], [], [("a\nb" + "x" * 60, 2), (b"\xff", 1)]],
    }
)


def test_sizes_and_estimates():
    frame = pd.DataFrame({"table": ["a", "b"], "rows_estimate": [48995, None], "bytes": [5816320, None]})
    frame = frame.astype({"rows_estimate": "UInt64", "bytes": "UInt64"})
    assert as_text(Grid.of(frame, TABLES), width=80).splitlines() == [
        "table  rows_estimate  bytes",
        "a             48,995   6 MB",
        "b",
    ]
    assert "48,995" in as_html(Grid.of(frame, TABLES))
    assert "NULL" not in as_html(Grid.of(frame, TABLES))


def test_a_profiles_values():
    rows = Grid.of(PROFILED, PROFILE).rows
    assert rows[0] == ("price", "1.10", "1,234.57", "1,234", "1.10 (1,000)")
    assert rows[1] == ("at", "2024-01-02", None, "0", "")
    assert rows[2][4] == "a b" + "x" * 36 + "… (2) · b'\\xff' (1)"


def test_a_value_that_is_cut_says_so():
    frame = pd.DataFrame({"a": ["x" * 1001, "y" * 1000]})
    assert [row[0] for row in Grid.of(frame, PREVIEW).rows] == ["x" * 1000 + "… (1,001 characters)", "y" * 1000]


def test_dates_and_wide_characters():
    frame = pd.DataFrame({"on": pd.Series([dt.date(2024, 1, 2)], dtype="datetime64[s]"), "city": ["東京"], "n": [1]})
    assert as_text(Grid.of(frame, Style(index=False)), width=80).splitlines() == [
        "on          city  n",
        "2024-01-02  東京  1",
    ]
