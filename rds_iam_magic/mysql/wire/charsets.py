"""The character sets of MySQL and MariaDB, by collation id and by name: the server's bytes ↔ Python's str.

Most are Python codecs. The exceptions below come from the server itself: for each set, every character's bytes were
converted there (`CONVERT(CONVERT(UNHEX(…) USING set) USING utf8mb4)` over `seq_0_to_255`, `seq_32768_to_65535` and
`seq_9371648_to_9437183`) and compared with Python's codec. The test suite repeats that comparison.

Python has some characters that a server lacks, and its gb18030 follows the 2000 standard for a few characters.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol


class Charset(Protocol):
    """A character set.

    Attributes:
        name: The server's name for it.
        is_utf8: Whether it is utf8mb4 or utf8mb3.
        keeps_ascii: Whether single bytes below 128 are ASCII.
    """

    @property
    def name(self) -> str:
        """See above."""
        ...

    @property
    def is_utf8(self) -> bool:
        """See above."""
        ...

    @property
    def keeps_ascii(self) -> bool:
        """See above."""
        ...

    def decode(self, data: bytes, errors: str = "strict") -> str:
        r"""Bytes → text.

        Args:
            data: The server's bytes.
            errors: `strict`, or `backslashreplace`, which escapes invalid bytes as `\\xNN`.

        Raises:
            UnicodeDecodeError: With `strict`.
        """
        ...

    def encode(self, text: str) -> bytes:
        """Text → bytes.

        Raises:
            UnicodeEncodeError: The character set lacks a character.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Codec:
    """A Python codec, unchanged."""

    name: str
    codec: str
    keeps_ascii: bool = True

    @property
    def is_utf8(self) -> bool:
        return self.codec == "utf-8"

    def decode(self, data: bytes, errors: str = "strict") -> str:
        return data.decode(self.codec, errors)

    def encode(self, text: str) -> bytes:
        return text.encode(self.codec)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of 256 characters; U+FFFE for an undefined byte."""

    name: str
    characters: str
    keeps_ascii: bool = True
    is_utf8: bool = False

    def decode(self, data: bytes, errors: str = "strict") -> str:
        return codecs.charmap_decode(data, errors, self.characters)[0]

    def encode(self, text: str) -> bytes:
        return codecs.charmap_encode(text, "strict", codecs.charmap_build(self.characters))[0]


@dataclass(frozen=True, slots=True)
class _Patched:
    """A Python multi-byte codec with exceptions; decoded character by character."""

    name: str
    codec: str
    character: re.Pattern[bytes]
    exceptions: Mapping[bytes, str]
    _read: dict[bytes, str] = field(default_factory=dict)
    keeps_ascii: bool = True
    is_utf8: bool = False

    def decode(self, data: bytes, errors: str = "strict") -> str:
        if data.isascii():
            return data.decode("ascii")
        read, parts, offset = self._read, [], 0
        for character in self.character.findall(data):
            text = read.get(character)
            if text is None:
                text = self._decode_one(data, offset, character, errors)
            parts.append(text)
            offset += len(character)
        return "".join(parts)

    def encode(self, text: str) -> bytes:
        written = {text: data for data, text in self.exceptions.items()}
        return b"".join(
            each.encode() if each.isascii() else written.get(each) or each.encode(self.codec) for each in text
        )

    def _decode_one(self, data: bytes, offset: int, character: bytes, errors: str) -> str:
        text = self.exceptions.get(character)
        if text is None:
            try:
                text = character.decode(self.codec)
            except UnicodeDecodeError as error:
                if errors == "strict":
                    raise UnicodeDecodeError(self.name, data, offset, offset + len(character), error.reason) from None
                return character.decode("ascii", errors)
        self._read[character] = text
        return text


UTF8: Charset = _Codec("utf8mb4", "utf-8")

_WIDE = (
    _Codec("ucs2", "utf_16_be", keeps_ascii=False),
    _Codec("utf16", "utf_16_be", keeps_ascii=False),
    _Codec("utf16le", "utf_16_le", keeps_ascii=False),
    _Codec("utf32", "utf_32_be", keeps_ascii=False),
)
_CODECS = {
    "ascii": "ascii",
    "cp932": "cp932",
    "euckr": "cp949",  # the server's euckr includes the syllables of the extended set
    "gb2312": "gb2312",
    "gb18030": "gb18030",
    "gbk": "gbk",
    "utf8": "utf-8",
    "utf8mb3": "utf-8",
}

# 8-bit character sets that are Python codecs, except for the bytes that the server decodes differently.
_EIGHT_BITS: dict[str, tuple[str, dict[int, str]]] = {
    "cp1250": ("cp1250", {}),
    "cp1251": ("cp1251", {}),
    "cp1256": ("cp1256", {}),
    "cp1257": ("cp1257", {}),
    "cp850": ("cp850", {}),
    "cp852": ("cp852", {}),
    "cp866": ("cp866", {0xFC: "\u207f", 0xFD: "\xb2"}),
    "greek": ("iso8859_7", {0xA1: "\u02bd", 0xA2: "\u02bc"}),  # the standard of 1987
    "hebrew": ("iso8859_8", {0xAF: "\u203e"}),
    "koi8r": ("koi8_r", {}),
    "koi8u": ("koi8_u", {0x95: "\u2022"}),
    "latin1": ("cp1252", {byte: chr(byte) for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}),
    "latin2": ("iso8859_2", {}),
    "latin5": ("iso8859_9", {}),
    "latin7": ("iso8859_13", {}),
    "macce": ("mac_latin2", {}),
    "macroman": ("mac_roman", {}),
    "swe7": ("ascii", dict(zip(b"@[\\]^`{|}~", "ÉÄÖÅÜéäöåü", strict=True)) | {0x7F: "\ufffe"}),
    "tis620": ("tis_620", {}),
}

# The upper halves of 8-bit sets that Python lacks, as the server converts them; � for an undefined byte.
_C1 = "".join(map(chr, range(0x80, 0xA1)))
_UPPER_HALVES = {
    "armscii8": _C1
    + ("❁§։)(»«—.՝,-՟…՜՛՞ԱաԲբԳգԴդԵեԶզԷէԸըԹթԺժԻիԼլԽխԾծԿկՀհՁձՂղՃճՄմՅյՆնՇշՈոՉչՊպՋջՌռՍսՎվՏտՐրՑցՒւՓփՔքՕօՖֆ’'"),
    "dec8": _C1 + ("¡¢£�¥�§¤©ª«����°±²³�µ¶·�¹º»¼½�¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ�ÑÒÓÔÕÖŒØÙÚÛÜŸ�ßàáâãäåæçèéêëìíîï�ñòóôõöœøùúûüÿ��"),
    "geostd8": (
        "€�‚�„…†‡�‰�‹�����‘’“”•–—���›����\xa0¡¢£¤¥¦§¨©ª«¬\xad®¯"
        "°±²³´µ¶·¸¹º»¼½¾¿აბგდევზჱთიკლმნჲოპჟრსტჳუფქღყშჩცძწ"
        "ჭხჴჯჰჵ�����������������������№��"
    ),
    "hp8": _C1 + ("ÀÂÈÊËÎÏ´ˋˆ¨˜ÙÛ₤¯Ýý°ÇçÑñ¡¿¤£¥§ƒ¢âêôûáéóúàèòùäëöüÅîØÆåíøæÄìÖÜÉïßÔÁÃãÐðÍÌÓÒÕõŠšÚŸÿÞþ·µ¶¾—¼½ªº«■»±�"),
    "keybcs2": (
        "ČüéďäĎŤčěĚĹÍľĺÄÁÉžŽôöÓůÚýÖÜŠĽÝŘťáíóúňŇŮÔšřŕŔ¼¡«»"
        "░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀"
        "αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\xa0"
    ),
}

# eucjpms: IBM's characters, from 0x8FF3F3 on.
_IBM = (
    "ⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ＇＂㈱№℡炻仼僴凬匇匤\ufa0e咊坙\ufa0f\ufa10增寬峵嵓"
    "\ufa11德悅愠敎昻晥\ufa12\uf929栁\ufa13\ufa14橫櫢淸淲瀨\ufa15\ufa16甁皂皞\ufa17礰\ufa18\ufa19\ufa1a\ufa1b竧\ufa1c\ufa1d綠緖\ufa1e荢\ufa1f薰\ufa20\ufa21蠇"
    "\ufa22譿賴赶\ufa23\ufa24\ufa25郞\ufa26鄕\ufa27\ufa28閒\uf9dc\ufa29霻靍靑\ufa2a\ufa2b\ufa2c馞髙魲\ufa2d黑"
)

_SJIS_CHARACTER = re.compile(rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]|.", re.DOTALL)
_BIG5_CHARACTER = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]|.", re.DOTALL)
_EUC_CHARACTER = re.compile(rb"\x8f[\xa1-\xfe]{2}|[\x8e\xa1-\xfe][\xa1-\xfe]|.", re.DOTALL)


def _of_the_user() -> dict[bytes, str]:
    """The user-defined areas of the Japanese EUC sets: the last ten rows of both planes, as U+E000 to U+E757."""
    columns = range(0xA1, 0xFF)
    rows = [*((row,) for row in range(0xF5, 0xFF)), *((0x8F, row) for row in range(0xF5, 0xFF))]
    codes = (bytes([*row, column]) for row in rows for column in columns)
    return {code: chr(0xE000 + number) for number, code in enumerate(codes)}


def _of_microsoft() -> dict[bytes, str]:
    """The differences of eucjpms from EUC-JP: NEC's (row 13) and IBM's characters, and cp932's mappings."""
    characters = {b"\xa1\xc1": "\uff5e", b"\xa1\xc2": "\u2225", b"\xa1\xdd": "\uff0d"}
    characters |= {
        b"\xa1\xf1": "\uffe0",
        b"\xa1\xf2": "\uffe1",
        b"\xa2\xcc": "\uffe2",
        b"\x8f\xa2\xb7": "\uff5e",
        b"\x8f\xa2\xc3": "\uffe4",
    }
    for column in range(0xA1, 0xFD):
        low = column - (0x61 if column < 0xE0 else 0x60)  # the second byte in cp932
        try:
            characters[bytes([0xAD, column])] = bytes([0x87, low]).decode("cp932")
        except UnicodeDecodeError:  # undefined in both
            continue
    codes = [*(b"\x8f\xf3%c" % low for low in range(0xF3, 0xFF)), *(b"\x8f\xf4%c" % low for low in range(0xA1, 0xFF))]
    return characters | dict(zip(codes, _IBM, strict=True))


