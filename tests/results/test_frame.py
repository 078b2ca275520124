"""What a DataFrame has beside its values: its columns' names, and memory of its own."""

from contextlib import suppress

import pytest


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


DATED = (
    "SELECT DATE '2024-05-01' AS d, TIMESTAMP '2024-05-01 10:00:00' AS t, TIME '01:00:00' AS u "
    "UNION ALL SELECT NULL, NULL, NULL"
)


@pytest.mark.parametrize("dtype_backend", [None, "numpy_nullable"])
def test_dates_of_one_frame_are_not_those_of_the_next(db, dtype_backend):
    first = db.query(DATED, dtype_backend=dtype_backend)
    assert first.dtypes.astype(str).tolist() == ["datetime64[s]", "datetime64[us]", "timedelta64[us]"]
    for name in first:
        first.loc[0, name] = first.loc[1, name]
    assert first.isna().all(axis=None)
    second = db.query(DATED, dtype_backend=dtype_backend)
    assert second.iloc[0].astype(str).tolist() == ["2024-05-01 00:00:00", "2024-05-01 10:00:00", "0 days 01:00:00"]
    assert second.iloc[1].isna().all()


def test_no_dates_at_all(db):
    frame = db.query(f"SELECT * FROM ({DATED}) AS x WHERE FALSE")
    assert frame.empty
    assert frame.dtypes.astype(str).tolist() == ["datetime64[s]", "datetime64[us]", "timedelta64[us]"]
