"""Values as literals: the server gives back exactly what was bound, in every SQL mode; no value ends its literal."""

import datetime as dt
import enum
import math
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rds_iam_magic.errors import OptionError, StatementError
from rds_iam_magic.sql.lexer import RUN, WORD, tokenize
from rds_iam_magic.sql.literals import has_time_zone, is_null, literal

MODES = (
    "",
    "NO_BACKSLASH_ESCAPES",
    "ANSI_QUOTES",
    "ANSI_QUOTES,NO_BACKSLASH_ESCAPES",
    "ORACLE",
    "EMPTY_STRING_IS_NULL,PIPES_AS_CONCAT,IGNORE_SPACE",
    "HIGH_NOT_PRECEDENCE,NO_UNSIGNED_SUBTRACTION,PAD_CHAR_TO_FULL_LENGTH,TRADITIONAL",
)
# What has ended literals elsewhere, among any other text.
NASTY = st.lists(
    st.sampled_from(
        ["'", '"', "`", "\\", "''", "\\'", "*/", "/*", "-- ", "#", ";", ":x", "%", "\0", "\x1a", "\n", "é"]
    ),
    max_size=8,
).map("".join)
TEXTS = NASTY | st.text(max_size=30)
INTS = st.integers(-(10**65) + 1, 10**65 - 1) | st.integers(-(2**64), 2**64)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DATES = st.dates()
DATETIMES = st.datetimes()
MOST = dt.timedelta(hours=838, minutes=59, seconds=59)
DURATIONS = st.timedeltas(-MOST, MOST)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=10, min_value=-(10**40), max_value=10**40)
VALUES = (
    st.none()
    | st.booleans()
    | TEXTS
    | INTS
    | FLOATS
    | DATES
    | DATETIMES
    | DURATIONS
    | DECIMALS
    | st.binary(max_size=30)
)


def as_read(value):
    """A value as it comes back."""
    return Decimal(value) if isinstance(value, (int, Decimal)) else value


def read_back(db, values):
    """What the server makes of parameters, in each of some places where one can stand."""
    places = ["{}", "COALESCE(NULL, {})", "({})", "/* ' */{}-- '\n", "CASE 1 WHEN 1 THEN{}END"]
    items = [places[n % len(places)].format(f" :v[{n}] ") + f" AS a{n}" for n in range(len(values))]
    (row,) = db.query_arrow(f"SELECT {', '.join(items)}", params={"v": values}).to_pylist()
    return list(row.values())


