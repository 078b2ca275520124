"""The statements of a text: their numbers, what follows each, and what is said when one of them fails."""

import pytest

from rds_iam_magic.connection.execution import Request, executions_of
from rds_iam_magic.errors import OptionError


def test_statements_are_numbered_and_know_what_follows():
    first, second, third = executions_of(
        Request("SET @a = 1; INSERT INTO t VALUES (1); SELECT ROW_COUNT()", "float", None)
    )
    assert [each.position for each in (first, second, third)] == [1, 2, 3]
    assert {each.count for each in (first, second, third)} == {3}
    assert "ROW_COUNT" in second.words_after
    assert list(third.words_after) == []


def test_what_has_run_before():
    said = [each.progress() for each in executions_of(Request("SELECT 1; SELECT 2; SELECT 3", "float", None))]
    assert said == [[], ["The statement before it has run."], ["The 2 statements before it have run."]]


@pytest.mark.parametrize(
    ("sql", "verb"), [("select 1", "SELECT"), ("CREATE TEMPORARY TABLE t (a INT)", "CREATE TABLE")]
)
def test_the_verb(sql, verb):
    (execution,) = executions_of(Request(sql, "exact", 5))
    assert (execution.verb, execution.limit, execution.decimal) == (verb, 5, "exact")


@pytest.mark.parametrize(
    ("sql", "decimal", "limit", "message"),
    [
        ("", "float", None, "no SQL"),
        (" -- nothing\n;", "float", None, "no SQL"),
        ("SELECT 1", "double", None, "decimal='double'"),
        ("SELECT 1", "float", 0, "limit=0"),
    ],
)
def test_wrong_arguments(sql, decimal, limit, message):
    with pytest.raises(OptionError, match=message):
        executions_of(Request(sql, decimal, limit))


def test_parameters_are_bound_before_the_first_statement_runs():
    notes = []
    request = Request("SELECT :n WHERE 1 = :none; SELECT ROW_COUNT(), ':n'", params={"n": 5, "none": None})
    first, second = executions_of(request, notify=notes.append)
    assert first.statement.text == "SELECT 5 WHERE 1 = NULL"
    assert second.statement.text == "SELECT ROW_COUNT(), ':n'"
    assert "ROW_COUNT" in first.words_after
    assert len(notes) == 1
    with pytest.raises(OptionError, match=":m"):
        executions_of(Request("SELECT 1; SELECT :m", params={}))


def test_a_value_decides_nothing_about_the_statement():
    (execution,) = executions_of(Request("SELECT :a, :b", params={"a": "INTO OUTFILE", "b": "x'; DELETE FROM t"}))
    assert execution.effects.only_reads
    assert execution.effects.is_query
    (plain,) = executions_of(Request("SELECT :delete", params=None))
    assert plain.statement.text == "SELECT :delete"


@pytest.mark.parametrize("params", [[1], ("a",), "a", 5])
def test_params_are_a_dict(params):
    with pytest.raises(OptionError, match="not a dict"):
        executions_of(Request("SELECT 1", params=params))


def test_in_python_everywhere(db, tmp_path):
    sql, params = "SELECT seq FROM seq_1_to_100 WHERE seq IN :ids", {"ids": [5, 7]}
    assert db.query(sql, params=params)["seq"].tolist() == [5, 7]
    assert [len(frame) for frame in db.query(sql, params=params, chunksize=1)] == [1, 1]
    assert db.query_arrow(sql, params=params)["seq"].to_pylist() == [5, 7]
    assert sum(batch.num_rows for batch in db.batches(sql, params=params)) == 2
    assert db.write(sql, tmp_path / "a.csv", params=params) == 2
    assert db.statements(sql + "; SELECT 1", params=params) == [sql.replace(":ids", "(5, 7)"), "SELECT 1"]
    assert db.execute("CREATE TEMPORARY TABLE t AS SELECT :n AS n", params={"n": 5}) == 1
    (result,) = db.run("SELECT n FROM t WHERE n = :n", params={"n": 5})
    assert len(result.to_pandas()) == 1
    assert db.query("SELECT ':ids' AS a")["a"].tolist() == [":ids"]
    with pytest.raises(OptionError, match="no value for :id"):
        db.query("SELECT :id", params=params)
