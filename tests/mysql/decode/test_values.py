"""Every type at its limits, decoded by this project and by PyMySQL's own converters from the same server: equal values.

And the dtypes, which follow from the declarations: full, empty, NULL or not.
"""

from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rds_iam_magic.errors import StatementError

INTEGERS = {"TINYINT": 8, "SMALLINT": 16, "MEDIUMINT": 24, "INT": 32, "BIGINT": 64}
TEXTS = ["", "a", "O'Brien", "日本語 ☃ 𝄞", "x" * 250, "y" * 251, "z" * 252, "NULL", "\\N", "tab\t\n\0end"]

MOMENTS = ["0001-01-01 00:00:00", "1969-12-31 23:59:59", "2024-02-29 12:34:56", "9999-12-31 23:59:59"]


def integer_values(bits, unsigned):
    if unsigned:
        return [0, 1, 9, 10, 99, 2 ** (bits - 1), 2**bits - 1]
    return [0, 1, -1, 7, -10, 12345678 % 2 ** (bits - 1), 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]


CASES = [
    *[(name, integer_values(bits, False), "int64") for name, bits in INTEGERS.items()],
    *[(f"{name} UNSIGNED", integer_values(bits, True), "int64") for name, bits in INTEGERS.items() if bits < 64],
    ("BIGINT UNSIGNED", [*integer_values(64, True), 10**19, 10**19 - 1, 18446744073709551609], "uint64"),
    ("INT(8) ZEROFILL", [0, 42, 4294967295], "int64"),
    ("BIGINT(60) ZEROFILL", [0, 42, 18446744073709551615], "uint64"),
    ("YEAR", [1901, 2024, 2155, 0], "int64"),
    ("DOUBLE", [0.0, -0.0, 1.5, -1 / 3, 1e308, -1e308, 5e-324, 2.2250738585072014e-308, 0.1, 1e16, 12.678], "float64"),
    ("FLOAT", [0.0, 1.5, -2.25, 1e30, 1e-30], "float64"),
    ("DECIMAL(1,0)", ["0", "9", "-9"], "Int64"),
    ("DECIMAL(12,2)", ["0.00", "0.01", "-0.01", "9999999999.99", "-9999999999.99", "123.40"], "float64"),
    ("DECIMAL(18,18)", ["0.000000000000000001", "-0.999999999999999999"], "float64"),
    ("DECIMAL(17,0)", ["99999999999999999", "-99999999999999999", "0"], "Int64"),
    ("DECIMAL(38,10)", ["1234567890123456789012345678.0123456789", "-0.0000000001"], "float64"),
    ("DECIMAL(65,30)", ["9" * 35 + "." + "9" * 30, "-0." + "0" * 29 + "1", "0." + "0" * 30], "float64"),
    ("DATE", ["0001-01-01", "1969-12-31", "1970-01-01", "2000-02-29", "2024-12-31", "9999-12-31"], "datetime64[s]"),
    *[
        (f"DATETIME({digits})", [f"{m}{'.' if digits else ''}{'123456'[:digits]}" for m in MOMENTS], "datetime64[us]")
        for digits in range(7)
    ],
    ("TIMESTAMP(6) NULL", ["1970-01-02 00:00:01.000001", "2038-01-18 03:14:07.999999"], "datetime64[us]"),
    ("TIME", ["00:00:00", "-00:00:01", "23:59:59", "838:59:59", "-838:59:59", "100:00:00"], "timedelta64[us]"),
    ("TIME(6)", ["00:00:00.000001", "-00:00:00.500000", "838:59:58.999999", "-99:59:59.000001"], "timedelta64[us]"),
    ("VARCHAR(300)", TEXTS, "str"),
    ("CHAR(10)", ["", "a", "ünï"], "str"),
    ("LONGTEXT", [*TEXTS, "w" * 65535, "v" * 65536, "é" * 200_000], "str"),
    ("ENUM('', 'a', 'ß')", ["", "a", "ß"], "str"),
    ("SET('a', 'b', 'c')", ["", "a", "a,c"], "str"),
    ("JSON", ['{"a": [1, null, "é"]}', "[]"], "str"),
    ("VARBINARY(300)", [b"", bytes(range(256)), b"\xfb\xfc\xfd\xfe\xff"], "object"),
    ("LONGBLOB", [b"", bytes(range(256)) * 300], "object"),
    ("BIT(1)", [0, 1], "boolean"),
    ("BIT(7)", [0, 1, 127], "UInt64"),
    ("BIT(64)", [0, 1, 2**64 - 1], "UInt64"),
]  # fmt: skip
NULLABLE = {"int64": "Int64", "uint64": "UInt64"}
NOT_NULL = {"UInt64": "uint64"}  # BIT


