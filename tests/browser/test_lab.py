"""What an analyst sees in JupyterLab, in a real browser: that is asked nothing beyond this machine, by conftest.py."""

import pytest

from tests.browser.notebook import chromium
from tests.support.events import processes, wait_until

pytestmark = pytest.mark.slow  # servers and kernels


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


def test_a_failed_cell_is_short_and_red(shop):
    cell = shop.run("%rds_sql SELECT * FROM ordres")
    cell.shows("Did you mean `orders`?")
    assert cell.red.startswith("StatementError: The statement failed: Table 'shop.ordres' doesn't exist (1146).")
    assert len(cell.text.strip().splitlines()) == 2
    (kept,) = cell.saved().outputs
    assert (kept.output_type, kept.ename) == ("error", "StatementError")


def test_stop_ends_the_query(shop, sandbox):
    cell = shop.start("%rds_sql SELECT SLEEP(600)")
    sleeps = "USER = 'reader' AND STATE = 'User sleep'"
    wait_until(lambda: processes(sandbox.server, sleeps))
    shop.stop()
    cell.wait()
    cell.shows("the query was ended on the server; the connection stays open")
    assert "KeyboardInterrupt" in cell.red
    assert not processes(sandbox.server, sleeps)


def test_a_missing_browser_says_what_to_install(monkeypatch):
    monkeypatch.setattr("tests.browser.notebook.COMMANDS", ["no-such-browser"])
    with pytest.raises(FileNotFoundError, match="apt-get install chromium"):
        chromium()
