"""The quickstart in two languages: the same code, headings and links, so that neither lags behind the other."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [(DOCS / name).read_text("utf-8") for name in ("quickstart.md", "quickstart.ja.md")]


def same(pattern):
    english, japanese = (re.findall(pattern, page, re.MULTILINE | re.DOTALL) for page in PAGES)
    return english == japanese and len(english) > 0


def test_the_code_is_the_same():
    assert same(r"^( *)```(\w*)\n(.*?)^ *```$")


def test_the_structure_is_the_same():
    assert same(r"^(#+) ")
    assert same(r"^(1\.|2\.|3\.|4\.|-) ")


def test_the_pictures_and_pages_are_the_same():
    english, japanese = (set(re.findall(r"\]\((\S+?)\)", page)) for page in PAGES)
    assert english - {"quickstart.ja.md"} == japanese - {"quickstart.md"}
    assert all((DOCS / target).exists() for target in english | japanese)
