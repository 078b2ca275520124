"""BIT: stored values come as bytes, expressions as bytes or as decimal text. The number or an error, never another one.

Against the numbers that the same server gives for `CAST(… AS UNSIGNED)`; MySQL's answers, which the sandbox's MariaDB
does not give, are made up from what was seen there.
"""

import pandas as pd
import pytest

from rds_iam_magic.errors import DecodeError
from rds_iam_magic.mysql.decode import DecodeOptions, Decoder
from rds_iam_magic.mysql.wire.column import Column
from tests.support.packets import BIT, rows_of
from tests.support.values import BACKENDS, Declared, check_dtype_and_values, check_other_backend, decode_texts


def _same(ours, theirs):
    """PyMySQL leaves BIT as it came."""
    return int(ours) == int.from_bytes(theirs, "big")


DECLARED = [
    Declared("BIT(1)", [0, 1], "boolean", same=_same),
    Declared("BIT(7)", [0, 1, 127], "uint64", "UInt64", same=_same),
    Declared("BIT(64)", [0, 1, 2**64 - 1], "uint64", "UInt64", same=_same),
]


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_dtype_and_values(sandbox, fresh, notes, declared, null):
    check_dtype_and_values(sandbox.server, fresh, notes, declared, null=null)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_other_backends(sandbox, fresh, declared, backend):
    check_other_backend(sandbox.server, fresh, declared, backend)


WIDTHS = [1, 2, 6, 7, 8, 9, 14, 15, 16, 17, 24, 31, 32, 33, 40, 48, 56, 63, 64]

UNSIGNED, BINARY = 0x20, 0x80


def numbers(width):
    """Small, large, and those whose bytes are digits: 0x31 is "1", 0x3132 is "12"."""
    doubtful = [int.from_bytes(b"9123456789"[:size], "big") for size in range(2, 9)]
    found = {0, 1, 9, *range(48, 58), 129, *doubtful, 10 ** (len(str(2**width - 1)) - 1), 2**width - 1}
    return sorted(number for number in found if number < 2**width)


@pytest.fixture(scope="module")
def tables(sandbox, scratch):
    """A table `bits8` (n, b BIT(8) NULL) and a view of an expression of it, for each width."""
    assert scratch.login(), "the schema is there"
    with sandbox.server.root() as root:
        root.execute("USE scratch")
        for width in WIDTHS:
            root.execute(f"CREATE OR REPLACE TABLE bits{width} (n INT PRIMARY KEY, b BIT({width}))")
            rows = [*enumerate(numbers(width)), (90, None)]
            root.executemany(f"INSERT INTO bits{width} VALUES (%s, %s)", rows)
            root.execute(f"CREATE OR REPLACE VIEW bits_if{width} AS SELECT n, IF(n >= 0, b, b) x FROM bits{width}")
            root.execute(f"CREATE OR REPLACE VIEW bits_sub{width} AS {SELECTED['scalar'].format(t=f'bits{width}')}")
            root.execute(f"CREATE OR REPLACE VIEW bits_max{width} AS SELECT n, MAX(b) x FROM bits{width} GROUP BY n")
            root.execute(
                f"CREATE OR REPLACE FUNCTION bits_f{width}(m INT) RETURNS BIT({width}) READS SQL DATA "
                f"RETURN (SELECT b FROM bits{width} WHERE n = m)"
            )


