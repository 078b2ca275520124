"""What was used before, out of the history."""

import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.notebook.completion.used_before import earlier_cells, merged, used_in

CELLS = [
    "%rds_iam_connect second -u analyst -A prod --profile work",
    "x = 1\n%rds_iam_connect first -u analyst\n%rds_iam_connect third -u other -d sales",
    "%%rds_sql prod\nSELECT '%rds_iam_connect no -u one'",
    "%rds_iam_user create newcomer --target my-db",
    "%rds_iam_policy analyst a b --attach role/analysts",
    "%rds_iam_connect prod",
    "%rds_iam_connect --nothing",
    "%rds_iam_provision deploy my-stack --yes",
]


def test_the_last_ones_come_first():
    used = used_in(CELLS)
    assert used["target"] == ["second", "third", "first", "my-db"]
    assert used["user"] == ["analyst", "other", "newcomer"]
    assert used["alias"] == ["prod"]
    assert used["database"] == ["sales"]
    assert used["profile"] == ["work"]
    assert used["stack"] == ["my-stack"]
    assert used["attach"] == ["role/analysts"]


def test_what_may_be_a_login_is_never_offered():
    cells = [
        "%rds_iam_connect mysql://me:hunter2@host/db -u me",
        "%rds_iam_connect me:hunter2@host -u me",
        "%rds_iam_connect x -u me:hunter2@host",
        "%rds_iam_connect x -phunter2 -u me",
        "%rds_iam_connect x --password hunter2 -u me",
        "%rds_iam_connect x -p hunter2 -u me",
    ]
    assert "hunter2" not in str(used_in(cells))


def test_earlier_sessions(tmp_path):
    path = tmp_path / "history.sqlite"
    with closing(sqlite3.connect(path)) as history:
        history.execute("CREATE TABLE history (session integer, line integer, source text, source_raw text)")
        rows = [(1, 1, "%rds_iam_connect a -u x"), (1, 2, "y"), (2, 1, "%rds_iam_connect b -u x"), (3, 1, "rds_iam")]
        history.executemany("INSERT INTO history VALUES (?, ?, '', ?)", rows)
        history.commit()
    assert earlier_cells(path) == ["%rds_iam_connect b -u x", "%rds_iam_connect a -u x"]
    assert used_in(earlier_cells(path))["target"] == ["b", "a"]


def test_a_history_that_cannot_be_read_is_none(tmp_path):
    (tmp_path / "broken").write_bytes(b"no database")
    for path in (tmp_path / "broken", tmp_path / "missing", ":memory:", tmp_path):
        assert earlier_cells(path) == []


def test_sources_are_joined_in_order():
    assert merged({"a": ["1"]}, {"a": ["2", "1"], "b": ["3"]}) == {"a": ["1", "2"], "b": ["3"]}


@given(st.lists(st.text(), max_size=3))
def test_any_cell_can_be_read(texts):
    used_in(f"%rds_iam_connect {text}" for text in texts)
