"""What a cell shows, when, and what its value is: several results, CALL, failures in between, counts, notes."""

import os
import pickle
import signal
import threading

import pandas as pd
import pytest

from rds_iam_magic.errors import ResultError, StatementError
from rds_iam_magic.mysql.duplicate_names import duplicate_names_note
from rds_iam_magic.notebook.display import RowCount

SLEEPERS = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP%' OR INFO LIKE 'SET @%SLEEP%'"


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
    shown = [cell.output.index(text) for text in ("41", "Statement 2: 2 rows changed.", "43", "StatementError")]
    assert shown == sorted(shown)
    assert "x" not in tester.names
    assert tester(f"{line} -q\nSELECT 41 AS b; SELEC 3").output.startswith("StatementError")


def test_a_count_before_a_failure_is_shown(tester):
    assert tester("%rds_sql UPDATE flow SET a = 9; SELEC 1").output.startswith("Statement 1: 2 rows changed.\n")


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
    seen = threading.Event()

    def stop():
        with inside.server.root() as root:
            while not root.execute(SLEEPERS) and not seen.wait(0.01):
                pass
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=stop)
    thread.start()
    try:
        cell = connected(f"{line}\nSELECT 41 AS a; SELECT 42 AS b; SELECT SLEEP(30)")
    finally:
        seen.set()
        thread.join()
        signal.signal(signal.SIGINT, before)
    assert isinstance(cell.error, KeyboardInterrupt)
    texts = ("41", "42", "the query was ended on the server", "KeyboardInterrupt")
    assert all(text in cell.output for text in texts), cell.output
    shown = [cell.output.index(text) for text in texts]
    assert shown == sorted(shown)
    assert "x" not in connected.names


def test_a_result_is_shown_before_the_next_statement_runs(tester, inside, monkeypatch):
    from rds_iam_magic.notebook import display

    rows = []
    show = display.show

    def look(value):
        with inside.server.root() as root:
            rows.append(root.execute("SELECT * FROM scratch.flow WHERE a = 99"))
        show(value)

    monkeypatch.setattr(display, "show", look)
    tester.ok("%rds_sql SELECT 1 AS a; INSERT INTO flow VALUES (99); SELECT 2 AS b; DELETE FROM flow WHERE a = 99")
    assert rows == [0, 1]


COUNTS = [
    ("USE scratch", "OK"),
    ("SET @a = 1", "OK"),
    ("COMMIT", "OK"),
    ("BEGIN", "OK"),
    ("ROLLBACK", "OK"),
    ("DO 1", "OK"),
    ("/* why */ SET @a = 1", "OK"),
    ("CREATE OR REPLACE TABLE counted (a INT)", "OK"),
    ("CREATE OR REPLACE TABLE counted AS SELECT 1 AS a UNION SELECT 2", "2 rows changed"),
    ("ALTER TABLE counted ADD COLUMN b INT", "OK"),
    ("INSERT INTO counted (a) VALUES (3)", "1 row changed"),
    ("UPDATE counted SET b = 1 WHERE a = 99", "0 rows changed"),
    ("REPLACE INTO counted (a) VALUES (3), (4)", "2 rows changed"),
    ("DELETE FROM counted WHERE a = 99", "0 rows changed"),
    ("SELECT a FROM counted LIMIT 1 INTO @x", "OK, 1 row"),
    ("TRUNCATE counted", "OK"),
    ("DROP TABLE counted", "OK"),
]


def test_ok_where_there_is_nothing_to_count(tester):
    shown = [(sql, repr(tester.ok(f"%rds_sql {sql}").value)) for sql, _ in COUNTS]
    assert shown == COUNTS
    cell = tester.ok("%rds_sql USE scratch; SET @a = 1; UPDATE flow SET a = 5; SELECT 1 AS a")
    assert cell.output.startswith("Statement 1: OK.\nStatement 2: OK.\nStatement 3: 2 rows changed.\n")


def test_a_count_is_a_number():
    count = pickle.loads(pickle.dumps(RowCount(3, "OK, 3 rows")))
    assert (count, repr(count), count + 1) == (3, "OK, 3 rows", 4)


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


def test_names_that_need_backticks_have_them(db, notes):
    db.execute("CREATE OR REPLACE TEMPORARY TABLE `my t` (`the id` INT)")
    db.query(
        "SELECT * FROM `my t` AS x JOIN `my t` AS `y z` ON TRUE".replace("JOIN `my t`", "JOIN (SELECT 1 AS `the id`)")
    )
    assert "x.`the id` AS `x_the id`" in notes[0]
    assert duplicate_names_note([]) == ""
