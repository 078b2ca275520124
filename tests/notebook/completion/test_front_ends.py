"""Completion where it is used: a kernel, also from a thread of it, and the terminal; with a database that hangs."""

import ast
import os
import sys
from pathlib import Path

import pexpect
import pytest
from IPython.core.completer import provisionalcompleter

from tests.notebook.test_kernel import outputs_of
from tests.support.events import LONG, wait_until
from tests.support.proxy import Proxy

pytestmark = pytest.mark.slow  # servers and kernels

READ = (
    "import time\nfillings = get_ipython()._rds_iam_magics.completing._fillings\n"
    "while any(filling.working for filling in fillings.values()): time.sleep(0.01)"
)


def completed(client, cell):
    """What the kernel offers at the `|`, its kinds, and the text that is replaced."""
    at = cell.index("|")
    cell = cell.replace("|", "", 1)
    content = client.complete(cell, at, reply=True, timeout=LONG)["content"]
    assert content["status"] == "ok"
    kinds = [found["type"] for found in content["metadata"]["_jupyter_types_experimental"]]
    return content["matches"], kinds, cell[content["cursor_start"] : content["cursor_end"]]


def test_a_kernels_requests(kernel):
    _, client = kernel
    outputs_of(client, "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u reader -d shop")
    outputs_of(client, READ)
    matches, kinds, replaced = completed(client, "%%rds_sql\nSELECT c.na|\nFROM customers c")
    assert (matches, kinds, replaced) == (["name"], ["column"], "na")
    assert completed(client, "%%rds_sql\nSELECT * FROM ord|")[0] == ["order_lines", "orders"]
    assert completed(client, "%%rds_sql --lim|\nSELECT 1")[0] == ["--limit"]
    matches, kinds, _ = completed(client, "%%rds_sql\nSELECT p|")
    assert "print" not in matches
    assert set(kinds) <= {"column", "function", "keyword", "table", "schema"}
    assert completed(client, "%%rds_sql\nSELECT os.|")[0] == []
    assert "print" in completed(client, "pri|")[0]
    outputs_of(client, "%unload_ext rds_iam_magic")
    assert "name" not in completed(client, "%%rds_sql\nSELECT c.na|\nFROM customers c")[0]


THREAD = """
import threading, time
kernel, answers = get_ipython().kernel, []
def ask():
    began = time.perf_counter()
    answers.append(kernel.do_complete(CELL, len(CELL))["matches"])
    answers.append(time.perf_counter() - began)
thread = threading.Thread(target=ask); thread.start(); thread.join()
print(answers)
"""


def test_from_a_thread_of_the_kernel(kernel):
    _, client = kernel
    outputs_of(client, "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u reader -d shop")
    outputs_of(client, READ)
    shown = outputs_of(client, f"CELL = '%%rds_sql\\nSELECT * FROM customers WHERE coun'{THREAD}")
    matches, seconds = ast.literal_eval(shown)
    assert matches[0] == "country"
    assert seconds < 1


def test_without_input_nothing_is_read_until_it_is_asked(kernel, sandbox):
    """As nbclient runs a notebook: no login but the connection's own."""
    _, client = kernel
    assert sandbox
    client.allow_stdin = False
    outputs_of(client, "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u reader -d shop")
    shown = outputs_of(client, "print(get_ipython()._rds_iam_magics.completing._fillings)")
    assert shown.strip() == "{}"
    assert completed(client, "%%rds_sql\nSELECT * FROM customers |")[0][:1] == ["WHERE"]
    outputs_of(client, READ)
    assert completed(client, "%%rds_sql\nSELECT coun| FROM customers")[0][0] == "country"


def asked(shell, cell):
    at = cell.index("|")
    with provisionalcompleter():
        return [found.text for found in shell.ip.Completer.completions(cell.replace("|", "", 1), at)]


def test_a_database_that_hangs_delays_nothing(shell, sandbox, monkeypatch):
    with Proxy(sandbox.server.port) as proxy:
        monkeypatch.setenv("RDS_IAM_MAGIC_VIA", f"127.0.0.1:{proxy.port}")
        shell.ok("%rds_iam_connect sandbox -u reader -d shop")
        (filling,) = shell.ip._rds_iam_magics.completing._fillings.values()
        wait_until(lambda: not filling.working, "the catalog")
        proxy.freeze()
        proxy.be_silent()
        before = proxy.accepted
        filling.refresh()
        wait_until(lambda: proxy.accepted > before, "a reading that hangs")
        assert asked(shell, "%%rds_sql\nSELECT coun| FROM customers")[0] == "country"
        assert filling.working
        proxy.cut()
        wait_until(lambda: not filling.working, "its end")
        assert asked(shell, "%%rds_sql\nSELECT coun| FROM customers")[0] == "country"


def test_ddl_of_a_cell_is_known_afterwards(tester, tmp_path):
    completing = tester.ip._rds_iam_magics.completing

    def offered(cell):
        wait_until(lambda: not any(filling.working for filling in completing._fillings.values()), "the catalog")
        return asked(tester, cell)

    tester.ok("%rds_sql -q CREATE TABLE brand_new (first_column INT)")
    assert offered("%%rds_sql\nSELECT * FROM brand|") == ["brand_new"]
    assert offered("%%rds_sql\nSELECT fir| FROM brand_new")[0] == "first_column"
    tester.ok("%rds_sql -q ALTER TABLE brand_new ADD second_column INT")
    assert offered("%%rds_sql\nSELECT brand_new.s|") == ["second_column"]
    (tmp_path / "more.sql").write_text("ALTER TABLE brand_new ADD third_column INT")
    tester.ok(f"%rds_sql -q -f {tmp_path / 'more.sql'}")
    assert offered("%%rds_sql\nSELECT brand_new.t|") == ["third_column"]
    tester.names["db"] = tester.ip._rds_iam_magics.held(None)
    tester.ok("db.execute('DROP TABLE brand_new')")
    assert offered("%%rds_sql\nSELECT * FROM brand|") == []


def test_in_the_terminal(inside, tmp_path):
    """A real IPython in a pseudo-terminal: a tab completes the only column that fits."""
    assert inside.server.pid
    program = pexpect.spawn(
        sys.executable,
        ["-m", "IPython", "--no-banner", "--colors=NoColor", "--ext=rds_iam_magic"],
        env={**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "TERM": "xterm", "PYTHONPATH": str(Path.cwd())},
        timeout=LONG,
        encoding="utf-8",
        dimensions=(40, 120),
    )
    try:
        program.expect(r"In \[")
        program.send("%rds_iam_connect sandbox -u reader -d shop\r")
        program.expect("Connected")
        program.expect(r"In \[")
        program.send("\r".join(READ.split("\n")) + "\r\r")
        program.expect(r"In \[")
        program.send("%rds_sql SELECT COUNT(*) AS n FROM custom\t")
        program.expect("customers")
        program.send(" WHERE newsl\t")
        program.expect("newsletter")
        program.send(" IS NOT NULL\r")
        program.expect(r"1 row")
    finally:
        program.close(force=True)
