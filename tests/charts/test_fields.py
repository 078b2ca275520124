"""Every dtype has its scale; names are found, or the nearest one is named."""

import datetime as dt
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from rds_iam_magic.charts.fields import Field, fields_of, named, table_of
from rds_iam_magic.errors import OptionError

VALUES = {
    "int": ([1, 2], "number"),
    "float": ([1.5, None], "number"),
    "decimal": ([Decimal("1.50"), None], "number"),
    "span": ([pd.Timedelta(1, "h"), pd.NaT], "number"),
    "date": (pd.Series(["2024-01-01", None], dtype="datetime64[s]"), "time"),
    "moment": (pd.Series(["2024-01-01 10:00:00.5", None], dtype="datetime64[us]"), "time"),
    "text": (pd.Series(["a", None], dtype="str"), "category"),
    "bit": (pd.array([True, None], "boolean"), "category"),
    "bytes": ([b"a", None], None),
    "nothing": (pd.Series([None, None], dtype="object"), None),
}


def test_each_dtype_has_its_scale():
    frame = pd.DataFrame({name: values for name, (values, _) in VALUES.items()})
    found = {field.name: field for field in fields_of(table_of(frame).schema)}
    assert {name: field.scale for name, field in found.items()} == {name: scale for name, (_, scale) in VALUES.items()}
    assert [name for name, field in found.items() if field.whole] == ["int", "date"]
    assert found["span"].title == "span (s)"
    arrow = frame.convert_dtypes(dtype_backend="pyarrow")
    assert {f.name: f.scale for f in fields_of(table_of(arrow).schema)} == {n: s for n, (_, s) in VALUES.items()}


def test_an_arrow_table_is_taken_as_it_is():
    table = pa.table({"a": [dt.date(2024, 1, 1)], "b": pa.array([b"x"], pa.large_binary())})
    assert table_of(table) is table
    assert [field.scale for field in fields_of(table.schema)] == ["time", None]


def test_a_polars_frame():
    polars = pytest.importorskip("polars")
    assert table_of(polars.DataFrame({"a": [1]})).column("a").to_pylist() == [1]


FIELDS = [
    Field("total", 0, "number"),
    Field("Status", 1, "category"),
    Field("raw", 2, None),
    Field("total", 3, "number"),
]


def test_a_name_is_found():
    assert named(FIELDS, "Status") is named(FIELDS, "status") is FIELDS[1]
    assert named([*FIELDS, Field("status", 4, "number")], "status").place == 4


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("stauts", "There is no column 'stauts' to plot.", "Did you mean Status?"),
        ("zzz", "There is no column 'zzz' to plot.", "The columns: total, Status, raw, total."),
        ("total", "Several columns are named 'total'.", "Give them different names in the SQL: AS name."),
        ("raw", "The values of column 'raw' cannot be placed on an axis.", "Plot another column."),
    ],
)
def test_a_name_that_is_of_no_use(name, message, hint):
    with pytest.raises(OptionError) as caught:
        named(FIELDS, name)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_many_columns_are_not_all_listed():
    with pytest.raises(OptionError) as caught:
        named([Field(f"c{i}", i, "number") for i in range(30)], "zzz")
    assert caught.value.hint.endswith("c19 and 10 more.")
