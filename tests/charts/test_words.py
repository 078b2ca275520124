"""Charts in text: what a terminal shows, and what a screen reader reads."""

import pandas as pd

from rds_iam_magic.charts.drawing import draw
from rds_iam_magic.charts.fields import table_of
from rds_iam_magic.charts.options import PlotOptions
from rds_iam_magic.charts.words import alt_text, note_of, text_of


def drawn(frame, *kind, **options):
    return draw(table_of(pd.DataFrame(frame)), PlotOptions(*kind, **options))


def texts(*values):
    return pd.Series(values, dtype="str")


def test_bars():
    assert text_of(drawn({"city": texts("Łódź", "Paris"), "n": [20, 5]})).splitlines() == [
        "Bar chart: n by city. 2 values from 5 to 20.",
        f" Łódź {'█' * 30} 20",
        f"Paris {'█' * 7}▌ 5",
    ]


def test_counts_of_texts():
    drawing = drawn({"city": texts("a", "b", "a", None)})
    assert alt_text(drawing) == "Bar chart: rows by city. 3 rows in 2 bars."
    assert note_of(drawing) == "not drawn: 1 row with NULL in city."
    assert text_of(drawing).splitlines()[-1] == note_of(drawing)


def test_a_histogram():
    lines = text_of(drawn({"n": [1.0, 1.0, 2.5]})).splitlines()
    assert lines[0] == "Histogram of n. 3 rows in 31 bars."
    assert (lines[1].split()[0], lines[1].split()[-1]) == ("1", "2")


def test_a_line():
    days = pd.date_range("2024-01-01", periods=3)
    assert text_of(drawn({"day": days, "a": [1, 2, 3], "b": [3, 2, 1]})).splitlines() == [
        "Line chart: value by day (a, b). 6 values from 1 to 3.",
        "a: 2024-01-01 ▁▅█ 2024-01-03",
        "b: 2024-01-01 █▅▁ 2024-01-03",
    ]


def test_boxes():
    lines = text_of(drawn({"c": texts("a", "a", "a"), "n": [0, 10, 20]}, "box")).splitlines()
    assert lines[0] == "Box plot: n by c. 3 rows in 1 box."
    assert lines[1].endswith("0 · 5 · 10 · 15 · 20")


def test_points_and_cells_are_shades():
    lines = text_of(drawn({"x": [1.5, 0.5, 2.5], "y": [0, 1, 2]}, "scatter")).splitlines()
    assert lines[0] == "Scatter plot: y by x. 3 values from 0 to 2."
    assert lines[1] == "y: 0 to 2"
    assert lines[-1] == "x: 0.5 to 2.5"
    assert sum(line.count("█") for line in lines) == 3
    lines = text_of(drawn({"x": texts("a", "b"), "y": texts("c", "d")}, "heatmap")).splitlines()
    assert lines == ["Heatmap: rows by x and y. 2 rows in 2 cells.", "y: c to d", " █", "█ ", "x: a to b"]


def test_much_is_cut_and_said_so():
    names = texts(*[f"name {n} {'x' * 40}" for n in range(40)])
    lines = text_of(drawn({"c": names, "n": range(40)})).splitlines()
    assert lines[-1] == "… and 10 more"
    assert all(len(line) < 75 for line in lines)


def test_nothing():
    assert text_of(drawn({"n": pd.Series([], dtype="float64")})) == "Histogram of n. There are no values."
