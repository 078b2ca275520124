"""DATE, DATETIME, TIMESTAMP: at their limits, against PyMySQL; those of no calendar; made-up ones."""

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import DecodeError
from tests.support.packets import DATE, DATETIME
from tests.support.values import (
    BACKENDS,
    Declared,
    check_dtype_and_values,
    check_other_backend,
    decode_texts,
    with_nulls,
)


def _same_day(ours, theirs):
    return ours == np.datetime64(theirs, "s")


def _same_moment(ours, theirs):
    return ours == np.datetime64(theirs, "us")


MOMENTS = ["0001-01-01 00:00:00", "1969-12-31 23:59:59", "2024-02-29 12:34:56", "9999-12-31 23:59:59"]


def _datetime(digits):
    fraction = f".{'123456'[:digits]}" if digits else ""
    moments = [moment + fraction for moment in MOMENTS]
    return Declared(f"DATETIME({digits})", moments, "datetime64[us]", same=_same_moment)


DECLARED = [
    Declared(
        "DATE",
        ["0001-01-01", "1969-12-31", "1970-01-01", "2000-02-29", "2024-12-31", "9999-12-31"],
        "datetime64[s]",
        same=_same_day,
        same_arrow=operator.eq,
    ),
    *map(_datetime, range(7)),
    Declared(
        "TIMESTAMP(6)",
        ["1970-01-02 00:00:01.000001", "2038-01-18 03:14:07.999999"],
        "datetime64[us]",
        same=_same_moment,
    ),
]


@pytest.mark.parametrize("null", [False, True], ids=["not null", "null"])
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_dtype_and_values(sandbox, fresh, notes, declared, null):
    check_dtype_and_values(sandbox.server, fresh, notes, declared, null=null)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("declared", DECLARED, ids=str)
def test_other_backends(sandbox, fresh, declared, backend):
    check_other_backend(sandbox.server, fresh, declared, backend)


@given(with_nulls(st.dates()))
def test_dates(days):
    assert decode_texts(DATE, [None if d is None else d.isoformat() for d in days]).to_pylist() == days


@given(with_nulls(st.datetimes()), st.integers(0, 6))
def test_datetimes(moments, digits):
    def shown(moment):
        text = moment.strftime("%H:%M:%S.%f")
        return f"{moment:%Y}".zfill(4) + f"-{moment:%m-%d} " + (text[: 9 + digits] if digits else text[:8])

    unit = 10 ** (6 - digits)
    cut = [None if m is None else m.replace(microsecond=m.microsecond // unit * unit) for m in moments]
    texts = [None if m is None else shown(m) for m in moments]
    assert decode_texts(DATETIME, texts, decimals=digits).to_pylist() == cut


def test_dates_of_no_calendar(fresh, notes):
    fresh.execute("SET sql_mode = 'ALLOW_INVALID_DATES'")
    fresh.execute("CREATE OR REPLACE TABLE odd (d DATE, t DATETIME)")
    fresh.execute(
        "INSERT INTO odd VALUES ('0000-00-00', '0000-00-00 00:00:00'), ('2024-00-00', '2024-00-00 10:00:00'), "
        "('2024-02-31', '2023-02-29 01:02:03'), ('2024-02-29', '2024-02-29 00:00:00'), (NULL, NULL)"
    )
    frame = fresh.query("SELECT * FROM odd")
    assert frame["d"].isna().tolist() == frame["t"].isna().tolist() == [True, True, True, False, True]
    assert [
        note for note in notes if note.startswith("column d: 3 invalid dates (0000-00-00, 2024-00-00, …) became NaT.")
    ]
    assert len(notes) == 2, "one line for each column"
    assert fresh.query_arrow("SELECT * FROM odd")["d"].null_count == 4
    fresh.execute("DROP TABLE odd")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (DATE, "2024-1-01"),
        (DATE, "2024/01/01"),
        (DATE, "20240101"),
        (DATE, "2024-01-0x"),
        (DATETIME, "2024-01-01"),
        (DATETIME, "2024-01-01T00:00:00"),
        (DATETIME, "2024-01-01 00:60:00"),
        (DATETIME, "2024-01-01 00:00:00."),
    ],
)
def test_texts_that_are_none(kind, text):
    for texts in ([text], [None, text]):
        with pytest.raises(DecodeError):
            decode_texts(kind, texts)
