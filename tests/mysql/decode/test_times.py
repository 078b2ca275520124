"""TIME: at its limits, against PyMySQL; made-up ones against Python's own readings."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import DecodeError
from tests.support.packets import TIME
from tests.support.values import (
    BACKENDS,
    Declared,
    check_dtype_and_values,
    check_other_backend,
    decode_texts,
    with_nulls,
)


def _same(ours, theirs):
    return ours == np.timedelta64(theirs)


DECLARED = [
    Declared(
        "TIME",
        ["00:00:00", "-00:00:01", "23:59:59", "838:59:59", "-838:59:59", "100:00:00"],
        "timedelta64[us]",
        same=_same,
    ),
    Declared(
        "TIME(6)",
        ["00:00:00.000001", "-00:00:00.500000", "838:59:58.999999", "-99:59:59.000001"],
        "timedelta64[us]",
        same=_same,
    ),
]


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_dtype_and_values(sandbox, fresh, notes, declared, null):
    check_dtype_and_values(sandbox.server, fresh, notes, declared, null=null)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_other_backends(sandbox, fresh, declared, backend):
    check_other_backend(sandbox.server, fresh, declared, backend)


@given(with_nulls(st.integers(-3_020_399_999_999, 3_020_399_999_999)))
def test_times(microseconds):
    def shown(value):
        seconds, fraction = divmod(abs(value), 1_000_000)
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:06d}"
        return f"-{clock}" if value < 0 else clock

    texts = [None if value is None else shown(value) for value in microseconds]
    expected = [None if value is None else dt.timedelta(microseconds=value) for value in microseconds]
    assert decode_texts(TIME, texts, decimals=6).to_pylist() == expected


@pytest.mark.parametrize("text", ["1:00:00", "00:00", "--1:00:00", "00:00:00.1234567"])
def test_texts_that_are_none(text):
    for texts in ([text], [None, text]):
        with pytest.raises(DecodeError):
            decode_texts(TIME, texts)
