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
