"""A DataFrame that is filled batch by batch is the one that is made at once."""

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.results.frame import FrameBuilder, to_pandas

VALUES = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.uint64(): st.integers(0, 2**64 - 1),
    pa.float64(): st.floats(allow_nan=False, allow_infinity=False),
    pa.bool_(): st.booleans(),
    pa.date32(): st.integers(-719162, 2932896),
    pa.timestamp("us"): st.integers(-(10**15), 10**15),
    pa.duration("us"): st.integers(-(10**12), 10**12),
    pa.large_string(): st.text(max_size=5),
    pa.large_binary(): st.binary(max_size=5),
    pa.decimal128(20, 0): st.integers(-(10**17), 10**17).map(Decimal),
    pa.decimal128(20, 2): st.integers(-(10**17), 10**17).map(lambda n: Decimal(n).scaleb(-2)),
}
BACKENDS = (None, "numpy_nullable", "pyarrow")


@st.composite
def columns(draw):
    kind = draw(st.sampled_from(list(VALUES)))
    values = draw(st.lists(st.none() | VALUES[kind], max_size=30))
    return pa.array(values, kind), draw(st.booleans())


def built(batches, schema, nullable, **options):
    builder = FrameBuilder(schema, nullable, **options)
    for batch in batches:
        builder.add(batch)
    assert builder.rows == sum(batch.num_rows for batch in batches)
    return builder.finish()


@given(columns(), st.lists(st.integers(0, 30)), st.sampled_from(BACKENDS), st.booleans())
def test_in_any_batches(column, cuts, backend, whole):
    array, nullable = column
    schema = pa.schema([("a", array.type), ("a", array.type)])
    places = [0, *sorted(min(cut, len(array)) for cut in cuts), len(array)]
    parts = [array.slice(start, end - start) for start, end in pairwise(places)]
    batches = [pa.RecordBatch.from_arrays([part, part], schema=schema) for part in parts]
    options = {"dtype_backend": backend, "whole_as_integers": whole}
    at_once = to_pandas([pa.RecordBatch.from_arrays([array, array], schema=schema)], schema, [nullable] * 2, **options)
    pd.testing.assert_frame_equal(built(batches, schema, [nullable] * 2, **options), at_once)


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64()])
def test_null_in_a_later_batch_of_a_column_declared_not_null(kind):
    schema = pa.schema([("a", kind)])
    batches = [pa.RecordBatch.from_arrays([pa.array(values, kind)], ["a"]) for values in ([1, 2], [3, None, 5], [6])]
    frame = built(batches, schema, [False])
    assert frame.a.dtype == ("Int64" if kind == pa.int64() else "UInt64")
    assert frame.a.tolist() == [1, 2, 3, pd.NA, 5, 6]
    assert built(batches[:1], schema, [False]).a.dtype == str(kind)


def test_no_rows():
    schema = pa.schema([("a", pa.int64()), ("t", pa.large_string())])
    pd.testing.assert_frame_equal(built([], schema, [False, True]), to_pandas([], schema, [False, True]))


def test_a_large_column_that_grows():
    count = 700_000  # beyond the room that is made first
    schema = pa.schema([("a", pa.int64())])
    numbers = np.arange(count)
    batches = [pa.RecordBatch.from_arrays([pa.array(part)], ["a"]) for part in np.array_split(numbers, 9)]
    frame = built(batches, schema, [False])
    assert (frame.a.to_numpy() == numbers).all()
    frame.iloc[-1, 0] = 7
    assert frame.a.iloc[-1] == 7
