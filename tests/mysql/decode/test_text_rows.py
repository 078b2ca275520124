"""Rows of the text protocol: where each field is, and rows that are not what they should be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.decode import Decoder
from rds_iam_magic.mysql.decode.text_rows import locate
from rds_iam_magic.mysql.wire.events import PAD, Rows
from tests.support.packets import column, encoded, rows_of


def test_a_broken_row_behind_a_bad_value_is_the_worse_of_the_two():
    rows = rows_of([b"x"])
    longer = Rows(rows.data, rows.starts, rows.ends + 1)
    with pytest.raises(ProtocolError):
        Decoder([column("c")]).decode(longer)


def rows_from(*rows):
    data, starts, ends = b"", [], []
    for row in rows:
        starts.append(len(data))
        data += row
        ends.append(len(data))
    return Rows(np.frombuffer(data + bytes(PAD), np.uint8), np.array(starts, np.int64), np.array(ends, np.int64))


FIELDS = st.none() | st.binary(max_size=260) | st.sampled_from([b"x" * 250, b"x" * 251, b"y" * 65535, b"z" * 65536])


@given(st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(FIELDS, min_size=n, max_size=n), min_size=1, max_size=5)))
def test_each_field_is_where_it_was_put(rows):
    located = rows_from(*(b"".join(map(encoded, row)) for row in rows))
    columns = [cells.to_bytes().to_pylist() for cells in locate(located, len(rows[0]))]
    assert [list(row) for row in zip(*columns, strict=True)] == rows


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (b"\x011", "too few fields"),
        (b"", "too few fields"),
        (b"\x011\x012\x013", "too many fields"),
        (b"\x011\x0512", "longer than its row"),
        (b"\x011\xfc\xff\xff1", "longer than its row"),
        (b"\x011\xfe" + b"\xff" * 8, "longer than its row"),
        (b"\x011\xff", "impossible length"),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_rows_that_are_broken(row, words, place):
    rows = [b"\x011\x012"]
    rows.insert(place, row)
    with pytest.raises(ProtocolError, match=words):
        list(locate(rows_from(*rows), 2))
