"""What `%%rds_sql` gives back, and how: types, files, limits, modes; and stopping a cell in a real kernel."""

import os
import subprocess
import sys
from contextlib import nullcontext

import pandas as pd
import polars
import pyarrow as pa
import pytest
from jupyter_client.manager import start_new_kernel

from rds_iam_magic.errors import OptionError, ResultError, StatementError
from tests.support.events import interrupt_when, processes, wait_until


def test_arrow(connected):
    value = connected.ok("%%rds_sql --type arrow\nSELECT id, unit_price FROM products ORDER BY id LIMIT 3").value
    assert isinstance(value, pa.Table)
    assert value.schema.types == [pa.int64(), pa.decimal128(10, 2)]


def test_polars(connected, monkeypatch):
    value = connected.ok("%%rds_sql --type polars\nSELECT id, name, unit_price FROM products ORDER BY id LIMIT 2").value
    assert isinstance(value, polars.DataFrame)
    assert value.dtypes == [polars.Int64, polars.String, polars.Decimal(10, 2)]
    monkeypatch.setitem(sys.modules, "polars", None)
    cell = connected("%%rds_sql --type polars\nSELECT 1")
    assert isinstance(cell.error, OptionError)
    assert "pip install polars" in cell.output


def test_dtype_backends(connected):
    cell = "%%rds_sql --dtype-backend {}\nSELECT 1 AS a, 'x' AS t, 1.50 AS d"
    assert all(isinstance(t, pd.ArrowDtype) for t in connected.ok(cell.format("pyarrow")).value.dtypes)
    assert [str(t) for t in connected.ok(cell.format("numpy_nullable")).value.dtypes] == ["Int64", "string", "Float64"]


def test_exact_decimals(connected):
    value = connected.ok("%%rds_sql --decimal exact\nSELECT CAST('0.1' AS DECIMAL(30,20)) AS d").value
    assert str(value.loc[0, "d"]) == "0.10000000000000000000"


def test_a_limit_and_its_note(connected):
    cell = connected.ok("%%rds_sql some << --limit 7\nSELECT * FROM orders")
    assert len(connected.names["some"]) == 7
    assert "Note: the result was cut at the limit of 7 rows; there are more." in cell.output


def test_to_a_file(connected, tmp_path):
    path = tmp_path / "orders.parquet"
    assert "50,000 rows written to" in connected.ok(f"%%rds_sql --to {path}\nSELECT * FROM orders").output
    assert len(pd.read_parquet(path)) == 50_000
    assert isinstance(connected(f"%%rds_sql --to {path}\nSELECT 1 AS a").error, ResultError)
    connected.ok(f"%%rds_sql --to {path} --overwrite\nSELECT 1 AS a")
    assert len(pd.read_parquet(path)) == 1


@pytest.mark.parametrize(
    "options",
    ["--type csv", "--dtype-backend arrow", "--limit x", "--limit 0", "--overwrite", "--to x.csv -o y",
     "--type arrow --decimal exact", "--decimal round"],
)  # fmt: skip
def test_options_that_cannot_be(connected, options):
    cell = connected(f"%%rds_sql {options}\nSELECT 1")
    assert isinstance(cell.error, OptionError), cell.output
    assert len(cell.output.strip().splitlines()) <= 2


def test_max_memory_is_configured(connected):
    connected.ok("%config RdsIamMagics.max_memory = '1 MB'")
    cell = connected("%rds_sql SELECT * FROM order_lines")
    assert isinstance(cell.error, ResultError)
    assert "exceeds its memory limit of 1 MB" in cell.output
    connected.ok("%config RdsIamMagics.max_memory = None")
    assert len(connected.ok("%rds_sql SELECT * FROM order_lines").value) == 96_381


