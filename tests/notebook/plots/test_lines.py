"""`--plot` on the line of `%rds_sql`, and the line of `%rds_plot`."""

import pytest

from rds_iam_magic.charts.options import PlotOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.options import parse_sql
from rds_iam_magic.notebook.plots.lines import parse_plot


@pytest.mark.parametrize(
    ("line", "options", "sql"),
    [
        ("--plot SELECT 1", PlotOptions(), "SELECT 1"),
        ("--plot hist SELECT 1", PlotOptions("hist"), "SELECT 1"),
        ("--plot=bar SELECT 1", PlotOptions("bar"), "SELECT 1"),
        ("--plot line -x a -y b -y c SELECT 1", PlotOptions("line", "a", ("b", "c")), "SELECT 1"),
        ("--plot -x 'a b' --color c SELECT 1", PlotOptions(None, "a b", (), "c"), "SELECT 1"),
        ("prod --plot SELECT 1", PlotOptions(), "SELECT 1"),
        ("--plot prod SELECT 1", PlotOptions(), "SELECT 1"),
        ("v << --plot box SELECT 1", PlotOptions("box"), "SELECT 1"),
        ("--plot v << SELECT 1", PlotOptions(), "SELECT 1"),
        ("--plot (SELECT 1)", PlotOptions(), "(SELECT 1)"),
        ("SELECT 1", None, "SELECT 1"),
    ],
)
def test_the_kind_may_be_left_out(line, options, sql):
    parsed = parse_sql(line, None, ["prod"])
    assert (parsed.plot, parsed.sql) == (options, sql)
    assert parsed.alias == ("prod" if "prod" in line else None)
    assert parsed.variable == ("v" if "<<" in line else None)


def test_in_a_cell():
    assert parse_sql("--plot", "SELECT 1", []).plot == PlotOptions()
    assert parse_sql("--plot scatter -x a", "SELECT 1", []).plot == PlotOptions("scatter", "a")


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("--plot histo SELECT 1", "--plot histo is not valid.", "Did you mean --plot hist?"),
        ("--plot=pie SELECT 1", "--plot pie is not valid.", "Use one of: line, bar"),
        ("--plot pie SELECT 1", "'pie' is neither a kind of chart nor a connection.", "The kinds: line, bar"),
        ("-x a SELECT 1", "-x needs --plot.", "Add --plot"),
        ("--color a SELECT 1", "--color needs --plot.", "Add --plot"),
        ("-y a SELECT 1", "-y needs --plot.", "Add --plot"),
        ("--plot --to f.csv SELECT 1", "--plot shows a chart; --to writes a file.", "Omit one"),
        ("-q --plot SELECT 1", "--plot shows a chart; --quiet shows nothing.", "Omit one"),
        ("--plot --persist df", "--persist writes a DataFrame; --plot does not go with it.", "Omit it."),
        ("--plot hist -y a SELECT 1", "A histogram counts rows; it has no y.", "Name its column as x."),
        ("--plot bar --plot line SELECT 1", "--plot is given twice.", "Give it once."),
    ],
)
def test_what_does_not_go_with_it(line, message, hint):
    with pytest.raises(OptionError) as caught:
        parse_sql(line, None, [])
    assert caught.value.message == message
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("line", "sql", "options"),
    [
        ("orders status", "SELECT `status` FROM `orders`", PlotOptions()),
        ("shop.orders a b -A prod", "SELECT `a`, `b` FROM `shop`.`orders`", PlotOptions()),
        ("`odd name` `a.b` --kind hist", "SELECT `a.b` FROM `odd name`", PlotOptions("hist")),
        ("orders a --color b;", "SELECT `a`, `b` FROM `orders`", PlotOptions(color="b")),
        ("orders a --color a", "SELECT `a` FROM `orders`", PlotOptions(color="a")),
    ],
)
def test_a_table_and_its_columns(line, sql, options):
    parsed = parse_plot(line)
    assert (parsed.sql, parsed.options, parsed.names_columns) == (sql, options, True)
    assert parsed.alias == ("prod" if "prod" in line else None)


def test_without_a_column():
    assert not parse_plot("orders").names_columns
    assert parse_plot("--help") is None


@pytest.mark.parametrize("line", ["", "orders shop.a", "orders a --kind pie", "orders a --plot hist", "orders `a"])
def test_a_line_that_cannot_be_read(line):
    with pytest.raises(OptionError):
        parse_plot(line)
