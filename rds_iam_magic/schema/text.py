"""`Text`: a text that a notebook shows with its line breaks, such as a CREATE TABLE or a plan."""

from __future__ import annotations

from html import escape
from typing import Any


class Text(str):
    """A str; IPython shows it as `print` does, and notebooks do not break its lines."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's signature
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return f'<pre style="margin: 0; white-space: pre; overflow-x: auto">{escape(self)}</pre>'
