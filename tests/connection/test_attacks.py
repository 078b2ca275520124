"""What a hostile look at the connection has found."""

import gc

import pyarrow as pa
import pytest

from rds_iam_magic.errors import ResultError


def test_a_result_that_is_too_large_does_not_stay_until_the_garbage_collector_comes(db):
    db.query("SELECT 1 AS a")
    db.max_memory = "4 MB"
    gc.collect()
    before = pa.total_allocated_bytes()
    gc.disable()
    try:
        with pytest.raises(ResultError):
            db.query("SELECT seq AS n, REPEAT('x', 1000) AS t FROM seq_1_to_200000")
        kept = pa.total_allocated_bytes() - before
    finally:
        gc.enable()
    assert kept < 100_000
