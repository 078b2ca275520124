"""DECIMAL at its limits, whole ones as integers, and what is wider than any Arrow decimal; on the real server."""

from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from rds_iam_magic.errors import ResultError

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