def load(sandbox, declaration, values, *, null):
    """A table of the values in order, on the server; and how PyMySQL reads it."""
    with sandbox.server.root() as root:
        root.execute("SET sql_mode = ''")
        root.execute(
            f"CREATE OR REPLACE TABLE scratch.one (n INT, v {declaration} {'' if null else 'NOT'} NULL) CHARSET utf8mb4"
        )
        rows = [*values, *([None, values[0], None] if null else [])]
        root.executemany("INSERT INTO scratch.one VALUES (%s, %s)", list(enumerate(rows)))
        root.execute("SELECT v FROM scratch.one ORDER BY n")
        return [row[0] for row in root.fetchall()]


def _integer_of_bits(value):
    return int.from_bytes(value, "big")


CONVERT = {
    "int64": int,
    "uint64": int,
    "Int64": int,
    "float64": float,
    "datetime64[s]": lambda date: np.datetime64(date, "s"),
    "datetime64[us]": lambda moment: np.datetime64(moment, "us"),
    "timedelta64[us]": np.timedelta64,
    "str": str,
    "object": bytes,
    "boolean": lambda bits: bool(_integer_of_bits(bits)),
    "UInt64": _integer_of_bits,
}
"""How PyMySQL's values stand in a column of each dtype."""
NUMPY_NULLABLE = {"int64": "Int64", "uint64": "UInt64", "float64": "Float64", "str": "string"}
TELLS_OF_ROUNDING = ("FLOAT", "DECIMAL(18", "DECIMAL(38", "DECIMAL(65")


def assert_same(column, expected, convert):
    """Value by value, also the sign of a zero."""
    values = column.to_numpy() if column.dtype.kind in "mM" else column.tolist()
    assert [bool(pd.isna(value)) for value in values] == [value is None for value in expected]
    pairs = [(ours, convert(theirs)) for ours, theirs in zip(values, expected, strict=True) if theirs is not None]
    assert [ours for ours, _ in pairs] == [theirs for _, theirs in pairs]
    zeros = [(str(ours), str(theirs)) for ours, theirs in pairs if isinstance(theirs, float) and theirs == 0]
    assert [ours for ours, _ in zeros] == [theirs for _, theirs in zeros]


@pytest.fixture
def fresh(sandbox, db):
    """The tests of this file need the sandbox's own server, since they compare by its root user."""
    assert sandbox.server.pid
    return db


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize(("declaration", "values", "dtype"), CASES, ids=[case[0] for case in CASES])
def test_values(sandbox, fresh, notes, declaration, values, dtype, null):
    expected = load(sandbox, declaration, values, null=null)
    assert_same(fresh.query("SELECT v FROM one ORDER BY n")["v"], expected, CONVERT[dtype])
    assert bool(notes) == declaration.startswith(TELLS_OF_ROUNDING)


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize(("declaration", "values", "dtype"), CASES, ids=[case[0] for case in CASES])
def test_dtypes(sandbox, fresh, declaration, values, dtype, null):
    """By the declaration alone: an empty result has the same one."""
    load(sandbox, declaration, values, null=null)
    expected = NULLABLE.get(dtype, dtype) if null else NOT_NULL.get(dtype, dtype)
    frames = [fresh.query(f"SELECT v FROM one WHERE n >= {number}") for number in (0, 1000)]
    assert [len(frame) > 0 for frame in frames] == [True, False]
    assert [str(frame["v"].dtype) for frame in frames] == [expected, expected]


