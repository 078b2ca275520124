"""Values on axes and in texts: nothing is shifted or rounded without being said in the text."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.charts.columns import (
    are_days,
    are_exact,
    categories_of,
    microseconds_of,
    moment_of,
    places_of,
    text_of,
    texts_of,
)
from rds_iam_magic.charts.fields import fields_of, table_of


def column(values, dtype=None):
    table = table_of(pd.DataFrame({"a": pd.Series(values, dtype=dtype)}))
    return table.column(0), fields_of(table.schema)[0]


def test_numbers():
    assert places_of(*column([1, 2**63, 2**64 - 1], "uint64")).values.tolist() == [1.0, 2.0**63, 2.0**64]
    values, missing = places_of(*column([1.5, float("inf"), float("-inf"), None]))
    assert values[0] == 1.5
    assert missing.tolist() == [False, True, True, True], "what no axis has a place for"
    assert places_of(*column([Decimal("0.1"), Decimal("12345678901234567890.12")])).values.tolist() == [
        0.1,
        12345678901234567890.12,
    ]
    assert places_of(*column([pd.Timedelta("-838:59:59"), pd.Timedelta(1500, "ms")])).values.tolist() == [
        -3020399.0,
        1.5,
    ]


def test_times_are_what_the_frame_shows():
    values, field = column(["2024-03-31 02:30:00.000001", None], "datetime64[us]")  # an hour that many zones skip
    assert places_of(values, field).values[0] == 1711852200000001
    assert texts_of(values) == ["2024-03-31 02:30:00.000001", None]
    assert texts_of(column(["2024-03-31", "0001-01-01"], "datetime64[s]")[0]) == ["2024-03-31", "0001-01-01"]
    assert not are_days([dt.datetime.fromisoformat("2024-01-01 01:00")])


@given(st.datetimes())
def test_a_time_comes_back_from_its_place(moment):
    assert moment_of(microseconds_of(moment)) == moment


def test_texts_have_all_digits():
    assert text_of(2**63 - 1) == "9223372036854775807"
    assert text_of(Decimal("1.00000000000000000001")) == "1.00000000000000000001"
    assert [text_of(v) for v in (True, None, 3.0, 0.1, 1e300)] == ["true", None, "3", "0.1", "1e+300"]


def test_what_twelve_digits_say():
    assert are_exact([1.0, 0.1, float("nan")], ["1", "0.1", None])
    assert not are_exact([9007199254740993.0], ["9007199254740993"])
    assert not are_exact([0.1234567890123], ["0.1234567890123"])


def test_categories():
    assert categories_of(column([True, None, False], "boolean")[0]).to_pylist() == ["true", None, "false"]
    text, _ = column(["<b>a</b>", None], "str")
    assert categories_of(text).to_pylist() == ["<b>a</b>", None]
    assert categories_of(column([1, 2])[0]).to_pylist() == ["1", "2"]
    assert categories_of(text).type == pa.large_string()


def test_a_day_has_no_time_and_a_time_no_days():
    assert categories_of(column(["2024-03-31"], "datetime64[s]")[0]).to_pylist() == ["2024-03-31"]
    spans = [pd.Timedelta("-00:00:00.5"), pd.Timedelta("838:59:59"), pd.Timedelta(0), pd.NaT]
    assert texts_of(column(spans)[0]) == ["-00:00:00.500000", "838:59:59", "00:00:00", None]
