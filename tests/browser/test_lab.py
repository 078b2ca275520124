"""What an analyst sees in JupyterLab, in a real browser: that is asked nothing beyond this machine, by conftest.py.

What Notebook 7 and the oldest JupyterLab could show otherwise is in test_all_front_ends.py.
"""

import re

import pytest

from tests.browser.charts import check_a_saved_chart, check_charts, check_times
from tests.browser.notebook import chromium

pytestmark = pytest.mark.slow  # servers and kernels

AT_ONCE = """\
from rds_iam_magic.notebook import progress
progress.AFTER = progress.EVERY = progress.SILENCE = 0
progress.ASK_EVERY = (0, 0)"""


def test_a_query_is_shown_as_a_table(shop, browser):
    cell = shop.run("%%rds_sql\nSELECT id, name, joined_on FROM customers WHERE country = 'JP' ORDER BY id LIMIT 2")
    cell.shows("joined_on")
    assert cell.table == [
        ["", "id", "name", "joined_on"],
        ["0", "5", "鈴木 健太", "2019-01-22"],
        ["1", "8", "鈴木 さくら", "2020-10-01"],
    ]
    assert browser.hosts == {"127.0.0.1"}


def test_an_assigned_result_is_not_shown(shop):
    assert not shop.run("%rds_sql statuses << SELECT DISTINCT status FROM orders").table
    shop.run("statuses.shape").shows("(5, 1)")
    shop.run("%rds_sql statuses =<< SELECT DISTINCT status FROM orders").shows("delivered")


def test_a_quiet_line_after_each_statement(shop):
    cell = shop.run("%rds_sql statuses << SELECT DISTINCT status FROM orders")
    cell.shows(re.compile(r"5 rows × 1 · [\d.]+ m?s · sandbox"))
    assert not cell.red
    color = cell.outputs.first.locator("span").evaluate("span => getComputedStyle(span).color")
    assert color == "rgb(118, 118, 118)", "grey: Lab keeps the line's style"
    cell = shop.run("%%rds_sql\nSELECT 1 AS a; SELECT 2 AS b")
    cell.shows("Statement 2: 1 row × 1 · ")
    first, frame, _, value = cell.outputs.all_inner_texts()
    assert first.startswith("Statement 1: 1 row × 1 · ")
    assert ("a" in frame, "b" in value) == (True, True)


def test_progress_is_one_output_that_the_feedback_line_replaces(shop, sandbox):
    """What the server does is shown while nothing comes; the saved notebook has the last state."""
    shop.run(AT_ONCE)
    with sandbox.server.root() as root:
        root.execute("SELECT GET_LOCK('held', 60)")
        cell = shop.start("%rds_sql many << SELECT id FROM orders UNION ALL SELECT GET_LOCK('held', 600)")
        cell.shows(re.compile(r"running · [\d,]+ rows · \d+ kB · .* · sandbox · server: User lock"))
        assert cell.outputs.count() == 1
        root.execute("SELECT RELEASE_LOCK('held')")
        cell.wait()
    cell.shows("50,001 rows × 1 · ")
    assert cell.outputs.count() == 1
    (kept,) = cell.saved().outputs
    assert kept.data["text/plain"].startswith("50,001 rows × 1 · ")
    assert "running" not in kept.data["text/html"]


def test_a_variable_is_bound(shop):
    shop.run('country, countries = "JP", ["JP", "FR"]')
    counted = "%rds_sql SELECT COUNT(*) AS n FROM customers WHERE country"
    assert shop.run(f"{counted} = :country").table == [["", "n"], ["0", "803"]]
    assert shop.run(f"{counted} IN :countries").table[0] == ["", "n"]


@pytest.mark.parametrize("written", ["'{country}'", "'{{country}}'", "'$country'", "':country'"])
def test_what_only_looks_like_a_variable_is_told(shop, written):
    shop.run('country = "JP"')
    cell = shop.run(f"%%rds_sql\nSELECT COUNT(*) AS n FROM customers WHERE country = {written}")
    cell.shows(re.compile(r"Note: .* is sent as it stands; the variable .* by :country, without quotes"))
    assert cell.table == [["", "n"], ["0", "0"]]


def test_columns_of_a_table(shop):
    cell = shop.run("%rds_columns orders")
    cell.shows("ordered_at")
    assert [row[0] for row in cell.table[1:]] == ["id", "customer_id", "ordered_at", "status", "shipped_on", "note"]
    assert "enum('open','shipped','delivered','returned','cancelled')" in cell.text, "nothing is cut"


def test_tables_of_the_schema(shop):
    cell = shop.run("%rds_tables order*")
    cell.shows("order_lines")
    assert len(cell.table) == 3


@pytest.mark.parametrize("magic", ["%rds_sql", "%rds_iam_connect"])
def test_the_tooltip_begins_with_examples_and_breaks_no_line(shop, magic):
    shop.typed(f"{magic} --help", back=len(" --help"))
    shop.page.keyboard.press("Shift+Tab")
    tip = shop.page.locator(".jp-Tooltip-content pre")
    tip.wait_for()
    lines = tip.inner_text().rstrip("\n").split("\n")
    assert lines[0] == "Docstring:"
    assert lines[3] == "Examples:"
    assert lines[4].startswith("  %rds_")
    height, line = tip.evaluate("pre => [pre.scrollHeight, parseFloat(getComputedStyle(pre).lineHeight)]")
    assert abs(height / line - len(lines)) < 2, "as many lines as were written"
    shop.page.keyboard.press("Escape")
    tip.wait_for(state="detached")
    shop.run_typed().shows("Examples:")


def test_a_missing_browser_says_what_to_install(monkeypatch):
    monkeypatch.setattr("tests.browser.notebook.COMMANDS", ["no-such-browser"])
    with pytest.raises(FileNotFoundError, match="apt-get install chromium"):
        chromium()


def test_a_column_is_completed(shop):
    """A tab lists the columns of the statement's table, none of Python's names; the chosen one is written."""
    items = shop.page.locator(".jp-Completer-item")
    cell = shop.typed("%%rds_sql\nSELECT c.co FROM customers c LIMIT 1", back=len(" FROM customers c LIMIT 1"))
    shop.page.keyboard.press("Tab")
    items.first.wait_for()
    assert [text.split() for text in items.all_text_contents()] == [["ccountrycolumn"]]
    items.first.click()
    cell.reads("SELECT c.country FROM customers c")
    shop.run_typed().shows("country")
    cell = shop.typed("%%rds_sql\nSELECT o. FROM orders o LIMIT 1", back=len(" FROM orders o LIMIT 1"))
    shop.page.keyboard.press("Tab")
    items.first.wait_for()
    names = ["id", "customer_id", "ordered_at", "status", "shipped_on", "note"]
    assert items.locator("code:first-of-type").all_inner_texts() == names, "in the order of the table"
    items.filter(has_text="ordered_at").click()
    cell.reads("SELECT o.ordered_at FROM orders o")
    shop.run_typed().shows("ordered_at")


def test_each_kind_of_chart_is_drawn(shop):
    check_charts(shop)


def test_a_chart_is_saved_with_a_picture(shop):
    check_a_saved_chart(shop)


def test_times_on_an_axis_are_those_of_the_frame(shop):
    check_times(shop)
