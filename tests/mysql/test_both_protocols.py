"""One statement through both protocols on a real server: the same frame, the same notes, the same error.

And what preparing must not change: what the session says of the statement before.
"""

import datetime as dt
from dataclasses import dataclass, field

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import RdsIamError, StatementError
from tests.support.logins import through_text

pytestmark = pytest.mark.slow  # servers and kernels

ROUNDED = "FLOAT values rounded"


@dataclass
class Side:
    """A connection whose queries use one of the protocols, and what it told its user."""

    db: Connection
    notes: list[str] = field(default_factory=list)


@pytest.fixture
def sides(scratch):
    told: tuple[list[str], list[str]] = ([], [])
    login = scratch.login()
    as_text = {"endpoint": through_text(login).endpoint}
    with scratch.connect(told[0]) as one, scratch.connect(told[1], **as_text) as other:
        pair = (Side(one, told[0]), Side(other, told[1]))
        for side in pair:
            side.db.execute("SET SESSION sql_mode = ''")
        yield pair


def outcomes(side, sql, **how):
    """Frames and counts of rows of a text, or the error; and the notes."""
    side.notes.clear()
    try:
        found = [
            result.to_pandas() if hasattr(result, "to_pandas") else (result.rows, result.insert_id)
            for result in side.db.run(sql, **how)
        ]
    except RdsIamError as error:
        found = [(type(error), error.message, error.hint)]
    return found, [line for line in side.notes if ROUNDED not in line]


def check(sides, sql, **how):
    """The same through both; returns what it is."""
    (ours, told), (theirs, told_in_text) = (outcomes(side, sql, **how) for side in sides)
    rounded = {line.partition(":")[0].removeprefix("column ") for line in sides[1].notes if ROUNDED in line}
    assert not any(ROUNDED in line for line in sides[0].notes)
    assert len(ours) == len(theirs), sql
    for mine, other in zip(ours, theirs, strict=True):
        if isinstance(mine, pd.DataFrame):
            assert isinstance(other, pd.DataFrame), (sql, other)
            exact = [name not in rounded for name in mine.columns]
            assert_frame_equal(mine.loc[:, exact], other.loc[:, exact], obj=sql, check_exact=True)
            assert_frame_equal(mine, other, obj=sql, rtol=1e-5)
        else:
            assert mine == other, sql
    assert told == told_in_text, sql
    return ours


# ── Values ────────────────────────────────────────────────────────────────────────────────────────────────────────


def quoted(values):
    return values.map(lambda value: f"'{value}'")


def bits(width):
    return st.integers(0, 2**width - 1).map(lambda number: f"b'{number:b}'")


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\\'\0", exclude_categories=["Cs"]), max_size=12)
WHOLE = st.integers(-(2**63), 2**64 - 1) | st.sampled_from([0, 1, -1, 127, 255, 2**31])
DIGITS = st.builds("{}{}.{}".format, st.sampled_from(["", "-"]), st.integers(0, 10**35 - 1), st.integers(0, 10**30 - 1))
DATES = quoted(st.dates() | st.sampled_from(["0000-00-00", "2024-00-00", "2024-02-00", "0000-01-01", "9999-12-31"]))
MOMENTS = quoted(st.datetimes(dt.datetime.fromisoformat("1971-01-01"), dt.datetime.fromisoformat("2037-12-31")))
ANY_MOMENT = quoted(st.datetimes() | st.sampled_from(["0000-00-00 00:00:00", "2024-00-01 10:00:00"])) | MOMENTS | DATES
CLOCKS = quoted(st.builds("{}{}:{:02}:{:02}.{:06}".format, st.sampled_from(["", "-"]), st.integers(0, 837),
                          st.integers(0, 59), st.integers(0, 59), st.integers(0, 999_999)))  # fmt: skip
