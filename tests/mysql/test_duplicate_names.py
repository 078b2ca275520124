"""Columns of one name: the note says which, and the AS to write."""

from rds_iam_magic.mysql.duplicate_names import duplicate_names_note


def test_names_that_need_backticks_have_them(db, notes):
    db.execute("CREATE OR REPLACE TEMPORARY TABLE `my t` (`the id` INT)")
    db.query(
        "SELECT * FROM `my t` AS x JOIN `my t` AS `y z` ON TRUE".replace("JOIN `my t`", "JOIN (SELECT 1 AS `the id`)")
    )
    assert "x.`the id` AS `x_the id`" in notes[0]
    assert duplicate_names_note([]) == ""
