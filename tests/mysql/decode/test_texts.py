"""Text in every character set, against the server's own conversions; what is no text is shown escaped and told."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.mysql.decode import Decoder
from rds_iam_magic.mysql.wire import charsets
from rds_iam_magic.mysql.wire.column import Column
from tests.support.charset_names import ALL, EIGHT_BITS, THREE_BYTES, TWO_BYTES, WIDE
from tests.support.packets import TEXT, column, rows_of
from tests.support.values import (
    BACKENDS,
    Declared,
    check_dtype_and_values,
    check_other_backend,
    decode_texts,
    with_nulls,
)

STRINGS = ["", "a", "O'Brien", "日本語 ☃ 𝄞", "x" * 250, "y" * 251, "z" * 252, "NULL", "\\N", "tab\t\n\0end"]

DECLARED = [
    Declared("VARCHAR(300)", STRINGS, "str"),
    Declared("CHAR(10)", ["", "a", "ünï"], "str"),
    Declared("LONGTEXT", [*STRINGS, "w" * 65535, "v" * 65536, "é" * 200_000], "str"),
    Declared("ENUM('', 'a', 'ß')", ["", "a", "ß"], "str"),
    Declared("SET('a', 'b', 'c')", ["", "a", "a,c"], "str"),
    Declared("JSON", ['{"a": [1, null, "é"]}', "[]"], "str"),
    Declared("VARBINARY(300)", [b"", bytes(range(256)), b"\xfb\xfc\xfd\xfe\xff"], "object"),
    Declared("LONGBLOB", [b"", bytes(range(256)) * 300], "object"),
]


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_dtype_and_values(sandbox, fresh, notes, declared, null):
    check_dtype_and_values(sandbox.server, fresh, notes, declared, null=null)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_other_backends(sandbox, fresh, declared, backend):
    check_other_backend(sandbox.server, fresh, declared, backend)


SAMPLES = "aä€日ж裏ก한ა➀İłñ"


def text_column(charset, name="t"):
    return Column(name, 253, charset, 80, 0, 0)


def decoded(charset, values):
    decoder = Decoder([text_column(charset)])
    return decoder.decode(rows_of(values))["t"].to_pylist(), decoder.warnings()


@pytest.mark.parametrize("name", ALL)
def test_values_in_the_character_set_of_the_session(fresh, notes, name):
    hexadecimal = SAMPLES.encode().hex()
    sql = f"SELECT _utf8mb4 X'{hexadecimal}' AS t, CONVERT(_utf8mb4 X'{hexadecimal}' USING {name}) AS u"
    as_utf8 = f"SELECT CONVERT(CONVERT(_utf8mb4 X'{hexadecimal}' USING {name}) USING utf8mb4) AS t"
    expected = fresh.query(as_utf8)["t"].tolist()
    fresh.execute(f"SET character_set_results = {name}")
    frame = fresh.query(sql)
    assert frame["t"].tolist() == frame["u"].tolist() == expected
    fresh.execute("SET character_set_results = NULL")
    assert fresh.query(sql)["u"].tolist() == expected, "each column in its own"
    assert not [note for note in notes if "shown as" in note]


NUMBERS = (
    "SELECT -12 AS `größe`, 1.5e0 AS f, 12.25 AS d, DATE '2024-02-29' AS day, TIMESTAMP '2024-02-29 01:02:03.5' AS t, "
    "TIME '-100:00:01' AS clock, X'00FF' AS x, NULL AS nothing, 18446744073709551615 AS big, NULLIF(1, 1) AS null1"
)


@pytest.mark.parametrize("name", [*WIDE, "swe7", "sjis"])
def test_numbers_in_sets_that_are_wide(fresh, notes, name):
    """The server writes them as text in the session's set, too."""
    expected = fresh.query_arrow(NUMBERS)
    fresh.execute(f"SET character_set_results = {name}")
    if name in WIDE:
        assert fresh.query_arrow(NUMBERS).equals(expected)
    else:
        assert fresh.query_arrow(NUMBERS).to_pydict()["t"] == expected.to_pydict()["t"]
    assert notes == []


def test_bytes_that_are_no_text_are_shown_and_told(fresh, notes):
    """Such values come when each column comes in its own set: a conversion on the server would make `?` of them."""
    fresh.execute("CREATE OR REPLACE TABLE odd (n INT, t VARCHAR(9) CHARACTER SET tis620, u TEXT CHARACTER SET cp1251)")
    fresh.execute("INSERT INTO odd VALUES (1, X'DBA1', X'98'), (2, X'A1', 'x'), (3, X'41FF', NULL)")
    fresh.execute("SET character_set_results = NULL")
    fresh.execute("START TRANSACTION")
    frame = fresh.query("SELECT t, u FROM odd ORDER BY n")
    assert frame["t"].tolist() == ["\\xdbก", "ก", "A\\xff"]
    assert frame["u"].tolist()[:2] == ["\\x98", "x"]
    assert notes == [
        "column t: 2 values hold bytes that are not valid tis620; they are shown as \\xNN.",
        "column u: 1 value holds bytes that are not valid cp1251; it is shown as \\xNN.",
    ]
    assert fresh.query("SELECT @@in_transaction AS open")["open"].tolist() == [1], "the session stays"
    fresh.execute("DROP TABLE odd")


