"""What to tell of a result set in which columns have the same name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.mysql.wire.column import Column


def duplicate_names_note(columns: Sequence[Column]) -> str:
    """A note for a result set in which columns have the same name, with the AS to write; "" if none have."""
    places: dict[str, list[Column]] = {}
    for column in columns:
        places.setdefault(column.name, []).append(column)
    repeated = {name: found for name, found in places.items() if len(found) > 1}
    if not repeated:
        return ""
    shown = list(repeated.items())[:_NAMES_IN_NOTE]
    names = ", ".join(f"{len(found)} columns named {name}" for name, found in shown)
    more = f", and {len(repeated) - len(shown)} other names twice" if len(repeated) > len(shown) else ""
    apart = ", ".join(written for name, found in shown for written in _apart(name, found))
    return f"the result has {names}{more}; df[{shown[0][0]!r}] gives all of them. Tell them apart with AS: {apart}."


_NAMES_IN_NOTE = 3


def _apart(name: str, columns: list[Column]) -> list[str]:
    """`table.column AS table_column` for each column; a number where that would be the same name again."""
    taken: set[str] = set()
    written = []
    for place, column in enumerate(columns, 1):
        source = f"{_as_name(column.table)}.{_as_name(column.org_name)}" if column.table and column.org_name else "…"
        alias = f"{column.table}_{name}" if column.table else f"{name}_{place}"
        if alias in taken:
            alias = f"{alias}_{place}"
        taken.add(alias)
        written.append(f"{source} AS {_as_name(alias)}")
    return written


def _as_name(name: str) -> str:
    """A name as SQL has it, in backticks only where it needs them."""
    return name if re.fullmatch(r"[^\W\d]\w*", name) else quote_name(name)