@pytest.mark.parametrize("mode", MODES)
def test_every_value_in_every_mode(db, mode):
    db.execute("SET sql_mode = :mode", params={"mode": mode})

    @settings(max_examples=settings.default.max_examples // 2)
    @given(st.lists(VALUES, min_size=1, max_size=12))
    def check(values):
        got = read_back(db, values)
        assert [as_read(each) for each in got] == [as_read(each) for each in values]
        assert [type(as_read(each)) for each in got] == [type(as_read(each)) for each in values]

    check()


@pytest.mark.parametrize("mode", MODES)
def test_every_text_is_stored(db, mode):
    """As a statement that is no query, with quotes and comments around the parameter."""
    db.execute("CREATE TEMPORARY TABLE kept (a LONGTEXT, b LONGBLOB)")
    db.execute("SET sql_mode = :mode", params={"mode": mode})

    @settings(max_examples=settings.default.max_examples // 4)
    @given(NASTY, st.binary(max_size=20))
    def check(text, data):
        changed = db.execute(
            "DELETE FROM kept; INSERT INTO kept/*:a*/VALUES(:a,:b)-- :a", params={"a": text, "b": data}
        )
        assert changed >= 1
        sql = "SELECT a, b FROM kept WHERE a = :a AND b IN (:b, 'x') AND LOCATE(:a, CONCAT('-', :a))"
        (row,) = db.query_arrow(sql, params={"a": text, "b": data}).to_pylist()
        assert row == {"a": text, "b": data}

    check()


@given(VALUES)
def test_a_literal_is_nothing_but_a_literal(value):
    """It ends where it seems to end, whichever way a backslash is read."""
    for escapes in (True, False):
        tokens = list(tokenize(f"{literal(value)} END", backslash_escapes=escapes))
        assert tokens[-1].text == "END"
        allowed = {"TRUE", "FALSE", "NULL", "DATE", "TIME", "TIMESTAMP", "_utf8mb4", "_binary", "X", "e0"}
        assert {token.text for token in tokens[:-1] if token.kind == WORD} <= allowed
        assert {token.kind for token in tokens} <= {RUN, WORD}


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


def loud(kind):
    """A subclass that prints itself in another way."""
    said = "'; DROP TABLE t -- "
    names = ("__str__", "__repr__", "__format__", "isoformat", "replace", "encode", "hex", "__int__")
    return type("Loud", (kind,), {name: lambda *_: said for name in names})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "NULL"),
        (pd.NA, "NULL"),
        (pd.NaT, "NULL"),
        (np.datetime64("NaT"), "NULL"),
        (np.timedelta64("NaT"), "NULL"),
        (True, "TRUE"),
        (np.False_, "FALSE"),
        (5, "5"),
        (-5, "-5"),
        (np.int8(-5), "-5"),
        (np.uint64(2**64 - 1), "18446744073709551615"),
        (0.1, "0.1e0"),
        (1e22, "1e+22"),
        (np.float32(0.1), "0.10000000149011612e0"),
        (np.float64(0.5), "0.5e0"),
        (Decimal("1.50"), "1.50"),
        (Decimal("1E+3"), "1000"),
        ("it's", "'it''s'"),
        ("", "_utf8mb4 X''"),
        ("a\\", "_utf8mb4 X'615c'"),
        (np.str_("a"), "'a'"),
        (b"a'", "_binary X'6127'"),
        (bytearray(b"\0"), "_binary X'00'"),
        (memoryview(b"ab"), "_binary X'6162'"),
        (np.bytes_(b"a"), "_binary X'61'"),
        (dt.date(2024, 5, 1), "DATE'2024-05-01'"),
        (dt.date(1, 1, 1), "DATE'0001-01-01'"),
        (dt.datetime.fromisoformat("2024-05-01 10:00:00"), "TIMESTAMP'2024-05-01 10:00:00'"),
        (pd.Timestamp("2024-05-01 10:00:00.000001"), "TIMESTAMP'2024-05-01 10:00:00.000001'"),
        (np.datetime64("2024-05-01"), "DATE'2024-05-01'"),
        (np.datetime64("2024-05"), "DATE'2024-05-01'"),
        (np.datetime64("2024-05-01T10", "ns"), "TIMESTAMP'2024-05-01 10:00:00'"),
        (dt.time(10, 0, 0, 5), "TIME'10:00:00.000005'"),
        (dt.timedelta(hours=-100, microseconds=-1), "TIME'-100:00:00.000001'"),
        (pd.Timedelta("1h"), "TIME'01:00:00'"),
        (np.timedelta64(90, "s"), "TIME'00:01:30'"),
        (UUID(int=1), "'00000000-0000-0000-0000-000000000001'"),
        (Color.RED, "'red'"),
        (Level.LOW, "1"),
    ],
)
def test_types(value, expected):
    assert literal(value) == expected
    assert is_null(value) == (expected == "NULL")


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (math.nan, "parameter-nan"),
        (np.float64("nan"), "parameter-nan"),
        (Decimal("NaN"), "parameter-nan"),
        (Decimal("sNaN"), "parameter-nan"),
        (math.inf, "parameter-infinite"),
        (Decimal("-Infinity"), "parameter-infinite"),
        (10**65, "parameter-out-of-range"),
        (Decimal("1E+70"), "parameter-out-of-range"),
        (Decimal("1E+999999"), "parameter-out-of-range"),
        (Decimal("1E-31"), "parameter-out-of-range"),
        (Decimal("1E-999999"), "parameter-out-of-range"),
        (Decimal("1E+60") + Decimal("1E-10"), None),
        ("\ud800", "parameter-not-text"),
        (dt.time(1, tzinfo=dt.timezone.utc), "parameter-time-zone"),
        (dt.timedelta(hours=839), "parameter-out-of-range"),
        (dt.datetime(1969, 1, 1, tzinfo=dt.timezone.utc), "parameter-out-of-range"),
        (dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5))), "parameter-out-of-range"),
        (dt.datetime(2040, 1, 1, tzinfo=dt.timezone.utc), "parameter-out-of-range"),
        (pd.Timestamp("2024-05-01 10:00:00.000000001"), "parameter-nanoseconds"),
        (pd.Timedelta("1ns"), "parameter-nanoseconds"),
        (np.datetime64("2024-05-01T10:00:00.000000001"), "parameter-nanoseconds"),
        (np.timedelta64(1, "M"), "parameter-type"),
        (np.timedelta64(1), "parameter-type"),
        (np.datetime64("20000-01-01T00:00"), "parameter-out-of-range"),
        (np.longdouble(1) / 3, "parameter-type"),
        (1j, "parameter-type"),
        (np.complex128(1), "parameter-type"),
        ({"a": 1}, "parameter-type"),
        (object(), "parameter-type"),
        (pd.Period("2024-05"), "parameter-type"),
    ],
)
def test_what_mysql_does_not_have(value, cause):
    if cause is None:
        assert literal(value)
        return
    with pytest.raises(OptionError) as caught:
        literal(value)
    assert caught.value.cause == cause
    assert caught.value.hint


