"""A statement that takes long: what a kernel, a saved notebook and a terminal show of it, and what is left of that."""

import os
import re
import sys
from contextlib import contextmanager, nullcontext

import nbclient
import nbformat
import pexpect
import pytest
from nbconvert import HTMLExporter

from tests.support.events import LONG, interrupt, processes, wait_until, when

pytestmark = pytest.mark.slow  # servers and kernels

AT_ONCE = """
from rds_iam_magic.notebook.feedback import progress
progress.AFTER = progress.EVERY = progress.SILENCE = 0
progress.ASK_EVERY = (0, 0)
"""
CONNECT = f"%load_ext rds_iam_magic\n{AT_ONCE}\n%rds_iam_connect sandbox -u reader -d shop"
SLEEPS = "USER = 'reader' AND STATE = 'User sleep'"
MANY_THEN_WAIT = "SELECT id FROM orders UNION ALL SELECT GET_LOCK('held', 600)"


class Notebook:
    """Cells of a real kernel; `outputs` is what the last one shows, in order, replaced as a front end replaces it."""

    def __init__(self, kernel):
        self.manager, self.client = kernel
        self.outputs = []
        self.states = []  # of the outputs that replace themselves

    def __call__(self, code, *, during=None):
        self.outputs, self.states, ids = [], [], []

        def hook(message):
            content, kind = message["content"], message["msg_type"]
            name = content.get("transient", {}).get("display_id")
            if kind == "update_display_data":
                self.outputs[ids.index(name)] = content["data"]
                self.states.append(content["data"]["text/plain"])
            elif kind in ("display_data", "execute_result"):
                self.outputs.append(content["data"])
                ids.append(name)
                if name:
                    self.states.append(content["data"]["text/plain"])
            elif kind in ("stream", "error"):
                self.outputs.append({"text/plain": content.get("text") or "\n".join(content["traceback"])})
                ids.append(None)

        with during or nullcontext():
            self.client.execute_interactive(code, timeout=LONG, output_hook=hook)
        return [output["text/plain"].strip() for output in self.outputs]

    def shows(self, pattern):
        return any(re.search(pattern, state) for state in self.states)


@pytest.fixture
def notebook(kernel):
    made = Notebook(kernel)
    made(CONNECT)
    return made


@contextmanager
def held(server):
    """A lock that statements wait for; it is given free by what is yielded."""
    with server.root() as root:
        root.execute("SELECT GET_LOCK('held', 60)")
        yield lambda: root.execute("SELECT RELEASE_LOCK('held')")


def kill(server, what, where=SLEEPS):
    (process,) = processes(server, where)
    with server.root() as root:
        root.execute(f"KILL {what} {process[0]}")


def test_one_output_becomes_the_feedback_line(notebook, sandbox):
    running = r"^running · [\d,]+ rows · \d+ kB · .* · sandbox · server: User lock$"
    with held(sandbox.server) as release:
        during = when(lambda: notebook.shows(running), release)
        outputs = notebook(f"%rds_sql many << {MANY_THEN_WAIT}", during=during)
    assert len(outputs) == 1
    assert re.fullmatch(r"50,001 rows × 1 · .* · sandbox", outputs[0])
    assert notebook.outputs[0]["text/html"].startswith("<small ")
    assert "running" not in notebook.outputs[0]["text/html"]


def test_notes_stand_beside_an_output_that_was_replaced(notebook, sandbox):
    """For front ends that cannot replace outputs."""
    with held(sandbox.server) as release:
        during = when(lambda: notebook.shows("server: User lock"), release)
        outputs = notebook("%rds_sql x << SELECT CAST('x' AS SIGNED) AS a, GET_LOCK('held', 600)", during=during)
    assert [text.partition(" ")[0] for text in outputs] == ["1", "Note:"]


def test_stop_is_the_last_state(notebook):
    pid = notebook.manager.provisioner.pid
    during = when(lambda: notebook.shows("server: User sleep"), lambda: interrupt(pid))
    outputs = notebook("%%rds_sql\nSELECT 1 AS a; SELECT SLEEP(600)", during=during)
    first, frame, stopped, before, ended, error = outputs
    assert re.fullmatch(r"Statement 1: 1 row × 1 · .* · sandbox", first)
    assert "a" in frame
    assert re.fullmatch(r"stopped · .* · sandbox", stopped)
    assert before == "Note: the statement before it has run."
    assert ended == "Note: the query was ended on the server; the connection stays open."
    assert "KeyboardInterrupt" in error


