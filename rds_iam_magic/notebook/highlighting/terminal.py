"""Colours SQL cells in IPython's terminal, and leaves them to IPython again.

IPython makes an `IPythonPTLexer` for each prompt, and lexes the text after each key: so its method is what is replaced.
Whatever fails here, or would take long, is left to IPython or shown without colours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from rds_iam_magic.notebook.highlighting.cell import lines_before_sql

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples

Line: TypeAlias = "Callable[[int], StyleAndTextTuples]"
"""The number of a line → its parts, each a style and a text."""

LONG, VERY_LONG = 10_000, 50_000
"""Characters of SQL from which on it is not lexed from its beginning after each key, and not at all."""


class Highlighting:
    """Colours in a shell, between `begin` and `end`.

    Args:
        shell: The shell; nothing happens in one that is not IPython's terminal.
        is_on: Returns whether SQL is coloured now.
    """

    def __init__(self, shell: InteractiveShell, is_on: Callable[[], bool]) -> None:
        self._is_terminal = getattr(shell, "pt_app", None) is not None
        self._is_on = is_on
        self._undo: Callable[[], None] | None = None

    def begin(self) -> None:
        """Colour SQL cells from now on."""
        if self._is_terminal and self._undo is None:
            self._undo = _install(self._is_on)

    def end(self) -> None:
        """Leave all cells to IPython again."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()


def _install(is_on: Callable[[], bool]) -> Callable[[], None]:
    from IPython.terminal.ptutils import IPythonPTLexer

    kind = cast("Any", IPythonPTLexer)
    theirs = kind.lex_document
    is_installed = True

    def lex_document(self: Any, document: Document) -> Line:
        def python(part: Document) -> Line:
            return cast("Line", theirs(self, part))

        try:
            line = lexed(document, python) if is_installed and is_on() else None
        except Exception:  # noqa: BLE001 - colours must not keep anybody from typing
            line = None
        return python(document) if line is None else line

    kind.lex_document = lex_document

    def uninstall() -> None:
        nonlocal is_installed
        is_installed = False  # where another extension has put its own before ours, that goes on without us
        if kind.lex_document is lex_document:
            kind.lex_document = theirs

    return uninstall


def lexed(document: Document, python: Callable[[Document], Line]) -> Line | None:
    """The lines of a cell, if it is one of SQL: those up to the magic's as `python` has them, then SQL."""
    before = lines_before_sql(document.text)
    if before is None:
        return None
    from prompt_toolkit.document import Document

    lines = document.lines
    above = python(Document("\n".join(lines[:before])))
    below = _sql(Document("\n".join(lines[before:])))

    def line(number: int) -> StyleAndTextTuples:
        try:
            return above(number) if number < before else below(number - before)
        except Exception:  # noqa: BLE001 - as above
            return [("", lines[number])] if number < len(lines) else []

    return line


def _sql(body: Document) -> Line:
    from prompt_toolkit.lexers import PygmentsLexer, SimpleLexer
    from pygments.lexers.sql import MySqlLexer

    if len(body.text) > VERY_LONG:
        return SimpleLexer().lex_document(body)
    return PygmentsLexer(MySqlLexer, sync_from_start=len(body.text) <= LONG).lex_document(body)
