"""A real IPython shell in this process, with its history in a file, and the extension loaded."""

import atexit
import html
import io
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest
from IPython.core.async_helpers import get_asyncio_loop
from IPython.core.interactiveshell import InteractiveShell
from jupyter_core.utils import ensure_event_loop
from traitlets.config import Config


@dataclass
class Cell:
    """What a cell came to: its value, its error, and all that was printed or displayed."""

    value: Any
    error: BaseException | None
    output: str


class Shell:
    """Runs cells as a notebook does."""

    def __init__(self, folder):
        config = Config()
        config.HistoryManager.hist_file = str(folder / "history.sqlite")
        config.InteractiveShell.colors = "nocolor"
        config.InteractiveShell.ast_node_interactivity = "last_expr"
        self.ip = InteractiveShell(config=config, ipython_dir=str(folder / "ipython"))
        self.history = folder / "history.sqlite"
        self.ip.colors = "nocolor"

    def __call__(self, text: str) -> Cell:
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            done = self.ip.run_cell(text, store_history=True)
        return Cell(done.result, done.error_before_exec or done.error_in_exec, out.getvalue())

    def ok(self, text: str) -> Cell:
        cell = self(text)
        assert cell.error is None, cell.output
        return cell

    def shown(self, value) -> tuple[str, str]:
        """A value's text and HTML, as IPython makes them for a cell's value."""
        data, _ = self.ip.display_formatter.format(value)
        return data.get("text/plain", ""), html.unescape(data.get("text/html") or "")

    @property
    def names(self) -> dict[str, Any]:
        return self.ip.user_ns

    def close(self):
        self.ip.run_line_magic("unload_ext", "rds_iam_magic")
        # What a process does at its end, where IPython would do it for each of the suite's shells.
        atexit.unregister(self.ip.atexit_operations)
        history = self.ip.history_manager
        self.ip.atexit_operations()
        # Before IPython 9 the thread and the database go on.
        if history.save_thread is not None and history.save_thread.is_alive():
            history.save_thread.stop()
        if history.db is not None:
            history.db.close()


@pytest.fixture(autouse=True, scope="session")
def event_loops():
    """IPython makes one for the process at its first cell, Jupyter's clients at their first call, and they keep it."""
    loops = {get_asyncio_loop(), ensure_event_loop()}
    yield
    for loop in loops:
        loop.close()


@pytest.fixture
def shell(inside, tmp_path):
    """A shell inside the sandbox, with the extension loaded."""
    assert inside.server.pid
    made = Shell(tmp_path)
    made.ip.run_line_magic("load_ext", "rds_iam_magic")
    yield made
    made.close()


@pytest.fixture
def kernel(inside, tmp_path):
    """A kernel of its own, as a notebook has it; it takes the sandbox's environment."""
    from jupyter_client.manager import start_new_kernel  # late, for the quick tests' sake

    assert inside.server.pid
    manager, client = start_new_kernel(env={**os.environ, "IPYTHONDIR": str(tmp_path)}, cwd=str(tmp_path))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.context.destroy(linger=0)


@pytest.fixture
def connected(shell):
    """The same, with a held connection to the shop."""
    shell.ok("%rds_iam_connect sandbox -u reader -d shop")
    return shell


@pytest.fixture
def tester(shell, scratch):
    """A shell connected to the scratch schema, with a table and procedures in it."""
    assert scratch
    shell.ok("%rds_iam_connect sandbox -u tester -d scratch")
    shell.ok("%%rds_sql -q\nCREATE OR REPLACE TABLE flow (a INT); INSERT INTO flow VALUES (1), (2)")
    shell.ok("%rds_sql -q CREATE OR REPLACE PROCEDURE one() SELECT 41 AS a")
    shell.ok("%rds_sql -q CREATE OR REPLACE PROCEDURE two() BEGIN SELECT 41 AS a; SELECT 42 AS b; END")
    shell.ok("%rds_sql -q CREATE OR REPLACE PROCEDURE mixed() BEGIN SELECT 41 AS a; UPDATE flow SET a = a + 1; END")
    shell.ok("%rds_sql -q CREATE OR REPLACE PROCEDURE none() UPDATE flow SET a = a + 1")
    yield shell
    shell.ok("%%rds_sql -q\nDROP TABLE flow; DROP PROCEDURE one; DROP PROCEDURE two; DROP PROCEDURE mixed;")
    shell.ok("%rds_sql -q DROP PROCEDURE none")
