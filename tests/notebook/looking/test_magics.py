"""The magics for looking around, in a real IPython shell, against the real server."""

import re

import pandas as pd
import pytest

from rds_iam_magic.errors import NotConnectedError, OptionError
from tests.support.events import interrupt_when, processes

pytestmark = pytest.mark.slow  # servers and kernels


def test_tables_are_shown_whole_and_are_a_frame(connected):
    value = connected.ok("%rds_tables").value
    assert type(value) is pd.DataFrame
    text, page = connected.shown(value)
    assert re.search(r"^shop +orders +table +\d\d,\d\d\d +\d MB$", text, re.MULTILINE)
    assert re.search(r">\d\d,\d\d\d</td>", page)
    assert value["bytes"].sum() > 1_000_000, "numbers, however they are shown"
    connected.ok("found = %rds_tables order_*")
    assert connected.names["found"]["table"].tolist() == ["order_lines"]


def test_another_connection_by_its_alias(connected):
    connected.ok("%rds_iam_connect sandbox -u reader -A other")
    connected.ok("%rds_iam_connect sandbox")
    assert len(connected.ok("%rds_tables -A other shop.*").value) == 4
    assert connected.ok("%rds_iam_connect").output.startswith("other: ")
    error = connected("%rds_tables -A othr").error
    assert isinstance(error, NotConnectedError)
    assert "Did you mean other?" in error.hint


def test_variables_are_filled_in(connected):
    connected.names["wanted"] = "ord*"
    assert len(connected.ok("%rds_tables {wanted}").value) == 2


def test_without_a_connection(shell):
    error = shell("%rds_tables").error
    assert isinstance(error, NotConnectedError)
    assert "%rds_iam_connect" in error.hint


def test_help_and_mistakes(connected):
    assert "[PATTERN]" in connected.ok("%rds_tables --help").output
    error = connected("%rds_tables --alas x").error
    assert isinstance(error, OptionError)
    assert "Did you mean --alias?" in error.hint


def test_unloading_takes_them_away(connected):
    connected.ok("%unload_ext rds_iam_magic")
    assert "rds_tables" not in connected.ip.magics_manager.magics["line"]
    assert not [each for each in connected.ip.configurables if type(each).__name__.startswith("RdsIam")]
    connected.ok("%load_ext rds_iam_magic")
    assert "rds_tables" in connected.ip.magics_manager.magics["line"]


def test_columns_rows_and_the_statement_that_creates(connected):
    assert "ordered_at" in connected.shown(connected.ok("%rds_columns orders").value)[0]
    assert len(connected.ok("%rds_preview shop.orders 3").value) == 3
    text, page = connected.shown(connected.ok("%rds_preview `customers` 2").value)
    assert "2020-12-09" in text
    assert "00:00:00" not in text + page
    value = connected.ok("%rds_ddl orders").value
    assert isinstance(value, str)
    assert connected.shown(value)[0] == str(value)
    assert len(value.splitlines()) > 10


def test_a_column_that_may_not_be_null_has_no_default_of_null(tester):
    tester.ok("%rds_sql -q CREATE OR REPLACE TABLE defaults (a INT NOT NULL, b INT, c INT NOT NULL DEFAULT 5, d TEXT)")
    value = tester.ok("%rds_columns defaults").value
    assert value["default"].isna().tolist() == [True, True, False, True], "the values are the server's"
    lines = tester.shown(value)[0].splitlines()
    assert [line.split()[2:] for line in lines[1:]] == [["NO"], ["YES", "NULL"], ["NO", "5"], ["YES", "NULL"]]
    tester.ok("%rds_sql -q DROP TABLE defaults")


def test_a_profile(connected):
    value = connected.ok("%rds_profile orders").value
    assert value["top"][3][0] == ("delivered", 43019)
    text, page = connected.shown(value)
    assert "delivered (43,019) · returned (2,468)" in text
    assert "delivered (43,019) · returned (2,468)" in page
    assert page.count("<tr>") == 7


def test_a_plan_of_a_line_and_of_a_cell(connected):
    assert "orders: one row by PRIMARY" in connected.ok("%rds_explain SELECT * FROM orders WHERE id = 5").value
    value = connected.ok("%%rds_explain --analyze -- what it takes\nSELECT '{x} %s', id\nFROM products;").value
    assert "24 rows (24 expected)" in value
    assert connected.shown(value)[0] == str(value)


