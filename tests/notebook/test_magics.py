"""The magics, in a real IPython shell, against the real server."""

import re

import pandas as pd
import pytest

import rds_iam_magic
from rds_iam_magic.errors import NotConnectedError, OptionError, StatementError

pytestmark = pytest.mark.slow  # servers and kernels


def test_connect_says_in_one_line_where_it_leads(shell, inside):
    cell = shell.ok("%rds_iam_connect sandbox -u reader -d shop")
    assert re.fullmatch(
        rf"Connected\. sandbox: reader@{re.escape(inside.endpoint)}:3306 · via 127\.0\.0\.1:{inside.server.port} · "
        r"MariaDB \d+\.\d+\.\d+ · TLSv1\.[23] · (compressed \(zlib\) · )?database shop\n",  # on a busy machine
        cell.output,
    )
    assert cell.value is None


def test_connect_says_that_the_traffic_is_compressed(shell):
    cell = shell.ok("%rds_iam_connect sandbox -u reader -d shop --compress zlib")
    assert re.search(r" · TLSv1\.[23] · compressed \(zlib\) · database shop\n", cell.output)
    assert len(shell.ok("%rds_sql SELECT * FROM orders").value) > 1000
    assert "compressed" not in shell.ok("%rds_iam_connect sandbox -u reader --compress off").output
    error = shell("%rds_iam_connect sandbox -u reader --compress zstd").error
    assert str(error).splitlines()[1].startswith("Use --compress zlib, or --compress auto")
    error = shell("%rds_iam_connect sandbox -u reader --compress gzip").error
    assert isinstance(error, OptionError)
    assert error.hint == "Use one of: auto, zlib, zstd, off."


def test_several_connections(connected):
    connected.ok("%rds_iam_connect standalone -u reader -A other")
    listed = connected.ok("%rds_iam_connect --connections").output.splitlines()
    assert [line[:9] for line in listed] == ["  sandbox", "* other: "]
    assert "database shop" in listed[0]
    assert "no database" in listed[1]
    assert connected.ok("%rds_iam_connect").output.startswith("other: ")
    assert connected.ok("%rds_iam_connect sandbox").output.startswith("sandbox: ")
    assert connected.ok("%rds_sql SELECT DATABASE() d").value.loc[0, "d"] == "shop"
    assert connected.ok("%%rds_sql other\nSELECT DATABASE() d").value["d"].isna().all()
    assert connected.ok("%rds_sql SELECT DATABASE() d").value["d"].isna().all(), "the last one named is the current one"
    assert "Closed other." in connected.ok("%rds_iam_connect -x other").output
    assert connected.ok("%rds_iam_connect").output.startswith("sandbox: ")


def test_closing_another_one_leaves_the_current_one(connected):
    for alias in ("b", "c"):
        connected.ok(f"%rds_iam_connect sandbox -u reader -d shop -A {alias}")
    connected.ok("%rds_iam_connect sandbox")
    assert "The current connection is sandbox." in connected.ok("%rds_iam_connect -x b").output
    assert "* sandbox:" in connected.ok("%rds_iam_connect -l").output


def test_an_error_in_showing_leaves_the_connection_free(connected, monkeypatch):
    from rds_iam_magic.notebook.showing import display

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(display, "show", fail)
        cell = connected("%rds_sql SELECT 1 AS a; SELECT 2 AS b")
        assert isinstance(cell.error, KeyboardInterrupt)
    assert connected.ok("%rds_sql SELECT 3 AS c").value.loc[0, "c"] == 3


def test_earlier_results_are_shown_beside_an_assignment(connected):
    cell = connected.ok("%%rds_sql last <<\nSELECT 41 AS first_one; SELECT 42 AS second_one")
    assert "first_one" in cell.output
    assert "second_one" not in cell.output
    assert connected.ok("%%rds_sql last << -q\nSELECT 41 AS a; SELECT 42 AS b").output == ""


def test_use_is_seen(connected):
    connected.ok("%rds_sql USE information_schema")
    assert "database information_schema" in connected.ok("%rds_iam_connect").output


