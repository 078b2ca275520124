"""Columns as the server describes them; names in a character set that only all of the descriptions tell; no server."""

import pytest

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.wire.charsets import Announced
from rds_iam_magic.mysql.wire.column import Column, columns_of
from tests.support.packets import DECIMAL, INT, TEXT, column, definition, encoded

LATIN1, BINARY, UTF8 = 8, 63, 45


def described(name, charset=LATIN1, catalog=b"def"):
    names = b"".join(map(encoded, [catalog, b"s", b"t", b"o", name, name]))
    return names + b"\x0c" + bytes([charset, 0, 80, 0, 0, 0, TEXT, 0, 0, 0, 0, 0])


def test_each_field():
    (made,) = columns_of([definition(column("a", DECIMAL, flags=0x21, decimals=2, length=14))], Announced())
    assert made == Column("a", DECIMAL, UTF8, 14, 0x21, 2, org_name="a", table="t", org_table="t", schema="s")


@pytest.mark.parametrize("flags", [0, 1, 0x20, 0x21])
def test_flags(flags):
    made = column("a", INT, flags=flags)
    assert (made.nullable, made.unsigned) == (not flags & 1, bool(flags & 0x20))


@pytest.mark.parametrize(("charset", "binary"), [(BINARY, True), (UTF8, False)])
def test_binary(charset, binary):
    assert column("a", TEXT, charset=charset).binary == binary


def test_names_are_read_by_what_all_columns_tell():
    """The column of numbers has the binary set; that of text next to it says which one the names are in."""
    columns = columns_of([described(b"gr\xf6\xdfe", BINARY), described(b"b", LATIN1)], Announced())
    assert [each.name for each in columns] == ["größe", "b"]


def test_names_in_utf8_stay_that():
    (made,) = columns_of([described("größe".encode(), LATIN1)], Announced())
    assert made.name == "größe"


def test_a_wide_set_shows_in_the_catalog():
    """`SET character_set_results = utf16`: even "def" comes in it."""
    (wide,) = columns_of([described("ä".encode("utf-16-be"), 54, "def".encode("utf-16-be"))], Announced())
    assert wide.name == "ä"
    assert wide.wide.decode(b"\0a") == "a"
    (narrow,) = columns_of([described(b"a")], Announced())
    assert narrow.wide is None


@pytest.mark.parametrize("end", range(len(definition(column()))))
def test_a_description_that_breaks_off(end):
    data = definition(column())
    if end >= len(data) - 2:  # two bytes of filling that nobody reads
        assert columns_of([data[:end]], Announced()) == columns_of([data], Announced())
        return
    with pytest.raises(ProtocolError):
        columns_of([data[:end]], Announced())


def test_too_few_bytes_behind_the_names():
    data = bytearray(definition(column()))
    data[data.index(b"\x0c")] = 11
    with pytest.raises(ProtocolError, match="truncated column definition"):
        columns_of([bytes(data)], Announced())