@pytest.mark.parametrize("charset", [45, 33, 255, 309, 2304, 9999, 65535])
def test_broken_utf8(charset):
    """Collations that are not known are read as UTF-8."""
    values, told = decoded(charset, [b"ok", "é𝄞".encode(), b"\xff\xfe", None, b"a\xc3", b"\xed\xa0\x80", b""])
    assert values == ["ok", "é𝄞", "\\xff\\xfe", None, "a\\xc3", "\\xed\\xa0\\x80", ""]
    (line,) = told
    assert line.startswith("column t: 3 values hold bytes that are not valid utf8mb")


RECORDED = {
    "utf8mb4_0900_ai_ci of MySQL": (255, "größe 日".encode(), "größe 日"),
    "gb18030 of MySQL": (248, bytes.fromhex("b9fa 8130 8130 9439 fe39"), None),
    "ucs2": (35, bytes.fromhex("006165e5"), "a日"),
    "a lone surrogate in ucs2": (35, bytes.fromhex("0061d83465e5"), "a\\xd8\\x34日"),
    "half a character of utf16": (54, bytes.fromhex("006165"), "a\\x65"),
    "utf16": (54, bytes.fromhex("d834dd1e"), "𝄞"),
    "utf16le": (56, bytes.fromhex("34d81edd"), "𝄞"),
    "utf32": (60, bytes.fromhex("0001d11e"), "𝄞"),
    "utf32 past Unicode": (60, bytes.fromhex("00110000"), "\\x00\\x11\\x00\\x00"),
    "a lead byte alone in sjis": (13, b"a\x81", "a\\x81"),
    "a yen sign is a backslash in sjis": (13, b"\x5c", "\\"),
    "a trail byte that looks like ASCII": (13, b"\x83\x5c", "ソ"),
    "swe7": (10, b"}", "å"),
}


@pytest.mark.parametrize(("charset", "data", "text"), RECORDED.values(), ids=RECORDED)
def test_recorded(charset, data, text):
    assert decoded(charset, [data])[0] == [data.decode("gb18030") if text is None else text]


@given(data=st.data())
def test_what_is_encoded_comes_back(data):
    charset = charsets.by_name(data.draw(st.sampled_from([*ALL, "gb18030"])))
    number = next(n for n in range(1, 324) if (s := charsets.by_collation(n)) and s.name == charset.name)
    assert len(struct.pack("<H", number)) == 2

    def is_there(character):
        try:
            return charset.decode(charset.encode(character)) == character
        except UnicodeError:
            return False

    alphabet = st.characters(exclude_categories=["Cs"]).filter(is_there) | st.sampled_from(
        [character for character in SAMPLES + "az09 " if is_there(character)]
    )
    texts = data.draw(st.lists(st.text(alphabet, max_size=20), min_size=1))
    assert decoded(number, [charset.encode(text) for text in texts]) == (texts, [])


@given(st.sampled_from([*ALL, "gb18030"]), st.lists(st.binary(max_size=30) | st.none(), min_size=1))
def test_no_bytes_are_refused(name, values):
    number = next(n for n in range(1, 324) if (s := charsets.by_collation(n)) and s.name == name)
    texts, told = decoded(number, values)
    assert [text is None for text in texts] == [value is None for value in values]
    assert len(told) <= 1


@given(st.sampled_from([*EIGHT_BITS, *TWO_BYTES, *THREE_BYTES]), st.lists(st.binary(max_size=30), min_size=1))
def test_no_replacement_character_stands_for_bytes(name, values):
    """These sets have none, so that one in the text would hide what was there."""
    number = next(n for n in range(1, 324) if (s := charsets.by_collation(n)) and s.name == name)
    texts, _ = decoded(number, values)
    assert "\ufffd" not in "".join(texts)


@given(with_nulls(st.text(max_size=300)))
def test_texts(texts):
    assert decode_texts(TEXT, texts).to_pylist() == texts


def test_bytes_that_are_no_text():
    decoder = Decoder([column("c", TEXT)])
    assert decoder.decode(rows_of([b"\xff\xfe"]))["c"].to_pylist() == ["\\xff\\xfe"]
    assert decoder.warnings() == [
        "column c: 1 value holds bytes that are not valid utf8mb4; it is shown as \\xNN.",
    ]


def test_geometry_is_bytes(fresh):
    frame = fresh.query("SELECT ST_GeomFromText('POINT(1 2)') AS p")
    assert isinstance(frame.loc[0, "p"], bytes)
    assert len(frame.loc[0, "p"]) == 25
