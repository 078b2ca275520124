"""Counts and sizes as people read them."""

from __future__ import annotations


def count_of(number: int, what: str) -> str:
    """A count with its noun: `1 row`, `2,000 rows`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def bytes_text(size: float) -> str:
    """A size in decimal units: `200 MB`, `1.5 GB`."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
