"""DECIMAL at its limits, whole ones as integers, and what is wider than any Arrow decimal; on the real server."""

import operator
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import DecodeError, ResultError
from tests.support.packets import DECIMAL
from tests.support.values import (
    BACKENDS,
    Declared,
    check_dtype_and_values,
    check_other_backend,
    decode_texts,
    with_nulls,
    write,
)


def _rounded(ours, theirs):
    return ours == float(theirs)


def _decimal(declaration, values, *, is_told):
    return Declared(declaration, values, "float64", same=_rounded, same_arrow=operator.eq, is_told=is_told)


DECLARED = [
    Declared("DECIMAL(1,0)", ["0", "9", "-9"], "Int64"),
    Declared("DECIMAL(17,0)", ["99999999999999999", "-99999999999999999", "0"], "Int64"),
    _decimal("DECIMAL(12,2)", ["0.00", "0.01", "-0.01", "9999999999.99", "-9999999999.99", "123.40"], is_told=False),
    _decimal("DECIMAL(18,18)", ["0.000000000000000001", "-0.999999999999999999"], is_told=True),
    _decimal("DECIMAL(38,10)", ["1234567890123456789012345678.0123456789", "-0.0000000001"], is_told=True),
    _decimal("DECIMAL(65,30)", ["9" * 35 + "." + "9" * 30, "-0." + "0" * 29 + "1", "0." + "0" * 30], is_told=True),
]


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_dtype_and_values(sandbox, fresh, notes, declared, null):
    check_dtype_and_values(sandbox.server, fresh, notes, declared, null=null)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_other_backends(sandbox, fresh, declared, backend):
    check_other_backend(sandbox.server, fresh, declared, backend)


NINES = "9" * 35 + "." + "9" * 30


@pytest.mark.parametrize(
    "expression",
    [
        f"CAST('{NINES}' AS DECIMAL(65,30)) / 3",
        f"CAST('{NINES}' AS DECIMAL(65,30)) * 1.5",
        "0." + "1" * 81,
        "9" * 80,
        "-" + "9" * 76,
        f"(SELECT CAST('{NINES}' AS DECIMAL(65,30)) UNION SELECT 1 ORDER BY 1 DESC LIMIT 1) / 7",
        "1 / 3",
        "CAST(1 AS DECIMAL(65,30)) / 3",
    ],
)
def test_any_number_of_digits(sandbox, db, expression):
    db.execute("CREATE TEMPORARY TABLE kept (a INT)")
    sql = f"SELECT {expression} AS d UNION ALL SELECT NULL"
    with sandbox.server.root() as root:
        root.execute(sql)
        expected = [row[0] for row in root.fetchall()]
    exact = db.query(sql, decimal="exact")["d"]
    assert [None if pd.isna(v) else Decimal(v) for v in exact] == expected
    assert exact.dtype == object
    assert [None if v is None else Decimal(v) for v in db.query_arrow(sql)["d"].to_pylist()] == expected
    floats = db.query(sql)["d"]
    assert [None if pd.isna(v) else float(v) for v in floats] == [None if v is None else float(v) for v in expected]
    assert len(db.query("SELECT * FROM kept")) == 0, "the session stays"


def test_too_many_digits_are_told(db, notes):
    db.query_arrow(f"SELECT {'9' * 80} AS d")
    (note,) = notes
    assert note.startswith("column d: values with more digits than decimal256(76, 0) can hold are returned as text")


@pytest.mark.parametrize("where", ["", " WHERE 1 = 0"])
def test_a_sum_of_integers_is_an_integer(db, notes, where):
    frame = db.query(f"SELECT SUM(n) AS s, MAX(d) AS m FROM (SELECT 3 AS n, CAST(7 AS DECIMAL(10,0)) AS d) x{where}")
    assert [str(dtype) for dtype in frame.dtypes] == ["Int64", "Int64"]
    assert frame.isna().all(axis=None) if where else frame.iloc[0].tolist() == [3, 7]
    assert notes == []


def test_no_rows_have_the_dtype_too(db):
    frame = db.query("SELECT s FROM (SELECT SUM(seq) AS s FROM seq_1_to_3) x WHERE s < 0")
    assert str(frame["s"].dtype) == "Int64"


@pytest.mark.parametrize("backend", [None, "numpy_nullable", "pyarrow"])
def test_whole_decimals_beyond_63_bits(db, notes, backend):
    sql = "SELECT SUM(n) AS s FROM (SELECT 9223372036854775807 AS n UNION ALL SELECT {}) x"
    edge = db.query(sql.format(0), dtype_backend=backend)["s"]
    assert edge.tolist() == [9223372036854775807]
    assert notes == []
    beyond = db.query(sql.format(5), dtype_backend=backend)["s"]
    if backend == "pyarrow":
        assert beyond.tolist() == [Decimal(9223372036854775812)]
        return
    assert str(beyond.dtype) == ("Float64" if backend else "float64")
    assert beyond.tolist() == [float(9223372036854775812)]
    assert "a value exceeds 63 bits, so the column became float64" in notes[0]


