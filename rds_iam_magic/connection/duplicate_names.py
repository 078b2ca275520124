"""The note about a result set with duplicate column names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.mysql.wire.column import Column


def duplicate_names_note(columns: Sequence[Column]) -> str:
    """A note for a result set with duplicate column names, with the AS to write; "" without duplicates."""
    by_name: dict[str, list[Column]] = {}
    for column in columns:
        by_name.setdefault(column.name, []).append(column)
    repeated = {name: same for name, same in by_name.items() if len(same) > 1}
    if not repeated:
        return ""
    named = list(repeated.items())[:_NAMES_IN_NOTE]
    names = ", ".join(f"{len(same)} columns named {name}" for name, same in named)
    more = f", and {len(repeated) - len(named)} other names twice" if len(repeated) > len(named) else ""
    apart = ", ".join(written for name, same in named for written in _apart(name, same))
    return f"the result has {names}{more}; df[{named[0][0]!r}] selects all of them. Rename them with AS: {apart}."


_NAMES_IN_NOTE = 3


def _apart(name: str, columns: list[Column]) -> list[str]:
    """`table.column AS table_column` for each column, numbered where that alias is already used."""
    aliases: set[str] = set()
    renamings = []
    for number, column in enumerate(columns, 1):
        source = f"{_as_name(column.table)}.{_as_name(column.org_name)}" if column.table and column.org_name else "…"
        alias = f"{column.table}_{name}" if column.table else f"{name}_{number}"
        if alias in aliases:
            alias = f"{alias}_{number}"
        aliases.add(alias)
        renamings.append(f"{source} AS {_as_name(alias)}")
    return renamings


def _as_name(name: str) -> str:
    """A name in SQL, quoted with backticks only if needed."""
    return name if re.fullmatch(r"[^\W\d]\w*", name) else quote_name(name)