EXPRESSIONS = {
    "stored": "b",
    "if": "IF(n >= 0, b, b)",
    "if null": "IF(n >= 0, b, NULL)",
    "case": "CASE WHEN n >= 0 THEN b END",
    "coalesce": "COALESCE(b, b)",
    "ifnull": "IFNULL(b, b)",
    "nullif": "NULLIF(b, NULL)",
    "greatest": "GREATEST(b, b)",
    "least": "LEAST(b, b)",
    "scalar max": "(SELECT MAX(b) FROM {t} u WHERE u.n = t.n)",
    "scalar": "(SELECT b FROM {t} u WHERE u.n = t.n)",
}
SELECTED = {name: f"SELECT n, {sql} x FROM {{t}} t" for name, sql in EXPRESSIONS.items()} | {
    name: f"SELECT n, {sql} x FROM {{t}} t GROUP BY n"
    for name, sql in {
        "max": "MAX(b)",
        "min": "MIN(b)",
        "bit_or": "IF(COUNT(b), BIT_OR(b), NULL)",
        "if of max": "IF(COUNT(*) > 0, MAX(b), NULL)",
        "coalesce of min": "COALESCE(MIN(b), MAX(b))",
    }.items()
}
OTHERS = {
    "derived": "SELECT n, x FROM (SELECT n, b x FROM {t} LIMIT 1000) d",
    "derived max": "SELECT n, x FROM (SELECT n, MAX(b) x FROM {t} GROUP BY n) d",
    "derived if": "SELECT n, x FROM (SELECT n, IF(n >= 0, b, b) x FROM {t}) d",
    "max of derived": "SELECT n, MAX(x) x FROM (SELECT n, b x FROM {t} LIMIT 1000) d GROUP BY n",
    "cte": "WITH d AS (SELECT n, COALESCE(b, b) x FROM {t}) SELECT n, x FROM d",
    "view if": "SELECT n, x FROM bits_if{w}",
    "view max": "SELECT n, x FROM bits_max{w}",
    "view scalar": "SELECT n, x FROM bits_sub{w}",
    "union": "SELECT n, b x FROM {t} UNION SELECT n, MAX(b) FROM {t} GROUP BY n",
    "union all": "SELECT n, COALESCE(b, b) x FROM {t} WHERE n > 5 UNION ALL SELECT n, b FROM {t} WHERE n <= 5",
    "group by": "SELECT MIN(n) n, IF(n >= 0, b, b) x FROM {t} GROUP BY 2",
    "buffered": "SELECT SQL_BUFFER_RESULT n, MAX(b) x FROM {t} GROUP BY n",
    "outer join": "SELECT u.n, d.x FROM {t} u LEFT JOIN (SELECT n m, COALESCE(b, b) x FROM {t}) d ON d.m = u.n",
    "function": "SELECT n, bits_f{w}(n) x FROM {t}",
    "window": "SELECT n, MAX(b) OVER (PARTITION BY n) x FROM {t}",
    "lag": "SELECT n, LAG(b, 0) OVER (ORDER BY n) x FROM {t}",
    "last_value": "SELECT n, LAST_VALUE(n, b) x FROM {t}",
    "kept subquery": SELECTED["scalar"] + " ORDER BY x",
    "kept subquery, having": SELECTED["scalar"] + " HAVING x >= 0 OR x IS NULL",
    "kept subquery of a view": "SELECT n, x FROM bits_sub{w} ORDER BY x",
    "sorted": "SELECT n, COALESCE(b, b) x FROM {t} ORDER BY x",
}
STATEMENTS = SELECTED | OTHERS


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("name", STATEMENTS)
def test_expressions(db, name):
    """A whole column, which is of one form."""
    for width in WIDTHS:
        frame = db.query(STATEMENTS[name].format(t=f"bits{width}", w=width))
        expected = dict(enumerate(numbers(width))) | {90: None}
        got = {int(n): None if pd.isna(x) else int(x) for n, x in zip(frame["n"], frame["x"], strict=True)}
        assert got == expected, width


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("name", ["stored", "if", "max", "scalar", "coalesce", "derived max", "union", "window", "lag"])
def test_single_values_of_a_derived_table(db, name):
    """One row, so that no other value tells the form."""
    for width in (1, 8, 16, 64):
        for n, number in enumerate(numbers(width)):
            sql = f"SELECT x FROM ({STATEMENTS[name].format(t=f'bits{width}', w=width)} LIMIT 1000) d WHERE n = {n}"
            assert db.query(sql)["x"].tolist() == [number], (width, n)


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("name", ["stored", "if", "max", "scalar", "coalesce"])
def test_single_values(db, name):
    for width in (1, 8, 16, 64):
        for n, number in enumerate(numbers(width)):
            sql = STATEMENTS[name].replace("FROM {t} t", f"FROM {{t}} t WHERE n = {n}")
            assert db.query(sql.format(t=f"bits{width}", w=width))["x"].tolist() == [number], (width, n)


@pytest.mark.usefixtures("tables")
def test_what_may_be_either_is_refused_with_the_way_around(db):
    """A window function's 53 comes as the byte "5", and its column is described as that of MAX without one."""
    assert db.query("SELECT MAX(b) x FROM bits8 WHERE b = 5 OR b = 9")["x"].tolist() == [9]
    with pytest.raises(DecodeError, match=r"Row 1 of column x: '5' may be the number or raw bytes") as caught:
        db.query("SELECT MAX(b) OVER () x FROM bits8 WHERE b = 53")
    assert "CAST(… AS UNSIGNED)" in caught.value.hint
    assert (caught.value.column, caught.value.row) == ("x", 1)
    assert db.query("SELECT CAST(MAX(b) OVER () AS UNSIGNED) x FROM bits8 WHERE b = 53")["x"].tolist() == [53]


@pytest.mark.usefixtures("tables")
def test_returning(db):
    db.execute("CREATE TEMPORARY TABLE returned (n INT, b BIT(8))")
    assert db.query("INSERT INTO returned VALUES (1, 5) RETURNING COALESCE(b, b) x")["x"].tolist() == [5]
    assert db.query("DELETE FROM returned RETURNING b")["b"].tolist() == [5]


