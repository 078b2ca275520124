"""What `%%rds_sql` gives back and shows, and when: types, files, modes; several results, CALL, failures, notes."""

import os
import subprocess
import sys

import pandas as pd
import polars
import pyarrow as pa
import pytest

from rds_iam_magic.errors import OptionError, ResultError, StatementError
from tests.support.events import interrupt_when, processes, wait_until

pytestmark = pytest.mark.slow  # servers and kernels


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


def test_a_session_that_was_closed_while_it_was_idle_is_listed(shell):
    said = shell.ok("%rds_iam_connect sandbox -u reader -d shop --close-idle 0.0005").output  # 30 ms
    assert "closes after 0.0005 min without a statement" in said
    wait_until(lambda: shell.ip._rds_iam_magics.connections["sandbox"].idle_closed)
    for line in ("%rds_iam_connect", "%rds_iam_connect -l"):
        assert shell.ok(line).output.strip().endswith("· closed while it was idle; the next statement reconnects")
    cell = shell.ok("%rds_sql SELECT 1 AS a")
    assert len(cell.value) == 1
    assert "Note: the session was closed while it was idle; a new one was opened for this statement." in cell.output


@pytest.mark.usefixtures("tester")
def test_a_session_that_holds_something_stays_open_and_says_why(shell):
    shell.ok("%rds_iam_connect sandbox -u tester -d scratch --close-idle 10")
    shell.ok("%rds_sql CREATE TEMPORARY TABLE mine (a INT)")
    connection = shell.ip._rds_iam_magics.connections["sandbox"]
    connection._use.used_at -= 600
    connection._idle_closing.look()
    cell = shell.ok("%rds_sql SELECT * FROM mine")
    assert "the session was idle for 10 min but stays open: closing it would lose temporary tables." in cell.output
    assert "idle" not in shell.ok("%rds_sql SELECT * FROM mine").output


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


@pytest.mark.parametrize(
    "cell",
    [
        "%%rds_sql df <<\nCALL {}()",
        "%%rds_sql -o df\nCALL {}()",
        "%%rds_sql df =<<\nCALL {}()",
        "df = %rds_sql CALL {}()",
    ],
)
@pytest.mark.parametrize(("procedure", "column"), [("one", "a"), ("two", "b"), ("mixed", "a")])
def test_the_last_result_set_of_a_call_is_its_value(tester, cell, procedure, column):
    done = tester.ok(cell.format(procedure))
    assert isinstance(tester.names["df"], pd.DataFrame)
    assert list(tester.names["df"].columns) == [column]
    assert (done.value is tester.names["df"]) == ("=<<" in cell)
    assert ("41" in done.output) == (procedure == "two" or "=<<" in cell)
    assert ("2 rows changed" in done.output) == (procedure == "mixed"), "what CALL changed is not hidden"
    assert "0 rows" not in done.output


@pytest.mark.parametrize("kind", ["arrow", "polars"])
def test_the_value_of_a_call_as_another_type(tester, kind):
    value = tester.ok(f"%%rds_sql --type {kind}\nCALL two()").value
    assert value.shape == (1, 1)
    assert value["b"].to_pylist() if kind == "arrow" else value["b"].to_list() == [42]


def test_a_call_without_rows_gives_its_count(tester):
    assert repr(tester.ok("%rds_sql CALL none()").value) == "2 rows changed"


@pytest.mark.parametrize("line", ["%%rds_sql", "%%rds_sql x <<", "%%rds_sql x =<<", "%%rds_sql -o x"])
def test_what_came_before_a_failure_is_shown(tester, line):
    cell = tester(f"{line}\nSELECT 41 AS b; UPDATE flow SET a = 7; SELECT 43 AS c; SELEC 3")
    assert isinstance(cell.error, StatementError)
    shown = [cell.output.index(text) for text in ("41", "Statement 2: 2 rows changed ·", "43", "StatementError")]
    assert shown == sorted(shown)
    assert "x" not in tester.names
    assert tester(f"{line} -q\nSELECT 41 AS b; SELEC 3").output.startswith("StatementError")


