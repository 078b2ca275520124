"""The notebook's variables in SQL: bound by `:name`, told of where a text only looks like them, and never pasted."""

import nbformat
import papermill
import pytest

from rds_iam_magic.errors import OptionError, StatementError
from tests.support.events import LONG

pytestmark = pytest.mark.slow  # servers and kernels

JAPAN = "%%rds_sql\nSELECT COUNT(*) AS n FROM customers WHERE country = "


def count(cell):
    assert cell.error is None, cell.output
    return cell.value.iloc[0, 0]


def refused(cell, cause):
    assert isinstance(cell.error, OptionError), cell.output
    assert cell.error.cause == cause
    assert "Traceback" not in cell.output
    return str(cell.error)


def test_a_day_to_day_cell(connected):
    connected.ok("country, ids = 'JP', range(1, 100)")
    cell = connected.ok("%%rds_sql\nSELECT id, country FROM customers WHERE country = :country AND id IN :ids")
    assert set(cell.value["country"]) == {"JP"}
    assert cell.value["id"].max() < 100
    assert "Note" not in cell.output
    assert count(connected.ok(JAPAN + ":country")) == 803
    assert count(connected.ok("%rds_sql SELECT COUNT(*) FROM customers WHERE country = :country")) == 803


def test_a_column_of_a_result_goes_into_the_next_query(connected):
    connected.ok("%%rds_sql orders_ <<\nSELECT id, customer_id FROM orders WHERE id < 50")
    cell = connected.ok("%%rds_sql\nSELECT COUNT(*) FROM customers WHERE id IN :orders_.customer_id")
    assert count(cell) == connected.names["orders_"]["customer_id"].nunique()
    connected.ok("%%rds_sql --type arrow table <<\nSELECT id FROM orders WHERE id < 50")
    assert count(connected.ok("%%rds_sql\nSELECT COUNT(*) FROM orders WHERE id IN :table['id']")) == 49


@pytest.mark.parametrize("written", ["'{country}'", "'{{country}}'", "'{{ country }}'", "'$country'", "'${country}'",
                                     "'%(country)s'", "':country'", '":country"', "'{country!r}'"])  # fmt: skip
def test_what_only_looks_like_a_variable_is_told(connected, written):
    connected.ok("country = 'JP'")
    cell = connected(JAPAN + written)
    assert count(cell) == 0
    (note,) = [line for line in cell.output.splitlines() if line.startswith("Note:")]
    assert "sent as it stands" in note
    assert ":country" in note
    assert "without quotes" in note


@pytest.mark.parametrize(
    "written",
    [
        "'{city}'",  # no variable
        "'{json}' OR 'a' = '$type' OR 'a' = '{len}' OR 'a' = '{loud}'",  # modules, classes, functions
        "'{In}' OR 'a' = '$_' OR 'a' = '{exit}'",  # IPython's
        "'$.country' OR 'a' REGEXP 'a{2}' OR 'a' = '{\"country\": 1}'",
        "'JP' -- {country}\n",
        "'JP' /* ':country' */",
    ],
)
def test_other_texts_are_not_told(connected, written):
    connected.ok("import json\ncountry = 'JP'\nclass type: pass\ndef loud(): pass")
    assert "Note" not in connected.ok(JAPAN + written).output


def test_an_unknown_name_stops_the_cell_before_it_runs(tester):
    tester.ok("country = 1")
    said = refused(tester("%%rds_sql\nDELETE FROM flow; SELECT :contry"), "parameter-unknown")
    assert "no value for :contry" in said
    assert "Did you mean country?" in said
    assert r"\:name" in said
    assert "--no-bind" in said
    assert count(tester.ok("%rds_sql SELECT COUNT(*) FROM flow")) == 2


@pytest.mark.parametrize("sql", ["SELECT * FROM :name", "SELECT 1 FROM orders o join\n:name", "DESCRIBE :name"])
def test_a_table_is_no_value(connected, sql):
    connected.ok("name = 'customers'")
    said = connected("%%rds_sql\n" + sql)
    assert isinstance(said.error, StatementError)
    assert ":name is a value, not a table's name" in said.output
    assert "{{ name | sql }}" in said.output
    assert "is a value" not in connected(f"%%rds_sql --no-bind\n{sql}").output


@pytest.mark.parametrize("sql", ["SELECT EXTRACT(YEAR FROM :name) FRMO x", "SELECT :name FORM orders"])
def test_other_syntax_errors_tell_nothing_of_tables(connected, sql):
    connected.ok("name = '2024-01-01'")
    said = connected("%%rds_sql\n" + sql)
    assert "1064" in said.output
    assert "is a value" not in said.output


@pytest.mark.parametrize("name", ["__name__", "__builtins__", "In", "_", "_i1", "_oh", "get_ipython", "exit", "print"])
def test_ipythons_own_names_are_not_bound(connected, name):
    refused(connected(f"%rds_sql SELECT :{name}"), "parameter-unknown")


def test_writes_and_several_statements(tester):
    tester.ok("new = [(7,), (8,)]\nlimit = 7")
    cell = tester.ok("%%rds_sql\nINSERT INTO flow VALUES :new; SELECT a FROM flow WHERE a >= :limit ORDER BY a")
    assert cell.value["a"].tolist() == [7, 8]
    tester.ok("%%rds_sql\nUPDATE flow SET a = :limit WHERE a = 8")
    assert count(tester.ok("%rds_sql SELECT COUNT(*) FROM flow WHERE a = :limit")) == 2


