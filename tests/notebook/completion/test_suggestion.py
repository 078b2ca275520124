"""Lists of suggestions."""

from rds_iam_magic.notebook.completion.suggestion import Suggestion, Suggestions, begins, first_of


def test_each_text_once_and_no_more_than_the_most():
    names = [Suggestion(text, "x") for text in ("a", "b", "a", "c", "d")]
    assert [item.text for item in first_of(names, 3)] == ["a", "b", "c"]
    assert first_of(iter(names)) == [names[0], names[1], names[3], names[4]]


def test_case_is_ignored():
    assert begins("Order_Id", "order")
    assert begins("x", "")
    assert not begins("or", "order")


def test_offsets_move_with_the_text():
    assert Suggestions(3, []).shifted(4).start == 7
