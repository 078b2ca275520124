"""The character sets of MariaDB, by the shape of their characters."""

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
