"""`--plot` and `%rds_plot` in a real IPython shell, against the real server."""

import pandas as pd
import pytest

from rds_iam_magic.errors import OptionError, StatementError

pytestmark = pytest.mark.slow  # servers and kernels

MONTHLY = (
    "SELECT CAST(DATE_FORMAT(ordered_at, '%Y-%m-01') AS DATE) AS month, COUNT(*) AS orders FROM orders GROUP BY month"
)


def test_the_value_is_what_it_is_without_a_chart(connected):
    cell = connected.ok(f"%rds_sql --plot {MONTHLY}")
    assert "Line chart: orders by month. 36 values from " in cell.output
    assert cell.value.equals(connected.ok(f"%rds_sql {MONTHLY}").value)
    cell = connected.ok(f"%rds_sql m << --plot area {MONTHLY}")
    assert "Area chart: orders by month." in cell.output
    assert cell.value is None
    assert connected.names["m"].shape == (36, 2)


def test_in_a_cell_with_parameters(connected):
    connected.names["category"] = "tea"
    cell = connected.ok("%%rds_sql --plot bar -x name -y unit_price\nSELECT * FROM products WHERE category = :category")
    assert "Bar chart: unit_price by name. 8 values from " in cell.output


def test_the_server_counts_without_a_variable(connected):
    cell = connected.ok("%rds_sql --plot hist SELECT unit_price FROM order_lines WHERE quantity > 1 -- all but one")
    assert "rows counted on the server" in cell.output
    assert cell.value.columns.tolist() == ["unit_price_from", "unit_price_to", "rows"]
    here = connected.ok("%rds_sql p << --plot hist SELECT unit_price FROM order_lines WHERE quantity > 1")
    assert "counted on the server" not in here.output
    assert connected.names["p"].shape == (cell.value["rows"].sum(), 1)
    assert here.output.partition("Histogram")[2] == cell.output.partition("Histogram")[2].partition("Out[")[0]


@pytest.mark.parametrize("option", ["--limit 100", "--parallel 2 --on id", "--type arrow", "--dtype-backend pyarrow"])
def test_with_other_options_the_rows_are_read(connected, option):
    cell = connected.ok(
        f"%rds_sql --plot hist {option} SELECT id, quantity FROM order_lines JOIN orders ON id = order_id"
    )
    assert "Histogram of id." in cell.output
    assert len(cell.value) in (100, 96_381)


def test_a_missing_column_is_known_before_the_rows_are_read(connected):
    cell = connected("%rds_sql --plot hist -x prize SELECT unit_price AS price, SLEEP(1) FROM order_lines")
    assert isinstance(cell.error, OptionError)
    assert str(cell.error) == "There is no column 'prize' to plot.\nDid you mean price?"


def test_so_it_is_where_the_kind_is_guessed(connected):
    cell = connected("%rds_sql --plot --color prize SELECT unit_price AS price, SLEEP(1) FROM order_lines")
    assert str(cell.error) == "There is no column 'prize' to plot.\nDid you mean price?"


@pytest.mark.parametrize("name", ["", "kept << "])
def test_where_it_is_known_afterwards_nothing_is_lost(connected, name):
    """Neither of several statements nor of SHOW the columns can be asked for."""
    cell = connected(f"%%rds_sql {name}--plot bar -x prize\nSELECT 1; SELECT unit_price AS price FROM products LIMIT 3")
    assert isinstance(cell.error, OptionError)
    if name:
        assert connected.names["kept"].columns.tolist() == ["price"]
    else:
        assert cell.output.count("price") > 1, "the rows are shown"


@pytest.mark.parametrize("kind", ["", "hist", "line"])
def test_a_wrong_statement_fails_as_it_does_without_a_chart(connected, kind):
    for sql in ("SELECT idd FROM products", "SELECT id FROM product", "SELECT id FORM products"):
        assert str(connected(f"%rds_sql --plot {kind} -x a {sql}").error) == str(connected(f"%rds_sql {sql}").error)


def test_nothing_to_draw_is_told(connected):
    cell = connected.ok("%rds_sql --plot SELECT id, name FROM products WHERE 1 = 0")
    assert "Note: there is nothing to draw." in cell.output
    assert "Columns: [id, name]" in cell.output
    cell = connected.ok("%rds_sql --plot hist SELECT CAST(NULL AS DOUBLE) AS a")
    assert "Note: there is nothing to draw (not drawn: 1 row with NULL in a)." in cell.output
    cell = connected("%rds_sql --plot SET @a = 1")
    assert str(cell.error) == "The statement returned no rows, so there is nothing to plot.\nPlot a SELECT."


