"""Literals, a column at a time."""

from decimal import Decimal

import pyarrow as pa
import pytest

from rds_iam_magic.ingest.literals import literals_of


@pytest.mark.parametrize(
    ("values", "literals"),
    [
        (pa.array([True, False, None]), ["1", "0", "NULL"]),
        (pa.array([-1, None]), ["-1", "NULL"]),
        (pa.array([(1 << 64) - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([0.1, 1e300, 5e-324, -0.0]), ["0.1e0", "1e+300", "5e-324", "-0e0"]),
        (pa.array([0.1], pa.float32()), ["0.10000000149011612e0"]),
        (pa.array(["a'b\\", "", None], pa.large_string()), ["'a''b\\'", "''", "NULL"]),
        (pa.array([b"\0\xff", b""], pa.large_binary()), ["X'00ff'", "X''"]),
        (pa.array([0, None], pa.timestamp("s")), ["'1970-01-01 00:00:00'", "NULL"]),
        (pa.array([1_500_000], pa.timestamp("ns")), ["'1970-01-01 00:00:00.001500'"]),
        (pa.array([0], pa.timestamp("us", "Asia/Tokyo")), ["'1970-01-01 00:00:00.000000'"]),
        (pa.array([-1, 3_020_399, None], pa.duration("s")), ["'-00:00:01.000000'", "'838:59:59.000000'", "NULL"]),
        (pa.array([-61_000_001], pa.duration("us")), ["'-00:01:01.000001'"]),
        (pa.array([5], pa.duration("ms")), ["'00:00:00.005000'"]),
        (pa.array([1_000], pa.duration("ns")), ["'00:00:00.000001'"]),
        (pa.array([-719_162], pa.int32()).cast(pa.date32()), ["'0001-01-01'"]),
        (pa.array([1], pa.time64("us")), ["'00:00:00.000001'"]),
        (pa.array([Decimal("1.50"), Decimal("0E-10")], pa.decimal128(20, 10)), ["'1.5000000000'", "'0E-10'"]),
        (pa.nulls(2), ["NULL", "NULL"]),
    ],
)
def test_literals(values, literals):
    assert literals_of(values).to_pylist() == literals
