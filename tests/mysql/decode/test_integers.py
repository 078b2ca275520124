"""Integers and YEAR at their limits, against PyMySQL; made-up ones against Python's own readings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import DecodeError
from tests.support.packets import INT
from tests.support.values import (
    BACKENDS,
    Declared,
    check_dtype_and_values,
    check_other_backend,
    decode_texts,
    with_nulls,
)


def _limits(bits):
    return [0, 1, -1, 7, -10, 12345678 % 2 ** (bits - 1), 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]


def _unsigned_limits(bits):
    return [0, 1, 9, 10, 99, 2 ** (bits - 1), 2**bits - 1]


DECLARED = [
    Declared("TINYINT", _limits(8), "int64", "Int64"),
    Declared("SMALLINT", _limits(16), "int64", "Int64"),
    Declared("MEDIUMINT", _limits(24), "int64", "Int64"),
    Declared("INT", _limits(32), "int64", "Int64"),
    Declared("BIGINT", _limits(64), "int64", "Int64"),
    Declared("TINYINT UNSIGNED", _unsigned_limits(8), "int64", "Int64"),
    Declared("SMALLINT UNSIGNED", _unsigned_limits(16), "int64", "Int64"),
    Declared("MEDIUMINT UNSIGNED", _unsigned_limits(24), "int64", "Int64"),
    Declared("INT UNSIGNED", _unsigned_limits(32), "int64", "Int64"),
    Declared("BIGINT UNSIGNED", [*_unsigned_limits(64), 10**19, 10**19 - 1, 18446744073709551609], "uint64", "UInt64"),
    Declared("INT(8) ZEROFILL", [0, 42, 4294967295], "int64", "Int64"),
    Declared("BIGINT(60) ZEROFILL", [0, 42, 18446744073709551615], "uint64", "UInt64"),
    Declared("YEAR", [1901, 2024, 2155, 0], "int64", "Int64"),
]


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_dtype_and_values(sandbox, fresh, notes, declared, null):
    check_dtype_and_values(sandbox.server, fresh, notes, declared, null=null)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_other_backends(sandbox, fresh, declared, backend):
    check_other_backend(sandbox.server, fresh, declared, backend)


@given(with_nulls(st.integers(-(2**63), 2**63 - 1)))
def test_integers(numbers):
    assert decode_texts(INT, [None if n is None else str(n) for n in numbers]).to_pylist() == numbers


@given(with_nulls(st.integers(0, 2**64 - 1)), st.integers(0, 40))
def test_unsigned_integers_with_leading_zeros(numbers, width):
    texts = [None if n is None else str(n).zfill(width) for n in numbers]
    assert decode_texts(8, texts, flags=0x20).to_pylist() == numbers


@given(with_nulls(st.integers(2**63, 10**40) | st.integers(-(10**40), -(2**63) - 1)))
def test_integers_that_are_none(numbers):
    if any(n is not None for n in numbers):
        with pytest.raises(DecodeError):
            decode_texts(INT, [None if n is None else str(n) for n in numbers])