def bits(width, *pieces, flags=UNSIGNED | BINARY, org_name="", words=None, mariadb=False):
    column = Column("x", BIT, 63, width, flags, 0, org_name)
    decoder = Decoder([column], DecodeOptions(mariadb=mariadb, words=lambda: words or []))
    return [value for piece in pieces for value in decoder.decode(rows_of(piece))["x"].to_pylist()]


@pytest.mark.parametrize("flags", [UNSIGNED, UNSIGNED | BINARY, 0])
def test_mysql_sends_some_expressions_as_text(flags):
    """ANY_VALUE, COALESCE, IFNULL, GREATEST, LEAST of MySQL 9.7; others, such as MAX, come as bytes."""
    assert bits(1, [b"0", b"1", None], flags=flags) == [False, True, None]
    assert bits(1, [b"\0", b"\1"], flags=flags) == [False, True]
    assert bits(8, [b"129", b"0", None, b"57"], flags=flags) == [129, 0, None, 57]
    assert bits(8, [b"\x81", b"0", None], flags=flags) == [129, 48, None]
    assert bits(9, [b"12", b"0"], flags=flags) == [12, 0]
    assert bits(9, [b"12"], flags=flags) == [12], "0x3132 is beyond BIT(9)"
    assert bits(16, [b"12", b"\x01\x02"], flags=flags) == [0x3132, 0x0102]
    assert bits(16, [b"12", b"4321"], flags=flags) == [12, 4321]
    assert bits(64, [b"18446744073709551615", b"12345678"], flags=flags) == [2**64 - 1, 12345678]
    assert bits(64, [b"\xff" * 8, b"12345678"], flags=flags) == [2**64 - 1, 0x3132333435363738]
    for width, value in ((6, b"5"), (7, b"5"), (8, b"0"), (14, b"12"), (16, b"12"), (24, b"123"), (64, b"12345678")):
        with pytest.raises(DecodeError, match=r"Row 2 .*may be the number or raw bytes"):
            bits(width, [None, value], flags=flags)


def test_a_base_column_is_bytes():
    assert bits(8, [b"0", b"5"], flags=UNSIGNED, org_name="b") == [48, 53]
    assert bits(16, [b"12"], flags=UNSIGNED, org_name="b") == [0x3132]
    assert bits(8, [b"129", b"5"], flags=UNSIGNED, org_name="b") == [129, 5], "three bytes are no BIT(8)"


def test_a_form_that_shows_late():
    assert bits(8, [None, None], [b"\x81"], [b"5"]) == [None, None, 129, 53]
    assert bits(8, [b"129"], [b"5"], [None]) == [129, 5, None]
    for first, second in ((b"\x81", b"129"), (b"129", b"\x81")):
        with pytest.raises(DecodeError, match=r"Row 2 of column x: .* is not a valid BIT"):
            bits(8, [first], [second])
        with pytest.raises(DecodeError, match="is not a valid BIT"):
            bits(8, [first, second])
    with pytest.raises(DecodeError, match="Row 3 "):  # two were read as bytes, as expected, and are proven wrong
        bits(8, [b"5", b"6"], [b"129"], flags=UNSIGNED, org_name="b")


@pytest.mark.parametrize(
    ("width", "value"),
    [(1, b"2"), (1, b"\x02"), (8, b"256"), (8, b"007"), (8, b""), (8, b"\x01\x02"), (8, b"-1"), (64, b"1" * 21)],
)
def test_what_is_no_bit(width, value):
    with pytest.raises(DecodeError, match="is not a valid BIT"):
        bits(width, [value])
    with pytest.raises(DecodeError):
        bits(64, [b"18446744073709551616"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["SELECT", "MAX", "B"], 5),
        (["SELECT", "MAX", "B", "OVER"], None),
        (["CALL", "P"], None),
        (["EXECUTE", "S"], None),
        (["SELECT", "SELECT", "B", "FROM", "T"], 5),
        (["SELECT", "SELECT", "B", "FROM", "T", "X", "ORDER", "BY", "X"], None),
        ([], None),
    ],
)
def test_mariadb_by_the_statement(words, expected):
    if expected is None:
        with pytest.raises(DecodeError):
            bits(8, [b"5"], words=words, mariadb=True)
    else:
        assert bits(8, [b"5"], words=words, mariadb=True) == [expected]
    assert bits(8, [b"5"], flags=UNSIGNED, words=words, mariadb=True) == [53]


@pytest.mark.parametrize("text", ["123456789"])
def test_texts_that_are_none(text):
    for texts in ([text], [None, text]):
        with pytest.raises(DecodeError):
            decode_texts(BIT, texts, length=14)
