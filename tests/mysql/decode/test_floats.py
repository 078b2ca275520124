"""FLOAT: the server prints six digits, and the user is told so, with the SQL that selects all of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import DecodeError
from tests.support.packets import DOUBLE
from tests.support.values import (
    BACKENDS,
    Declared,
    check_dtype_and_values,
    check_other_backend,
    decode_texts,
    with_nulls,
)


def _same(ours, theirs):
    """To the last bit, the sign of zero too."""
    return ours.hex() == theirs.hex()


DECLARED = [
    Declared(
        "DOUBLE",
        [0.0, -0.0, 1.5, -1 / 3, 1e308, -1e308, 5e-324, 2.2250738585072014e-308, 0.1, 1e16, 12.678],
        "float64",
        same=_same,
    ),
    Declared("FLOAT", [0.0, 1.5, -2.25, 1e30, 1e-30], "float64", same=_same, is_told=True),
]


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_dtype_and_values(sandbox, fresh, notes, declared, null):
    check_dtype_and_values(sandbox.server, fresh, notes, declared, null=null)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_other_backends(sandbox, fresh, declared, backend):
    check_other_backend(sandbox.server, fresh, declared, backend)


EXACT = [16777216.0, -16777215.0, float(np.float32(0.1)), float(np.float32(1e38)), float(np.float32(1.17549435e-38))]
NOTE = "column {}: the server sends FLOAT values rounded to six digits; {} gives them exactly."


@pytest.fixture
def floats(db):
    db.execute("CREATE TEMPORARY TABLE floats (n INT, f FLOAT, `my f` FLOAT, fixed FLOAT(12,2), d DOUBLE)")
    for n, value in enumerate([*EXACT, None]):
        text = "NULL" if value is None else repr(value)
        db.execute(f"INSERT INTO floats VALUES ({n}, {text}, {text}, LEAST(1.25, {text}), {text})")
    return db


def test_what_the_server_rounds_is_told(floats, notes):
    frame = floats.query("SELECT f FROM floats WHERE n = 0")
    assert frame["f"].tolist() == [16777200.0]
    assert str(frame["f"].dtype) == "float64"
    assert notes == [NOTE.format("f", "f + 0e0")]


@pytest.mark.parametrize("sql", ["f + 0e0", "`my f` + 0e0", "MAX(f) + 0e0"])
def test_the_way_around_is_exact(floats, notes, sql):
    got = floats.query(f"SELECT {sql} AS x FROM floats WHERE f IS NOT NULL GROUP BY n ORDER BY n")["x"].tolist()
    assert got == EXACT
    assert notes == []


def test_each_column_once(floats, notes):
    floats.query("SELECT f, `my f`, f AS g, MAX(f) AS m, MAX(d), COUNT(*) FROM floats GROUP BY n")
    assert notes == [
        NOTE.format("f", "f + 0e0"),
        NOTE.format("my f", "`my f` + 0e0"),
        NOTE.format("g", "f + 0e0"),
        NOTE.format("m", "adding 0e0 to it"),
    ]


def test_a_fixed_number_of_decimals(floats, notes):
    assert floats.query("SELECT fixed FROM floats WHERE n = 0")["fixed"].tolist() == [1.25]
    assert notes == [
        "column fixed: the server sends FLOAT values rounded to 2 decimals; fixed + 0e0 gives them exactly."
    ]


@pytest.mark.parametrize("rows", ["f IS NULL", "n < 0"])
def test_nothing_is_told_of_no_value(floats, notes, rows):
    assert floats.query(f"SELECT f FROM floats WHERE {rows}")["f"].isna().all()
    assert notes == []


def test_in_files_and_streams_too(floats, notes, tmp_path):
    floats.write("SELECT f FROM floats", tmp_path / "f.csv")
    assert len(list(floats.batches("SELECT f FROM floats"))) == 1
    assert notes == [NOTE.format("f", "f + 0e0")] * 2


@given(with_nulls(st.floats(allow_nan=False, allow_infinity=False)))
def test_floats(numbers):
    assert decode_texts(DOUBLE, [None if n is None else repr(n) for n in numbers]).to_pylist() == numbers


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "", "1.5x", "0x10", "1e999", " 1"])
def test_texts_that_are_no_floats(text):
    with pytest.raises(DecodeError):
        decode_texts(DOUBLE, ["1.5", text])