def test_connecting_again_replaces_the_connection(connected):
    cell = connected.ok("%rds_iam_connect sandbox -u reader")
    assert "Note: this replaces the previous connection sandbox." in cell.output
    assert len(connected.ok("%rds_iam_connect -l").output.splitlines()) == 1


def test_variables_are_filled_in_on_the_connect_line(shell):
    shell.names["WHO"] = "reader"
    shell.ok("%rds_iam_connect sandbox -u {WHO} -d shop")


def test_a_cell_gives_a_dataframe(connected):
    value = connected.ok("%%rds_sql\nSELECT id, name, unit_price FROM products ORDER BY id LIMIT 2").value
    assert isinstance(value, pd.DataFrame)
    assert list(value.columns) == ["id", "name", "unit_price"]
    assert value["id"].tolist() == [1, 2]


def test_a_line_of_sql(connected):
    assert connected.ok("%rds_sql SELECT COUNT(*) AS n FROM orders").value.loc[0, "n"] == 50000


@pytest.mark.parametrize(
    "cell", ["%%rds_sql top <<\nSELECT 1 AS a", "%%rds_sql -o top\nSELECT 1 AS a", "%rds_sql top << SELECT 1 AS a"]
)
def test_assigning(connected, cell):
    done = connected.ok(cell)
    assert done.value is None
    assert re.fullmatch(r"1 row × 1 · \d+ ms · sandbox\n", done.output)
    assert connected.names["top"]["a"].tolist() == [1]


def test_assigning_with_an_alias(connected):
    connected.ok("%%rds_sql sandbox top <<\nSELECT 2 AS a")
    assert connected.names["top"]["a"].tolist() == [2]


def test_the_text_is_not_expanded(connected):
    connected.names["x"] = "WRONG"
    value = connected.ok("%%rds_sql\nSELECT '{x} $x %s {{x}}' AS a, '100%' AS `b%`").value
    assert value.iloc[0].tolist() == ["{x} $x %s {{x}}", "100%"]


def test_several_statements_show_each_result(connected):
    cell = connected.ok("%%rds_sql\nSELECT 'first' AS a;\nSET @x = 5;\nSELECT @x AS b")
    assert "first" in cell.output
    assert "Statement 2: OK · " in cell.output
    assert cell.value["b"].tolist() == [5]


@pytest.mark.usefixtures("scratch")
def test_a_number_of_changed_rows(shell):
    shell.ok("%rds_iam_connect sandbox -u tester -d scratch")
    shell.ok("%rds_sql CREATE OR REPLACE TABLE changed (a INT)")
    cell = shell.ok("%rds_sql INSERT INTO changed VALUES (1), (2)")
    assert cell.value == 2
    assert repr(cell.value) == "2 rows changed"
    assert repr(shell.ok("%rds_sql DELETE FROM changed WHERE a = 1").value) == "1 row changed"
    shell.ok("%rds_sql DROP TABLE changed")


FAILURES = [
    ("%rds_sql SELECT * FROM ordres", StatementError, "ordres", ""),
    ("%%rds_sql\nSELECT 1;\nSELEC 2", StatementError, "Statement 2 of 2.*1064", ""),
    ("%%rds_sql\n  \n", OptionError, "no SQL", ""),
    ("%%rds_sql\n-- nothing\n", OptionError, "no SQL", ""),
    ("%rds_sql", OptionError, "no SQL", ""),
    ("%%rds_sql prod\nSELECT 1", NotConnectedError, "prod", ""),
    ("%rds_iam_connect prod", Exception, "prod", "-u USER"),
    ("%rds_iam_connect sandbox -u", OptionError, "-u", ""),
    ("%rds_iam_connect sandbox --usr reader", OptionError, "--usr", "--user"),
    ("%rds_iam_connect -x prod", NotConnectedError, "prod", "Open connections: sandbox"),
    ("%rds_iam_connect sandbox -u reader -p port", OptionError, "port", ""),
    ("%rds_iam_connect sandbox -u reader -d", OptionError, "-d", ""),
    ("%rds_iam_connect 'sandbox -u reader", OptionError, "quot", ""),
    ("%rds_iam_user make x", OptionError, "make", ""),
    ("%rds_iam_user create x --secret nope --grant 'SELECT ON shop.*'", Exception, "no secret 'nope'", ""),
    ("%rds_iam_user create x --secret s --grant 'SELECT'", OptionError, "not a grant", "SELECT ON shop"),
    ("%rds_iam_policy", OptionError, "user is missing", ""),
]


