"""Columns of one name: the note says which, and the AS to write."""

import pytest

from rds_iam_magic.connection.duplicate_names import duplicate_names_note
from rds_iam_magic.mysql.wire.column import Column


def test_names_that_need_backticks_have_them(db, notes):
    db.execute("CREATE OR REPLACE TEMPORARY TABLE `my t` (`the id` INT)")
    db.query(
        "SELECT * FROM `my t` AS x JOIN `my t` AS `y z` ON TRUE".replace("JOIN `my t`", "JOIN (SELECT 1 AS `the id`)")
    )
    assert "x.`the id` AS `x_the id`" in notes[0]
    assert duplicate_names_note([]) == ""


def named(name, table="", org_name=""):
    return Column(name, 3, 63, 11, 0, 0, org_name=org_name, table=table)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ([named("id"), named("n")], ""),
        (
            [named("id", "o", "id"), named("id", "c", "id")],
            "the result has 2 columns named id; df['id'] selects all of them. "
            "Rename them with AS: o.id AS o_id, c.id AS c_id.",
        ),
        ([named("a"), named("a")], "Rename them with AS: … AS a_1, … AS a_2."),
        ([named("id", "c", "id"), named("id", "c", "id")], "c.id AS c_id, c.id AS c_id_2."),
        ([named("a", "t", "b c"), named("a", "u v", "a")], "t.`b c` AS t_a, `u v`.a AS `u v_a`."),
        ([named("größe", "t", "größe"), named("größe")], "t.größe AS t_größe, … AS größe_2."),
        ([named(name) for name in "abcde" * 2], "2 columns named c, and 2 other names twice; df['a']"),
    ],
)
def test_the_as_to_write(columns, words):
    note = duplicate_names_note(columns)
    assert words in note
    assert bool(words) == bool(note)