def _big5() -> dict[bytes, str]:
    """Seven characters that Python has in cp950 only."""
    return {code: code.decode("cp950") for code in (b"\xf9%c" % low for low in range(0xD6, 0xDD))}


class Announced:
    """The session's character sets, updated as the server announces changes (CLIENT_SESSION_TRACK).

    Attributes:
        tracked: Whether the server announces changes; if not, `client` and `results` keep their initial values.
        client: character_set_client, in which statements are encoded.
        results: character_set_results, in which names and messages are encoded; None for UTF-8 or no conversion.
    """

    def __init__(self, *, tracked: bool = False) -> None:
        self.tracked = tracked
        self.client: Charset = UTF8
        self.results: Charset | None = None

    def hear(self, variable: str, value: str) -> None:
        """Record the change of a session variable."""
        charset = by_name(value.lower())
        if variable == "character_set_client":
            self.client = charset or UTF8
        elif variable == "character_set_results":
            self.results = None if charset is None or charset.is_utf8 else charset

    def encode(self, sql: str) -> bytes:
        """Encode a statement in character_set_client, such that the server reads it as it is.

        Not all that a codec encodes is: a yen sign would be a backslash in sjis; swe7 has letters in ASCII's places.

        Raises:
            UnicodeEncodeError: The character set lacks a character.
        """
        client = self.client
        if client.is_utf8 or (client.keeps_ascii and sql.isascii()):
            return sql.encode()
        data = client.encode(sql) if client.keeps_ascii else b""
        return data if client.decode(data, "backslashreplace") == sql else b"".join(map(self._encode_one, sql))

    def _encode_one(self, character: str) -> bytes:
        is_ascii = character.isascii()
        data = character.encode() if is_ascii else self.client.encode(character)
        # The server's parser takes these bytes for SQL, whatever the set has there.
        if not (is_ascii if data in b"\\`@" else self.client.decode(data, "backslashreplace") == character):
            raise UnicodeEncodeError(self.client.name, character, 0, 1, "the server reads another character")
        return data

    def read(self, data: bytes, guess: Charset | None = None) -> str:
        r"""Decode a name or a message: as announced, else as UTF-8, else as guessed; else with `\xNN` escapes."""
        for charset in (self.results, UTF8, guess):
            try:
                if charset is not None:
                    return charset.decode(data)
            except UnicodeDecodeError:
                continue
        return UTF8.decode(data, "backslashreplace")


