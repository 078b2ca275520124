"""MkDocs' hooks: the README is the site's first page, and links are those that work in the repository."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[2]

PLACES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "LICENSE.txt",
}
"""What the site has besides docs/ and the notebooks: the file in the repository, and in the site."""

# The target of a Markdown link or picture, or of an HTML attribute; without a scheme, up to its fragment.
LINK = re.compile(r'(?P<before>\]\(|(?:src|href)=")(?P<path>(?!\w+:)[^)"#\s]+)')


def on_files(files: Any, config: Any) -> Any:
    """Add the files of the top level and the notebooks, which readers download."""
    notebooks = {f"notebooks/{path.name}": None for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    for source in [*PLACES, *notebooks]:
        files.append(File.generated(config, place_of(source), abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between files of the repository into links between those of the site."""
    source = next((source for source, place in PLACES.items() if place == page.file.src_uri), None)
    folder = posixpath.dirname(source or f"docs/{page.file.src_uri}")

    def moved(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match["path"]))
        return match["before"] + posixpath.relpath(place_of(target), posixpath.dirname(page.file.src_uri) or ".")

    return LINK.sub(moved, markdown)


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """Say which language a page is in: browsers choose the shapes of its characters by that."""
    language = re.search(r"\.(\w\w)\.md$", page.file.src_uri)
    return output.replace('<html lang="en"', f'<html lang="{language[1]}"', 1) if language else output


def place_of(source: str) -> str:
    """Where a file of the repository is in the site."""
    return PLACES.get(source, source.removeprefix("docs/"))
