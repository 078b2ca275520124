"""A decoder for each column: the schema that the descriptions declare, whole tables, and types that are not known."""

import pyarrow as pa
import pytest

from rds_iam_magic.errors import DecodeError
from rds_iam_magic.mysql.decode import Decoder
from tests.support.packets import DECIMAL, TEXT, column


def test_an_unknown_type():
    with pytest.raises(DecodeError, match="unsupported type"):
        Decoder([column("c", 99)])


def test_the_schema_follows_from_the_columns_alone():
    assert Decoder([column("a"), column("t", TEXT), column("d", DECIMAL, decimals=2, length=14)]).schema.types == [
        pa.int64(),
        pa.large_string(),
        pa.float64(),
    ]


def test_a_column_of_nulls_only(fresh):
    frame = fresh.query("SELECT NULL AS a, CAST(NULL AS SIGNED) AS b, CAST(NULL AS CHAR) AS c, CAST(NULL AS DATE) AS d")
    assert [str(dtype) for dtype in frame.dtypes] == ["object", "Int64", "str", "datetime64[s]"]
    assert frame.isna().all(axis=None)
    assert frame.loc[0, "a"] is None


def test_many_chunks(fresh):
    frame = fresh.query(
        "SELECT seq AS n, CONCAT('row ', seq) AS t, seq / 8.0e0 AS f, IF(seq % 3 = 0, NULL, seq) AS m "
        "FROM seq_1_to_300000"
    )
    assert len(frame) == 300_000
    assert frame["n"].sum() == 300_000 * 300_001 // 2
    assert frame["t"].iloc[[0, 150_000, -1]].tolist() == ["row 1", "row 150001", "row 300000"]
    assert (frame["f"] * 8 == frame["n"]).all()
    assert frame["m"].isna().sum() == 100_000
    assert (frame["m"].dropna() == frame["n"][frame["m"].notna()]).all()


def test_arrow_types(fresh):
    table = fresh.query_arrow("SELECT 1 AS i, 1.50 AS d, 'x' AS s, DATE '2024-01-01' AS day, TIME '10:00:00' AS t")
    assert table.schema.types == [pa.int64(), pa.decimal128(3, 2), pa.large_string(), pa.date32(), pa.duration("us")]


def test_pymysql_agrees_on_a_whole_table(sandbox, fresh):
    frame = fresh.query(
        "SELECT seq AS n, seq * 1.25 AS d, DATE '2020-01-01' + INTERVAL seq DAY AS day FROM seq_1_to_5000"
    )
    with sandbox.server.root() as root:
        root.execute("USE scratch")
        root.execute("SELECT seq AS n, seq * 1.25 AS d, DATE '2020-01-01' + INTERVAL seq DAY AS day FROM seq_1_to_5000")
        theirs = root.fetchall()
    assert frame["n"].tolist() == [row[0] for row in theirs]
    assert frame["d"].tolist() == [float(row[1]) for row in theirs]
    assert [value.date() for value in frame["day"]] == [row[2] for row in theirs]
