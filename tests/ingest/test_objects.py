"""Columns of Python objects: one type each, and no guess."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.objects import from_objects

UTC = dt.timezone.utc


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True, None], pa.bool_()),
        ([1, np.int8(-2), pd.NA], pa.int64()),
        ([2**63, 0], pa.uint64()),
        ([-1, 2**63], pa.decimal256(19, 0)),
        ([10**64], pa.decimal256(65, 0)),
        ([1.5, float("nan"), np.float32(2)], pa.float64()),
        (["a", np.str_("b"), None], pa.large_string()),
        ([Decimal("1.50"), Decimal(20), Decimal("NaN")], pa.decimal256(4, 2)),
        ([b"a", bytearray(b"b"), memoryview(b"c")], pa.large_binary()),
        ([dt.date(2020, 1, 1), pd.NaT], pa.date32()),
        ([dt.datetime(2020, 1, 1), pd.Timestamp("2020")], pa.timestamp("us")),  # noqa: DTZ001 - naive on purpose
        ([dt.datetime(2020, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")),
        ([dt.time(1, 2, 3, 4)], pa.time64("us")),
        ([dt.timedelta(1), pd.Timedelta(2, "h")], pa.duration("us")),
        ([UUID(int=1)], pa.large_string()),
        ([None, np.nan], pa.null()),
        ([], pa.null()),
    ],
)
def test_one_type(values, kind):
    column = from_objects("c", values)
    assert column.values.type == kind
    assert len(column.values) == len(values)
    assert column.has_null


def test_decimals_keep_their_digits():
    values = [Decimal("1E+3"), Decimal("0.001"), Decimal("-2.500"), None]
    column = from_objects("c", values)
    assert column.values.to_pylist() == values
    assert from_objects("c", [Decimal("NaN")] * 2).notes == ("column c: 2 NaNs became NULL, which MySQL has instead.",)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, None, "a"], "several types: int in row 1, str in row 3"),
        ([1, 2.5], "int in row 1, float in row 2"),
        ([True, 1], "bool in row 1, int in row 2"),
        ([dt.date(2020, 1, 1), dt.datetime(2020, 1, 1)], "date in row 1, datetime in row 2"),  # noqa: DTZ001
        (["a", [1]], "a list in row 2"),
        ([{}], "a dict in row 1"),
        ([1j], "a complex in row 1"),
        ([object()], "an? object in row 1"),
        ([np.longdouble(1)], "a longdouble in row 1"),
        (["a", "\ud800"], "row 2: it has a lone surrogate"),
        ([10**65], "row 1: it has more than 65 digits"),
        ([Decimal(1), Decimal("Infinity")], "row 2: it is infinite"),
        ([Decimal("1E-80")], "row 1: it has more than 30 decimals"),
        ([pd.Timestamp("2020-01-01 00:00:00.000000001")], "row 1: it has nanoseconds"),
        ([pd.Timedelta(1, "ns")], "row 1: it has nanoseconds"),
        ([dt.time(1, tzinfo=UTC)], "row 1: it is a time of day with a time zone"),
        ([dt.datetime(2020, 1, 1, tzinfo=UTC), dt.datetime(2020, 1, 1)], "with a time zone and others without"),  # noqa: DTZ001
    ],
)
def test_what_is_refused(values, message):
    with pytest.raises(OptionError, match=message) as caught:
        from_objects("c", values)
    assert "Column c" in caught.value.message
    assert caught.value.message.endswith("nothing was stored.")
