"""A grant's tokens."""

import pytest

from rds_iam_magic.setup.grants.reader import Reader, UnreadableError


def test_words_names_and_marks():
    reader = Reader("  select On `a``b` . \"c\"\"d\" 'it''s' ")
    assert reader.words("ON") == ["select"]
    assert reader.has("ON")
    assert reader.name() == ("a`b", True)
    assert reader.has_mark(".")
    assert reader.name() == ('c"d', True)
    assert not reader.ended
    assert reader.name(texts=True) == ("it's", True)
    assert reader.ended


def test_what_does_not_come_is_not_read():
    reader = Reader("WITH GRANT OPTION")
    assert not reader.has("WITH", "ADMIN")
    assert not reader.has_mark(",")
    assert reader.find("GRANT", "OPTION")
    assert reader.ended
    reader.place = 0
    assert not reader.find("ADMIN", "OPTION")
    assert reader.has("WITH")


def test_quoted_words_are_no_keywords():
    assert not Reader("`WITH` `GRANT` `OPTION`").find("GRANT", "OPTION")


@pytest.mark.parametrize("text", ["`open", "'open", '"open', "a = b", "a /* b */", "a\\b", "\x00"])
def test_what_has_no_place_in_a_grant(text):
    with pytest.raises(UnreadableError):
        Reader(text)
