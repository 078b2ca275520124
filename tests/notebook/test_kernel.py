"""A real kernel, as a notebook has it: stopping a cell, what is shown, and the end."""

from contextlib import nullcontext

import pytest

from tests.support.events import interrupt_when, processes, wait_until

pytestmark = pytest.mark.slow  # servers and kernels


def outputs_of(client, code, *, during=None):
    """All that a cell shows, as text; `during` is a context that lasts as long as the cell."""
    texts = []

    def hook(message):
        content = message["content"]
        if message["msg_type"] == "stream":
            texts.append(content["text"])
        elif message["msg_type"] == "error":
            texts.append("\n".join(content["traceback"]))
        elif message["msg_type"] in ("execute_result", "display_data"):
            texts.append(content["data"]["text/plain"])

    with during or nullcontext():
        client.execute_interactive(code, timeout=60, output_hook=hook)
    return "\n".join(texts)


@pytest.mark.usefixtures("scratch")
def test_stop_in_a_real_kernel(kernel, sandbox):
    """One press: the query ends on the server, long before its own end; transaction and temporary table stay."""
    manager, client = kernel
    outputs_of(client, "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u tester -d scratch")
    outputs_of(client, "%%rds_sql -q\nCREATE TEMPORARY TABLE kept (a INT); BEGIN; INSERT INTO kept VALUES (7)")
    # What the manager's own interrupt_kernel sends; that would open an event loop in another thread.
    sleeps = "USER = 'tester' AND STATE = 'User sleep'"
    stop = interrupt_when(lambda: processes(sandbox.server, sleeps), manager.provisioner.pid)
    shown = outputs_of(client, "%rds_sql SELECT SLEEP(600)", during=stop)
    assert "KeyboardInterrupt" in shown
    assert "the query was ended on the server; the connection stays open" in shown
    assert len(shown.strip().splitlines()) <= 3, shown
    wait_until(lambda: [row[1] for row in processes(sandbox.server, "USER = 'tester'")] == ["Sleep"])
    assert "7" in outputs_of(client, "%rds_sql SELECT a FROM kept")
    assert "a transaction has been open" in outputs_of(client, "%rds_iam_connect")


@pytest.mark.usefixtures("inside")
def test_what_a_real_kernel_shows(kernel):
    """The results before the last, SHOW's whole; the error of a cell's own Python in two lines."""
    _, client = kernel
    outputs_of(client, "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u reader -d shop")
    shown = outputs_of(client, "%%rds_sql\nSHOW CREATE TABLE customers; SHOW CREATE TABLE orders; SELEC 1")
    assert "`newsletter` bit(1) NOT NULL,\n" in shown
    assert "KEY `ordered_at` (`ordered_at`),\n" in shown
    assert shown.index("KEY `ordered_at`") < shown.index("StatementError: Statement 3 of 3")
    shown = outputs_of(client, "import rds_iam_magic\ndb = rds_iam_magic.connection()\ndb.query('SELEC')")
    assert shown.startswith("StatementError: ")
    assert len(shown.strip().splitlines()) == 2
    assert "connection.py" in outputs_of(client, "%tb")


@pytest.mark.usefixtures("scratch")
def test_the_end_of_the_kernel_closes_all(kernel, sandbox):
    manager, client = kernel
    outputs_of(client, "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u tester -d scratch")
    manager.shutdown_kernel()
    wait_until(lambda: not processes(sandbox.server, "USER = 'tester'"), "the end of the kernel's session")