FLOATS = st.floats(allow_nan=False, allow_infinity=False).map(repr)
TYPES = {
    **{f"{name}{sign}": WHOLE.map(str) for name in ("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT")
       for sign in ("", " UNSIGNED", "(9) ZEROFILL")},
    "YEAR": st.integers(1901, 2155).map(str) | st.just("0"),
    "FLOAT": FLOATS, "DOUBLE": FLOATS, "FLOAT(7,2)": FLOATS, "DOUBLE(20,4)": FLOATS,
    **{f"DECIMAL({size})": DIGITS for size in ("10,2", "65,30", "30,0", "38,38", "5,0")},
    "DECIMAL(12,3) ZEROFILL": DIGITS,
    **{f"BIT({width})": bits(width) for width in (1, 2, 7, 8, 9, 16, 33, 63, 64)},
    "DATE": DATES,
    **{f"DATETIME({size})": ANY_MOMENT for size in (0, 1, 3, 6)},
    "TIMESTAMP NULL": MOMENTS, "TIMESTAMP(6) NULL": MOMENTS,
    **{f"TIME({size})": CLOCKS for size in (0, 2, 6)},
    "CHAR(12)": quoted(WORDS), "VARCHAR(300)": quoted(WORDS) | st.integers(250, 256).map(lambda n: f"'{'x' * n}'"),
    "TEXT": quoted(WORDS) | st.integers(250, 300).map(lambda n: f"REPEAT('é', {n})"),
    "VARCHAR(12) CHARACTER SET latin1": quoted(WORDS),
    "ENUM('a','ä','')": st.sampled_from(["'a'", "'ä'", "''", "0"]), "SET('a','b','c')": st.integers(0, 7).map(str),
    "JSON": st.integers().map(lambda number: f"'{{\"a\": [{number}, null]}}'"),
    "GEOMETRY": st.integers(0, 99).map(lambda number: f"ST_GeomFromText('POINT({number} 1)')"),
    "BLOB": st.binary(max_size=20).map(lambda raw: f"x'{raw.hex()}'"), "BINARY(4)": st.just("'ab'"),
    "VARBINARY(9)": st.binary(max_size=9).map(lambda raw: f"x'{raw.hex()}'"),
}  # fmt: skip
TABLES = st.lists(st.sampled_from(sorted(TYPES)), min_size=12, max_size=30).flatmap(
    lambda types: st.tuples(
        st.just(types),
        st.lists(st.tuples(*(st.just("NULL") | TYPES[each] for each in types)), min_size=1, max_size=4),
    )
)


def create(side, types, rows):
    columns = ", ".join(f"c{index} {kind}" for index, kind in enumerate(types))
    side.db.execute(f"DROP TABLE IF EXISTS made; CREATE TABLE made ({columns}) CHARSET utf8mb4")
    side.db.execute("INSERT IGNORE INTO made VALUES " + ", ".join(f"({', '.join(row)})" for row in rows))