def test_a_count_before_a_failure_is_shown(tester):
    assert tester("%rds_sql UPDATE flow SET a = 9; SELEC 1").output.startswith("Statement 1: 2 rows changed · ")


@pytest.mark.parametrize("line", ["%%rds_sql", "%%rds_sql x <<"])
def test_what_came_before_a_failure_in_the_last_statement_is_shown(tester, line):
    """A procedure that fails after its first results."""
    tester.ok(
        "%%rds_sql -q\nCREATE OR REPLACE PROCEDURE breaks() BEGIN SELECT 41 AS a; SELECT 42 AS b; SELECT * FROM no; END"
    )
    cell = tester(f"{line}\nCALL breaks()")
    tester.ok("%rds_sql -q DROP PROCEDURE breaks")
    assert isinstance(cell.error, StatementError)
    shown = [cell.output.index(text) for text in ("41", "42", "StatementError")]
    assert shown == sorted(shown)
    assert "x" not in tester.names


def test_a_result_that_is_too_large_hides_no_other(connected):
    connected.ok("%config RdsIamMagics.max_memory = '1 MB'")
    cell = connected("%rds_sql SELECT 41 AS a; SELECT * FROM order_lines")
    connected.ok("%config RdsIamMagics.max_memory = None")
    assert isinstance(cell.error, ResultError)
    assert cell.output.index("41") < cell.output.index("ResultError")


@pytest.mark.parametrize("line", ["%%rds_sql", "%%rds_sql x <<"])
def test_what_came_before_a_stop_is_shown(connected, inside, line):
    """A real SIGINT, sent when the server is seen to sleep."""
    with interrupt_when(lambda: processes(inside.server, "STATE = 'User sleep'")):
        cell = connected(f"{line}\nSELECT 41 AS a; SELECT 42 AS b; SELECT SLEEP(600)")
    assert isinstance(cell.error, KeyboardInterrupt)
    texts = ("41", "42", "the query was ended on the server", "KeyboardInterrupt")
    assert all(text in cell.output for text in texts), cell.output
    shown = [cell.output.index(text) for text in texts]
    assert shown == sorted(shown)
    assert "x" not in connected.names


def test_a_result_is_shown_before_the_next_statement_runs(tester, inside, monkeypatch):
    from rds_iam_magic.notebook.showing import display

    rows = []
    show = display.show

    def look(value):
        with inside.server.root() as root:
            rows.append(root.execute("SELECT * FROM scratch.flow WHERE a = 99"))
        show(value)

    monkeypatch.setattr(display, "show", look)
    tester.ok("%rds_sql SELECT 1 AS a; INSERT INTO flow VALUES (99); SELECT 2 AS b; DELETE FROM flow WHERE a = 99")
    assert rows == [0, 1]


JOIN = "SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id LIMIT 1"


NOTE = (
    "the result has 2 columns named id; df['id'] selects all of them. Rename them with AS: o.id AS o_id, c.id AS c_id."
)


def test_columns_of_one_name_are_told_once(connected):
    assert f"Note: {NOTE}" in connected.ok(f"%%rds_sql joined <<\n{JOIN}").output
    assert "columns named" not in connected.ok(f"%rds_sql {JOIN}").output
    renamed = "SELECT o.id AS o_id, c.id AS c_id FROM orders o JOIN customers c ON c.id = o.customer_id LIMIT 1"
    assert "columns named" not in connected.ok(f"%rds_sql {renamed}").output
    other = connected.ok("%rds_sql SELECT 1 AS a, 2 AS a, 3 AS b, c.id, c.id FROM customers c LIMIT 1").output
    assert "2 columns named a, 2 columns named id;" in other
    assert "… AS a_1, … AS a_2, c.id AS c_id, c.id AS c_id_2." in other
