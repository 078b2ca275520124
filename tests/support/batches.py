"""Record batches of any size, and the kinds of files that they are written to."""

import random

import pyarrow as pa
import pyarrow.parquet

ENDINGS = ["parquet", "arrow", "csv", "csv.gz"]


SCHEMA = pa.schema([("n", pa.int64()), ("t", pa.string())])


def batch(rows=20_000, seed=0):
    """Some megabytes that do not compress."""
    chance = random.Random(seed)
    return pa.RecordBatch.from_arrays(
        [pa.array(range(rows)), pa.array([chance.randbytes(100).hex() for _ in range(rows)])], schema=SCHEMA
    )
