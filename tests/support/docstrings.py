"""Google-style docstrings, taken apart: for the tests of what they say, and for the reference."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_SECTIONS = ("Args", "Attributes", "Raises", "Example")


@dataclass(frozen=True)
class Docstring:
    """The paragraphs, and the sections with what they name."""

    paragraphs: list[str]
    sections: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, str]:
        """What each argument does."""
        return self.sections.get("Args", {})


def read_docstring(documented: object) -> Docstring:
    """The docstring of a class or function, each text on one line."""
    blocks = re.split(rf"^({'|'.join(_SECTIONS)}):\n", inspect.getdoc(documented) or "", flags=re.MULTILINE)
    paragraphs = [" ".join(text.split()) for text in blocks[0].split("\n\n") if text.strip()]
    named = zip(blocks[1::2], blocks[2::2], strict=True)
    return Docstring(paragraphs, {section: _entries(body) for section, body in named if section != "Example"})


def _entries(body: str) -> dict[str, str]:
    """`name: text` and its continuation, which is indented further."""
    entries = re.findall(r"^ {4}(\S[^:]*): (.*(?:\n {5,}.*)*)", body, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