@settings(max_examples=max(3, settings.default.max_examples // 10), suppress_health_check=list(HealthCheck))
@given(table=TABLES, mode=st.sampled_from(["float", "exact"]))
def test_generated_tables(sides, table, mode):
    create(sides[0], *table)
    (frame,) = check(sides, "SELECT * FROM made", decimal=mode)
    assert len(frame) == len(table[1])


EVERY_TYPE = "SELECT * FROM every_type ORDER BY n"


@pytest.fixture
def every_type(sides):
    """A table of a column of each type: t0, t1, …; the values of its three rows: the least, the largest, NULL."""
    columns = [f"t{index} {kind}" for index, kind in enumerate(TYPES)]
    low = ["'-838:59:59'" if "TIME(" in kind and "DATE" not in kind else "0" for kind in TYPES]
    low = [
        "'{}'" if kind == "JSON" else "NULL" if kind == "GEOMETRY" else value
        for kind, value in zip(TYPES, low, strict=True)
    ]
    high = ["ST_GeomFromText('POINT(1 2)')" if kind == "GEOMETRY" else "'[1]'" if kind == "JSON"
            else "'2024-02-29 23:59:59.999999'" if "DATE" in kind or "TIMESTAMP" in kind
            else "'838:59:59'" if "TIME(" in kind else "b'1'" if "BIT" in kind else "1" for kind in TYPES]  # fmt: skip
    db = sides[0].db
    db.execute("DROP TABLE IF EXISTS every_type")
    db.execute(f"CREATE TABLE every_type (n INT NOT NULL PRIMARY KEY, {', '.join(columns)}) CHARSET utf8mb4")
    rows = ((1, low), (2, high), (3, ["NULL"] * len(TYPES)))
    db.execute("INSERT IGNORE INTO every_type VALUES " + ", ".join(f"({n}, {', '.join(row)})" for n, row in rows))
    for side in sides:
        side.notes.clear()
    return sides


@pytest.mark.parametrize("charset", ["utf8mb4", "latin1", "utf16", "utf32", "ucs2", "gbk", "binary", "NULL"])
def test_every_type_in_a_character_set(every_type, charset):
    for side in every_type:
        side.db.execute("SET NAMES latin1" if charset == "latin1" else f"SET character_set_results = {charset}")
    (frame,) = check(every_type, EVERY_TYPE)
    assert frame.shape == (3, 1 + len(TYPES))
    check(every_type, EVERY_TYPE, decimal="exact")
    check(every_type, "SELECT IF(n > 1, n, 1.5) AS `é`, NULL AS nothing, 'ü' AS t, CURRENT_DATE AS day FROM every_type")
    check(every_type, "SELECT ö FROM every_type")


@pytest.fixture
def numbers(sides):
    """A table and a view of it, and user variables."""
    db = sides[0].db
    db.execute(
        "DROP VIEW IF EXISTS seen; DROP TABLE IF EXISTS few; "
        "CREATE TABLE few (n INT NOT NULL PRIMARY KEY, u BIGINT UNSIGNED, b1 BIT(1), b5 BIT(5), b64 BIT(64), f FLOAT, "
        "d DOUBLE, e DECIMAL(10,2), w DECIMAL(65,30), day DATE, at DATETIME(6), t TIME(3), s VARCHAR(20), j JSON) "
        "CHARSET utf8mb4; "
        "INSERT INTO few VALUES (1, 18446744073709551615, 1, 31, x'8000000000000001', 1.1, 1e-300, -1.10, "
        "12345678901234567890123456789012345.1, '2024-02-29', '2024-02-29 10:11:12.123456', '-25:00:00.5', 'é', '[]'), "
        "(2, 0, 0, 9, 57, 16777217, 0.1, 3, 0.1, '0000-00-00', '2024-01-01', '00:00:00', '', '{}'), "
        "(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL); "
        "CREATE VIEW seen AS SELECT n, b5, b5 + 1 AS p, IF(n > 1, b5, b1) AS w, e / 3 AS q, f FROM few"
    )
    for side in sides:
        side.db.execute("SET @a = 5, @b = 'q', @c = 1.50, @d = NULL, @f = 1e0")
    return sides


EXPRESSIONS = {
    "bits": """SELECT IF(n, b5, b64), COALESCE(b5, b64), GREATEST(b5, 1), b5 + 0, CASE WHEN 1 THEN b5 END FROM few
SELECT IFNULL(b1, b5), NULLIF(b64, b5), MIN(b64) OVER () FROM few
SELECT MAX(b5), MIN(b64), BIT_OR(b5), COUNT(b1) FROM few
SELECT IF(n, b5, b64) AS q FROM few ORDER BY q
SELECT (SELECT b5 FROM few x WHERE x.n = few.n) AS q FROM few
SELECT * FROM (SELECT IF(n, b5, b64) AS q FROM few) x
SELECT b5 FROM few UNION ALL SELECT b64 FROM few
SELECT b5, COUNT(*) FROM few GROUP BY b5 HAVING b5 >= 0
SELECT DISTINCT b64, CAST(b5 AS UNSIGNED), HEX(b5) FROM few
SELECT * FROM seen""",
    "numbers": """SELECT w / 3, e / 7, w * w, SUM(w), AVG(w), SUM(n), AVG(n), COUNT(*) FROM few
SELECT u - 1, u * 1.0, -n, n DIV 2, n MOD 2, n / 2, ~n, n & 1, ROUND(e), TRUNCATE(w, 2) FROM few WHERE n > 1
SELECT u + u FROM few
SELECT f * 2, ABS(f) + 0e0, CAST(f AS DOUBLE), MAX(f), f / 3, f + e FROM few GROUP BY n
SELECT TRUE, 1 = 1, 1 <=> NULL, 0x41, b'1', 1.5, 1e0, -0e0, 18446744073709551615, -9223372036854775808
SELECT CAST('abc' AS SIGNED), 1 / 0, CAST('1x' AS DECIMAL(5, 2)), LOG(0)
SELECT n, SUM(n) OVER (ORDER BY n), ROW_NUMBER() OVER (), AVG(e) OVER (), LAG(day) OVER (ORDER BY n) FROM few
SELECT n, SUM(e), GROUP_CONCAT(s) FROM few GROUP BY n WITH ROLLUP
SELECT n FROM few UNION SELECT u FROM few
SELECT n FROM few UNION ALL SELECT s FROM few
SELECT f FROM few UNION ALL SELECT d FROM few
SELECT e FROM few UNION ALL SELECT w FROM few""",
    "times": """SELECT YEAR(day), LAST_DAY(at), TIME(at), SEC_TO_TIME(1e9), MAKETIME(25, 1, 2), ADDTIME(t, t) FROM few
SELECT MAX(day), MIN(at), MAX(t), TIMEDIFF(at, '2024-01-01 00:00:00.000000') FROM few
SELECT day FROM few UNION ALL SELECT at FROM few
SELECT IF(n = 1, day, NULL), COALESCE(day, at), COALESCE(t, 'x'), IF(n = 1, t, day) FROM few
SELECT CAST('2024-01-01' AS DATETIME), CAST('10:00' AS TIME(3)), STR_TO_DATE('2024-00-00', '%Y-%m-%d')
SELECT UNIX_TIMESTAMP(at), FROM_UNIXTIME(1.5), TIMESTAMP('2024-01-01 10:00:00.5') FROM few WHERE n < 3""",
    "texts": """SELECT JSON_OBJECT('a', 1), JSON_EXTRACT(j, '$[0]'), UNHEX('00ff'), s COLLATE utf8mb4_bin FROM few
SELECT CAST(n AS CHAR), CONVERT(s USING latin1), BINARY s, FORMAT(d, 2), INTERVAL(5, 1, 10), ELT(2, 'a', 'b') FROM few
SELECT NULL AS a, NULL AS a, 1 AS `x y`, 'a' AS ``, '?' AS q -- ? and ; are in a comment
SELECT NULL UNION ALL SELECT NULL
SELECT REPEAT('é', 200), REPEAT('x', 70000), REPEAT('', 3)
SELECT GROUP_CONCAT(s ORDER BY n SEPARATOR '?') FROM few""",
    "variables": """SELECT @a, @b, @c, @d, @f, @nothing
SELECT @a + 1, @a := n, @a FROM few
SELECT @a
SELECT @b := 'x', @b
SELECT @a := 'text', @d := 1.25
SELECT @a, @d, @@sql_mode, @@autocommit, @@max_connections, DATABASE()""",
    "forms": """TABLE few
VALUES (1, 'a'), (2, NULL)
VALUES ROW(1, 'a'), ROW(2, NULL)
WITH q AS (SELECT n, b5 FROM few) SELECT * FROM q
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r
(SELECT 1 AS a) UNION (SELECT 2)
SELECT x.*, y.* FROM few x LEFT JOIN few y ON y.n = x.n + 1
SELECT n FROM few WHERE n > 5
SELECT n FROM few LIMIT 0
SELECT n FROM few FOR UPDATE
SELECT 1 INTO @z
SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_NAME = 'few'
EXPLAIN SELECT * FROM few
SELECT 1; SELECT n FROM few; SELECT 'a' AS s""",
    "errors": """SELECT ?
SELECT n FROM few WHERE n = ?
SELECT nothing FROM few
SELECT * FROM nothing
SELEC 1
SELECT EXP(1000)
SELECT (SELECT n FROM few)
SELECT n FROM few GROUP BY nothing
SELECT nothing(1)""",
}


@pytest.mark.parametrize("group", EXPRESSIONS)
def test_expressions(numbers, group):
    for sql in EXPRESSIONS[group].split("\n"):
        check(numbers, sql)
        if group == "numbers":
            check(numbers, sql, decimal="exact")


def test_what_the_server_rounds_as_text_only(sandbox, numbers):
    """Doubles with a fixed number of decimals; in the binary protocol they are whole, as FLOAT is."""
    assert sandbox.server.pid, "MariaDB: on MySQL, STD() has no fixed number of decimals"
    exact, rounded = (side.db.query("SELECT STD(n) AS v, VARIANCE(n) AS w FROM few") for side in numbers)
    assert exact.loc[0, "v"] == (2 / 3) ** 0.5
    assert exact.loc[0, "w"] == 2 / 3
    assert rounded.iloc[0].tolist() == [0.8165, 0.6667]


# ── What a session remembers ──────────────────────────────────────────────────────────────────────────────────────

TINY = (
    "DROP TABLE IF EXISTS tiny; CREATE TABLE tiny (id INT PRIMARY KEY AUTO_INCREMENT, v TINYINT); "
    "INSERT INTO tiny (v) VALUES (1), (2)"
)
REMEMBERED = """INSERT INTO tiny (v) VALUES (3), (4) > SELECT ROW_COUNT() AS v, LAST_INSERT_ID() AS l, FOUND_ROWS() AS f
INSERT INTO tiny (v) VALUES (300), (4) > SELECT @@warning_count AS w, @@error_count AS e > SHOW WARNINGS
INSERT INTO tiny (v) VALUES (300); SELECT @@warning_count AS w, ROW_COUNT() AS r; SELECT ROW_COUNT() AS r
UPDATE tiny SET v = v + 1 > SELECT ROW_COUNT() AS r > SELECT ROW_COUNT() AS r
DELETE FROM tiny > WITH q AS (SELECT 1) SELECT ROW_COUNT() AS r FROM q
SELECT CAST('abc' AS SIGNED) > SHOW WARNINGS > SELECT @@warning_count > SHOW WARNINGS
SELECT CAST('abc' AS SIGNED) > SELECT @@warning_count, @@error_count > SHOW WARNINGS
SELECT CAST(CONCAT(v, 'x') AS SIGNED) FROM tiny > SHOW WARNINGS
SELECT nothing FROM tiny > SHOW WARNINGS
SELECT 1 AS ` x` > SHOW WARNINGS > SELECT @@warning_count > SHOW WARNINGS
SELECT nothing FROM tiny > SELECT @@error_count, @@warning_count > SHOW ERRORS
SELECT nothing FROM tiny > SELECT ROW_COUNT()
SELECT ? > SHOW WARNINGS
SELEC 1 > SHOW ERRORS
SELECT EXP(1000) > SHOW WARNINGS
SELECT SQL_CALC_FOUND_ROWS v FROM tiny LIMIT 1 > SELECT FOUND_ROWS() > SELECT FOUND_ROWS()
SELECT v FROM tiny > SELECT ROW_COUNT(), FOUND_ROWS()
SELECT LAST_INSERT_ID(77) > SELECT LAST_INSERT_ID()
DROP TABLE IF EXISTS nothing > SELECT @@warning_count > SHOW WARNINGS
SELECT nothing FROM tiny > GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT > SELECT @m
BEGIN > SELECT v FROM tiny FOR UPDATE > ROLLBACK > SELECT ROW_COUNT()
PREPARE p FROM 'SELECT ? + 1 AS q' > SELECT 1 > EXECUTE p USING @one > SELECT nothing > EXECUTE p USING @one
CREATE TEMPORARY TABLE brief SELECT 1 AS a > SELECT * FROM brief > DROP TEMPORARY TABLE brief > SELECT * FROM brief
LOCK TABLES tiny READ > SELECT COUNT(*) FROM tiny > SELECT * FROM information_schema.nothing > UNLOCK TABLES
SET sql_select_limit = 1 > SELECT v FROM tiny > SET sql_select_limit = DEFAULT
SET @x = 1 > SELECT @x, @x := @x + 1, @x > SELECT @x > SET @x = 'text' > SELECT @x"""


@pytest.mark.parametrize("statements", REMEMBERED.split("\n"))
def test_what_the_session_remembers(sides, statements):
    said = []
    for side in sides:
        side.db.execute(TINY)
        side.db.execute("SET @one = 1")
        said.append([str(outcomes(side, sql)) for sql in statements.split(" > ")])
    assert said[0] == said[1]


@pytest.mark.parametrize("code", [1615, 1243])
def test_a_function_that_raises_what_a_server_says_of_prepared_statements(sandbox, sides, code):
    """It has written by then; the statement is not run again."""
    with sandbox.server.root() as root:
        root.execute("USE scratch")
        root.execute("CREATE OR REPLACE TABLE said (code INT) ENGINE=Aria")
        root.execute(
            "CREATE OR REPLACE FUNCTION say(code INT) RETURNS INT DETERMINISTIC BEGIN INSERT INTO said VALUES (code); "
            "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = code, MESSAGE_TEXT = 'mine'; RETURN 1; END"
        )
    for count, sql in enumerate(("SELECT 1 FROM (SELECT say({}) q) x", "SELECT say({})"), 1):
        with pytest.raises(StatementError, match="mine"):
            sides[0].db.query(sql.format(code))
        assert sides[0].db.query("SELECT COUNT(*) AS n FROM said").loc[0, "n"] == count


def test_several_results_of_a_procedure(sandbox, sides):
    with sandbox.server.root() as root:
        root.execute(
            "CREATE OR REPLACE PROCEDURE scratch.both_() BEGIN SELECT 1 AS a, 1.5 AS d; SELECT CURRENT_DATE AS day; END"
        )
    assert len(check(sides, "CALL both_()")) == 3
    check(sides, "SELECT 1; CALL both_(); SELECT 2")