@pytest.mark.parametrize(("text", "kind", "words", "hint"), FAILURES, ids=[f[0][:40] for f in FAILURES])
def test_what_goes_wrong_is_one_or_two_lines(connected, text, kind, words, hint):
    cell = connected(text)
    assert isinstance(cell.error, kind)
    shown = cell.output[cell.output.index(type(cell.error).__name__) :].strip().splitlines()
    assert len(shown) <= 2, cell.output
    assert re.search(words, cell.output), cell.output
    assert re.search(hint, cell.output), cell.output
    if cell.error.holds_input:
        assert "The traceback is withheld" in connected("%tb").output
        return
    traceback = connected("%tb").output
    assert "Traceback" in traceback
    assert len(traceback.splitlines()) > 5


@pytest.mark.parametrize("text", ["%rds_sql SELECT 1", "%rds_iam_connect", "%rds_iam_policy reader"])
def test_no_connection_yet(shell, text):
    cell = shell(text)
    assert isinstance(cell.error, NotConnectedError)
    assert "%rds_iam_connect TARGET -u USER" in cell.output


@pytest.mark.parametrize(
    ("magic", "begin"),
    [
        ("rds_iam_connect", "Connect to RDS or Aurora"),
        ("rds_sql", "Run SQL; rows come back"),
        ("rds_iam_user", "Create, change and look at"),
        ("rds_iam_policy", "Show the IAM policy"),
        ("rds_iam_access", "Say who may connect"),
    ],
)
def test_help(shell, magic, begin):
    shown = shell.ok(f"%{magic} --help").output
    assert shown.startswith(begin)
    assert f"\nUsage:\n  %{'%' * (magic == 'rds_sql')}{magic} " in shown
    assert shown.strip() == shell.ip.magics_manager.magics["line"][magic].__doc__.strip()


def test_unloading_closes_the_connections_and_takes_the_magics_away(connected):
    magics = connected.ip._rds_iam_magics
    held = list(magics.connections.values())
    connected.ip.run_line_magic("unload_ext", "rds_iam_magic")
    assert all(connection.closed for connection in held)
    assert "rds_sql" not in connected.ip.magics_manager.magics["cell"]
    connected.ip.run_line_magic("load_ext", "rds_iam_magic")


def test_loading_twice_keeps_the_connections(connected):
    connected.ok("%load_ext rds_iam_magic")
    rds_iam_magic.load_ipython_extension(connected.ip)
    assert connected.ok("%rds_sql SELECT 1 AS a").value["a"].tolist() == [1]


def test_reloading_closes_them(connected):
    (held,) = connected.ip._rds_iam_magics.connections.values()
    connected.ok("%reload_ext rds_iam_magic")
    assert held.closed
    assert isinstance(connected("%rds_sql SELECT 1").error, NotConnectedError)


def test_parts_at_once(connected):
    cell = connected.ok("%%rds_sql lines << --parallel 3 --on line_no\nSELECT * FROM order_lines -- all")
    whole = connected.ok("%rds_sql SELECT * FROM order_lines").value
    lines = connected.names["lines"]
    assert cell.value is None
    assert lines.sort_values(["order_id", "line_no"], ignore_index=True).equals(
        whole.sort_values(["order_id", "line_no"], ignore_index=True)
    )
    assert connected.ok("%rds_sql --parallel 2 --type arrow SELECT * FROM orders").value.num_rows == 50_000
    cell = connected("%rds_sql --parallel 2 SELECT note FROM orders")
    assert "Add --on COLUMN" in cell.output
