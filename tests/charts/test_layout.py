"""The guess, for every combination of columns; and what a kind needs."""

import pandas as pd
import pytest

from rds_iam_magic.charts.fields import fields_of, table_of
from rds_iam_magic.charts.layout import layout_of
from rds_iam_magic.charts.options import KINDS, PlotOptions
from rds_iam_magic.errors import OptionError

FRAME = pd.DataFrame(
    {
        "day": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]),
        "city": pd.Series(["Łódź", "Paris", "Köln"], dtype="str"),
        "again": pd.Series(["a", "a", "b"], dtype="str"),
        "total": [3.5, 1.5, 2.5],
        "year": [2022, 2023, 2024],
        "n": [2, 1, 1],
        "raw": [b"a", b"b", b"c"],
    }
)


def laid_out(columns, *, rows=True, **options):
    table = table_of(FRAME[columns.split()])
    made = layout_of(fields_of(table.schema), PlotOptions(**options), table if rows else None)
    names = [made.x and made.x.name, " ".join(field.name for field in made.y), made.color and made.color.name]
    return (made.kind, *[name or "" for name in names])


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("day total", ("line", "day", "total", "")),
        ("total day n", ("line", "day", "total n", "")),
        ("day again total", ("line", "day", "total", "again")),
        ("city total", ("bar", "city", "total", "")),
        ("total city", ("bar", "city", "total", "")),
        ("city again total", ("bar", "city", "total", "again")),
        ("again total", ("box", "again", "total", "")),
        ("total n", ("scatter", "total", "n", "")),
        ("year n", ("line", "year", "n", "")),
        ("year n total", ("line", "year", "n total", "")),
        ("total", ("hist", "total", "", "")),
        ("raw total", ("hist", "total", "", "")),
        ("day", ("hist", "day", "", "")),
        ("city", ("hist", "city", "", "")),
        ("city again", ("heatmap", "city", "again", "")),
    ],
)
def test_the_guess(columns, expected):
    assert laid_out(columns) == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("total", ("hist", "total", "", "")),
        ("city", ("hist", "city", "", "")),
        ("city total", ("box", "city", "total", "")),
        ("total n", ("heatmap", "total", "n", "")),
        ("total day", ("heatmap", "day", "total", "")),
        ("day city", ("heatmap", "day", "city", "")),
        ("city again", ("heatmap", "city", "again", "")),
    ],
)
def test_of_rows_that_are_not_read_the_guess_is_counted(columns, expected):
    assert laid_out(columns, rows=False) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"kind": "line"}, ("line", "day", "total", "city")),
        ({"kind": "area", "color": "again"}, ("area", "day", "total", "again")),
        ({"kind": "line", "y": ("n", "total")}, ("line", "day", "n total", "")),
        ({"kind": "bar", "x": "again"}, ("bar", "again", "total", "city")),
        ({"kind": "bar", "x": "day", "y": ("n",)}, ("bar", "day", "n", "")),
        ({"kind": "scatter"}, ("scatter", "total", "year", "city")),
        ({"kind": "scatter", "x": "day", "y": ("n",), "color": "again"}, ("scatter", "day", "n", "again")),
        ({"kind": "hist"}, ("hist", "total", "", "")),
        ({"kind": "hist", "x": "day", "color": "again"}, ("hist", "day", "", "again")),
        ({"kind": "box"}, ("box", "city", "total", "")),
        ({"kind": "box", "y": ("n", "total")}, ("box", "", "n total", "")),
        ({"kind": "heatmap", "x": "city", "y": ("again",)}, ("heatmap", "city", "again", "")),
        ({"x": "city"}, ("bar", "city", "total", "again")),
        ({"x": "total"}, ("scatter", "total", "year", "city")),
        ({"x": "TOTAL", "y": ("N",)}, ("scatter", "total", "n", "city")),
    ],
)
def test_what_is_named_is_kept(options, expected):
    assert laid_out("day city again total year n", **options) == expected


def test_rows_of_a_group_by():
    frame = pd.DataFrame(
        {"year": [1, 2, 1, 2], "city": pd.Series(["a", "a", "b", "b"], dtype="str"), "n": [4, 3, 2, 1]}
    )
    table = table_of(frame)
    made = layout_of(fields_of(table.schema), PlotOptions(), table)
    assert (made.kind, made.x.name, made.y[0].name, made.color.name) == ("line", "year", "n", "city")
    assert laid_out("year again n", kind="area") == ("area", "year", "n", "again")
    assert laid_out("again year n", kind="area") == ("area", "again", "year n", "")


def test_a_line_without_an_x_goes_over_the_rows():
    assert laid_out("total", kind="line") == ("line", "", "total", "")
    assert laid_out("total n", kind="line") == ("line", "total", "n", "")


def test_bars_without_numbers_count():
    assert laid_out("city", kind="bar") == ("hist", "city", "", "")
    table = table_of(FRAME[["n"]])
    made = layout_of(fields_of(table.schema), PlotOptions("bar"), table)
    assert (made.kind, made.x.name, made.x.scale) == ("hist", "n", "category"), "a bar for each number, not bins"


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ("raw", {}, "There is no column to plot"),
        ("city again", {"kind": "line"}, "There is no column of numbers, which a line needs."),
        ("city total", {"kind": "line", "y": ("city",)}, "Column 'city' has no numbers"),
        ("total", {"kind": "scatter"}, "A scatter needs two columns"),
        ("total", {"kind": "heatmap"}, "A heatmap needs two columns"),
        ("city", {"kind": "box"}, "There is no column of numbers, which a box needs."),
        ("city total", {"kind": "box", "color": "city"}, "no color"),
        ("city total n", {"kind": "box", "x": "city", "y": ("total", "n")}, "an x, or several y"),
        ("city total", {"kind": "bar", "x": "ctiy"}, "There is no column 'ctiy'"),
    ],
)
def test_what_a_kind_needs(columns, options, message):
    with pytest.raises(OptionError, match=message):
        laid_out(columns, **options)


@pytest.mark.parametrize("kind", KINDS)
def test_without_columns_there_is_nothing_to_plot(kind):
    with pytest.raises(OptionError, match="There is no column to plot"):
        layout_of([], PlotOptions(kind))
