"""Whatever the columns and the kind: a chart that is JSON and text, or an error that says why there is none."""

import datetime as dt
import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rds_iam_magic.charts.drawing import MOST_CATEGORIES, MOST_ROWS, draw
from rds_iam_magic.charts.fields import table_of
from rds_iam_magic.charts.figures import figures_of
from rds_iam_magic.charts.options import KINDS, PlotOptions
from rds_iam_magic.charts.vegalite import metadata_of, spec_of
from rds_iam_magic.charts.words import alt_text, text_of
from rds_iam_magic.errors import OptionError

LONGEST = dt.timedelta(hours=838, minutes=59, seconds=59)
NAMES = ["a", "b.c", "d[0]", "e", "", "x", "count"]
COLUMNS = {
    "Int64": st.integers(-(2**63), 2**63 - 1) | st.integers(0, 5),
    "UInt64": st.integers(0, 2**64 - 1),
    "float64": st.floats() | st.integers(-3, 3).map(float),
    "float32": st.floats(width=32),
    "datetime64[us]": st.datetimes(),
    "datetime64[s]": st.dates(),
    "timedelta64[us]": st.timedeltas(-LONGEST, LONGEST),
    "str": st.sampled_from(["a", "b", "", "<script>", "a\nb", "x" * 500, "ß", "東京"]),
    "boolean": st.booleans(),
    "decimal": st.decimals(-(10**20), 10**20, places=3),
    "bytes": st.binary(max_size=3),
}


@st.composite
def frames(draw):
    count = draw(st.integers(0, 12))
    columns = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(list(COLUMNS)))
        values = draw(st.lists(COLUMNS[kind] | st.none(), min_size=count, max_size=count))
        columns.append(pd.Series(values, dtype="object" if kind in ("decimal", "bytes") else kind))
    frame = pd.concat(columns, axis=1)
    names = draw(
        st.lists(st.sampled_from(["a", "b.c", "d[0]", "e", "", "x", "count"]), min_size=len(columns), unique=True)
    )
    frame.columns = names[: len(columns)]
    return frame


@st.composite
def asked(draw, names):
    name = st.sampled_from(names)
    kind = draw(st.sampled_from([None, *KINDS]))
    y = tuple(draw(st.lists(name, max_size=2, unique=True)))
    return PlotOptions(kind, draw(st.none() | name), y, draw(st.none() | st.none() | name))


@pytest.mark.slow
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_chart_or_the_reason(data):
    frame = data.draw(frames())
    options = data.draw(st.just(PlotOptions()) | asked(list(frame.columns)))
    try:
        drawing = draw(table_of(frame), options)
    except OptionError:
        return
    spec = spec_of(drawing)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert len(drawing.rows) <= MOST_ROWS
    assert len(drawing.x.categories) <= MOST_CATEGORIES
    assert "\n" not in alt_text(drawing)
    assert text_of(drawing).startswith(alt_text(drawing))
    assert json.dumps(metadata_of(drawing))
    if drawing.kind in ("hist", "box", "heatmap"):
        assert len(figures_of(drawing)) == len(drawing.rows)