def test_chunks_of_whole_decimals(db, notes):
    sql = "SELECT CAST(IF(seq = 15, 1e19, seq) AS DECIMAL(30,0)) AS d FROM seq_1_to_30"
    chunks = [str(chunk["d"].dtype) for chunk in db.query(sql, chunksize=10)]
    assert chunks == ["Int64", "float64", "Int64"]
    assert len(notes) == 1


@pytest.mark.parametrize(("sql", "kind"), [("SELECT SUM(seq) AS s FROM seq_1_to_3", pa.types.is_decimal)])
def test_arrow_keeps_decimals(db, sql, kind):
    assert kind(db.query_arrow(sql).schema.field("s").type)
    assert db.query(sql, decimal="exact").loc[0, "s"] == Decimal(6)


@pytest.mark.parametrize("how", ["batches", "file"])
def test_a_schema_that_was_given_out_is_kept(db, tmp_path, how):
    db.execute("CREATE TEMPORARY TABLE kept (a INT)")
    sql = f"SELECT {'9' * 80} AS d"
    with pytest.raises(ResultError, match="more digits than an Arrow decimal") as caught:
        list(db.batches(sql)) if how == "batches" else db.write(sql, tmp_path / "x.parquet")
    assert "CAST(`d` AS CHAR)" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
    assert len(db.query("SELECT * FROM kept")) == 0


@given(st.data(), st.integers(0, 30))
def test_decimals(data, scale):
    limit = 10 ** data.draw(st.integers(scale or 1, 38))
    numbers = data.draw(with_nulls(st.integers(-limit + 1, limit - 1)))
    exact = [None if n is None else Decimal(f"{n}e-{scale}") for n in numbers]
    texts = [None if value is None else f"{value:f}" for value in exact]
    length = 38 + (scale > 0) + 1
    assert decode_texts(DECIMAL, texts, decimals=scale, length=length, decimal="exact").to_pylist() == exact
    floats = decode_texts(DECIMAL, texts, decimals=scale, length=length).to_pylist()
    assert floats == (exact if scale == 0 else [None if text is None else float(text) for text in texts])


@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_decimals_are_exact_when_asked_for(sandbox, fresh, notes, declared):
    expected = write(sandbox.server, declared, null=True)
    assert [
        None if pd.isna(v) else v for v in fresh.query("SELECT v FROM one ORDER BY n", decimal="exact")["v"]
    ] == expected
    table = fresh.query_arrow("SELECT v FROM one ORDER BY n")
    assert table["v"].to_pylist() == expected
    precision, scale = (int(part) for part in declared.declaration.removeprefix("DECIMAL")[1:-1].split(","))
    assert (table.schema.field("v").type.precision, table.schema.field("v").type.scale) == (precision, scale)
    assert notes == []


def test_decimals_past_fifteen_digits_are_counted(fresh, notes):
    sql = (
        "SELECT CAST(v AS DECIMAL(30,5)) AS d FROM (SELECT '1234567890123456.5' AS v UNION SELECT '1.5' "
        "UNION SELECT '123456789012345' UNION SELECT '1234567890123456') x"
    )
    frame = fresh.query(sql)
    assert sorted(frame["d"]) == [1.5, 123456789012345.0, 1234567890123456.0, 1234567890123456.5]
    (note,) = notes
    assert note.startswith("column d: 2 values with more than 15 digits were rounded to float64")


def test_decimals_of_expressions(sandbox, fresh):
    """Their declared scale and the digits that come need not agree."""
    sql = (
        "SELECT SUM(a) AS s, AVG(a) AS m, SUM(a) / 7 AS q, ROUND(SUM(a), 1) AS r, MAX(a) * 1.10 AS p, 1.0 * 3 AS c "
        "FROM (SELECT CAST(1.25 AS DECIMAL(10,2)) AS a UNION ALL SELECT 1000000.75) x"
    )
    with sandbox.server.root() as root:
        root.execute(sql)
        expected = root.fetchone()
    assert fresh.query(sql).iloc[0].tolist() == [float(value) for value in expected]
    assert list(fresh.query_arrow(sql).to_pylist()[0].values()) == list(expected)


@pytest.mark.parametrize("text", ["1,5", "--1", ""])
def test_texts_that_are_none(text):
    for texts in ([text], [None, text]):
        with pytest.raises(DecodeError):
            decode_texts(DECIMAL, texts, decimals=2, length=14)
