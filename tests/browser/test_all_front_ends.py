"""What an analyst sees in JupyterLab and Notebook 7, the newest and the oldest: colours, completion, Stop, an error."""

import json

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.cells import CELLS, KINDS, SQL
from tests.browser.charts import check_charts
from tests.browser.notebook import NOTEBOOK, PATIENCE
from tests.browser.server import TOKEN
from tests.support.events import processes, wait_until

pytestmark = pytest.mark.slow  # servers and kernels

KEYWORD, STRING, NUMBER, COMMENT = "rgb(0, 128, 0)", "rgb(186, 33, 33)", "rgb(0, 136, 0)", "rgb(64, 128, 128)"
META, OPTION, QUOTED = "rgb(170, 34, 255)", "rgb(0, 0, 204)", "rgb(119, 0, 136)"


def takes(cell, language):
    """Wait until a cell's editor takes it for a language."""
    is_taken(cell.at.locator(".jp-InputArea-editor .cm-content"), language)


def is_taken(editor, language):
    expect(editor).to_have_attribute("data-language", language, timeout=PATIENCE)


def test_sql_cells_are_sql_and_no_others(front_end):
    takes(front_end.cell(0), "rds_sql")
    languages = [front_end.cell(number).language for number in range(len(KINDS))]
    assert languages == [language for _, language in KINDS]


def test_its_colours_are_those_of_sql(front_end):
    cell = front_end.cell(0)
    takes(cell, "rds_sql")
    colored = cell.colored
    expected = {
        "%%rds_sql": META,
        "--limit": OPTION,
        "# it's a comment": COMMENT,
        "SELECT": KEYWORD,
        "'text'": STRING,
        "12": NUMBER,
        "-- a comment": COMMENT,
        "FROM": KEYWORD,
        "`orders`": QUOTED,
    }
    assert {text: colored.get(text) for text in expected} == expected
    assert "orders" not in colored, "the magic's line is no SQL"
    assert cell.at.locator(".cm-content").inner_text() == SQL


def test_a_cell_is_sql_for_as_long_as_it_begins_with_the_magic(front_end):
    cell = front_end.typed("SELECT 1")
    takes(cell, "python")
    keyboard = front_end.page.keyboard
    keyboard.press("Home")
    keyboard.type("%%rds_sql\n")
    takes(cell, "rds_sql")
    assert cell.colored["SELECT"] == KEYWORD
    keyboard.press("ControlOrMeta+Home")
    keyboard.type("# ")
    takes(cell, "python")
    assert cell.colored.get("SELECT") != KEYWORD
    keyboard.press("Backspace")
    keyboard.press("Backspace")
    takes(cell, "rds_sql")
    keyboard.press("ControlOrMeta+End")
    keyboard.press("ControlOrMeta+/")
    cell.reads("-- SELECT 1")
    keyboard.press("ControlOrMeta+/")
    front_end.run_typed().shows("1")


def test_charts_are_drawn(front_end):
    check_charts(front_end, ["bar", "hist"])


def test_a_column_is_completed(front_end):
    items = front_end.page.locator(".jp-Completer-item")
    behind = " FROM customers c LIMIT 1"
    cell = front_end.typed(f"%%rds_sql\nSELECT c.co{behind}", back=len(behind))
    front_end.page.keyboard.press("Tab")
    items.first.wait_for()
    assert [text.split() for text in items.all_text_contents()] == [["ccountrycolumn"]]
    items.first.click()
    cell.reads(f"SELECT c.country{behind}")
    front_end.run_typed().shows("country")


def test_a_failed_cell_is_short_and_red(front_end):
    cell = front_end.run("%%rds_sql\nSELECT * FROM ordres")
    cell.shows("Did you mean `orders`?")
    assert cell.red.startswith("StatementError: The statement failed: Table 'shop.ordres' doesn't exist (1146).")
    assert len(cell.text.strip().splitlines()) == 2
    (kept,) = cell.saved().outputs
    assert (kept.output_type, kept.ename) == ("error", "StatementError")