def test_a_failure_and_a_lost_connection(notebook, sandbox):
    """The connection is lost, which is told at once; the statement runs again, and fails."""
    ids = []

    def strike():
        ids.append(processes(sandbox.server, SLEEPS)[0][0])
        kill(sandbox.server, "CONNECTION")
        wait_until(lambda: [row[0] for row in processes(sandbox.server, SLEEPS) if row[0] not in ids])
        wait_until(lambda: len(notebook.outputs) == 3, "the notes")
        kill(sandbox.server, "QUERY")

    outputs = notebook("%rds_sql SELECT SLEEP(600)", during=when(lambda: notebook.shows("running"), strike))
    failed, lost, reopened, error = outputs
    assert re.fullmatch(r"failed · .* · sandbox", failed)
    assert lost == "Note: the connection was lost; the statement only reads, so it runs again."
    assert reopened == "Note: the connection was lost and has been reopened."
    assert "StatementError" in error


def test_no_progress_at_level_1(notebook, sandbox):
    notebook("%config RdsIamMagics.feedback = 1")
    with held(sandbox.server) as release:
        waits = when(lambda: processes(sandbox.server, "STATE = 'User lock'"), release)
        assert len(notebook("%rds_sql x << SELECT GET_LOCK('held', 600)", during=waits)) == 1
    assert notebook.states == []


def test_parts(notebook):
    (line,) = notebook("%%rds_sql x << --parallel 2\nSELECT id, SLEEP(IF(id = 1, 0.5, 0)) AS s FROM orders")
    assert re.match(r"50,000 rows × 2 ·", line)
    assert notebook.shows("^running · finding the parts · ")
    assert notebook.shows(r"^running · \d of 2 parts read · ")


def test_a_file(notebook, sandbox, tmp_path):
    with held(sandbox.server) as release:
        during = when(lambda: notebook.shows(r"running · [\d,]+ rows · \d+ kB"), release)
        (line,) = notebook(f"%%rds_sql --to {tmp_path}/many.csv\n{MANY_THEN_WAIT}", during=during)
    assert line.startswith("50,001 rows written to ")


def test_a_saved_notebook_has_the_last_state_only(inside, tmp_path):
    assert inside.server.pid
    sources = [CONNECT, "%rds_sql SELECT SLEEP(0.7) AS a", "%rds_sql -q SELECT SLEEP(0.7) AS a"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    client = nbclient.NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ, "IPYTHONDIR": str(tmp_path)})
    line, value = book.cells[1].outputs
    assert re.fullmatch(r"1 row × 1 · .* · sandbox", line["data"]["text/plain"])
    assert set(line["data"]) == {"text/plain", "text/html"}
    assert value["output_type"] == "execute_result"
    page, _ = HTMLExporter().from_notebook_node(book)
    assert line["data"]["text/html"] in page
    assert "running" not in page.partition("<body")[2]
    assert book.cells[2].outputs == []


@pytest.fixture
def terminal(inside, tmp_path):
    """IPython in a terminal."""
    assert inside.server.pid
    command = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor"]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path), "TERM": "xterm"}
    child = pexpect.spawn(
        sys.executable, command, env=environment, encoding="utf-8", timeout=LONG, dimensions=(24, 200)
    )
    child.expect(r"In \[1\]: ")
    yield child
    child.close(force=True)


def test_a_terminal_has_one_line(terminal, sandbox):
    for number, line in enumerate(
        ["%load_ext rds_iam_magic", *AT_ONCE.strip().splitlines(), "%rds_iam_connect sandbox -u reader -d shop"], 2
    ):
        terminal.sendline(line)
        terminal.expect(rf"In \[{number}\]: ")
    with held(sandbox.server) as release:
        terminal.sendline(f"%rds_sql many << {MANY_THEN_WAIT}")
        terminal.expect(r"\rrunning · [\d,]+ rows · \d+ kB · [^\r\n]* · sandbox · server: User lock\x1b\[K")
        release()
        terminal.expect(r"\r\x1b\[K50,001 rows × 1 · [^\r\n]* · sandbox\r\n")
    terminal.expect(r"In \[\d+\]: ")
    terminal.sendline("exit")
    terminal.expect(pexpect.EOF)
