"""The figures behind a chart, as a DataFrame."""

import pandas as pd

from rds_iam_magic.charts.drawing import draw
from rds_iam_magic.charts.fields import table_of
from rds_iam_magic.charts.figures import figures_of
from rds_iam_magic.charts.options import PlotOptions

FRAME = pd.DataFrame(
    {"day": pd.to_datetime(["2024-01-01", "2024-01-02"]), "c": pd.Series(["a", "b"], dtype="str"), "n": [1, 2]}
)


def figures(kind, **options):
    return figures_of(draw(table_of(FRAME), PlotOptions(kind, **options)))


def test_bins_have_their_edges():
    found = figures("hist", x="day")
    assert found.columns.tolist() == ["day_from", "day_to", "rows"]
    assert found.iloc[0].tolist()[0] == pd.Timestamp("2024-01-01")
    assert found["rows"].sum() == 2
    assert figures("hist", x="n", color="c").columns.tolist() == ["n_from", "n_to", "c", "rows"]


def test_categories_have_their_names():
    assert figures("hist", x="c").to_dict("list") == {"c": ["a", "b"], "rows": [1, 1]}
    assert figures("heatmap", x="c", y=("day",)).columns.tolist() == ["c", "day_from", "day_to", "rows"]


def test_boxes_have_five_numbers():
    assert figures("box", x="c").columns.tolist() == ["c", "low", "q1", "median", "q3", "high", "count"]
    assert figures_of(draw(table_of(FRAME[["n"]]), PlotOptions("box"))).to_dict("list") == {
        "low": [1.0], "q1": [1.25], "median": [1.5], "q3": [1.75], "high": [2.0], "count": [2]
    }  # fmt: skip


def test_a_column_may_have_any_name():
    frame = FRAME.rename(columns={"c": "rows"})
    found = figures_of(draw(table_of(frame), PlotOptions("hist", x="rows")))
    assert found.columns.tolist() == ["rows", "rows"]
    assert found.to_numpy().tolist() == [["a", 1], ["b", 1]]
    found = figures_of(draw(table_of(FRAME), PlotOptions("heatmap", x="n", y=("n",))))
    assert found.columns.tolist() == ["n_from", "n_to", "n_from", "n_to", "rows"]
    named = FRAME.rename(columns={"c": "low"})
    assert figures_of(draw(table_of(named), PlotOptions("box", x="low"))).columns.tolist()[:2] == ["low", "low"]