def test_modes_are_shown_and_hold(shell):
    line = "%rds_iam_connect sandbox -u reader -d shop --read-only --time-zone +09:00 --timeout 30 --no-autocommit"
    shown = shell.ok(line).output
    assert "read-only · time zone +09:00 · statements end after 30 s · no autocommit" in shown
    assert shell.ok("%rds_sql SELECT @@time_zone AS z").value.loc[0, "z"] == "+09:00"
    refused = shell("%rds_iam_connect sandbox -u reader --time-zone Mars/Olympus")
    assert isinstance(refused.error, OptionError)
    assert "rejected the setting time zone Mars/Olympus: Unknown or incorrect time zone" in refused.output
    assert isinstance(shell("%rds_iam_connect sandbox -u reader --autocommit --no-autocommit").error, OptionError)


@pytest.mark.usefixtures("scratch")
def test_an_open_transaction_is_shown(shell):
    shell.ok("%rds_iam_connect sandbox -u tester -d scratch")
    shell.ok("%rds_sql CREATE OR REPLACE TABLE held (a INT)")
    shell.ok("%rds_sql BEGIN")
    shell.ok("%rds_sql INSERT INTO held VALUES (1)")
    assert "a transaction has been open for 0 s (1 row changed)" in shell.ok("%rds_iam_connect").output
    assert "closing the connection rolled it back" in shell.ok("%rds_iam_connect -x sandbox").output
    shell.ok("%rds_iam_connect sandbox -u tester -d scratch")
    assert shell.ok("%rds_sql SELECT COUNT(*) AS n FROM held").value.loc[0, "n"] == 0
    shell.ok("%rds_sql DROP TABLE held")


def test_a_lost_connection_is_listed(connected):
    connected.ip._rds_iam_magics.connections["sandbox"]._session.discard()
    for line in ("%rds_iam_connect", "%rds_iam_connect -l"):
        assert connected.ok(line).output.strip().endswith("· lost; the next statement reconnects")
    assert len(connected.ok("%rds_sql SELECT 1 AS a").value) == 1
    assert "lost" not in connected.ok("%rds_iam_connect").output


@pytest.mark.usefixtures("scratch", "inside")
def test_the_end_of_ipython_tells_of_an_open_transaction(tmp_path):
    script = tmp_path / "work.ipy"
    script.write_text(
        "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u tester -d scratch\n"
        "%rds_sql -q CREATE OR REPLACE TABLE ended (a INT); BEGIN; INSERT INTO ended VALUES (1), (2)\n"
    )
    command = [sys.executable, "-m", "IPython", str(script)]
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "a transaction with 2 changed rows was open; closing the connection rolled it back" in done.stdout
    assert done.stderr == ""


def test_an_error_of_the_time_limit(shell):
    shell.ok("%rds_iam_connect sandbox -u reader -d shop --timeout 0.3")
    cell = shell("%rds_sql SELECT COUNT(*) FROM order_lines a, order_lines b")
    assert isinstance(cell.error, StatementError)
    assert "--timeout" in cell.output


@pytest.fixture
def kernel(inside, tmp_path):
    """A kernel of its own, as a notebook has it; it takes the sandbox's environment."""
    assert inside.server.pid
    manager, client = start_new_kernel(env={**os.environ, "IPYTHONDIR": str(tmp_path)}, cwd=str(tmp_path))
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.context.destroy(linger=0)


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
    shown = outputs_of(client, "db = get_ipython()._rds_iam_magics.connections['sandbox']\ndb.query('SELEC')")
    assert shown.startswith("StatementError: ")
    assert len(shown.strip().splitlines()) == 2
    assert "connection.py" in outputs_of(client, "%tb")


@pytest.mark.usefixtures("scratch")
def test_the_end_of_the_kernel_closes_all(kernel, sandbox):
    manager, client = kernel
    outputs_of(client, "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u tester -d scratch")
    manager.shutdown_kernel()
    wait_until(lambda: not processes(sandbox.server, "USER = 'tester'"), "the end of the kernel's session")
