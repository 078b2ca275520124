"""A part's batches take the types of the undivided query."""

import pyarrow as pa
import pytest

from rds_iam_magic.errors import ResultError, StatementError
from rds_iam_magic.parallel.shape import Shape


def shape(**types):
    schema = pa.schema(types)
    return Shape(schema, schema, (True,) * len(types))


def test_batches_of_the_same_types_are_kept():
    batch = pa.record_batch({"a": pa.array([1, 2])})
    assert shape(a=pa.int64()).result([batch], "float").batches[0] is batch


def test_other_types_are_converted_if_the_values_allow_it():
    batch = pa.record_batch({"a": pa.array([1, None], pa.int64()), "n": pa.array([None, None], pa.large_binary())})
    table = shape(a=pa.float64(), n=pa.null()).result([batch], "float").to_arrow()
    assert table.to_pydict() == {"a": [1.0, None], "n": [None, None]}
    assert table.schema.types == [pa.float64(), pa.null()]


def test_values_that_do_not_fit_are_refused():
    batch = pa.record_batch({"a": pa.array(["x"], pa.large_string())})
    with pytest.raises(ResultError, match="another type in a part") as caught:
        shape(a=pa.int64()).result([batch], "float")
    assert caught.value.cause == "parts-type-differs"


def test_decimals_that_no_arrow_decimal_holds_stay_texts():
    batch = pa.record_batch({"a": pa.array(["1"], pa.large_string())})
    result = shape(a=pa.decimal128(5, 2)).result([batch], "exact")
    assert result.to_arrow().to_pydict() == {"a": ["1"]}


def test_columns_are_known_without_reading_rows(db, notes):
    db.execute("CREATE OR REPLACE TABLE described (id INT PRIMARY KEY, d DECIMAL(5, 2))")
    plan = db._planner().plan("SELECT *, NULL AS n FROM described -- x", "id", 3, "n")
    assert plan.shape.as_float.types == [pa.int64(), pa.float64(), pa.null()]
    assert plan.shape.exact.types == [pa.int64(), pa.decimal128(5, 2), pa.null()]
    assert plan.shape.nullable == (False, True, True)
    with pytest.raises(StatementError, match="1054") as caught:
        db._planner().plan("SELECT ids FROM described", "id", 3, "n")
    assert "Did you mean `id`?" in caught.value.hint
    assert notes == []
