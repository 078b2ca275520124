"""Dataclasses from lines."""

from dataclasses import make_dataclass

import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook import grammars
from rds_iam_magic.notebook.fields import read_fields
from rds_iam_magic.option import option, options_of


def test_a_new_field_is_a_new_option():
    """Nothing but the field is needed for the magic's line."""
    kind = make_dataclass(
        "More",
        [
            ("word", str | None, option(None, "A word.", metavar="WORD")),
            ("count", int | None, option(None, "A count.", metavar="N")),
            ("wide_open", bool | None, option(None, "It is on.", off_text="It is off.")),
        ],
        frozen=True,
    )
    items = tuple(grammars.options_from(options_of(kind)))
    assert [item.spelling for item in items] == ["--word WORD", "--count N", "--wide-open", "--no-wide-open"]
    line = grammars.Grammar("%more", ("",), "", items).parse("--count 3 --no-wide-open")
    assert read_fields(kind, line) == kind(word=None, count=3, wide_open=False)
    with pytest.raises(OptionError, match="exclude each other"):
        read_fields(kind, grammars.Grammar("%more", ("",), "", items).parse("--wide-open --no-wide-open"))
    with pytest.raises(OptionError, match="--count"):
        read_fields(kind, grammars.Grammar("%more", ("",), "", items).parse("--count three"))