def test_a_plan_has_the_values_of_variables(connected):
    connected.names["wanted"] = [1, 2]
    cell = "%%rds_explain\nSELECT * FROM orders WHERE id IN :wanted"
    assert re.search(r"\borders\b.*PRIMARY", connected.ok(cell).value, re.DOTALL)
    assert connected("%rds_explain SELECT * FROM orders WHERE id = :wantd").error.cause == "parameter-unknown"


def test_the_sql_of_a_plan_is_not_expanded(connected):
    connected.names["x"] = "nothing"
    assert "Query" in connected.ok("%rds_explain SELECT '{x}' FROM orders").value


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("%rds_columns", "name of a table is missing", "%rds_columns TABLE"),
        ("%rds_columns a b", "does not understand 'b'", "backquotes"),
        ("%rds_preview orders x", "not a number of rows", "%rds_preview TABLE 20"),
        ("%rds_preview orders 0", "not a number of rows", "%rds_preview TABLE 20"),
        ("%rds_ddl ordes", "doesn't exist", "Did you mean `orders`?"),
        ("%rds_profile orders --alll", "has no option --alll", "Did you mean --all?"),
        ("%rds_explain", "no SQL", "Write a statement"),
        ("%rds_explain SELECT 1; SELECT 2", "2 statements", "Leave one"),
        ("%rds_explain SELECT 1 --analyze", "options go before it", "%rds_explain --analyze"),
        ("%rds_explain --analyze DELETE FROM orders", "this one may write", "without --analyze"),
        ("%%rds_explain orders\nSELECT 1", "does not understand 'orders'", "The SQL goes below it"),
        ("%rds_databases --region eu-west-1", "--region needs --aws", "Add --aws"),
        ("%rds_databases shop", "does not understand 'shop'", "%rds_databases --help"),
    ],
)
def test_what_is_wrong_and_what_to_do(connected, line, message, hint):
    error = connected(line).error
    assert message in str(error)
    assert hint in error.hint
    assert len(str(error).splitlines()) == 2


def test_the_databases_of_the_account_need_no_connection(shell):
    value = shell.ok("%rds_databases --aws").value
    assert value["identifier"].tolist() == ["sandbox", "sandbox-1", "standalone", "warehouse"]
    shell.ok("%rds_iam_connect sandbox -u reader -d shop")
    assert shell.ok("%rds_databases --aws").value.equals(value)
    assert shell.ok("%rds_databases").value["schema"].tolist() == ["shop", "information_schema"]
    cell = shell.ok("%rds_databases --aws --region eu-west-2")
    assert "Note: no DB cluster or instance there; --region REGION looks in another region." in cell.output
    error = shell("%rds_databases --aws -A othr").error
    assert isinstance(error, NotConnectedError)


def test_stop_ends_the_query_and_keeps_the_connection(tester, inside):
    tester.ok("%rds_sql CREATE OR REPLACE VIEW slow AS SELECT SLEEP(600) AS a FROM flow")
    tester.ok("%rds_sql -q CREATE TEMPORARY TABLE mine (a INT)")
    try:
        with interrupt_when(lambda: processes(inside.server, "STATE = 'User sleep'")):
            cell = tester("%rds_profile slow")
        assert isinstance(cell.error, KeyboardInterrupt)
        assert "the query was ended on the server; the connection stays open" in cell.output
        assert tester.ok("%rds_columns mine").value["column"].tolist() == ["a"]
    finally:
        tester.ok("%rds_sql DROP VIEW slow")


def test_a_lost_connection_comes_back(connected, inside):
    number = connected.ok("%rds_sql SELECT CONNECTION_ID() AS id").value["id"][0]
    with inside.server.root() as root:
        root.execute(f"KILL {number}")
    assert len(connected.ok("%rds_tables").value) == 4


def test_a_sample_is_told_with_the_magics_option(connected, monkeypatch):
    monkeypatch.setattr("rds_iam_magic.schema.profile.MOST_ROWS", 10_000)
    monkeypatch.setattr("rds_iam_magic.schema.profile.SAMPLE", 2_000)
    output = connected.ok("%rds_profile orders").output
    assert "Note: these are the figures of a random sample: " in output
    assert "--all reads all." in output
    assert "Note" not in connected.ok("%rds_profile orders --all").output
