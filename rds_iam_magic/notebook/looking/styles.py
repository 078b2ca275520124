"""How what was looked at is shown; the values stay as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rds_iam_magic.notebook.showing.whole import Style
from rds_iam_magic.wording import bytes_text

_LONGEST = 40  # characters of a value among the most frequent ones


def _plain(value: Any) -> str:
    """A number with as many digits as can be read; anything else as it is."""
    if isinstance(value, float):
        return f"{value:,.6g}"
    return repr(value) if isinstance(value, bytes) else str(value)


def _count(value: int) -> str:
    return f"{value:,}"


def _top(values: list[tuple[Any, int]]) -> str:
    return " · ".join(f"{_short(_plain(value))} ({count:,})" for value, count in values)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _no_default(row: Mapping[str, str | None]) -> Collection[str]:
    """A column that may be NULL has the default NULL, if no other; one that may not has none."""
    return ("default",) if row["null"] == "NO" else ()


PLAIN = Style(index=False)
BLANK = Style(index=False, null="")
COLUMNS = Style(index=False, blank=_no_default)
TABLES = Style(formats={"rows_estimate": _count, "bytes": bytes_text}, index=False, null="")
PREVIEW = Style(index=False, longest=1000)
PROFILE = Style(
    formats={
        **dict.fromkeys(("min", "25%", "50%", "75%", "max", "mean"), _plain),
        **dict.fromkeys(("count", "nulls", "distinct"), _count),
        "top": _top,
    },
    index=False,
    null="",
)
