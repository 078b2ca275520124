"""Values as a server reads them from COM_STMT_EXECUTE; that it understands them is connection/test_parameters."""

import datetime as dt
from decimal import Decimal

import pytest

from rds_iam_magic.mysql.wire.values import parameters


@pytest.mark.parametrize(
    ("value", "kind", "data"),
    [
        (5, "0800", "0500000000000000"),
        (-1, "0800", "ffffffffffffffff"),
        (2**64 - 1, "0880", "ffffffffffffffff"),
        (0.5, "0500", "000000000000e03f"),
        (Decimal("1E+2"), "f600", "03313030"),
        ("é'", "fd00", "03c3a927"),
        (b"\0'", "fc00", "020027"),
        (dt.date(2024, 5, 1), "0a00", "04e8070501"),
        (dt.datetime.fromisoformat("2024-05-01 10:20:30"), "0c00", "07e80705010a141e"),
        (dt.datetime.fromisoformat("2024-05-01 00:00:00.000001"), "0c00", "0be807050100000001000000"),
        (dt.timedelta(days=-2, hours=1), "0b00", "0c010100000017000000000000"),
        (dt.timedelta(seconds=1, microseconds=2), "0b00", "0c000000000000000102000000"),
    ],
)
def test_one_value(value, kind, data):
    assert parameters([value]).hex() == f"0001{kind}{data}"


@pytest.mark.parametrize(("size", "head"), [(250, "fa"), (251, "fcfb00"), (65_536, "fd000001")])
def test_the_length_of_a_text(size, head):
    assert parameters(["x" * size]).hex() == f"0001fd00{head}" + "78" * size


def test_nulls_and_several_values():
    assert parameters([None, 1, None]).hex() == "0501" + "0600" + "0800" + "0600" + "0100000000000000"
    assert parameters([None] * 9).hex() == "ff01" + "01" + "0600" * 9


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, True, object(), bytearray(b"a"), 1j])
def test_what_has_no_form(value):
    with pytest.raises(ValueError, match=r"."):
        parameters([value])