def test_a_functions_own_variables_come_first(connected):
    connected.ok("country = 'DE'\nplace = 'JP'")
    connected.ok("def count(country):\n    frame = %rds_sql SELECT COUNT(*) FROM customers WHERE country = :country\n"
                 "    return frame.iloc[0, 0]")  # fmt: skip
    assert connected.ok("count('JP')").value == 803
    connected.ok("def count(number):\n    frame = %rds_sql SELECT COUNT(*) FROM customers WHERE country = :place\n"
                 "    return frame.iloc[0, 0]")  # fmt: skip
    assert connected.ok("count(5)").value == 803


def test_params(connected):
    connected.ok("country = 'DE'; these = {'country': 'JP'}; number = 5")
    for given in ("these", "$these", """'{"country": "JP"}'"""):
        assert count(connected.ok((JAPAN + ":country").replace("sql", f"sql --params {given}", 1))) == 803
    refused(connected("%%rds_sql --params these\nSELECT :number"), "parameter-unknown")
    assert "not a dict: it is a int" in refused(connected("%%rds_sql --params number\nSELECT 1"), "invalid-option")
    assert "no such variable" in refused(connected("%%rds_sql --params them\nSELECT 1"), "invalid-option")
    assert "single quotes" in refused(connected('%%rds_sql --params {"a":1}\nSELECT 1'), "invalid-option")


def test_no_bind(connected):
    connected.ok("x = 5")
    error = connected("%%rds_sql --no-bind\nSELECT :x").error
    assert "syntax" in error.message
    assert error.hint.startswith("If :x is a parameter, omit --no-bind. Check the SQL")
    assert connected.ok("%%rds_sql --no-bind\nSELECT ':x' AS a").output.count("Note") == 0
    refused(connected("%%rds_sql --no-bind --params x\nSELECT 1"), "invalid-option")


def test_an_escaped_colon(connected):
    cell = connected("%%rds_sql --dry-run\nSELECT \\:x, '\\:x'")
    assert cell.output == "SELECT :x, '\\:x';\n"


@pytest.mark.parametrize("option", ["--dry-run", "--dry_run", "-N", "--no-execute"])
def test_a_dry_run(tester, option):
    tester.ok('ids, name = [1, 2], "it\'s"')
    cell = tester.ok(f"%%rds_sql {option} x <<\nDELETE FROM flow WHERE a IN :ids; SELECT :name -- :name")
    assert cell.output == "DELETE FROM flow WHERE a IN (1, 2);\nSELECT 'it''s' -- :name\n;\n"
    assert cell.value is None
    assert "x" not in tester.names
    assert count(tester.ok("%rds_sql SELECT COUNT(*) FROM flow")) == 2


def test_a_file_and_parts(connected, tmp_path):
    connected.ok("country = 'JP'")
    path = tmp_path / "japan.csv"
    connected.ok(f"%%rds_sql --to {path}\nSELECT id FROM customers WHERE country = :country")
    assert len(path.read_text("utf-8").splitlines()) == 804
    cell = connected.ok("%%rds_sql --parallel 3\nSELECT id FROM customers WHERE country = :country")
    assert len(cell.value) == 803


def test_notes_on_values(connected):
    connected.ok("import datetime as dt\nsince = dt.datetime(2024, 5, 1, tzinfo=dt.timezone.utc)\ncity = None")
    cell = connected.ok("%%rds_sql\nSELECT COUNT(*) FROM orders WHERE ordered_at > :since OR :since = :city")
    assert cell.output.count("Note: :since has a time zone") == 1
    assert cell.output.count("Note: :city is NULL") == 1


def test_papermill_gives_the_right_count(inside, tmp_path):
    assert inside.server.pid
    cells = [
        "%load_ext rds_iam_magic\n%rds_iam_connect sandbox -u reader -d shop",
        "country = 'DE'",
        JAPAN + ":country",
    ]
    book = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, cells)))
    book.cells[1].metadata["tags"] = ["parameters"]
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, tmp_path / "in.ipynb")
    done = papermill.execute_notebook(
        str(tmp_path / "in.ipynb"),
        str(tmp_path / "out.ipynb"),
        {"country": "JP"},
        progress_bar=False,
        start_timeout=LONG,
    )
    assert "803" in done.cells[-1].outputs[-1]["data"]["text/plain"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("""SELECT '{"a":1}'""", '{"a":1}'),
        ("SELECT ' :foo'", " :foo"),
        ("SELECT 'tax :rate now'", "tax :rate now"),
        ("SELECT 'abc' LIKE '%b%'", 1),
        ("SELECT 'abc' LIKE '%b%' AND :rate = 7", 1),
        ("SELECT DATE_FORMAT('2024-05-01', '%Y-%d')", "2024-01"),
        ("SELECT 'it''s'", "it's"),
        ("SELECT '{{typo}}'", "{{typo}}"),
        ("SELECT '{% x'", "{% x"),
        ("SELECT '{city}'", "{city}"),
        ("SELECT '$HOME'", "$HOME"),
        ("SELECT 1 << 2", 4),
        ("SELECT @a := :rate", 7),
        ("SELECT COUNT(*) FROM customers WHERE id IN (:ids)", 2),
        ("SELECT :missing IS NULL", 1),
    ],
)
def test_what_fails_in_other_tools(connected, sql, expected):
    connected.ok("import pandas\nrate, ids, missing, city = 7, pandas.Series([1, 2]), pandas.NA, 'x'")
    assert count(connected.ok(f"%%rds_sql\n{sql}")) == expected
    assert count(connected.ok(f"%rds_sql {sql}")) == expected
