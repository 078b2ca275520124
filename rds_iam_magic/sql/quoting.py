"""Quotes the user's strings and names for SQL; they never get into SQL in any other way."""

from __future__ import annotations


def quote_text(text: str) -> str:
    """A string literal that means the same in every SQL mode."""
    return f"_utf8mb4 X'{text.encode().hex()}'"


def quote_name(name: str) -> str:
    """A name as a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"
