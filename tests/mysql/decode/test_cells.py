"""The cells of a column: values, NULLs and parts of them, as Arrow arrays over the bytes that came."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.mysql.decode.cells import word64_of
from rds_iam_magic.mysql.decode.text_rows import locate
from tests.support.packets import rows_of

VALUES = st.lists(st.none() | st.binary(max_size=300), min_size=1, max_size=30)


def cells_of(values):
    (cells,) = locate(rows_of(values), 1)
    return cells


@given(VALUES)
def test_the_bytes(values):
    cells = cells_of(values)
    assert len(cells) == len(values)
    assert cells.to_bytes().to_pylist() == values
    assert [cells.value(row) for row in range(len(cells))] == [value or b"" for value in values]


@given(VALUES, st.data())
def test_a_part(values, data):
    start = data.draw(st.integers(0, len(values) - 1))
    stop = data.draw(st.integers(start + 1, len(values)))
    part = cells_of(values).part(start, stop)
    assert part.to_bytes().to_pylist() == values[start:stop]
    assert (part.null is None) == (None not in values[start:stop])


@given(VALUES, st.data())
def test_what_is_null(values, data):
    cells = cells_of(values)
    numbers = np.arange(len(values))
    expected = [None if value is None else n for n, value in enumerate(values)]
    assert cells.to_array(pa.int64(), numbers).to_pylist() == expected
    also = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    array = cells.to_array(pa.int64(), numbers, np.array(also))
    assert array.to_pylist() == [None if also[n] else value for n, value in enumerate(expected)]


def test_no_null_needs_no_bitmap():
    assert cells_of([b"a"]).validity() is None
    assert cells_of([b"a"]).to_array(pa.int64(), np.array([1])).null_count == 0


@given(st.binary(min_size=8, max_size=40))
def test_words_are_the_eight_bytes_from_each_byte_on(data):
    words = word64_of(np.frombuffer(data, np.uint8))
    assert words.tolist() == [int.from_bytes(data[i : i + 8], "little") for i in range(len(data) - 7)]
