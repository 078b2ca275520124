"""A plan as JSON → a tree of text.

Read from the top down: of the tables under one node, each is looked at for every row of those above it. Plans differ
between servers and versions: what is not known here is drawn under its own name, so nothing but numbers of internal
interest (`_NOISE`) is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_ACCESS = {
    "ALL": "full scan",
    "index": "scan of index",
    "range": "range of",
    "ref": "lookup in",
    "eq_ref": "unique lookup in",
    "const": "one row by",
    "system": "one row",
    "ref_or_null": "lookup, or NULL, in",
    "fulltext": "full-text search in",
    "index_merge": "several indexes",
    "unique_subquery": "unique lookup in",
    "index_subquery": "lookup in",
}
_LABELS = {
    "block-nl-join": "Join with a buffer",
    "duplicates_removal": "Remove duplicates",
    "filesort": "Sort",
    "grouping_operation": "Group",
    "materialized": "Materialize",
    "materialized_from_subquery": "Materialize",
    "ordering_operation": "Sort",
    "read_sorted_file": "Read the sorted rows",
    "recursive_union": "Recursive union",
    "temporary_table": "Temporary table",
    "union_result": "Union",
    "window_functions_computation": "Window functions",
}
_INLINE = frozenset({"nested_loop", "query_block", "sorts"})
_NOISE = frozenset(
    {
        "access_type", "attached_condition", "buffer_size", "buffer_type", "cost", "cost_info", "data_read_per_join",
        "dependent", "cacheable", "eval_cost", "filtered", "index_condition", "join_type", "key", "key_length", "loops",
        "message", "operation", "possible_keys", "prefix_cost", "r_buffer_size", "r_effective_rows", "r_engine_stats",
        "r_filling_time_ms", "r_filtered", "r_loops", "r_lookups", "r_other_time_ms", "r_output_rows",
        "r_priority_queue_limit", "r_rows", "r_selectivity_pct", "r_sort_mode", "r_sort_passes", "r_table_time_ms",
        "r_total_filtered", "r_total_time_ms", "r_unpack_time_ms", "r_used_priority_queue", "read_cost", "ref", "rows",
        "rows_examined_per_scan", "rows_produced_per_join", "select_id", "selectivity_pct", "sort_key", "table_name",
        "unique", "used_columns", "used_key_parts", "r_index_rows", "r_icp_filtered", "r_limit", "having_condition",
        "query_cost",
    }
)  # fmt: skip


@dataclass(slots=True)
class _Node:
    """A step of the plan: its words, and the steps under it."""

    words: list[str]
    under: list[_Node] = field(default_factory=list)


def draw(plan: str) -> str:
    """The tree of a plan that MariaDB or MySQL has written as JSON; any other text as it is."""
    try:
        parsed = json.loads(plan)
    except ValueError:
        return plan
    if not isinstance(parsed, dict):
        return plan
    try:
        root = _block(parsed, "Query", numbered=False)
    except (AttributeError, TypeError, ValueError):  # of another form than any known: better than an error
        return plan
    return "\n".join(_lines(root))


def _lines(node: _Node) -> Iterator[str]:
    """The node's line, then the tree under it."""
    yield " · ".join(" ".join(word.split()) for word in node.words)
    for place, child in enumerate(node.under, 1):
        is_last = place == len(node.under)
        for number, line in enumerate(_lines(child)):
            start = ("└─ " if is_last else "├─ ") if number == 0 else ("   " if is_last else "│  ")
            yield start + line


def _nodes(item: dict[str, Any]) -> Iterator[_Node]:
    """The steps within a part of the plan, in its order."""
    for key, value in item.items():
        for each in value if isinstance(value, list) else [value]:
            if key in _NOISE or not isinstance(each, dict):
                continue
            yield from _of_key(key, each)


def _of_key(key: str, item: dict[str, Any]) -> Iterator[_Node]:
    if key == "table":
        yield _Node(_table_words(item), list(_nodes(item)))
    elif key == "query_specifications":
        yield _block(item, str(item.get("query_block", item).get("operation") or "Query").capitalize())
    elif key in _INLINE:
        yield from _nodes(item)
    elif key.endswith("subqueries"):
        yield _block(item, "Subquery")
    else:
        yield _Node([_label(key, item), *_step_words(item)], list(_nodes(item)))