@pytest.mark.parametrize(("declaration", "values", "dtype"), CASES, ids=[case[0] for case in CASES])
def test_the_pyarrow_backend(sandbox, fresh, declaration, values, dtype):
    expected = load(sandbox, declaration, values, null=True)
    column = fresh.query("SELECT v FROM one ORDER BY n", dtype_backend="pyarrow")["v"]
    assert isinstance(column.dtype, pd.ArrowDtype)
    is_exact = declaration.startswith("DECIMAL") or declaration == "DATE"
    assert_same(column, expected, (lambda value: value) if is_exact else CONVERT[dtype])


@pytest.mark.parametrize(("declaration", "values", "dtype"), CASES, ids=[case[0] for case in CASES])
def test_the_numpy_nullable_backend(sandbox, fresh, declaration, values, dtype):
    expected = load(sandbox, declaration, values, null=True)
    column = fresh.query("SELECT v FROM one ORDER BY n", dtype_backend="numpy_nullable")["v"]
    assert str(column.dtype) == NUMPY_NULLABLE.get(dtype, dtype)
    assert_same(column, expected, CONVERT[dtype])


DECIMALS = [case[:2] for case in CASES if case[0].startswith("DECIMAL")]


@pytest.mark.parametrize(("declaration", "values"), DECIMALS, ids=[case[0] for case in DECIMALS])
def test_decimals_are_exact_when_asked_for(sandbox, fresh, notes, declaration, values):
    expected = load(sandbox, declaration, values, null=True)
    assert [
        None if pd.isna(v) else v for v in fresh.query("SELECT v FROM one ORDER BY n", decimal="exact")["v"]
    ] == expected
    table = fresh.query_arrow("SELECT v FROM one ORDER BY n")
    assert table["v"].to_pylist() == expected
    precision, scale = (int(part) for part in declaration[8:-1].split(","))
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


def test_dates_of_no_calendar(fresh, notes):
    fresh.execute("SET sql_mode = 'ALLOW_INVALID_DATES'")
    fresh.execute("CREATE OR REPLACE TABLE odd (d DATE, t DATETIME)")
    fresh.execute(
        "INSERT INTO odd VALUES ('0000-00-00', '0000-00-00 00:00:00'), ('2024-00-00', '2024-00-00 10:00:00'), "
        "('2024-02-31', '2023-02-29 01:02:03'), ('2024-02-29', '2024-02-29 00:00:00'), (NULL, NULL)"
    )
    frame = fresh.query("SELECT * FROM odd")
    assert frame["d"].isna().tolist() == frame["t"].isna().tolist() == [True, True, True, False, True]
    assert [
        note for note in notes if note.startswith("column d: 3 invalid dates (0000-00-00, 2024-00-00, …) became NaT.")
    ]
    assert len(notes) == 2, "one line for each column"
    assert fresh.query_arrow("SELECT * FROM odd")["d"].null_count == 4
    fresh.execute("DROP TABLE odd")


def test_a_column_of_nulls_only(fresh):
    frame = fresh.query("SELECT NULL AS a, CAST(NULL AS SIGNED) AS b, CAST(NULL AS CHAR) AS c, CAST(NULL AS DATE) AS d")
    assert [str(dtype) for dtype in frame.dtypes] == ["object", "Int64", "str", "datetime64[s]"]
    assert frame.isna().all(axis=None)
    assert frame.loc[0, "a"] is None


def test_geometry_is_bytes(fresh):
    frame = fresh.query("SELECT ST_GeomFromText('POINT(1 2)') AS p")
    assert isinstance(frame.loc[0, "p"], bytes)
    assert len(frame.loc[0, "p"]) == 25


