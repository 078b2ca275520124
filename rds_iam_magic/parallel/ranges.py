"""Boundaries of a key, and the conditions of the parts between them: each row meets one."""

from __future__ import annotations

from itertools import pairwise

from rds_iam_magic.parallel.divisible import statement_of
from rds_iam_magic.parallel.key import Ask, Key


def conditions(key: Key, boundaries: list[str]) -> list[str]:
    """The condition of each part; "" for one part that has all rows. NULL keys go with the first part."""
    if not boundaries:
        return [""]
    first = f"({key.compared} < {boundaries[0]} OR {key.compared} IS NULL)"
    between = [f"{key.compared} >= {low} AND {key.compared} < {high}" for low, high in pairwise(boundaries)]
    return [first, *between, f"{key.compared} >= {boundaries[-1]}"]


def find_boundaries(key: Key, sql: str, n: int, ask: Ask) -> list[str]:
    """At most n - 1 ascending boundaries, as SQL, between parts of about as many rows.

    Args:
        key: The key.
        sql: The query.
        n: The number of parts.
        ask: Runs queries.
    """
    if n == 1 or not key.read:
        return []
    if key.is_integer:
        ((count, low, high),) = ask(statement_of(sql, select=f"COUNT({key.read}), MIN({key.read}), MAX({key.read})"))
        if count and key.is_unique and high - low < 2 * count:
            return _even(low, high, n)
    else:
        ((count,),) = ask(statement_of(sql, select=f"COUNT({key.compared})"))
    return _ascending(_quantiles(key, sql, -(-count // n), n, ask), ask) if count else []


def _even(low: int, high: int, n: int) -> list[str]:
    """Boundaries at even distances, for numbers without large gaps."""
    width = high - low + 1
    inner = sorted({low + width * place // n for place in range(1, n)} - {low})
    return [str(number) for number in inner]


def _quantiles(key: Key, sql: str, step: int, n: int, ask: Ask) -> list[str]:
    """Every `step`-th value in the server's order, each looked for from the last one on: the key is read once."""
    low = _first(key, sql, f"{key.compared} IS NOT NULL", 0, ask)
    boundaries: list[str] = []
    while low and len(boundaries) < n - 1:
        boundary = _first(key, sql, f"{key.compared} >= {low}", step, ask)
        if boundary == low:  # so many rows have this key that it fills a part
            boundary = _first(key, sql, f"{key.compared} > {low}", 0, ask)
        if not boundary or boundary == low:
            break
        boundaries.append(boundary)
        low = boundary
    return boundaries


def _first(key: Key, sql: str, where: str, offset: int, ask: Ask) -> str:
    then = f"ORDER BY {key.compared} LIMIT 1 OFFSET {offset}"
    rows = ask(statement_of(sql, where, select=key.read, then=then))
    return key.literal(str(rows[0][0])) if rows else ""


def _ascending(boundaries: list[str], ask: Ask) -> list[str]:
    """Without those that are not above the one before, as the server compares: it sorts long texts by their beginning.

    They may also have been rounded, or shortened.
    """
    while len(boundaries) > 1:
        pairs = pairwise(boundaries)
        (row,) = ask("SELECT " + ", ".join(f"{low} < {high} AS c{i}" for i, (low, high) in enumerate(pairs)))
        if all(row):
            break
        boundaries = [boundaries[0], *(b for b, ascends in zip(boundaries[1:], row, strict=True) if ascends)]
    return boundaries
