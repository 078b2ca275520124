"""What a DataFrame has beside its values: its columns' names."""

from contextlib import suppress


def test_the_names_of_one_frame_are_not_those_of_the_next(db):
    first = db.query("SELECT 1 AS a, 2 AS b")
    first.columns.name = "mine"
    with suppress(ValueError, TypeError):
        first.columns.values[1] = "betrag"
    second = db.query("SELECT 1 AS a, 2 AS b")
    assert second.columns.tolist() == ["a", "b"]
    assert second.columns.name is None


def test_duplicate_names_stay(db):
    frame = db.query("SELECT 1 AS a, 'x' AS a, 2.5 AS b")
    assert list(frame.columns) == ["a", "a", "b"]
    assert frame.iloc[0].tolist() == [1, "x", 2.5]
