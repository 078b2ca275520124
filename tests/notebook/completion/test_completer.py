"""What the shell, the files, the history and a catalog know, on the magics' lines."""

from types import SimpleNamespace

import pytest

from rds_iam_magic.notebook.completion.completer import MagicCompleter
from rds_iam_magic.notebook.queries.saved import SavedQueries
from rds_iam_magic.schema.catalog.catalog import SEPARATOR, Catalog, SchemaNames


def test_options_of_the_magic(asks):
    assert asks("%rds_iam_connect x --prof|") == ["--profile"]
    assert asks("%%rds_sql --lim|\nSELECT 1") == ["--limit"]


def test_held_connections_the_last_one_first(asks, magics, nobody):
    magics.connections |= {"one": nobody, "two": nobody}
    assert asks("%rds_iam_connect --close |") == ["two", "one"]
    assert asks("%%rds_sql |\nSELECT 1")[:2] == ["two", "one"]
    assert asks("%rds_tables -A o|") == ["one"]


def test_what_was_used_in_this_session(asks, ip):
    ip.history_manager.input_hist_raw += ["%rds_iam_connect my-cluster -u analyst -d sales", "x"]
    assert asks("%rds_iam_connect my|") == ["my-cluster"]
    assert asks("%rds_iam_connect my-cluster -u |") == ["analyst"]
    assert asks("%rds_iam_access --target |") == ["my-cluster"]


def test_sections_and_what_is_in_them(asks, tmp_path):
    (tmp_path / "connections.ini").write_text(
        "[nightly]\ntarget = warehouse\nuser = etl\nport = 3306\n[broken]\nx = y\n"
    )
    assert asks("%rds_iam_connect --section |") == ["nightly", "broken"]
    assert asks("%rds_iam_connect w|") == ["warehouse"]
    assert asks("%rds_iam_connect warehouse -u |") == ["etl"]


def test_profiles_and_regions(asks, tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\n[profile work]\nregion = eu-north-1\n")
    assert asks("%rds_iam_connect x --profile |") == ["default", "work"]
    assert asks("%rds_iam_connect x --region eu-n|") == ["eu-north-1"]


def test_the_notebooks_variables(asks, ip):
    ip.run_cell("since, _hidden = 1, 2")
    ip.run_cell("until = 3")
    assert asks("%%rds_sql -o |\nSELECT 1") == ["until", "since"]


def test_elsewhere_python(asks, ip):
    ip.run_cell("since = 1")
    assert "since" in asks("sin|")
    assert "since" in asks("%rds_sql SELECT 1\nsin|")


def test_an_error_is_no_completion_and_lets_no_python_in(asks, monkeypatch, capsys):
    from rds_iam_magic.notebook.completion import completer

    def fail(*_, **__):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(completer, "complete_line", fail)
    assert asks("%rds_iam_connect |") == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ("%rds_plot orders ", ["id", "status"]),
        ("%rds_plot shop.`order lines` ", ["line_no"]),
        ("%rds_plot orders id --color ", ["id", "status"]),
        ("%rds_plot nowhere ", ["id", "line_no", "status"]),
    ],
)
def test_the_columns_of_the_table_that_is_plotted(ip, line, columns):
    names = SchemaNames().with_columns({"orders": f"status{SEPARATOR}id", "order lines": "line_no"})
    shop = SimpleNamespace(database="shop")
    completer = MagicCompleter(ip, {"a": shop}, lambda: "a", lambda _: Catalog({"shop": names}), SavedQueries())
    found = completer.complete(line, len(line))
    assert sorted(item.text for item in found.items if item.kind == "column") == columns
