"""Plans as JSON → trees of text. The plans are MariaDB 10.11's and MySQL 5.7's own, shortened."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.schema.plan import draw


def drawn(block):
    return draw(json.dumps({"query_block": block})).splitlines()


def table(name, kind="ALL", **more):
    return {"table": {"table_name": name, "access_type": kind, **more}}


def test_tables_follow_each_other_under_the_steps_above_them():
    joined = [
        table("c", rows=4000, filtered=20.3125, attached_condition="c.country = 'JP'"),
        table("o", "ref", key="customer_id", used_key_parts=["customer_id"], ref=["shop.c.id"], rows=12, filtered=100),
        table("p", "const", key="PRIMARY", used_key_parts=["id"], ref=["const"], rows=1, using_index=True),
    ]
    block = {"select_id": 1, "filesort": {"sort_key": "count(0) desc", "temporary_table": {"nested_loop": joined}}}
    assert drawn(block) == [
        "Query",
        "└─ Sort by count(0) desc",
        "   └─ Temporary table",
        "      ├─ c: full scan · about 4,000 rows · keeps 20.3% · where c.country = 'JP'",
        "      ├─ o: lookup in customer_id (customer_id = shop.c.id) · about 12 rows",
        "      └─ p: one row by PRIMARY (id = const) · about 1 row · using index",
    ]


def test_what_an_analyzed_query_took():
    looked_up = table(
        "o", "ref", key="customer_id", rows=12, r_loops=803, r_rows=9.087, r_table_time_ms=15.6, r_other_time_ms=0.7,
        filtered=49.0, r_filtered=100, rowid_filter={"range": {"key": "ordered_at"}, "rows": 24497},
    )  # fmt: skip
    never = table("l", "ref", key="PRIMARY", rows=1, r_loops=0, r_rows=None)
    block = {"r_loops": 1, "r_total_time_ms": 30.81, "nested_loop": [looked_up, never]}
    assert drawn(block) == [
        "Query · 30.8 ms",
        "├─ o: lookup in customer_id · 9.09 rows (12 expected) × 803 loops · 16.3 ms",
        "│  └─ Rowid filter",
        "│     └─ Range of ordered_at",
        "└─ l: lookup in PRIMARY · never run",
    ]


def test_queries_within_the_query_have_the_numbers_that_conditions_name():
    inner = {"query_block": {"select_id": 2, "nested_loop": [table("p", rows=24)]}}
    first = {"select_id": 1, "nested_loop": [table("p", rows=24, attached_condition="p.price > (subquery#2)")]}
    second = {"select_id": 3, "operation": "UNION", "having_condition": "n > 3", "table": {"message": "No tables used"}}
    union = {"table_name": "<union1,3>", "query_specifications": [
        {"query_block": {**first, "subqueries": [inner]}}, {"query_block": second},
    ]}  # fmt: skip
    assert drawn({"union_result": union}) == [
        "Query",
        "└─ Union",
        "   ├─ Query #1",
        "   │  ├─ p: full scan · about 24 rows · where p.price > (subquery#2)",
        "   │  └─ Subquery #2",
        "   │     └─ p: full scan · about 24 rows",
        "   └─ Union #3 · having n > 3",
        "      └─ No tables used",
    ]


def test_mysqls_own_names():
    scanned = {
        **table("o", rows_examined_per_scan=50_000, rows_produced_per_join=5000, filtered="10.00")["table"],
        "cost_info": {"read_cost": "1", "eval_cost": "2", "prefix_cost": "3", "data_read_per_join": "1M"},
        "used_columns": ["id"],
        "attached_condition": "(`shop`.`o`.`status` = 'open')",
        "attached_subqueries": [{"dependent": False, "query_block": {"select_id": 2, "message": "no matching row"}}],
    }
    block = {
        "select_id": 1,
        "cost_info": {"query_cost": "10.5"},
        "ordering_operation": {"using_filesort": True, "grouping_operation": {"table": scanned}},
    }
    assert drawn(block) == [
        "Query · cost 10.5",
        "└─ Sort · using filesort",
        "   └─ Group",
        "      └─ o: full scan · about 50,000 rows · keeps 10% · where (`shop`.`o`.`status` = 'open')",
        "         └─ Subquery #2 · no matching row",
    ]


def test_what_is_not_known_has_its_own_name():
    block = {"brand_new-step": {"speed": 7, "hidden": None, "off": False, "on": True, "table": {"table_name": "t"}}}
    assert drawn(block) == ["Query", "└─ Brand new-step · speed 7 · on", "   └─ t:"]


def test_a_condition_of_several_lines_is_one():
    assert (
        drawn({"nested_loop": [table("t", attached_condition="a = 1\n  or b")]})[1]
        == "└─ t: full scan · where a = 1 or b"
    )


@pytest.mark.parametrize("text", ["-> Table scan on t", "[]", "5", "{", ""])
def test_what_is_no_plan_stays_as_it_is(text):
    assert draw(text) == text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**12) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["nested_loop", "filesort", "query_block", "subqueries", "x"]), inner, max_size=3
        )
    ),
)


@given(plan=st.dictionaries(st.sampled_from(["query_block", "nested_loop", "materialized", "x"]), VALUES, max_size=3))
def test_any_plan_is_drawn_or_stays_as_it_is(plan):
    text = json.dumps(plan)
    assert draw(text) == text or draw(text).startswith("Query")