def of_result(catalog: bytes, collations: Iterable[int]) -> Charset | None:
    """The character set of a result's names, if it was not announced: that of its text columns.

    Args:
        catalog: The catalog in the column definitions: always `def`, which reveals two- and four-byte encodings.
        collations: The columns' collation ids.
    """
    if catalog != b"def":
        return next((charset for charset in _WIDE if charset.decode(catalog, "replace") == "def"), None)
    candidates = {charset.name: charset for number in collations if (charset := by_collation(number))}
    return candidates.popitem()[1] if len(candidates) == 1 else None


@cache
def by_name(name: str) -> Charset | None:
    """The character set with a lower-case name; None for unknown names and `binary`."""
    if name == "utf8mb4":
        return UTF8
    if name in _CODECS:
        return _Codec(name, _CODECS[name])
    if name in _EIGHT_BITS or name in _UPPER_HALVES:
        return _Table(name, _table(name), keeps_ascii=name != "swe7")
    backslash = "\\"
    if name == "big5":
        return _Patched(name, "big5", _BIG5_CHARACTER, _big5())
    if name == "sjis":
        return _Patched(name, "shift_jis", _SJIS_CHARACTER, {b"\x81\x5f": backslash})
    if name == "ujis":
        return _Patched(name, "euc_jp", _EUC_CHARACTER, {**_of_the_user(), b"\xa1\xc0": backslash})
    if name == "eucjpms":
        return _Patched(name, "euc_jp", _EUC_CHARACTER, {**_of_the_user(), **_of_microsoft()})
    return next((charset for charset in _WIDE if charset.name == name), None)