def test_null_in_a_column_that_says_it_has_none(fresh):
    """The totals of WITH ROLLUP; no integer becomes a float for it."""
    fresh.execute("CREATE OR REPLACE TABLE rolled (id BIGINT NOT NULL PRIMARY KEY, b TINYINT UNSIGNED NOT NULL)")
    fresh.execute("INSERT INTO rolled VALUES (9007199254740993, 1), (9007199254740995, 2)")
    frame = fresh.query("SELECT id, COUNT(*) AS n FROM rolled GROUP BY id WITH ROLLUP")
    assert frame["id"].tolist() == [9007199254740993, 9007199254740995, pd.NA]
    fresh.execute("DROP TABLE rolled")


def test_the_names_of_one_frame_are_not_those_of_the_next(fresh):
    first = fresh.query("SELECT 1 AS a, 2 AS b")
    first.columns.name = "mine"
    with suppress(ValueError, TypeError):
        first.columns.values[1] = "betrag"
    second = fresh.query("SELECT 1 AS a, 2 AS b")
    assert second.columns.tolist() == ["a", "b"]
    assert second.columns.name is None


def test_a_statement_of_several_packets(fresh):
    """16 MiB and more: the answer's packets are counted on from the statement's."""
    for size in (0xFFFFFF - 40, 17_000_000, 2 * 0xFFFFFF):
        assert fresh.query(f"SELECT LENGTH('{'x' * size}') AS n")["n"].tolist() == [size]


def test_duplicate_names_stay(fresh):
    frame = fresh.query("SELECT 1 AS a, 'x' AS a, 2.5 AS b")
    assert list(frame.columns) == ["a", "a", "b"]
    assert frame.iloc[0].tolist() == [1, "x", 2.5]


def test_another_character_set(fresh):
    """A `SET NAMES` of the user's is honoured by what the columns say of themselves."""
    fresh.execute("SET NAMES latin1")
    assert fresh.query("SELECT _utf8mb4 X'c3a4c3b6e282ac' AS t")["t"].tolist() == ["äö€"]


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


@pytest.mark.parametrize("size", [16_777_213, 16_777_214, 16_777_215, 16_777_216, 20_000_000, 33_554_428])
def test_rows_of_several_packets(fresh, size):
    frame = fresh.query(f"SELECT 1 AS a, REPEAT('x', {size}) AS big, 2 AS b UNION ALL SELECT 3, 'small', 4")
    assert frame["big"].str.len().tolist() == [size, 5]
    assert frame["a"].tolist() == [1, 3]
    assert frame["b"].tolist() == [2, 4]


def test_a_first_field_of_sixteen_megabytes(fresh):
    frame = fresh.query("SELECT REPEAT('é', 10000000) AS big, 7 AS a")
    assert len(frame.loc[0, "big"]) == 10_000_000
    assert frame.loc[0, "a"] == 7


def test_an_error_in_the_middle_of_the_rows(fresh):
    with pytest.raises(StatementError, match="1690"):  # out of range at row 7,098
        fresh.query("SELECT seq, REPEAT('x', 1000), EXP(seq / 10) FROM seq_1_to_10000")
    assert fresh.query("SELECT 1 AS a")["a"].tolist() == [1]


def test_several_result_sets_of_a_procedure(sandbox, fresh):
    with sandbox.server.root() as root:
        root.execute("CREATE OR REPLACE PROCEDURE scratch.two() BEGIN SELECT 1 AS a; SELECT 'x' AS b; END")
    first, second, changed = fresh.run("CALL two()")
    assert first.to_pandas()["a"].tolist() == [1]
    assert second.to_pandas()["b"].tolist() == ["x"]
    assert changed.rows == 0


def test_arrow_types(fresh):
    table = fresh.query_arrow("SELECT 1 AS i, 1.50 AS d, 'x' AS s, DATE '2024-01-01' AS day, TIME '10:00:00' AS t")
    assert table.schema.types == [pa.int64(), pa.decimal128(3, 2), pa.large_string(), pa.date32(), pa.duration("us")]


def test_the_rows_of_ten_packets_wrap_the_sequence_numbers(fresh):
    assert len(fresh.query("SELECT seq FROM seq_1_to_1000")) == 1000


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
