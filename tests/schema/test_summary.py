"""Summaries of values, against what Python says of the same values."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from statistics import fmean

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.schema.summary import QUANTILES, TOP, Summary, summarize, summarize_long

VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
    pa.uint64(): st.integers(0, 2**64 - 1) | st.integers(0, 3),
    pa.float64(): st.floats(-1e100, 1e100).map(lambda value: value + 0.0) | st.sampled_from([0.5, 1.5]),
    pa.decimal128(10, 2): st.decimals(-9999, 9999, places=2) | st.just(Decimal("1.10")),
    pa.decimal256(60, 2): st.decimals(-9999, 9999, places=2),
    pa.bool_(): st.booleans(),
    pa.large_string(): st.text(max_size=3),
    pa.large_binary(): st.binary(max_size=3),
    pa.date32(): st.dates(dt.date(1000, 1, 1)),
    pa.timestamp("us"): st.datetimes(dt.datetime.fromisoformat("1000-01-01")),
    pa.duration("us"): st.timedeltas(dt.timedelta(hours=-838), dt.timedelta(hours=838)),
}
NO_SCALE = (pa.bool_(), pa.large_string(), pa.large_binary())


@given(kind=st.sampled_from(list(VALUES)), data=st.data())
def test_of_any_type(kind, data):
    values = data.draw(st.lists(VALUES[kind] | st.none(), max_size=30))
    cut = data.draw(st.integers(0, len(values)))
    summary = summarize(pa.chunked_array([pa.array(values[:cut], kind), pa.array(values[cut:], kind)]))
    known = sorted(value for value in values if value is not None)
    counts = Counter(known)
    assert (summary.count, summary.distinct) == (len(known), len(counts))
    assert (summary.least, summary.greatest) == ((known[0], known[-1]) if known else (None, None))
    if known and kind not in NO_SCALE:
        assert summary.quantiles == tuple(known[int(share * (len(known) - 1))] for share in QUANTILES)
    else:
        assert summary.quantiles == (None, None, None)
    if known and (pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind)):
        largest = max(map(abs, map(float, known)))
        assert summary.mean == pytest.approx(fmean(map(float, known)), abs=1e-12 * largest)
    else:
        assert summary.mean is None
    assert [count for _, count in summary.top] == (
        [count for _, count in counts.most_common(TOP)] if len(counts) < len(known) else []
    )
    assert all(counts[value] == count for value, count in summary.top)


def test_of_nothing():
    for values in ([], [None, None]):
        assert summarize(pa.chunked_array([pa.array(values, pa.int64())])) == Summary(0, 0)
    assert summarize(pa.chunked_array([pa.nulls(2)])) == Summary(0, 0)


def test_long_values_are_told_apart_by_their_digests():
    shown = pa.chunked_array([["aa", "aa", None, "b", "aa"]])
    digests = pa.chunked_array([["1", "2", None, "3", "1"]])
    assert summarize_long(digests, shown, has_order=True) == Summary(
        count=4, distinct=3, least="aa", greatest="b", top=(("aa", 2), ("aa", 1), ("b", 1))
    )
    unordered = summarize_long(digests, shown, has_order=False)
    assert (unordered.least, unordered.greatest) == (None, None)
