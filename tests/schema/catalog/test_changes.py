"""Cells that may have changed what a server has."""

import pytest

from rds_iam_magic.schema.catalog.changes import words_of_change


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%rds_sql\nCREATE TABLE Orders2 (a INT)", {"orders2", "a"}),
        ("%rds_sql alter table `odd name` add b int", {"odd name", "b"}),
        ("%rds_sql CREATE OR REPLACE VIEW v AS SELECT 1", {"v"}),
        ("%rds_sql create unique index i on t (a)", {"i", "t", "a"}),
        ("%rds_sql DROP DATABASE old", {"old"}),
        ("%rds_sql RENAME TABLE a TO b", {"a", "b"}),
        ("db.execute('CREATE TABLE x (y INT)')", {"x", "y"}),
    ],
)
def test_changes(cell, words):
    assert words <= words_of_change(cell)


@pytest.mark.parametrize(
    "cell",
    ["", "%rds_sql SELECT 1", "# create a frame", "df.drop(columns=['table'])", "CREATE TEMPORARY TABLE t (a INT)"],
)
def test_no_changes(cell):
    assert words_of_change(cell) == set()
