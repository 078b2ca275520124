"""What came back, and what was sent."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from rds_iam_magic.ingest.column import Column
from rds_iam_magic.ingest.comparing import first_difference, same_rows


def difference(sent, came, start=0):
    batch = pa.RecordBatch.from_arrays([came], names=["c"])
    return first_difference([Column("c", sent, True, "")], start, batch)


@pytest.mark.parametrize(
    ("sent", "came"),
    [
        (pa.array([1, None]), pa.array([1, None])),
        (pa.array([True, None]), pa.array([1, None])),
        (pa.array([5], pa.int8()), pa.array(["5"])),
        (pa.array(["5"], pa.large_string()), pa.array([5])),
        (pa.array([1.25]), pa.array([Decimal("1.25")])),
        (pa.array([0.5], pa.float32()), pa.array([0.5])),
        (pa.array([-0.0]), pa.array([0.0])),
        (pa.array([0], pa.timestamp("ns")), pa.array([0], pa.timestamp("us"))),
        (pa.array([0], pa.timestamp("us")), pa.array([dt.date(1970, 1, 1)])),
        (pa.array([0], pa.timestamp("s", "Asia/Tokyo")), pa.array([0], pa.timestamp("us"))),
        (pa.array(['{"a":1}', None], pa.large_string()), pa.array(['{"a": 1}', None])),
        (pa.nulls(1), pa.array([None], pa.int8())),
    ],
)
def test_the_same(sent, came):
    assert difference(sent, came) is None


@pytest.mark.parametrize(
    ("sent", "came"),
    [
        (pa.array([1, 2]), pa.array([1, 3])),
        (pa.array([1, 2]), pa.array([1, None])),
        (pa.array([1, None]), pa.array([1, 0])),
        (pa.array([1.5, 1.26]), pa.array([Decimal("1.50"), Decimal("1.30")])),
        (pa.array(["a", " 5"], pa.large_string()), pa.array(["a", "5"])),
        (pa.array([1.0, 2.5]), pa.array([1, 3])),
        (pa.array([0, 1], pa.timestamp("us")), pa.array([dt.date(1970, 1, 1)] * 2)),
        (pa.array(["1", '{"a":1}'], pa.large_string()), pa.array(["1", '{"a": 2}'])),
        (pa.nulls(2), pa.array([None, 0])),
    ],
)
def test_another_value(sent, came):
    found = difference(sent, came)
    assert (found.column, found.row) == ("c", 1)
    assert found.came == came[1].as_py()


def test_rows_before():
    assert difference(pa.array([1, 2, 3]), pa.array([3]), start=2) is None
    assert difference(pa.array([1, 2, 3]), pa.array([4]), start=2).row == 2


def test_another_order():
    columns = [Column("a", pa.array([1, 2, 2]), True, ""), Column("b", pa.array(["x", None, "y"]), True, "")]

    def batch(a, b):
        return [pa.RecordBatch.from_arrays([pa.array(a, pa.int64()), pa.array(b, pa.string())], names=["a", "b"])]

    assert same_rows(columns, batch([2, 1, 2], ["y", "x", None]))
    assert not same_rows(columns, batch([2, 1, 2], ["x", "y", None]))
    assert not same_rows(columns, batch([1, 2], ["x", None]))
    assert not same_rows(columns, [])
