"""Rows of the text protocol: where each field is, and rows that are not what they should be."""

import pytest

from rds_iam_magic.errors import ProtocolError
from rds_iam_magic.mysql.decode import Decoder
from rds_iam_magic.mysql.wire.events import Rows
from tests.support.packets import column, rows_of


def test_a_broken_row_behind_a_bad_value_is_the_worse_of_the_two():
    rows = rows_of([b"x"])
    longer = Rows(rows.data, rows.starts, rows.ends + 1)
    with pytest.raises(ProtocolError):
        Decoder([column("c")]).decode(longer)
