"""Hints that ask whether another name was meant: the existing name nearest to one that the server does not know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from rds_iam_magic.errors import RdsIamError
from rds_iam_magic.mysql.wire.events import ServerError
from rds_iam_magic.sql.functions import BUILT_IN
from rds_iam_magic.sql.quoting import quote_name, quote_text
from rds_iam_magic.sql.statement import Statement
from rds_iam_magic.sql.tables import table_references

Fetch = Callable[[str], list[list[str | None]]]

COLUMN, TABLE, DATABASE, FUNCTION, PROCEDURE = "column", "table", "database", "function", "procedure"
_KINDS = {1044: DATABASE, 1049: DATABASE, 1051: TABLE, 1054: COLUMN, 1072: COLUMN, 1146: TABLE}
_NO_ROUTINE, _DENIED = 1305, 1142
_QUOTED = re.compile(r"'([^']+)'")
_DENIED_TABLE = re.compile(r"for table (?:`([^`]+)`\.`([^`]+)`|'([^']+)')")
_ROUTINE = re.compile(r"\b(FUNCTION|PROCEDURE) (?:([^\s.]+)\.)?([^\s.]+)")
_MOST_TABLES = 16
_MOST_NAMES = 10_000
_NAMES_OF_DATABASES = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA LIMIT 10000"


class Missing(NamedTuple):
    """A name that the server does not know: its kind, the name, and its qualifiers."""

    kind: str
    name: str
    qualifiers: tuple[str, ...] = ()


def not_found(event: ServerError) -> Missing | None:
    """The missing name that an error reports; None if the error is about something else."""
    if event.code == _NO_ROUTINE:
        routine = _ROUTINE.search(event.message)
        if routine is None:
            return None
        return Missing(routine[1].lower(), routine[3], (routine[2],) if routine[2] else ())
    if event.code == _DENIED:  # to a user without a right on the schema, a missing table is "denied"
        table = _DENIED_TABLE.search(event.message)
        if table is None:
            return None
        return Missing(TABLE, table[2] or table[3], (table[1],) if table[1] else ())
    kind = _KINDS.get(event.code)
    quoted = _QUOTED.findall(event.message)
    if kind is None or not quoted:
        return None
    if kind == DATABASE:  # 1044 names the user first; to most users a missing database is "denied"
        return Missing(kind, quoted[-1])
    *qualifiers, name = quoted[0].split(",")[0].split(".")
    return Missing(kind, name, tuple(qualifiers))


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The candidate nearest to a name; "" if none is near enough."""
    wanted = name.lower()
    allowed = min(3, (len(wanted) + 2) // 4) if len(wanted) > 2 else 0
    best, best_name = (allowed + 1, False, 0.0), ""
    for candidate in sorted(set(candidates) - {name}):
        lowered = candidate.lower()
        if abs(len(lowered) - len(wanted)) > allowed:
            continue
        # Among equally distant ones, prefer the same letters, then the longest common parts.
        alike = SequenceMatcher(None, wanted, lowered).ratio()
        far = (_distance(wanted, lowered), sorted(wanted) != sorted(lowered), -alike)
        if far[0] <= allowed and far < best:
            best, best_name = far, candidate
    return best_name


def nearest_name_hint(event: ServerError, statement: Statement, database: str | None, fetch: Fetch) -> str:
    """A "Did you mean …?" hint for a name that the server does not know; "" without a guess.

    Args:
        event: The server's error.
        statement: The refused statement.
        database: The default schema.
        fetch: Runs a query and returns its rows as strings, on another session so that this one is not affected.
    """
    missing = not_found(event)
    if missing is None:
        return ""
    try:
        candidates = set(_candidates(missing, statement, database, fetch))
        if missing.kind == TABLE and missing.qualifiers and not candidates:  # perhaps it is the schema
            missing = Missing(DATABASE, missing.qualifiers[-1])
            candidates = set(_candidates(missing, statement, database, fetch))
    except RdsIamError:  # a hint is not worth an error of its own
        return ""
    if event.code == _DENIED and missing.name in candidates:
        return ""
    name = nearest(missing.name, candidates)
    return f"Did you mean {quote_name(name)}?" if name else ""


def _candidates(missing: Missing, statement: Statement, database: str | None, fetch: Fetch) -> Iterator[str]:
    if missing.kind == COLUMN:
        queries = _columns(missing, statement, database)
    elif missing.kind == DATABASE:
        queries = [_NAMES_OF_DATABASES]
    else:
        schema = missing.qualifiers[-1] if missing.qualifiers else database
        queries = [_in_schema(missing.kind, schema)] if schema else []
    if missing.kind == FUNCTION:
        yield from BUILT_IN
    for query in queries:
        yield from (row[0] for row in fetch(query) if row and row[0])


def _in_schema(kind: str, schema: str) -> str:
    if kind == TABLE:
        what, where = "TABLE_NAME FROM information_schema.TABLES", f"TABLE_SCHEMA = {quote_text(schema)}"
    else:
        what = "ROUTINE_NAME FROM information_schema.ROUTINES"
        where = f"ROUTINE_SCHEMA = {quote_text(schema)} AND ROUTINE_TYPE = '{kind.upper()}'"
    return f"SELECT {what} WHERE {where} LIMIT {_MOST_NAMES}"


def _columns(missing: Missing, statement: Statement, database: str | None) -> list[str]:
    """One query per table: the server looks a single table up by name, but opens every table for a list."""
    tables = list(dict.fromkeys(table_references(statement.tokens)))
    if missing.qualifiers:
        wanted = missing.qualifiers[-1].lower()
        tables = [t for t in tables if wanted in (t.alias.lower(), t.name.lower())] or tables
    return [
        "SELECT COLUMN_NAME FROM information_schema.COLUMNS "  # noqa: S608 - quoted texts
        f"WHERE TABLE_SCHEMA = {quote_text(table.schema or database or '')} AND TABLE_NAME = {quote_text(table.name)}"
        for table in tables[:_MOST_TABLES]
        if table.schema or database
    ]


def _distance(one: str, other: str) -> int:
    """The Damerau-Levenshtein distance: insertions, deletions, substitutions and transpositions of neighbours."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, character in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            least = min(row[-1] + 1, before[j] + 1, before[j - 1] + (character != wanted))
            if i > 1 and j > 1 and character == other[j - 2] and wanted == one[i - 2]:
                least = min(least, last[j - 2] + 1)
            row.append(least)
    return row[-1]