def test_two_columns_of_the_same_name(connected):
    cell = connected.ok("%rds_sql --plot hist -x n SELECT id AS n, 1 AS a, 2 AS a FROM products")
    assert "Histogram of n. 24 rows" in cell.output
    assert "Several columns are named 'a'." in str(connected("%rds_sql --plot hist -x a SELECT 1 AS a, 2 AS a").error)


def test_no_statement_that_may_write_is_run_twice(tester):
    tester.ok("%rds_sql CREATE OR REPLACE TABLE counted (n INT)")
    tester.ok("%%rds_sql --plot hist\nINSERT INTO counted VALUES (1); SELECT n FROM counted")
    assert tester.ok("%rds_sql SELECT COUNT(*) AS n FROM counted").value.loc[0, "n"] == 1
    tester.ok("%rds_sql SET @n = 0")
    tester.ok("%rds_sql --plot hist SELECT @n := @n + 1 AS n")
    assert tester.ok("%rds_sql SELECT @n AS n").value.loc[0, "n"] == 1
    tester.ok("%rds_sql -q DROP TABLE counted")


def test_a_tables_columns(connected):
    cell = connected.ok("%rds_plot orders status")
    assert cell.value.to_dict("list")["status"][0] == "delivered"
    assert cell.value["rows"].sum() == 50_000
    assert "Box plot: unit_price by category." in connected.ok("%rds_plot products category unit_price").output
    assert (
        "Heatmap: rows by quantity and unit_price." in connected.ok("%rds_plot order_lines quantity unit_price").output
    )
    assert (
        "Histogram of ordered_at, coloured by status ("
        in connected.ok("%rds_plot orders ordered_at --color status").output
    )
    assert connected.ok("%rds_plot shop.customers newsletter").value["rows"].sum() == 4_000
    assert "Scatter plot" in connected.ok("%rds_plot products weight_kg unit_price --kind scatter").output
    assert connected.ok("%rds_plot --help").output.startswith("Show a chart of a table's columns.")


def test_rows_of_a_table_are_read_as_far_as_they_are_drawn(connected):
    cell = connected.ok("%rds_plot order_lines quantity unit_price --kind scatter")
    assert len(cell.value) == 5_000
    assert "Note: the result was cut" in cell.output


def test_a_column_has_to_be_named(connected):
    cell = connected("%rds_plot products")
    assert str(cell.error) == ("Name the column to plot.\nThe columns: id, name, category, unit_price, weight_kg.")
    error = connected("%rds_plot products categry").error
    assert isinstance(error, StatementError)
    assert "Did you mean `category`?" in str(error)


def test_there_is_a_place_for_each_column(connected):
    cell = connected("%rds_plot order_lines quantity unit_price discount")
    assert (
        str(cell.error) == "There is no place for column 'discount' in a heatmap.\nOmit it, or choose another --kind."
    )
    assert "Line chart" in connected.ok("%rds_plot products id unit_price weight_kg --kind line").output


def test_unloading_forgets_what_was_shown(connected):
    value = connected.ok("%rds_plot products category").value
    assert isinstance(value, pd.DataFrame)
    connected.ok("%unload_ext rds_iam_magic")
    assert "rds_plot" not in connected.ip.magics_manager.magics["line"]
    connected.ok("%load_ext rds_iam_magic")


def test_bars_of_a_table_are_of_all_its_rows(connected):
    cell = connected.ok("%rds_plot orders status --kind bar")
    assert "Bar chart: rows by status. 50,000 rows" in cell.output
    assert cell.value["rows"].sum() == 50_000
    cell = connected.ok("%rds_plot orders shipped_on --kind bar")  # the server does not write dates as a frame does
    assert "cut" not in cell.output
    assert len(cell.value) == 50_000


def test_so_is_a_histogram_that_is_guessed_of_what_the_server_cannot_count(tester):
    tester.ok("%rds_sql CREATE OR REPLACE TABLE spans AS SELECT SEC_TO_TIME(seq) AS t FROM seq_1_to_6000")
    for kind in ("", " --kind hist"):
        cell = tester.ok(f"%rds_plot spans t{kind}")
        assert "Histogram of t (s). 6,000 rows" in cell.output
    tester.ok("%rds_sql -q DROP TABLE spans")


def test_a_warning_is_told_once(connected):
    cell = connected.ok("%rds_sql --plot hist SELECT CAST('1x' AS SIGNED) AS a")
    assert cell.output.count("Truncated incorrect") == 1
