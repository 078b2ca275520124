"""FLOAT is exact in the binary protocol; as text the server sends six digits, and a note has the SQL of them all."""

from dataclasses import replace

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
    Declared("FLOAT", [0.0, 1.5, -2.25, 0.125, 65536.0], "float64", same=_same),
]


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_dtype_and_values(sandbox, fresh, notes, declared, protocol, null):
    declared = replace(declared, is_told=protocol == "text" and declared.declaration == "FLOAT")
    check_dtype_and_values(sandbox.server, fresh, notes, declared, null=null)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_other_backends(sandbox, fresh, declared, backend):
    check_other_backend(sandbox.server, fresh, declared, backend)


text = pytest.mark.parametrize("protocol", ["text"], indirect=True)
binary = pytest.mark.parametrize("protocol", ["binary"], indirect=True)
EXACT = [16777216.0, -16777215.0, float(np.float32(0.1)), float(np.float32(1e38)), float(np.float32(1.17549435e-38))]
NOTE = "column {}: the server sends FLOAT values rounded to six digits; {} gives them exactly."


@pytest.fixture
def floats(db):
    db.execute("CREATE TEMPORARY TABLE floats (n INT, f FLOAT, `my f` FLOAT, fixed FLOAT(12,2), d DOUBLE)")
    for n, value in enumerate([*EXACT, None]):
        text = "NULL" if value is None else repr(value)
        db.execute(f"INSERT INTO floats VALUES ({n}, {text}, {text}, LEAST(1.25, {text}), {text})")
    return db


@text
def test_what_the_server_rounds_is_told(floats, notes):
    frame = floats.query("SELECT f FROM floats WHERE n = 0")
    assert frame["f"].tolist() == [16777200.0]
    assert str(frame["f"].dtype) == "float64"
    assert notes == [NOTE.format("f", "f + 0e0")]


@binary
@pytest.mark.parametrize("column", ["f", "fixed"])
def test_exact_to_the_bit(floats, notes, column):
    frame = floats.query(f"SELECT {column} AS f, CAST({column} AS DOUBLE) AS d FROM floats")
    assert frame["f"].map(float.hex).tolist() == frame["d"].map(float.hex).tolist()
    assert notes == []


@binary
def test_any_float(floats):
    values = np.random.default_rng(7).integers(0, 2**32, 3000, np.uint32).view(np.float32)
    values = values[np.isfinite(values)]
    floats.execute("CREATE TEMPORARY TABLE any_float (n INT, f FLOAT)")
    rows = ", ".join(f"({n}, {value.item()!r})" for n, value in enumerate(values))
    floats.execute(f"INSERT INTO any_float VALUES {rows}")
    frame = floats.query("SELECT f, CAST(f AS DOUBLE) AS d FROM any_float ORDER BY n")
    assert frame["f"].to_numpy().view(np.uint64).tolist() == frame["d"].to_numpy().view(np.uint64).tolist()
    assert frame["f"].to_numpy().view(np.uint64).tolist() == values.astype(np.float64).view(np.uint64).tolist()


@pytest.mark.parametrize("sql", ["f + 0e0", "`my f` + 0e0", "MAX(f) + 0e0"])
def test_the_way_around_is_exact(floats, notes, sql):
    got = floats.query(f"SELECT {sql} AS x FROM floats WHERE f IS NOT NULL GROUP BY n ORDER BY n")["x"].tolist()
    assert got == EXACT
    assert notes == []


@text
def test_each_column_once(floats, notes):
    floats.query("SELECT f, `my f`, f AS g, MAX(f) AS m, MAX(d), COUNT(*) FROM floats GROUP BY n")
    assert notes == [
        NOTE.format("f", "f + 0e0"),
        NOTE.format("my f", "`my f` + 0e0"),
        NOTE.format("g", "f + 0e0"),
        NOTE.format("m", "adding 0e0 to it"),
    ]


@text
def test_a_fixed_number_of_decimals(floats, notes):
    assert floats.query("SELECT fixed FROM floats WHERE n = 0")["fixed"].tolist() == [1.25]
    assert notes == [
        "column fixed: the server sends FLOAT values rounded to 2 decimals; fixed + 0e0 gives them exactly."
    ]


@pytest.mark.parametrize("rows", ["f IS NULL", "n < 0"])
def test_nothing_is_told_of_no_value(floats, notes, rows):
    assert floats.query(f"SELECT f FROM floats WHERE {rows}")["f"].isna().all()
    assert notes == []


@text
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
