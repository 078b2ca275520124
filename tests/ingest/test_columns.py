"""Frames and their names: what a table's columns can be named, and which index becomes one."""

import pandas as pd
import pyarrow as pa
import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.columns import check_names, frame_of


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no columns"),
        (["a", ""], "Column 2, '': its name is empty"),
        (["a" * 65], "65 characters; 64 are the most"),
        (["a "], "ends with a space"),
        (["a\0"], "a character that no column's name may have"),
        (["😀"], "a character that no column's name may have"),
        ([1], "named 1, which is no text"),
        (["a", "b", "A"], "Columns 1 and 3 have the same name"),
        ([f"c{i}" for i in range(1018)], "1,018 columns"),
    ],
)
def test_names_that_no_column_can_have(names, message):
    with pytest.raises(OptionError, match=message) as caught:
        check_names(names)
    assert caught.value.cause == "load-column-name"


def test_names_that_need_quotes_are_fine():
    check_names(["a`b", "größe", " x", "select", "a" * 64])


def names_of(frame, **options):
    return [column.name for column in frame_of(frame, **options).columns]


def test_the_index():
    frame = pd.DataFrame({"a": [1, 2]})
    named = frame.set_axis(pd.Index([5, 6], name="id"))
    assert names_of(frame) == ["a"]
    assert names_of(frame, index=True) == ["index", "a"]
    assert names_of(named) == ["id", "a"]
    assert names_of(named, index=False) == ["a"]
    two = frame.set_axis(pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["k", None]))
    assert names_of(two) == ["k", "level_1", "a"]


def test_an_index_that_is_left_out_is_told():
    frame = pd.DataFrame({"a": [1, 2, 3]})
    assert frame_of(frame).notes == ()
    filtered = frame_of(frame[frame["a"] != 2])
    assert "index=True" in filtered.notes[0]
    assert [column.name for column in filtered.columns] == ["a"]


def test_several_levels_of_names():
    with pytest.raises(OptionError, match="several levels"):
        frame_of(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])))


def test_arrow_tables_and_what_becomes_one():
    class Polars:
        def to_arrow(self):
            return pa.table({"a": [1]})

    assert names_of(pa.table({"b": ["x"]})) == ["b"]
    assert names_of(Polars()) == ["a"]
    with pytest.raises(OptionError, match="A list is no DataFrame"):
        frame_of([1])