def test_stop_ends_the_query(front_end, sandbox):
    cell = front_end.start("%%rds_sql\nSELECT SLEEP(600)")
    sleeps = "USER = 'reader' AND STATE = 'User sleep'"
    wait_until(lambda: processes(sandbox.server, sleeps))
    front_end.stop()
    cell.wait()
    cell.shows("the query was ended on the server; the connection stays open")
    assert "KeyboardInterrupt" in cell.red
    assert not processes(sandbox.server, sleeps)


OFF = '{"highlight": false}'


@pytest.mark.parametrize("front_end", ["notebook", "oldest-lab", "oldest-notebook"], indirect=True)
def test_off_by_the_setting(front_end, browser):
    setting = "lab/api/settings/rds-iam-magic:plugin"
    front_end.lab.ask("PUT", setting, {"raw": OFF})
    try:
        with browser.notebook(front_end.lab, CELLS[:4], front_end=front_end.front_end, runs=False) as off:
            takes(off.cell(3), "python")
            assert [off.cell(number).language for number in range(4)] == ["python"] * 4
    finally:
        front_end.lab.ask("PUT", setting, {"raw": "{}"})


def test_the_settings_editor_switches_open_notebooks(lab, browser):
    with browser.notebook(lab, CELLS[:4], runs=False) as notebook:
        takes(notebook.cell(0), "rds_sql")
        notebook.page.keyboard.press("ControlOrMeta+,")
        notebook.page.locator(".jp-PluginList").get_by_text("rds_iam_magic").click()
        box = notebook.page.get_by_label("Colour SQL cells")
        box.click()
        takes(notebook.cell(0), "python")
        box.click()
        takes(notebook.cell(0), "rds_sql")
        assert notebook.cell(3).language == "python"


def test_an_exported_notebook_has_colours(lab):
    """By the file of docs/highlighting.md, which the server reads, too."""
    nbformat.write(nbformat.v4.new_notebook(cells=CELLS), lab.notebooks / "exported.ipynb")
    html = lab.ask("GET", "nbconvert/html/exported.ipynb").decode()
    assert '<span class="k">SELECT</span>' in html


def test_a_console_has_colours_and_a_file_has_none(lab, browser):
    lab.notebooks.joinpath("file.py").write_text("%%rds_sql\nSELECT 1")
    with browser.page(f"{lab.url}/lab/tree/file.py?token={TOKEN}&reset") as page:
        is_taken(page.locator(".jp-FileEditor .cm-content"), "python")
        page.locator('[title^="New Launcher"]').first.click()
        page.locator('.jp-LauncherCard[data-category="Console"]').first.click()
        prompt = page.locator(".jp-CodeConsole-promptCell .cm-content")
        is_taken(prompt, "python")
        prompt.click()
        page.keyboard.insert_text("%%rds_sql\nSELECT 1")
        is_taken(prompt, "rds_sql")
        is_taken(page.locator(".jp-FileEditor .cm-content"), "python")
        for session in json.loads(lab.ask("GET", "api/sessions")):
            if session["type"] == "console":
                lab.ask("DELETE", f"api/sessions/{session['id']}")


def test_disabled_altogether(lab, browser):
    """By what `jupyter labextension disable rds-iam-magic --level=user` writes."""
    config = lab.config / "labconfig" / "page_config.json"
    config.parent.mkdir(exist_ok=True)
    config.write_text(json.dumps({"disabledExtensions": {"rds-iam-magic": True}}))
    try:
        with browser.notebook(lab, CELLS[:4], front_end=NOTEBOOK, runs=False) as notebook:
            takes(notebook.cell(3), "python")
            assert notebook.cell(0).language == "python"
    finally:
        config.unlink()


@pytest.mark.parametrize(
    ("working", "broken"),
    [
        ("'@lezer/common'", "'@lezer/of-another-version'"),
        ("SQL_CELL.test(", "SQL_CELL.tested("),
    ],
)
def test_whatever_fails_leaves_jupyterlab_as_it_is(lab, browser, working, broken):
    with browser.changed("remoteEntry.js", working, broken):
        with browser.notebook(lab, [CELLS[0], CELLS[3]], runs=False) as notebook:
            takes(notebook.cell(1), "python")
            cell = notebook.cell(2)
            cell.at.locator(".cm-content").click()
            notebook.page.keyboard.insert_text("%%rds_sql\nSELECT 1")
            cell.reads("SELECT 1")
            assert [notebook.cell(number).language for number in range(3)] == ["python"] * 3
