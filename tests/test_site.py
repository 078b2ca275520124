"""The documents as a site, built as `make site` does: every link leads somewhere, nothing is fetched from elsewhere."""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytestmark = pytest.mark.slow  # builds the site

ROOT = Path(__file__).parents[1]


class Page(HTMLParser):
    """What a page links to, what it loads by itself, which places it has, and the texts of its paragraphs."""

    def __init__(self, path: Path):
        super().__init__()
        self.links, self.loaded, self.ids, self.paragraphs = [], [], set(), []
        self._in_paragraph = False
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.ids.update(filter(None, [values.get("id"), values.get("name")]))
        target = values.get("href") or values.get("src")
        if target:
            self.links.append(target)
            if tag not in ("a", "area"):
                self.loaded.append(target)
        if tag == "p":
            self._in_paragraph = True
            self.paragraphs.append("")

    def handle_endtag(self, tag):
        if tag == "p":
            self._in_paragraph = False

    def handle_data(self, data):
        if self._in_paragraph:
            self.paragraphs[-1] += data


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", "docs/site/mkdocs.yml", "-d", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in site.glob("*.html") if path.name != "404.html"}  # that one has no place


def test_every_page_is_there(site, pages):
    written = {f"{path.stem}.html" for path in (ROOT / "docs").glob("*.md")}
    assert {path.name for path in pages} == written | {"index.html", "changelog.html", "contributing.html"}
    assert 'lang="ja"' in (site / "quickstart.ja.html").read_text("utf-8")


def test_every_link_leads_somewhere(pages):
    lost = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.scheme:
                continue
            if not target.exists() or (parts.fragment and target in pages and not is_in(pages[target], parts.fragment)):
                lost.append(f"{path.name}: {link}")
    assert lost == []


def is_in(page, fragment):
    return unquote(fragment) in page.ids


def test_nothing_is_loaded_from_elsewhere(site, pages):
    for path, page in pages.items():
        assert [target for target in page.loaded if urlsplit(target).netloc] == [], path.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import )['\"]?(https?:)?//", sheet.read_text("utf-8")), sheet.name


def test_lists_are_lists(pages):
    """Markdown on GitHub takes a list without an empty line before it; here it would be running text."""
    assert {path.name: text for path, page in pages.items() for text in page.paragraphs if "\n- " in text} == {}


def test_pictures_are_small_and_used(pages):
    used = {posixpath.basename(target) for page in pages.values() for target in page.loaded}
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 200_000, picture.name
        assert picture.name in used, picture.name