def _block(item: dict[str, Any], label: str, *, numbered: bool = True) -> _Node:
    """A query; one within another has the number by which conditions name it."""
    block = item.get("query_block", item)
    number = f" #{block['select_id']}" if numbered and "select_id" in block else ""
    return _Node([f"{label}{number}", *_block_words(block)], list(_nodes(block)))


def _label(key: str, item: dict[str, Any]) -> str:
    label = _LABELS.get(key, key.replace("_", " ").capitalize())
    sort_key, index = item.get("sort_key"), item.get("key")
    return f"{label} by {sort_key}" if sort_key else f"{label} of {index}" if index else label


def _block_words(block: dict[str, Any]) -> list[str]:
    having = block.get("having_condition")
    cost = block.get("cost_info", {}).get("query_cost")
    return [
        *([f"having {having}"] if having else []),
        *([f"cost {cost}"] if cost else []),
        *([str(block["message"])] if block.get("message") else []),
        *_time(block, "r_total_time_ms"),
        *_others(block),
    ]


def _step_words(item: dict[str, Any]) -> list[str]:
    loops = item.get("r_loops")
    output = item.get("r_output_rows")
    condition = item.get("attached_condition")
    return [
        *([f"limit {_number(item['r_limit'])}"] if item.get("r_limit") is not None else []),
        *([_row_count(output)] if output is not None else []),
        *([f"× {_number(loops)} loops"] if loops is not None and loops > 1 else []),
        *_time(item, "r_total_time_ms", "r_unpack_time_ms", "r_other_time_ms"),
        *_others(item),
        *([f"where {condition}"] if condition else []),
    ]


def _table_words(table: dict[str, Any]) -> list[str]:
    if "table_name" not in table:
        return [str(table.get("message", "no table")), *_others(table)]
    conditions = [table[key] for key in ("index_condition", "attached_condition") if table.get(key)]
    kept = table.get("r_filtered", table.get("filtered"))
    return [
        f"{table['table_name']}: {_access(table)}",
        *_rows(table),
        *([f"keeps {_number(kept)}%"] if kept is not None and float(kept) < 99.95 else []),
        *_time(table, "r_table_time_ms", "r_other_time_ms"),
        *([str(table["message"])] if table.get("message") else []),
        *_others(table),
        *([f"where {condition}" for condition in conditions]),
    ]


def _access(table: dict[str, Any]) -> str:
    kind = str(table.get("access_type", ""))
    words = _ACCESS.get(kind, kind)
    key, parts, refs = table.get("key"), table.get("used_key_parts") or [], table.get("ref") or []
    name = f" {key}" if key and kind not in ("ALL", "system") else ""
    on = ", ".join(f"{part} = {ref}" for part, ref in zip(parts, refs, strict=False)) or ", ".join(map(str, parts))
    return f"{words}{name}{f' ({on})' if on and on != key else ''}"


def _rows(table: dict[str, Any]) -> list[str]:
    """`4,000 rows expected`, or with --analyze what came: `9.09 rows (12 expected) × 803 loops`."""
    expected = table.get("rows", table.get("rows_examined_per_scan"))
    if "r_loops" not in table:
        return [] if expected is None else [f"about {_row_count(expected)}"]
    loops = table["r_loops"]
    if not loops:
        return ["never run"] if table.get("access_type") not in ("const", "system") else []
    came = _row_count(table.get("r_rows") or 0)
    told = "" if expected is None else f" ({_number(expected)} expected)"
    return [came + told + (f" × {_number(loops)} loops" if loops > 1 else "")]


def _time(item: dict[str, Any], *keys: str) -> list[str]:
    times = [float(item[key]) for key in keys if item.get(key) is not None]
    return [f"{sum(times):,.1f} ms"] if times and sum(times) >= 0.05 else []


def _others(item: dict[str, Any]) -> list[str]:
    """What is not known here, by its own name: flags that are on, texts, numbers."""
    words = []
    for key, value in item.items():
        if key in _NOISE or isinstance(value, (dict, list)) or value is None or value is False:
            continue
        name = key.replace("_", " ")
        words.append(name if value is True else f"{name} {value}")
    return words


def _row_count(value: Any) -> str:
    return f"{_number(value)} row{'' if float(value) == 1 else 's'}"


def _number(value: Any) -> str:
    number = float(value)
    if number >= 100 or number == int(number):
        return f"{number:,.0f}"
    return f"{number:,.3g}"
