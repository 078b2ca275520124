"""The specification: JSON, closed in itself, with named axes, on scales of UTC, in colours that can be told apart."""

import json
import math

import pandas as pd
import pytest

from rds_iam_magic.charts.drawing import draw
from rds_iam_magic.charts.fields import table_of
from rds_iam_magic.charts.options import PlotOptions
from rds_iam_magic.charts.vegalite import COLORS, metadata_of, spec_of

FRAME = pd.DataFrame(
    {
        "day": pd.to_datetime(["2024-03-31 02:30", "2024-04-01 00:00", "2024-04-02 00:00"]),
        "c.i[t]y": pd.Series(["a", "b", "<img src=x>"], dtype="str"),
        "n": [1.5, 2.0, 3.25],
        "m": [3, 1, 2],
    }
)
CASES = {
    "line": PlotOptions("line"),
    "lines": PlotOptions("line", y=("n", "m")),
    "bar": PlotOptions("bar", y=("n",), x="c.i[t]y"),
    "bar-coloured": PlotOptions("bar", y=("n",), x="m", color="c.i[t]y"),
    "bar-of-times": PlotOptions("bar", x="day", y=("n",)),
    "area": PlotOptions("area"),
    "scatter": PlotOptions("scatter", x="n", y=("m",), color="c.i[t]y"),
    "hist": PlotOptions("hist", x="n", color="c.i[t]y"),
    "hist-of-times": PlotOptions("hist", x="day"),
    "hist-of-texts": PlotOptions("hist", x="c.i[t]y"),
    "box": PlotOptions("box", x="c.i[t]y", y=("n",)),
    "box-alone": PlotOptions("box", x=None, y=("n", "m")),
    "heatmap": PlotOptions("heatmap", x="n", y=("day",)),
    "heatmap-of-texts": PlotOptions("heatmap", x="c.i[t]y", y=("n",)),
}


def spec(options, frame=FRAME):
    made = spec_of(draw(table_of(frame), options))
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    return made


def encodings(made):
    """All encodings, those of the layers too."""
    for part in (made, *made.get("layer", [])):
        yield from part.get("encoding", {}).items()


@pytest.mark.parametrize("name", CASES)
def test_each_kind(name):
    made = spec(CASES[name])
    found = list(encodings(made))
    assert made["$schema"].endswith("vega-lite/v5.json")
    assert list(made["data"]) == ["values"], "nothing is fetched"
    assert made["description"]
    assert made["background"] == "white"
    titles = {encoding.get("title") for channel, encoding in found if channel in ("x", "y")}
    assert titles & {"n", "value", "rows", "day", "c.i[t]y", "m"}
    keys = set(made["data"]["values"][0])
    for channel, encoding in found:
        for each in encoding if channel == "tooltip" else [encoding]:
            assert each.get("field", "x") in keys | {"x"}, "fields have plain names"
            assert each.get("type") != "temporal" or each["scale"]["type"] == "utc"
            assert each.get("type") != "temporal" or channel != "tooltip", (
                "a tooltip's time would be in the browser's zone"
            )


def test_values_are_text_and_never_markup():
    made = spec(CASES["bar"])
    assert made["data"]["values"][2] == {"x": "<img src=x>", "y": 3.25}
    assert made["encoding"]["x"]["type"] == "nominal"


def test_the_order_of_the_rows_stays():
    assert spec(CASES["bar"])["encoding"]["x"]["sort"] == ["a", "b", "<img src=x>"]


def test_bars_with_long_names_lie():
    frame = pd.DataFrame({"c": pd.Series([f"a long name {n}" for n in range(4)], dtype="str"), "n": [1, 2, 3, 4]})
    encoding = spec(PlotOptions("bar"), frame)["encoding"]
    assert (encoding["x"]["title"], encoding["y"]["title"]) == ("n", "c")


def test_series_differ_in_more_than_their_colours():
    assert {"color", "strokeDash"} <= set(spec(CASES["lines"])["encoding"])
    assert {"color", "shape"} <= set(spec(CASES["scatter"])["encoding"])


def test_many_marks_are_drawn_on_a_canvas():
    few, many = (draw(table_of(pd.DataFrame({"x": range(n), "y": range(n)})), PlotOptions()) for n in (1000, 1001))
    assert metadata_of(few) == {"embed_options": {"renderer": "svg"}}
    assert metadata_of(many) == {"embed_options": {"renderer": "canvas"}}


def test_there_is_nothing_between_whole_numbers():
    encoding = spec(PlotOptions("hist", x="m"))["encoding"]
    assert encoding["x"]["axis"]["values"] == [1, 2, 3, 4]
    assert encoding["y"]["axis"]["values"] == [0, 1]
    frame = pd.DataFrame(
        {"c": pd.Series(["a", "a"], dtype="str"), "n": [2, 1], "d": pd.Series(["x", "y"], dtype="str")}
    )
    assert spec(PlotOptions("bar", x="c", color="d"), frame)["encoding"]["y"]["axis"]["values"] == [0, 1, 2, 3]
    assert "values" not in spec(PlotOptions("scatter", x="n", y=("m",)))["encoding"]["x"]["axis"]


