"""The columns of new tables."""

from decimal import Decimal

import pyarrow as pa
import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.column import Column
from rds_iam_magic.ingest.declarations import declarations_of, sizes_note


def declared(*columns):
    return declarations_of([Column(f"c{i}", values, True, "") for i, values in enumerate(columns)])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([True]), "TINYINT(1)"),
        (pa.array([1], pa.uint16()), "SMALLINT UNSIGNED"),
        (pa.array([1.0], pa.float32()), "FLOAT"),
        (pa.array([1], pa.timestamp("s")), "DATETIME"),
        (pa.array([1], pa.timestamp("ns")), "DATETIME(6)"),
        (pa.array([1], pa.timestamp("ms", "UTC")), "TIMESTAMP(3)"),
        (pa.array([1], pa.duration("us")), "TIME(6)"),
        (pa.array([], pa.large_string()), "VARCHAR(16)"),
        (pa.array(["ü" * 17], pa.large_string()), "VARCHAR(32)"),
        (pa.array(["a" * 1024], pa.large_string()), "VARCHAR(1024)"),
        (pa.array(["a" * 1025], pa.large_string()), "TEXT"),
        (pa.array(["ü" * 32_768], pa.large_string()), "MEDIUMTEXT"),
        (pa.array(["a" * (1 << 24)], pa.large_string()), "LONGTEXT"),
        (pa.array([b"a" * 256], pa.large_binary()), "VARBINARY(512)"),
        (pa.array([b"a" * 2000], pa.large_binary()), "BLOB"),
        (pa.nulls(2), "VARCHAR(255)"),
        (pa.array([Decimal("12.5"), Decimal("-0.05")], pa.decimal128(38, 2)), "DECIMAL(4, 2)"),
        (pa.array([Decimal(0)], pa.decimal128(38, 0)), "DECIMAL(1, 0)"),
        (pa.array([None], pa.decimal128(38, 4)), "DECIMAL(4, 4)"),
        (pa.array([Decimal(10) ** 64], pa.decimal256(65, 0)), "DECIMAL(65, 0)"),
    ],
)
def test_types(values, kind):
    assert declared(values)[0].type == kind


def test_decimals_beyond_mysqls():
    with pytest.raises(OptionError, match="row 1: its dtype has 31 decimals"):
        declared(pa.array([Decimal(0)], pa.decimal128(38, 31)))
    with pytest.raises(OptionError, match="row 2: it has 66 digits"):
        declared(pa.array([Decimal(1), Decimal(10) ** 63], pa.decimal256(70, 2)))


def test_a_row_has_room_for_all_its_texts():
    wide = declared(*[pa.array(["a" * 1024], pa.large_string())] * 20)
    assert sum(d.type == "TEXT" for d in wide) == 6
    assert sum(4 * 1024 for d in wide if d.type == "VARCHAR(1024)") <= 60_000


def test_sql_and_the_note():
    number, text = declared(pa.array([1]), pa.array(["a"], pa.large_string()))
    assert (number.sql, text.sql) == ("`c0` BIGINT NULL DEFAULT NULL", "`c1` VARCHAR(16) NULL DEFAULT NULL")
    assert declarations_of([Column("a`", pa.array([1]), False, "")])[0].sql == "`a``` BIGINT NOT NULL"
    assert sizes_note([number, text]) == "sized by the longest values: c1 VARCHAR(16)."
    assert sizes_note([number]) == ""
