"""Rows as COM_STMT_BULK_EXECUTE takes them."""

from decimal import Decimal

import pyarrow as pa
import pytest

from rds_iam_magic.ingest.parameters import rows_of, types_of


@pytest.mark.parametrize(
    ("values", "kind", "written"),
    [
        (pa.array([True, False, None]), "0100", ["0001", "0000", "01"]),
        (pa.array([-2, None], pa.int8()), "0100", ["00fe", "01"]),
        (pa.array([258], pa.uint16()), "0280", ["000201"]),
        (pa.array([-1], pa.int32()), "0300", ["00ffffffff"]),
        (pa.array([(1 << 64) - 1], pa.uint64()), "0880", ["00ffffffffffffffff"]),
        (pa.array([1.0, None]), "0500", ["00000000000000f03f", "01"]),
        (pa.array([0.5], pa.float32()), "0500", ["00000000000000e03f"]),
        (pa.array(["é'", "", None], pa.large_string()), "fd00", ["0003c3a927", "0000", "01"]),
        (pa.array([b"\0\xff", b"", None], pa.large_binary()), "fc00", ["000200ff", "0000", "01"]),
        (pa.array([0], pa.timestamp("s", "Asia/Tokyo")), "fd00", ["0013" + b"1970-01-01 00:00:00".hex()]),
        (pa.array([-1], pa.duration("us")), "fd00", ["0010" + b"-00:00:00.000001".hex()]),
        (pa.array([Decimal("0E-2"), None], pa.decimal128(20, 2)), "fd00", ["0004" + b"0.00".hex(), "01"]),
        (pa.nulls(2), "fd00", ["01", "01"]),
    ],
)
def test_values(values, kind, written):
    assert types_of([values.type]).hex() == kind
    assert [row.hex() for row in rows_of([values]).to_pylist()] == written


@pytest.mark.parametrize(
    ("size", "before"),
    [
        (250, "00fa"),
        (251, "00fcfb00"),
        (65_535, "00fcffff"),
        (65_536, "00fd000001"),
        ((1 << 24) - 1, "00fdffffff"),
        (1 << 24, "00fe0000000100000000"),
    ],
)
def test_lengths(size, before):
    short, long = rows_of([pa.array([b"x", b"y" * size], pa.large_binary())]).to_pylist()
    assert short == b"\0\1x"
    assert long[: -size or None].hex() == before
    assert long[-size:] == b"y" * size


def test_rows_and_parts_of_columns():
    numbers = pa.array([9, 1, None, 3], pa.int8()).slice(1, 3)
    texts = pa.array(["no", "a", "", None], pa.large_string()).slice(1, 3)
    assert rows_of([numbers, texts]).to_pylist() == [b"\0\1\0\1a", b"\1\0\0", b"\0\3\1"]
    assert types_of([numbers.type, texts.type]) == b"\1\0\xfd\0"
    assert rows_of([numbers[:0]]).to_pylist() == []
