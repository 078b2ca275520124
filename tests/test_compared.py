"""docs/compared.md: what is typed here is no more than in jupysql, and the page says what was counted."""

import pytest

from tests.write_compared import PATH, SHORTER_THERE, TASKS, Task, text


def test_the_page_is_up_to_date():
    assert PATH.read_text("utf-8") == text(), "run python -m tests.write_compared"


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_no_more_is_typed_here(task):
    ours, theirs, changed = task.counts
    assert ours <= theirs
    assert (ours > changed) == (task.name in SHORTER_THERE)
    assert ours - changed <= len("%rds_sql") - len("%sql")


def test_what_is_counted():
    """The end of a line is one character, the end of a cell too."""
    assert Task("", "ab", "a\nb", "a\n\nb").counts == (2, 3, 3)
    assert Task("", "ab", "a\nb").counts == (2, 3, 3)
