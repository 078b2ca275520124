"""Counts and quartiles of rows, by values; pandas says what is right."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.charts.counting import count, quartiles
from rds_iam_magic.charts.fields import fields_of, table_of
from rds_iam_magic.charts.layout import layout_of
from rds_iam_magic.charts.options import PlotOptions


def prepared(frame, **options):
    table = table_of(frame)
    return table, layout_of(fields_of(table.schema), PlotOptions(**options), table)


def test_a_histogram():
    counted = count(*prepared(pd.DataFrame({"a": [1.0, 1.5, 2.0, None, 9.0]}), kind="hist"))
    (bins,) = counted.bins
    edges = [bins.edges[key[0]] for key in counted.groups if key[0] is not None]
    assert sum(counted.groups.values()) == 5
    assert counted.groups[(None,)] == 1
    assert sorted(edges) == [1.0, 1.5, 2.0, 9.0]
    assert counted.bounds == ((1.0, 9.0),)


def test_categories_count_character_by_character():
    frame = pd.DataFrame({"a": pd.Series(["a", "A", "a ", "a", None], dtype="str")})
    assert count(*prepared(frame, kind="hist")).groups == {("a",): 2, ("A",): 1, ("a ",): 1, (None,): 1}


def test_pairs():
    frame = pd.DataFrame({"a": [1, 1, 2], "b": pd.Series(["x", "x", None], dtype="str")})
    counted = count(*prepared(frame, kind="heatmap", x="a", y=("b",)))
    assert counted.groups == {(0, "x"): 2, (1, None): 1}


def test_nothing_but_null():
    frame = pd.DataFrame({"a": pd.Series([None, None], dtype="float64")})
    counted = count(*prepared(frame, kind="hist"))
    assert (counted.bins, counted.groups, counted.bounds) == ((None,), {(None,): 2}, (None,))


@given(st.lists(st.floats(-1e9, 1e9) | st.none(), min_size=1))
def test_quartiles_are_those_of_pandas(values):
    frame = pd.DataFrame({"a": pd.Series(values, dtype="float64")})
    known = frame["a"].dropna()
    boxes = quartiles(*prepared(frame, kind="box"))
    found = boxes.found
    assert len(found) == bool(len(known))
    for box in found.values():
        five = np.quantile(known, [0, 0.25, 0.5, 0.75, 1])
        assert [box.low, box.q1, box.median, box.q3, box.high] == pytest.approx(five, rel=1e-12, abs=1e-6)
        assert box.count == len(known)
    assert boxes.nulls == len(values) - len(known), "where all are NULL, too"


def test_boxes_by_category():
    frame = pd.DataFrame({"a": [1, 3, 5, 7], "b": pd.Series(["x", "x", None, "y"], dtype="str")})
    found = {key: box for (key, _), box in quartiles(*prepared(frame, kind="box")).found.items()}
    assert {key: (box.median, box.count) for key, box in found.items()} == {
        "x": (2.0, 2),
        None: (5.0, 1),
        "y": (7.0, 1),
    }