def test_years_have_no_comma():
    frame = pd.DataFrame({"year": [2022, 2023, 2024], "n": [1, 2, 3]})
    assert spec(PlotOptions(), frame)["encoding"]["x"]["axis"] == {
        "labelOverlap": True,
        "values": [2022, 2023, 2024],
        "format": "d",
    }
    assert spec(PlotOptions("hist", x="year"), frame)["encoding"]["x"]["axis"]["format"] == "d"
    assert spec(PlotOptions("hist", x="n"), frame)["encoding"]["x"]["axis"]["format"] == ",d"


def test_a_tooltip_has_all_digits():
    frame = pd.DataFrame({"x": [1, 2, 3], "y": [2**63 - 1, 1, 2]})
    made = spec(PlotOptions("line"), frame)
    assert {"field": "y_text", "type": "nominal", "title": "y"} in made["encoding"]["tooltip"]
    assert made["data"]["values"][0]["y_text"] == "9223372036854775807"


# How the colours are seen: https://doi.org/10.1109/TVCG.2009.113, in full strength.
SIGHTS = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def linear(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(rgb):
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def lab(rgb):
    red, green, blue = (min(1, max(0, part)) for part in rgb)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, luminance((red, green, blue)), z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("sight", SIGHTS)
def test_colours_can_be_told_apart(sight):
    seen = [lab([sum(a * b for a, b in zip(row, linear(c), strict=True)) for row in SIGHTS[sight]]) for c in COLORS]
    assert min(math.dist(a, b) for i, a in enumerate(seen) for b in seen[:i]) > 15


@pytest.mark.parametrize("color", COLORS)
def test_colours_stand_out_from_white(color):
    assert 1.05 / (luminance(linear(color)) + 0.05) >= 3


@pytest.mark.parametrize(
    "name", ['a"b', "a\\", "a\nb", "\u2028", "}) + alert(1) + ({", "title", "image", "rows", "__proto__"]
)
def test_a_column_of_any_name(name):
    """Titles are written into expressions as they are, and what is called `image` is fetched, by others than us."""
    n = FRAME["m"]
    frame = pd.DataFrame({"c": FRAME["c.i[t]y"], "n": n, "w": n, "k": FRAME["c.i[t]y"]})
    for kind, asked in {
        "line": {"x": "n", "y": ("w",), "color": "k"}, "scatter": {"x": "n", "y": ("w",), "color": "k"},
        "bar": {"x": "c", "y": ("n",)}, "hist": {"x": "c"}, "box": {"x": "c", "y": ("n",)},
        "heatmap": {"x": "c", "y": ("n",)},
    }.items():  # fmt: skip
        for renamed in frame.columns:
            names = {renamed: name}
            options = {
                key: tuple(names.get(each, each) for each in value)
                if isinstance(value, tuple)
                else names.get(value, value)
                for key, value in asked.items()
            }
            made = spec(PlotOptions(kind, **options), frame.rename(columns=names))
            for channel, encoding in encodings(made):
                lines = encoding if channel == "tooltip" else [encoding]
                titles = [line["title"] for line in lines if "title" in line]
                assert not any(mark in str(title) for title in titles for mark in ('"', "\\", "\n", "\u2028"))
                if channel == "tooltip":
                    assert len(set(titles)) == len(lines)
                    assert not {"title", "image"} & set(titles)


def test_a_long_title_leaves_room_for_the_chart():
    config = spec(PlotOptions("bar"), pd.DataFrame({"a" * 300: FRAME["c.i[t]y"], "n": [1, 2, 3]}))["config"]
    assert all(0 < config[part]["titleLimit"] <= 520 for part in ("axisX", "axisY", "legend"))


def test_few_counts_are_whole_in_a_heatmaps_legend():
    frame = pd.DataFrame({"a": ["x", "x", "y"], "b": ["x", "x", "y"]}, dtype="str")
    made = spec(PlotOptions("heatmap"), frame)
    assert made["encoding"]["color"]["legend"]["values"] == [1, 2]


def test_ticks_of_whole_numbers_are_whole():
    assert spec(PlotOptions("bar"), pd.DataFrame({"a": FRAME["c.i[t]y"], "n": [1, 2, 1]}))["encoding"]["y"]["axis"] == {
        "labelOverlap": True, "values": [0, 1, 2], "format": ",d"
    }  # fmt: skip


def test_bars_in_the_same_place_do_not_hide_each_other():
    days = pd.date_range("2024-01-01", periods=60).astype("datetime64[s]")  # too many to stand side by side
    made = spec(
        PlotOptions("bar", x="day", y=("a", "b")), pd.DataFrame({"day": days, "a": range(60), "b": range(60, 0, -1)})
    )
    assert made["encoding"]["y"]["stack"] is None
    assert made["mark"]["opacity"] < 1
    assert made["mark"]["width"] > 6, "as wide as there is room for 60"
