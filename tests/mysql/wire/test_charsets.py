"""Character sets by name and by collation, against the server's own; names and messages that come in them."""

import pytest

from rds_iam_magic.errors import StatementError
from rds_iam_magic.mysql.wire import charsets
from tests.support.charset_names import ALL, EIGHT_BITS, THREE_BYTES, TWO_BYTES, WIDE


def test_another_character_set(fresh):
    """A `SET NAMES` of the user's is honoured by what the columns say of themselves."""
    fresh.execute("SET NAMES latin1")
    assert fresh.query("SELECT _utf8mb4 X'c3a4c3b6e282ac' AS t")["t"].tolist() == ["äö€"]


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


def test_a_statement_that_the_session_cannot_read(fresh):
    """Sent as it is, it would be read as other characters, and written so."""
    fresh.execute("SET NAMES latin1")
    with pytest.raises(
        StatementError, match="contains '日', which the session's character set latin1 cannot represent"
    ) as e:
        fresh.query("SELECT '日' AS t")
    assert "SET NAMES utf8mb4" in e.value.hint
    assert fresh.query("SELECT 'ä€' AS t, @@character_set_client AS c").iloc[0].tolist() == ["ä€", "latin1"]


ANOTHER = {"sjis": "¥‾＼", "ujis": "¥‾＼", "eucjpms": "¥‾¢", "cp932": "¢−〜", "swe7": "Öé[]{|}~^"}


@pytest.mark.parametrize(("name", "character"), [(name, each) for name, them in ANOTHER.items() for each in them])
def test_what_the_server_would_read_as_another_character_is_not_sent(fresh, name, character):
    """A yen sign would be a backslash, and end a literal later than it seems to."""
    fresh.execute(f"SET NAMES {name}")
    for sql, params in ((f"SELECT 'a{character}' AS t", None), ("SELECT :v AS t", {"v": f"a{character}"})):
        with pytest.raises(StatementError) as caught:
            fresh.query(sql, params=params)
        assert caught.value.cause == "charset-lacks-character"
        assert repr(character) in str(caught.value)
    assert fresh.query("SELECT 'a\\\\' AS t, @@character_set_client AS c")["c"].tolist() == [name]


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
