"""Texts and names of the user's as parts of SQL; nothing of theirs is ever put into SQL in another way."""

from __future__ import annotations


def quote_text(text: str) -> str:
    """A text as a literal that no SQL mode reads differently."""
    return f"_utf8mb4 X'{text.encode().hex()}'"


def quote_name(name: str) -> str:
    """A name as a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"
