"""Errors that name a column and a row."""

import pyarrow as pa
import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.column import Column


def test_the_first_bad_value_is_named():
    column = Column("price", pa.array([1, 2, 3]), True, "int64")
    column.require(pa.array([False, None, False]), "is wrong")
    column.require(pa.array([], pa.bool_()), "is wrong")
    with pytest.raises(OptionError, match="Column price, row 2: is wrong; nothing was stored") as caught:
        column.require(pa.array([None, True, True]), "is wrong")
    assert caught.value.cause == "load-value"
    assert caught.value.hint
