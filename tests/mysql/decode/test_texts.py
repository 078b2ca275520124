"""Text in every character set, against the server's own conversions; what is no text is shown escaped and told."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import StatementError
from rds_iam_magic.mysql.decode import Decoder
from rds_iam_magic.mysql.wire import charsets
from rds_iam_magic.mysql.wire.column import Column
from tests.support.packets import rows_of

SAMPLES = "aä€日ж裏ก한ა➀İłñ"

EIGHT_BITS = [
    *("armscii8", "ascii", "cp1250", "cp1251", "cp1256", "cp1257", "cp850", "cp852", "cp866", "dec8", "geostd8"),
    *("greek", "hebrew", "hp8", "keybcs2", "koi8r", "koi8u", "latin1", "latin2", "latin5", "latin7", "macce"),
    *("macroman", "swe7", "tis620"),
]
TWO_BYTES = ["big5", "cp932", "euckr", "gb2312", "gbk", "sjis"]
THREE_BYTES = ["eucjpms", "ujis"]
WIDE = ["ucs2", "utf16", "utf16le", "utf32"]
UTF8 = ["utf8mb3", "utf8mb4"]
ALL = [*EIGHT_BITS, *TWO_BYTES, *THREE_BYTES, *WIDE, *UTF8]


def text_column(charset, name="t"):
    return Column(name, 253, charset, 80, 0, 0)


def decoded(charset, values):
    decoder = Decoder([text_column(charset)])
    return decoder.decode(rows_of(values))["t"].to_pylist(), decoder.warnings()


def test_every_set_of_the_server_is_known(sandbox):
    with sandbox.server.root() as root:
        root.execute("SHOW CHARACTER SET")
        assert sorted(row[0] for row in root.fetchall()) == sorted([*ALL, "binary"])


def test_every_collation_of_the_server_is_known(sandbox):
    with sandbox.server.root() as root:
        root.execute("SELECT id, character_set_name FROM information_schema.collation_character_set_applicability")
        numbers = {number: name for number, name in root.fetchall() if number is not None}
    assert len(numbers) > 300
    found = {number: charsets.by_collation(number) for number in numbers}
    assert {n: s and s.name for n, s in found.items()} == {n: None if s == "binary" else s for n, s in numbers.items()}


@pytest.mark.parametrize(("number", "name"), [(255, "utf8mb4"), (323, "utf8mb4"), (76, "utf8mb3"), (248, "gb18030")])
def test_collations_of_mysql_alone(number, name):
    assert charsets.by_collation(number).name == name


def characters(root, name, size, low, high):
    """Bytes → the character that the server reads in them; without those that it has no place for in Unicode."""
    root.execute("SET sql_mode = ''")
    root.execute(
        f"SELECT seq, HEX(CONVERT(CONVERT(UNHEX(LPAD(HEX(seq), {2 * size}, '0')) USING {name}) USING utf8mb4)) "
        f"FROM mysql.seq_{low}_to_{high}"
    )
    found = {int(seq).to_bytes(size, "big"): bytes.fromhex(text).decode() for seq, text in root.fetchall()}
    return {data: text for data, text in found.items() if len(text) == 1 and (text not in "?\ufffd" or data == b"?")}


@pytest.mark.parametrize("name", [*EIGHT_BITS, *TWO_BYTES, *THREE_BYTES])
def test_every_character_is_the_servers(sandbox, name):
    with sandbox.server.root() as root:
        expected = characters(root, name, 1, 0, 0xFF)
        if name not in EIGHT_BITS:
            expected |= characters(root, name, 2, 0x8000, 0xFFFF)
        if name in THREE_BYTES:
            expected |= characters(root, name, 3, 0x8F0000, 0x8FFFFF)
    charset = charsets.by_name(name)
    assert {data: charset.decode(data, "backslashreplace") for data in expected} == expected
    whole = b"".join(expected)
    assert charset.decode(whole) == "".join(expected.values()), "one behind the other"


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


def names_and_message(connection, word):
    """A name of a column, that of a table's column, and the server's message with it."""
    with pytest.raises(StatementError) as caught:
        connection.query(f"SELECT `{word}2`")
    return [
        *connection.query(f"SELECT 1 AS `{word}`").columns,
        *connection.query(f"SELECT * FROM `t{word}`").columns,
        *connection.query(f"SELECT 1 AS `{word}`, _latin1 'x' AS b").columns[:1],
        connection.query(f"EXPLAIN SELECT * FROM `t{word}` WHERE `{word}` = 1 AND b = 2")["key"].tolist()[0],
        caught.value.server_message,
    ]


WORDS = {"latin1": "größe", "swe7": "åäö", "cp1251": "ключ", "sjis": "ソ表", "ujis": "表日", "eucjpms": "①表"} | {
    "tis620": "กข", "gbk": "日国", "big5": "裏", "euckr": "한갂", "utf8mb3": "größe日", "hp8": "š", "geostd8": "აბ",
}  # fmt: skip


@pytest.mark.parametrize(("name", "word"), WORDS.items())
@pytest.mark.parametrize(
    "setting", ["SET NAMES {}", "SET character_set_results = {}", "SET @@session.character_set_results='{}'"]
)
def test_names_and_messages(fresh, setting, name, word):
    """And statements: they go out in the set that the server reads them in."""
    fresh.execute(f"CREATE OR REPLACE TABLE `t{word}` (`{word}` INT, b INT, KEY `{word}` (`{word}`))")
    fresh.execute(f"INSERT INTO `t{word}` VALUES (1, 1), (2, 2), (3, 3)")
    expected = names_and_message(fresh, word)
    assert expected[:4] == [word, word, "b", word]
    assert f"'{word}2'" in expected[-1]
    fresh.execute(setting.format(name))
    assert names_and_message(fresh, word) == expected
    assert fresh.query(f"SELECT '{word}' AS t")["t"].tolist() == [word], "a literal"
    fresh.execute("SET NAMES DEFAULT")
    assert names_and_message(fresh, word) == expected
    fresh.execute(f"DROP TABLE `t{word}`")


@pytest.mark.parametrize("name", [*WIDE, "NULL", "binary", "utf8mb3"])
def test_names_in_sets_that_no_statement_can_have(fresh, name):
    fresh.execute(f"SET character_set_results = {name}")
    assert list(fresh.query("SELECT 1 AS `größe日`, 'x' AS `ключ`, _latin1 'x' AS b")) == ["größe日", "ключ", "b"]


def test_a_routine_that_sets_the_character_set(sandbox, fresh):
    """No SQL of the session says so; the server does."""
    with sandbox.server.root() as root:
        root.execute("CREATE OR REPLACE PROCEDURE scratch.turn() SET character_set_results = latin2")
    fresh.execute("CALL turn()")
    assert list(fresh.query("SELECT 1 AS `größe`")) == ["größe"]
    fresh.execute("PREPARE p FROM \"SET character_set_results = 'cp850'\"")
    fresh.execute("EXECUTE p")
    assert list(fresh.query("SELECT 1 AS `größe`")) == ["größe"]


def test_the_info_of_an_update(fresh):
    """Its length in front is no part of it: 0x28 came as a parenthesis."""
    fresh.execute("CREATE OR REPLACE TABLE counted AS SELECT seq AS n FROM seq_1_to_2")
    (changed,) = fresh.run("UPDATE counted SET n = n + 1")
    assert changed.info == "Rows matched: 2  Changed: 2  Warnings: 0"
    fresh.execute("DROP TABLE counted")


def test_a_statement_that_the_session_cannot_read(fresh):
    """Sent as it is, it would be read as other characters, and written so."""
    fresh.execute("SET NAMES latin1")
    with pytest.raises(
        StatementError, match="contains '日', which the session's character set latin1 cannot represent"
    ) as e:
        fresh.query("SELECT '日' AS t")
    assert "SET NAMES utf8mb4" in e.value.hint
    assert fresh.query("SELECT 'ä€' AS t, @@character_set_client AS c").iloc[0].tolist() == ["ä€", "latin1"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"gr\xf6\xdfe", "größe"),
        ("größe".encode(), "größe"),
        (b"a", "a"),
    ],
)
def test_names_where_the_server_announces_nothing(raw, text):
    """UTF-8 if they are; else as the columns of text say."""
    assert charsets.Announced().read(raw, charsets.of_result(b"def", [63, 8])) == text


def test_names_that_are_nothing():
    assert charsets.Announced().read(b"gr\xf6", charsets.of_result(b"def", [63, 8, 51])) == "gr\\xf6"
    assert charsets.Announced().read(b"gr\xf6") == "gr\\xf6"


@pytest.fixture
def fresh(sandbox, db):
    """Compared with what the sandbox's own server converts."""
    assert sandbox.server.pid
    return db


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
    assert "\ufffd" not in "".join(filter(None, texts)) or name in (*WIDE, *UTF8, "gb18030")
    assert len(told) <= 1
