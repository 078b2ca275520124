"""What a chart consists of, by values; what is not drawn is told."""

import json
from decimal import Decimal

import pandas as pd
import pytest

from rds_iam_magic.charts.drawing import MOST_CATEGORIES, MOST_ROWS, draw
from rds_iam_magic.charts.fields import table_of
from rds_iam_magic.charts.options import KINDS, PlotOptions


def drawn(frame, *kind, **options):
    drawing = draw(table_of(pd.DataFrame(frame)), PlotOptions(*kind, **options))
    json.dumps(drawing.rows, allow_nan=False)
    return drawing


def texts(*values):
    return pd.Series(values, dtype="str")


def test_bars_in_the_order_of_the_rows():
    drawing = drawn({"city": texts("b", "a", "c"), "n": [1, 2, 3]})
    assert drawing.rows == [{"x": "b", "y": 1}, {"x": "a", "y": 2}, {"x": "c", "y": 3}]
    assert (drawing.x.title, drawing.y.title, drawing.x.categories) == ("city", "n", ("b", "a", "c"))
    assert drawing.notes == []


def test_times_are_milliseconds_and_text():
    drawing = drawn({"t": pd.to_datetime(["2024-03-31 02:30", "2024-04-01 00:00"]), "n": [1, 2]})
    assert drawing.kind == "line"
    assert drawing.rows[0] == {"x": 1711852200000, "x_text": "2024-03-31 02:30:00", "y": 1}


def test_what_json_cannot_hold_is_text_too():
    big = 2**63 - 1
    drawing = drawn({"x": [1, 2, 3], "y": [big, 1, 2]})
    assert drawing.rows[0] == {"x": 1, "y": float(big), "y_text": str(big)}
    drawing = drawn({"x": [1, 2, 3], "y": [Decimal("1.00000000000000000001")] * 3}, "line")
    assert drawing.rows[0]["y_text"] == "1.00000000000000000001"


def test_null_and_infinity_are_not_drawn_and_told():
    drawing = drawn({"city": texts("a", "b", None, "d"), "n": [1, None, 3, float("inf")]}, "bar")
    assert [row["x"] for row in drawing.rows] == ["a"]
    assert drawing.notes == ["3 values with NULL in city or n"]


def test_bars_of_the_same_place_are_added_up_and_called_so():
    drawing = drawn({"city": texts("a", "a"), "n": [1, 2]}, "bar")
    assert drawing.rows == [{"x": "a", "y": 3}]
    assert drawing.y.title == "sum of n"


def test_several_columns_have_a_colour_each():
    drawing = drawn({"day": pd.to_datetime(["2024-01-01", "2024-01-02"]), "a": [1, 2], "b": [3, 4]})
    assert [row["color"] for row in drawing.rows] == ["a", "a", "b", "b"]
    assert drawing.color.categories == ("a", "b")
    assert drawing.y.title == "value"


def test_too_many_colours_are_told():
    drawing = drawn({"x": [1.5] * 20, "y": [2.5] * 20, "c": texts(*"aabbccddeeffghijklmn")}, "scatter", color="c")
    assert drawing.color.categories == tuple("abcdef")
    assert drawing.notes == ["8 rows with other values of c than the 6 most frequent of 14"]


def test_too_many_categories_are_told():
    names = [f"c{n}" for n in range(MOST_CATEGORIES + 5)]
    drawing = drawn({"c": texts(*names), "n": range(len(names))})
    assert len(drawing.rows) == MOST_CATEGORIES
    assert drawing.notes == [f"the values of c after the first {MOST_CATEGORIES} of {len(names)}"]
    counted = drawn({"c": texts(*names, "c54")}, "hist")
    assert counted.x.categories[0] == "c54"
    assert counted.notes == [f"5 rows with other values of c than the {MOST_CATEGORIES} most frequent of {len(names)}"]


def test_too_many_rows_are_told():
    drawing = drawn({"x": range(MOST_ROWS + 1), "y": range(MOST_ROWS + 1)})
    assert len(drawing.rows) == MOST_ROWS
    assert drawing.notes == ["the rows after the first 5,000 of 5,001"]
    drawing = drawn({"x": range(MOST_ROWS), "y": range(MOST_ROWS), "z": range(MOST_ROWS)})
    assert [row["color"] for row in drawing.rows] == ["y"] * 2500 + ["z"] * 2500, "each series as far as the others"
    days = pd.date_range("2000-01-01", periods=MOST_ROWS + 1, freq="D")
    assert drawn({"x": days, "y": range(len(days))}, "bar").notes == ["the values after the first 5,000 of 5,001"]


def test_sums_are_of_all_rows():
    assert drawn({"c": texts(*"ab").repeat(MOST_ROWS), "n": [1] * 2 * MOST_ROWS}, "bar").rows[1] == {
        "x": "b",
        "y": 5000,
    }


def test_a_histogram_has_its_empty_bins():
    drawing = drawn({"n": pd.array([1, 1, 3, None], "Int64")})
    assert [(row["x"], row["x2"], row["count"]) for row in drawing.rows] == [(1, 2, 2), (2, 3, 0), (3, 4, 1)]
    assert drawing.notes == ["1 row with NULL in n"]


def test_bars_over_a_bin_stand_on_each_other():
    drawing = drawn({"n": [1, 1, 1], "c": texts("a", "b", "a")}, "hist", color="c")
    assert [(row["color"], row["base"], row["top"]) for row in drawing.rows] == [("a", 0, 2), ("b", 2, 3)]


def test_bars_of_numbers_stand_side_by_side():
    drawing = drawn({"year": [2023, 2024], "n": [1, 2]}, "bar")
    assert drawing.x.categories == ("2023", "2024")
    days = drawn({"day": pd.to_datetime(["2024-01-01", "2024-01-02"]), "n": [1, 2]}, "bar")
    assert days.x.categories == ("2024-01-01", "2024-01-02")


def test_boxes():
    drawing = drawn({"c": texts("a", "a", None), "n": [1, 3, None]}, "box")
    assert drawing.rows == [{"x": "a", "low": 1.0, "q1": 1.5, "median": 2.0, "q3": 2.5, "high": 3.0, "count": 2}]
    assert drawn({"a": [1], "b": [2]}, "box", y=("a", "b")).x.categories == ("a", "b")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_nothing(kind):
    frame = {
        "d": pd.to_datetime([]),
        "c": texts(),
        "n": pd.Series([], dtype="int64"),
        "m": pd.Series([], dtype="float64"),
    }
    assert drawn(frame, kind).rows == []