def _table(name: str) -> str:
    if name in _UPPER_HALVES:
        return "".join(map(chr, range(128))) + _UPPER_HALVES[name].replace("\ufffd", "\ufffe")
    codec, exceptions = _EIGHT_BITS[name]
    characters = bytes(range(256)).decode(codec, "replace").replace("\ufffd", "\ufffe")
    return "".join(exceptions.get(byte, character) for byte, character in enumerate(characters))


def by_collation(number: int) -> Charset | None:
    """The character set of a collation id; None for unknown ids and `binary`."""
    if 1024 < number < 2048:
        number -= 1024  # MariaDB: the same collation without padding
    return next((by_name(name) for numbers, name in _COLLATIONS if number in numbers), None)


# https://dev.mysql.com/doc/refman/8.4/en/information-schema-collations-table.html, and MariaDB's table of that name.
_COLLATIONS: tuple[tuple[range | frozenset[int], str], ...] = (
    (frozenset({45, 46, 608, 609, 610}), "utf8mb4"),
    (range(224, 248), "utf8mb4"),
    (range(255, 324), "utf8mb4"),
    (range(2304, 2560), "utf8mb4"),
    (frozenset({1, 84}), "big5"),
    (frozenset({2, 9, 21, 27, 77}), "latin2"),
    (frozenset({3, 69}), "dec8"),
    (frozenset({4, 80}), "cp850"),
    (frozenset({5, 8, 15, 31, 47, 48, 49, 94}), "latin1"),
    (frozenset({6, 72}), "hp8"),
    (frozenset({7, 74}), "koi8r"),
    (frozenset({10, 82}), "swe7"),
    (frozenset({11, 65}), "ascii"),
    (frozenset({12, 91}), "ujis"),
    (frozenset({13, 88}), "sjis"),
    (frozenset({14, 23, 50, 51, 52}), "cp1251"),
    (frozenset({16, 71}), "hebrew"),
    (frozenset({18, 89}), "tis620"),
    (frozenset({19, 85}), "euckr"),
    (frozenset({20, 41, 42, 79}), "latin7"),
    (frozenset({22, 75}), "koi8u"),
    (frozenset({24, 86}), "gb2312"),
    (frozenset({25, 70}), "greek"),
    (frozenset({26, 34, 44, 66, 99}), "cp1250"),
    (frozenset({28, 87}), "gbk"),
    (frozenset({29, 58, 59}), "cp1257"),
    (frozenset({30, 78}), "latin5"),
    (frozenset({32, 64}), "armscii8"),
    (frozenset({33, 76, 83, 223, 576, 577, 578}), "utf8mb3"),
    (frozenset({35, 90, 159, 640, 641, 642}), "ucs2"),
    (frozenset({36, 68}), "cp866"),
    (frozenset({37, 73}), "keybcs2"),
    (frozenset({38, 43}), "macce"),
    (frozenset({39, 53}), "macroman"),
    (frozenset({40, 81}), "cp852"),
    (frozenset({54, 55, 672, 673, 674}), "utf16"),
    (frozenset({56, 62}), "utf16le"),
    (frozenset({57, 67}), "cp1256"),
    (frozenset({60, 61, 736, 737, 738}), "utf32"),
    (frozenset({92, 93}), "geostd8"),
    (frozenset({95, 96}), "cp932"),
    (frozenset({97, 98}), "eucjpms"),
    (range(101, 125), "utf16"),
    (range(128, 152), "ucs2"),
    (range(160, 184), "utf32"),
    (range(192, 216), "utf8mb3"),
    (frozenset({248, 249, 250}), "gb18030"),
    (range(2048, 2304), "utf8mb3"),
    (range(2560, 2816), "ucs2"),
    (range(2816, 3072), "utf16"),
    (range(3072, 3328), "utf32"),
)
"""Ids from 2048 on are the UCA 14.0.0 collations of MariaDB 10.10 and later."""
