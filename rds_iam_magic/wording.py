"""Counts, sizes and durations as people read them."""

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


def duration_text(seconds: float) -> str:
    """A duration: `4 ms`, `0.6 s`, `12 s`, `2 min 5 s`, `1 h 2 min`."""
    if seconds < 0.0995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def limit_text(seconds: float) -> str:
    """A time limit as it was given: `5 s`, `2.5 s`, also for what is left of it after some microseconds."""
    return f"{round(seconds, 1) or seconds:g} s"
