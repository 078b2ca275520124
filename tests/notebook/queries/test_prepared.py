"""Files, saved queries and plans in cells, against the real server."""

import pytest
from IPython.core.completer import provisionalcompleter

from rds_iam_magic.errors import OptionError, StatementError

pytestmark = pytest.mark.slow  # servers and kernels


@pytest.fixture
def here(connected, tmp_path, monkeypatch):
    """The shell, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    connected.names.update(n=3, folder=tmp_path)
    return connected


def write(shell, name, text):
    (shell.names["folder"] / name).write_text(text, encoding="utf-8")


def test_the_sql_of_a_file(here):
    write(
        here, "q.sql", "\ufeffSELECT id\nFROM products -- all\nWHERE id <= :n;\nSELECT COUNT(*) AS n FROM products;\n"
    )
    cell = here.ok("%rds_sql -f q.sql")
    assert "Statement 1: 3 rows × 1" in cell.output
    assert cell.value["n"].tolist() == [24]
    here.ok("%rds_sql sandbox x << -f q.sql")
    assert here.names["x"]["n"].tolist() == [24]
    assert "id <= 3;\nSELECT COUNT" in here.ok("%rds_sql -N -f q.sql").output
    write(here, "t.sql", "SELECT {{ n }} AS v")
    assert here.ok("%rds_sql -j -f t.sql").value["v"].tolist() == [3]
    assert here.ok("%rds_sql -A sandbox -q -o y -f t.sql -j").value is None
    for cell in ("%%rds_sql -f q.sql\nSELECT 1", "%rds_sql -f q.sql SELECT 1"):
        assert "there is SQL beside it" in str(here(cell).error)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("-- one\nSELECT 1;\n\n/* two */\nSELECT *\nFROM prodcts;\n", "In bad.sql, line 5. The statement before it"),
        ("SELECT 1;\n\nSELECT *\nFRM x;\n", "In bad.sql, line 4. "),
        ("\n\nSELECT\n\n:n + ) ", "In bad.sql, line 5. "),
        ("CREATE TABLE nothing (a INT)", "In bad.sql, line 1. "),
        ("SELECT :nothing", "In bad.sql. Define it first"),
        ("SELECT :nothing -- dry", "In bad.sql. Define it first"),
        ("-- nothing", "In bad.sql. Write a statement"),
        ("SELECT\n{{ nothing }}", "In bad.sql. "),
    ],
)
def test_an_error_says_where_in_the_file(here, text, where):
    write(here, "bad.sql", text)
    error = here(f"%rds_sql {'-j ' if '{' in text else ''}{'-N ' if 'dry' in text else ''}-f bad.sql").error
    assert isinstance(error, StatementError | OptionError)
    assert error.hint.startswith(where)


def test_a_plan(here):
    assert "products: range of PRIMARY" in here.ok("%rds_sql -e SELECT * FROM products WHERE id < :n").value
    cell = here.ok("%%rds_sql plan << --explain\nSELECT * FROM products")
    assert (cell.value, "full scan" in here.names["plan"]) == (None, True)
    assert "There are 2 statements" in str(here("%rds_sql -e SELECT 1; SELECT 2").error)
    assert isinstance(here("%rds_sql -e --to x.csv SELECT 1").error, OptionError)


def test_a_saved_query_is_read_from(here):
    cell = here.ok("%%rds_sql -S top\nSELECT id, name FROM products WHERE id <= :n; -- the first ones")
    assert len(cell.value) == 3
    assert "Saved query top; --with top reads from it.\n" in cell.output
    here.names["n"] = 2
    assert here.ok("%rds_sql -w top SELECT COUNT(*) AS c FROM top").value["c"].tolist() == [2], "bound when used"
    here.ok("%%rds_sql -S best -w top -q\n-- of those\nSELECT * FROM top ORDER BY id DESC LIMIT 1 -- one")
    cell = here.ok("%%rds_sql -w best -w top\nWITH x AS (SELECT 1 AS id)\nSELECT best.id FROM best, top, x")
    assert cell.value["id"].tolist() == [2, 2]
    assert "WITH `best` AS (\n-- of those\nWITH `top` AS (\n" in here.ok("%rds_sql -N -w best SELECT 1").output
    assert "best" in here.ok("%rds_sql --saved").output
    assert "--with best" in here("%rds_sql SELECT * FROM best").error.hint
    assert "--with" not in here("%rds_sql SELECT * FROM best.top").error.hint
    assert "range of PRIMARY" in here.ok("%rds_sql -e -w top SELECT * FROM top").value
    assert "reads from it" not in here.ok("%rds_sql -q -S top SELECT 5 AS id").output
    assert here.ok("%rds_sql -w best SELECT id FROM best").value["id"].tolist() == [5], "the query that it is now"
    assert "Replaced query top" in here.ok("%rds_sql -S top SELECT 6 AS id").output
    assert "Saved query top" in here.ok("%rds_sql -S top SELECT 6 AS id").output, "the same again"


def test_saved_without_running(here):
    assert here.ok("%rds_sql -N -S later SELECT SLEEP(600) FROM nothing").output.endswith(
        "--with later reads from it.\n"
    )
    assert here("%rds_sql -w later SELECT * FROM later").error.cause in ("unknown-table", "table-denied")
    assert here("%rds_sql -S wrong SELECT nothing").error.cause == "unknown-column"
    assert here("%rds_sql -w wrong SELECT 1").error.cause == "saved-unknown", "what fails is not kept"


def test_a_limit_is_not_saved_and_that_is_told(here):
    assert "--with few reads from it, without --limit.\n" in here.ok("%rds_sql -S few --limit 2 SELECT 1 AS id").output


def test_a_query_of_the_name_of_its_table(here):
    cell = here.ok("%rds_sql -S products SELECT * FROM products WHERE id < 3")
    assert "It hides the table products there." in cell.output
    assert len(here.ok("%rds_sql -w products SELECT * FROM products").value) == 2
    assert len(here.ok("%rds_sql SELECT * FROM products").value) == 24


def test_what_a_saved_query_uses_is_seen_in_it_alone(here):
    here.ok("%rds_sql -q -S customers SELECT 1 AS id")
    here.ok("%rds_sql -q -S few -w customers SELECT * FROM customers")
    value = here.ok("%rds_sql -w few SELECT COUNT(*) AS c, (SELECT COUNT(*) FROM few) AS f FROM customers").value
    assert (value["c"][0] > 1000, value["f"][0]) == (True, 1)


def test_a_query_never_takes_the_place_of_the_table_of_another_one(here):
    here.ok("%rds_sql -q -S customers SELECT -1 AS id")
    for tables in ("(SELECT 1) d, customers", "(customers)", "products USE INDEX (), customers", "/*! customers */"):
        here.ok(f"%rds_sql -q -S few SELECT MIN(customers.id) AS id FROM {tables}")
        assert here.ok("%rds_sql -w customers -w few SELECT id FROM few").value["id"][0] > 0


def test_templates_and_values(here):
    here.ok("%rds_sql -q -j -S made SELECT {{ n }} AS v, ':n' AS t")
    here.names["n"] = 7
    assert here.ok("%rds_sql -w made SELECT v, t, :n AS own FROM made").value.loc[0].tolist() == [7, ":n", 7]
    here.names["other"] = {"n": 9}
    assert here.ok("%rds_sql -w made --params other SELECT v, :n AS own FROM made").value.loc[0].tolist() == [9, 9]
    assert "has values to bind" in str(here("%rds_sql -w made --no-bind SELECT 1").error)


def test_an_error_says_where_it_is(here):
    here.ok("%rds_sql -q -S top SELECT 1 AS a")
    assert here("%%rds_sql -w top\nSELECT *\nFRM top").error.hint.startswith(
        "That is line 2 of the SQL as you wrote it"
    )
    here.ok("%%rds_sql -N -S bad\nSELECT 1,\n2 FRM 3")
    assert here("%rds_sql -w bad SELECT * FROM bad").error.hint.startswith("That is line 2 of the saved query bad.")
    here.ok("%rds_sql -N -S worse -w bad SELECT * FROM bad")
    assert here("%rds_sql -w worse SELECT 1").error.hint.startswith("That is in the saved query worse.")
    write(here, "q.sql", "-- x\n\nSELECT *\nFRM top")
    assert here("%rds_sql -w top -f q.sql").error.hint.startswith("In q.sql, line 4.")
    here.ok("%%rds_sql -q -S long\nSELECT 'a\n\n\nb' AS a")
    assert here("%rds_sql -w long SELECT * FRM long").error.hint.startswith("That is line 1 of the SQL as you")
    here.names["gone"] = 1
    here.ok("%rds_sql -q -S with_gone SELECT :gone AS a")
    here.ok("%rds_sql -q -j -S made SELECT {{ gone }} AS a")
    here.ok("%rds_sql -q -S on_top -w made SELECT * FROM made")
    here.ok("del gone")
    assert here("%rds_sql -w on_top SELECT 1").error.hint.startswith("In the saved query made. ")
    assert here("%rds_sql -w with_gone SELECT 1").error.hint.startswith("In the saved query with_gone. ")
    here.ok("%rds_sql -q -S twice SELECT 1 AS a, 2 AS a")
    assert "need a name each" in here("%rds_sql -w twice SELECT * FROM twice").error.hint


def test_frames_of_saved_queries(tester):
    tester.ok("import pandas as pd; df = pd.DataFrame({'id': [1, 2]}); other = df")
    tester.ok("%rds_sql -q -S joined -w mine=df SELECT flow.a FROM flow JOIN mine ON mine.id = flow.a")
    tester.ok("df = df.head(1)")
    assert tester.ok("%rds_sql -w joined SELECT COUNT(*) AS c FROM joined").value["c"].tolist() == [1]
    tester.ok("%rds_sql -q -S on_top -w joined SELECT * FROM joined")
    tester.ok("%rds_sql -q -S joined -w mine=other SELECT flow.a FROM flow JOIN mine ON mine.id = flow.a")
    assert tester.ok("%rds_sql -w on_top SELECT COUNT(*) AS c FROM on_top").value["c"].tolist() == [2], "of now"
    tester.ok("%rds_sql -q -S joined -w mine=df SELECT flow.a FROM flow JOIN mine ON mine.id = flow.a")
    assert "reads from another frame mine" in str(tester("%rds_sql -w joined -w mine=other SELECT 1").error)
    assert "names joined twice" in str(tester("%rds_sql -w joined -w joined=df SELECT 1").error)
    assert "names Joined twice" in str(tester("%rds_sql -w joined -w Joined SELECT 1").error)
    assert "names Joined twice" in str(tester("%rds_sql -w joined -w Joined=df SELECT * FROM joined, Joined").error)
    tester.ok("%rds_sql -q INSERT INTO flow WITH x AS (SELECT 5) SELECT * FROM x")
    tester.ok("%rds_sql -q -S five SELECT 5 AS a")
    assert tester.ok("%rds_sql -w five INSERT INTO flow SELECT * FROM five").value == 1
    assert tester("%rds_sql -w five DELETE FROM flow").error.cause == "saved-not-usable"


def test_completion_knows_files_and_queries(here):
    write(here, "report.sql", "SELECT 1")
    here.ok("%rds_sql -q -S top SELECT 1 AS a")
    here.ok("import pandas; fodder = pandas.DataFrame({'a': [1]})")

    def matches(line):
        with provisionalcompleter():
            return [item.text for item in here.ip.Completer.completions(line, len(line))]

    assert matches("%rds_sql -f re") == ["report.sql"]
    assert matches("%rds_sql -w t") == ["top"]
    assert matches("%rds_sql -w t=fo") == ["fodder"], "a frame, and not `folder`"
    assert matches("%%rds_sql -w top\nSELECT * FROM to") == ["top"]
    assert matches("%rds_sql -w top SELECT * FROM to") == ["top"]
    assert "top" not in matches("%%rds_sql\nSELECT * FROM to")
