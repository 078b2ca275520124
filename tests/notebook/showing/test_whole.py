"""What SHOW, DESCRIBE, EXPLAIN give is shown whole; the value stays the plain DataFrame that it is."""

import gc
import re

import pandas as pd
import polars
import pyarrow as pa
import pytest

from rds_iam_magic.notebook.showing.whole import MOST_ROWS, Grid, as_html, as_text

pytestmark = pytest.mark.slow  # servers and kernels


def test_show_create_table(connected):
    value = connected.ok("%rds_sql SHOW CREATE TABLE orders").value
    created = value.iloc[0, 1]
    assert len(created.splitlines()) > 10
    text, page = connected.shown(value)
    assert created in text
    assert re.search(rf"<pre[^>]*>{re.escape(created)}</pre>", page)
    assert "\\n" not in text + page


def test_explain_as_json(connected):
    value = connected.ok("%rds_sql EXPLAIN FORMAT=JSON SELECT * FROM orders WHERE id < 9").value
    text, page = connected.shown(value)
    assert value.iloc[0, 0] in text
    assert value.iloc[0, 0] in page


@pytest.mark.parametrize(
    "sql", ["SHOW TABLES FROM information_schema", "DESCRIBE information_schema.COLUMNS", "SHOW VARIABLES"]
)
def test_every_row_and_value(connected, sql):
    value = connected.ok(f"%rds_sql {sql}").value
    assert type(value) is pd.DataFrame
    assert not value.attrs
    text, page = connected.shown(value)
    cells = [cell for cell in value.to_numpy().ravel() if not pd.isna(cell)]
    assert len(cells) > 10
    assert [cell for cell in cells if cell not in text] == []
    assert [cell for cell in cells if cell not in page] == []
    assert page.count("<tr>") == min(len(value), MOST_ROWS) + 1
    assert connected.names["_"] is value
    # As it was: `print`, a part of it, and other frames.
    assert repr(value) == repr(value.copy()) == connected.shown(value.copy())[0]
    assert connected.shown(value.head(3))[0] == repr(value.head(3))


def test_null_and_markup(connected):
    value = connected.ok("%rds_sql DESCRIBE orders").value
    assert "NULL" in connected.shown(value)[0]
    grid = Grid.of(pd.DataFrame({"<b>": ["<i>$x$</i>", None], "n": [1, 22]}))
    assert "<b>" not in as_html(grid)
    assert "<i>" not in as_html(grid)
    assert "mathjax_ignore" in as_html(grid)
    assert as_text(grid, width=80).splitlines() == ["   <b>          n", "0  <i>$x$</i>   1", "1  NULL        22"]


def test_the_assigned_ones_too(connected):
    connected.ok("%%rds_sql created <<\nSHOW CREATE TABLE orders")
    assert "KEY `ordered_at` (`ordered_at`),\n" in connected.shown(connected.names["created"])[0]


def test_a_query_is_shown_as_pandas_shows_it(connected):
    value = connected.ok("%rds_sql SELECT * FROM orders LIMIT 100").value
    assert connected.shown(value)[0] == repr(value)


@pytest.mark.parametrize(("kind", "cls"), [("arrow", pa.Table), ("polars", polars.DataFrame)])
def test_other_types(connected, kind, cls):
    value = connected.ok(f"%rds_sql --type {kind} SHOW CREATE TABLE orders").value
    assert isinstance(value, cls)
    text, page = connected.shown(value)
    assert "KEY `ordered_at` (`ordered_at`),\n" in text
    assert "KEY `ordered_at` (`ordered_at`),\n" in page
    tables = connected.ok(f"%rds_sql --type {kind} SHOW TABLES FROM information_schema").value
    assert "THREAD_POOL_STATS" in connected.shown(tables)[0]


def test_pandas_option_for_html_is_heeded(connected):
    value = connected.ok("%rds_sql DESCRIBE orders").value
    with pd.option_context("display.notebook_repr_html", False):
        assert "text/html" not in connected.ip.display_formatter.format(value)[0]


def test_a_very_long_one_says_that_it_is_cut():
    grid = Grid.of(pd.DataFrame({"a": range(MOST_ROWS + 500)}))
    for text in (as_text(grid, width=80), as_html(grid)):
        assert "1,000 of 1,500 rows are shown; the value has all of them." in text
        assert "1000" not in text
    assert as_text(Grid.of(pd.DataFrame({"a": []})), width=80) == "a\nNo rows."


def test_one_wide_row_and_several():
    wide = pd.DataFrame({"first": ["x" * 60], "second": ["y" * 60]})
    assert as_text(Grid.of(wide), width=80).splitlines() == [f" first: {'x' * 60}", f"second: {'y' * 60}"]
    assert len(as_text(Grid.of(pd.concat([wide, wide])), width=80).splitlines()) == 3
    wider = pd.DataFrame({"first": ["x" * 100] * 2, "second": ["y" * 100] * 2})
    assert "* 2. row *" in as_text(Grid.of(wider), width=80)


def test_nothing_is_kept_of_what_is_gone_or_unloaded(connected):
    plain = connected.ip.display_formatter.formatters["text/plain"].singleton_printers
    page = connected.ip.display_formatter.formatters["text/html"].singleton_printers
    before = (len(plain), len(page))
    connected.ok("%%rds_sql described <<\nDESCRIBE orders")
    assert (len(plain), len(page)) == (before[0] + 1, before[1] + 1)
    connected.ok("del described")
    gc.collect()
    assert (len(plain), len(page)) == before
    connected.ok("%%rds_sql described <<\nDESCRIBE orders")
    connected.ip.run_line_magic("unload_ext", "rds_iam_magic")
    assert (len(plain), len(page)) == before
    described = connected.names["described"]
    assert connected.shown(described)[0] == repr(described)
    connected.ip.run_line_magic("load_ext", "rds_iam_magic")