def test_what_a_subclass_prints_is_not_asked():
    values = [loud(str)("a"), loud(dt.date)(2024, 5, 1), loud(dt.time)(1), loud(Decimal)("1.5"), loud(bytes)(b"a")]
    expected = ["'a'", "DATE'2024-05-01'", "TIME'01:00:00'", "1.5", "_binary X'61'"]
    assert [literal(value) for value in values] == expected
    assert literal(loud(UUID)(int=1)) == "'00000000-0000-0000-0000-000000000001'"


@pytest.mark.parametrize("zone", ["+00:00", "+09:00", "-05:30"])
def test_a_time_zone_is_converted_to_the_sessions(db, zone):
    db.execute("SET time_zone = :zone", params={"zone": zone})
    moment = dt.datetime(2024, 5, 1, 10, 0, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert has_time_zone(moment)
    (got,) = read_back(db, [moment])
    sign, hours, minutes = zone[0], int(zone[1:3]), int(zone[4:])
    there = dt.timezone((-1 if sign == "-" else 1) * dt.timedelta(hours=hours, minutes=minutes))
    assert got == moment.astimezone(there).replace(tzinfo=None)


def written(text, *, escapes):
    """A text as somebody writes it who knows the mode."""
    text = text.replace("'", "''")
    return "'" + (text.replace("\\", "\\\\") if escapes else text) + "'"


ITEMS = st.tuples(NASTY.map(lambda text: text + ":v[0]"), st.booleans())
BETWEEN = st.lists(
    st.sampled_from([" ", "\n", "/* ' :v[0] */", "-- \" :v[0] '\n", "# :v[0] `\n", "/*+ :v[0] '*/", "-- \n"]),
    max_size=3,
).map("".join)


@pytest.mark.parametrize("mode", MODES[:4])
def test_any_surroundings(db, mode):
    """Between strings, names and comments that look like the end of something, and hold what looks like a parameter."""
    db.execute("SET sql_mode = :mode", params={"mode": mode})
    escapes = "NO_BACKSLASH" not in mode

    @settings(max_examples=settings.default.max_examples // 2)
    @given(st.lists(st.tuples(ITEMS, BETWEEN, NASTY), min_size=1, max_size=8))
    def check(items):
        sql, expected = [], []
        for (text, is_parameter), between, value in items:
            number = len(expected)
            item = f":v[{number}]" if is_parameter else written(text, escapes=escapes)
            sql.append(f"{between}{item}{between}AS `a{number} ' \" :v[0]`")
            expected.append(value if is_parameter else text)
        values = [value for _, _, value in items]
        (row,) = db.query_arrow("SELECT" + ", ".join([f" {each}" for each in sql]), params={"v": values}).to_pylist()
        assert list(row.values()) == expected

    check()


@pytest.mark.parametrize("charset", ["sjis", "gbk", "big5", "cp932", "latin1", "utf8mb3", "utf8mb4"])
def test_any_character_set_of_the_session(db, charset):
    """In some of them, the second byte of a character is a backslash."""
    db.execute(f"SET NAMES {charset}")
    texts = ["表", "ソ", "表'", "ソ\\", "縗'", "許\\'", "é'", "\\", "'", "a", "😀'"]
    for text in texts:
        try:
            (got,) = read_back(db, [text])
        except StatementError as error:
            assert error.cause == "charset-lacks-character"  # noqa: PT017
        else:
            assert got == text or "?" in got, got
