"""Result sets as batches: the same rows whatever their batches; texts where no Arrow decimal is wide enough."""

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rds_iam_magic.errors import ResultError
from rds_iam_magic.results.memory import MemoryBudget
from rds_iam_magic.results.result import ResultSet, StreamedResult, one_schema, rechunk, take_rows

SCHEMA = pa.schema([("n", pa.int64()), ("t", pa.large_string())])
DECIMALS = pa.schema([("d", pa.decimal256(76, 0))])
WIDE = pa.schema([("d", pa.large_string())])
"""As a chunk comes that has more digits than any Arrow decimal holds."""


def batches_of(sizes):
    """Batches of these sizes, whose rows are numbered through."""
    made, start = [], 0
    for size in sizes:
        numbers = range(start, start + size)
        made.append(
            pa.record_batch([pa.array(numbers, pa.int64()), pa.array(map(str, numbers), pa.large_string())], SCHEMA)
        )
        start += size
    return made


def numbers_of(batches):
    return [n for batch in batches for n in batch.column(0).to_pylist()]


def streamed(batches, schema=SCHEMA, **more):
    return StreamedResult(schema, tuple(True for _ in schema), "float", iter(batches), **more)


def mixed():
    """A batch of decimals, and one of texts."""
    first = pa.record_batch([pa.array([Decimal(1), None], DECIMALS.types[0])], DECIMALS)
    return [first, pa.record_batch([pa.array(["9" * 80], pa.large_string())], WIDE)]


SIZES = st.lists(st.integers(1, 30), max_size=12)


@given(SIZES, st.integers(1, 50))
def test_rechunked_rows_are_the_same_rows(sizes, rows):
    chunks = list(rechunk(iter(batches_of(sizes)), rows))
    assert numbers_of(chunks) == list(range(sum(sizes)))
    assert all(chunk.num_rows == rows for chunk in chunks[:-1]), "each is full but the last"
    assert all(0 < chunk.num_rows <= rows for chunk in chunks[-1:])
    assert all(chunk.schema == SCHEMA for chunk in chunks)


@given(SIZES.filter(bool), st.integers(1, 50))
def test_rechunking_takes_no_batch_before_it_is_needed(sizes, rows):
    asked = []

    def source():
        for batch in batches_of(sizes):
            asked.append(batch.num_rows)
            yield batch

    next(rechunk(source(), rows))
    assert sum(asked[:-1]) < rows, "the last batch was needed"


@given(SIZES.filter(bool), st.integers(1, 400))
def test_taken_rows_leave_the_rest(sizes, rows):
    waiting = batches_of(sizes)
    taken = take_rows(waiting, rows)
    count = min(rows, sum(sizes))
    assert taken.column(0).to_pylist() == list(range(count))
    assert numbers_of(waiting) == list(range(count, sum(sizes)))


def test_rows_of_different_schemas_become_one_batch():
    waiting = mixed()
    taken = take_rows(waiting, 3)
    assert waiting == []
    assert taken.column(0).to_pylist() == ["1", None, "9" * 80]


def test_one_schema_lets_what_fits_pass():
    made = batches_of([2, 3])
    assert list(one_schema(streamed(made))) == made


def test_one_schema_refuses_what_differs():
    batches = one_schema(streamed(mixed(), DECIMALS))
    assert next(batches).num_rows == 2
    with pytest.raises(ResultError, match="Column d has values with more digits") as caught:
        next(batches)
    assert caught.value.cause == "number-too-wide"
    assert "CAST(`d` AS CHAR)" in caught.value.hint


def test_collecting_keeps_what_the_stream_told():
    stream = streamed(batches_of([2, 3]), cut=True, warnings=4, position=2, count=3, verb="SELECT")
    result = stream.collect(MemoryBudget(1 << 20))
    assert (result.num_rows, numbers_of(result.batches)) == (5, list(range(5)))
    assert (result.cut, result.warnings, result.position, result.count, result.verb) == (True, 4, 2, 3, "SELECT")
    assert (result.schema, result.nullable, result.decimal) == (SCHEMA, (True, True), "float")


def test_what_is_known_at_the_end_of_the_batches_is_collected():
    def batches():
        yield from batches_of([1])
        stream.cut, stream.warnings = True, 2

    stream = streamed(())
    stream.batches = batches()
    result = stream.collect(MemoryBudget(1 << 20))
    assert (result.cut, result.warnings) == (True, 2)


def test_collecting_ends_where_the_budget_does():
    asked = []

    def batches():
        for batch in batches_of([1000] * 100):
            asked.append(batch)
            yield batch

    with pytest.raises(ResultError):
        streamed(batches()).collect(MemoryBudget(50_000))
    assert 1 < len(asked) < 10


@given(SIZES)
def test_an_arrow_table_has_all_rows(sizes):
    table = ResultSet(SCHEMA, (True, True), batches=batches_of(sizes)).to_arrow()
    assert table.schema == SCHEMA
    assert table["n"].to_pylist() == list(range(sum(sizes)))


def test_an_arrow_table_of_different_schemas_has_texts():
    table = ResultSet(DECIMALS, (True,), batches=mixed()).to_arrow()
    assert table["d"].to_pylist() == ["1", None, "9" * 80]


@given(SIZES)
def test_a_frame_has_all_rows_and_frees_the_batches(sizes):
    result = ResultSet(SCHEMA, (False, True), batches=batches_of(sizes))
    frame = result.to_pandas()
    assert frame["n"].tolist() == list(range(sum(sizes)))
    assert [str(dtype) for dtype in frame.dtypes] == ["int64", "str"]
    assert result.batches == []
