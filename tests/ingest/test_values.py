"""dtypes: each that a table can have becomes one of a few Arrow types, with all of its values."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.values import column_of, plain


@pytest.mark.parametrize(
    ("series", "kind", "has_null"),
    [
        (pd.Series([1, 2], dtype="int8"), pa.int8(), False),
        (pd.Series([1, None], dtype="Int8"), pa.int8(), True),
        (pd.Series([1], dtype="uint64"), pa.uint64(), False),
        (pd.Series([True]), pa.bool_(), False),
        (pd.Series([True, None], dtype="boolean"), pa.bool_(), True),
        (pd.Series([1.5], dtype="float16"), pa.float32(), True),
        (pd.Series([1.5], dtype="float32"), pa.float32(), True),
        (pd.Series(["a"]), pa.large_string(), True),
        (pd.Series(["a"], dtype="string[pyarrow]"), pa.large_string(), True),
        (pd.Series(["a"], dtype=object), pa.large_string(), True),
        (pd.Series(pd.Categorical(["a", None])), pa.large_string(), True),
        (pd.Series(pd.Categorical([3, None])), pa.int64(), True),
        (pd.Series([0, 1], dtype="Sparse[int]"), pa.int64(), False),
        (pd.Series(["2020"], dtype="M8[s]"), pa.timestamp("s"), True),
        (pd.Series(["2020"], dtype="M8[ns]"), pa.timestamp("ns"), True),
        (pd.Series(["2020"], dtype="M8[us]").dt.tz_localize("Asia/Tokyo"), pa.timestamp("us", "Asia/Tokyo"), True),
        (pd.Series([1], dtype="m8[ms]"), pa.duration("ms"), True),
        (pd.Series([b"a"], dtype=pd.ArrowDtype(pa.binary())), pa.large_binary(), True),
        (pd.Series([b"ab"], dtype=pd.ArrowDtype(pa.binary(2))), pa.large_binary(), True),
        (pd.Series([1], dtype=pd.ArrowDtype(pa.date64())), pa.date32(), True),
        (pd.Series([1], dtype=pd.ArrowDtype(pa.time32("s"))), pa.time64("us"), True),
        (pd.Series([1], dtype=pd.ArrowDtype(pa.decimal128(5, 2))), pa.decimal128(5, 2), True),
        (pd.Series(["a"], dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))), pa.large_string(), True),
        (pd.Series([None], dtype=pd.ArrowDtype(pa.null())), pa.null(), True),
    ],
)
def test_dtypes(series, kind, has_null):
    column = column_of("c", series)
    assert (column.values.type, column.has_null) == (kind, has_null)
    assert column.values.null_count == series.isna().sum()


@pytest.mark.parametrize(
    ("series", "message"),
    [
        (pd.Series(pd.period_range("2020", periods=1)), "the dtype period"),
        (pd.Series(pd.interval_range(0, 1)), "the dtype interval"),
        (pd.Series([1j]), "the dtype complex128"),
        (pd.Series(np.array([1], "longdouble")), "the dtype float128"),
        (pd.Series([[1]], dtype=pd.ArrowDtype(pa.list_(pa.int8()))), "the type list"),
        (pd.Series([{"a": 1}], dtype=pd.ArrowDtype(pa.struct({"a": pa.int8()}))), "the type struct"),
        (pd.Series([1], dtype=pd.ArrowDtype(pa.time64("ns"))), "row 1: it has nanoseconds"),
    ],
)
def test_what_no_table_has(series, message):
    with pytest.raises(OptionError, match=message) as caught:
        column_of("c", series)
    assert "Column c" in caught.value.message


def test_nan_is_told_where_the_frame_tells_it_from_null():
    assert column_of("c", pd.Series([1.0, np.nan])).notes == ()
    column = plain("c", pa.array([1.0, None, float("nan")]), "double[pyarrow]")
    assert column.values.to_pylist() == [1.0, None, None]
    assert column.notes == ("column c: 1 NaN became NULL, which MySQL has instead.",)


def test_chunks_and_a_uuid():
    assert plain("c", pa.chunked_array([[1], [2]]), "").values.to_pylist() == [1, 2]
    assert plain("c", pa.chunked_array([], pa.int8()), "").values.to_pylist() == []
    uuid = pa.array([b"\0" * 16], pa.uuid())
    assert plain("c", uuid, "").values.to_pylist() == ["00000000-0000-0000-0000-000000000000"]
