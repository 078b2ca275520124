"""Where privileges may be granted."""

import pytest

from rds_iam_magic.setup.grants import privileges


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("SELECT", "ON *.*, ON SCHEMA.* or ON SCHEMA.TABLE"),
        ("EXECUTE", "ON *.*, ON SCHEMA.* or ON PROCEDURE (or FUNCTION) SCHEMA.NAME"),
        ("EVENT", "ON *.* or ON SCHEMA.*"),
        ("SUPER", "ON *.*"),
        ("BACKUP_ADMIN", "ON *.*"),
    ],
)
def test_where(name, words):
    assert privileges.where(name) == words


def test_other_spellings():
    assert privileges.spelled(["all"]) == privileges.spelled(["All", "privileges"]) == privileges.ALL
    assert privileges.spelled(["delete", "versioning", "rows"]) == "DELETE HISTORY"


def test_each_level_takes_less_than_the_one_above():
    assert privileges.applicable("global") is None
    assert privileges.COLUMN < privileges.applicable("table") < privileges.applicable("schema") < privileges.STATIC
    assert privileges.applicable("routine") < privileges.applicable("schema")
