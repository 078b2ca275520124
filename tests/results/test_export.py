"""Batches as files of each kind: the same rows, types and NULLs when they are read again; no server."""

import csv
import datetime as dt
import gzip
import io
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet
import pytest

from rds_iam_magic.errors import OptionError, ResultError
from rds_iam_magic.results.export import FileDestination
from tests.support.batches import SCHEMA, batch


def test_compressed_files_are_the_same_each_time(tmp_path):
    for name in ("a.csv.gz", "b.csv.gz"):
        FileDestination(str(tmp_path / name)).write(SCHEMA, iter([batch(100)]))
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
    assert (tmp_path / "a.csv.gz").read_bytes()[4:8] == bytes(4), "no time in the header"
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).count(b"\n") == 101


TYPES = pa.schema(
    [
        ("n", pa.int64()),
        ("t", pa.large_string()),
        ("d", pa.decimal128(12, 2)),
        ("day", pa.date32()),
        ("m", pa.timestamp("us")),
    ]
)
MOMENTS = [dt.datetime.fromisoformat(text) for text in ("1999-12-31 00:00:00", "9999-12-31 23:59:59")]
ROWS = [
    {"n": 1, "t": 'größe, "日"\n', "d": Decimal("1.50"), "day": dt.date(2024, 2, 29), "m": MOMENTS[0]},
    {"n": None, "t": None, "d": None, "day": None, "m": None},
    {
        "n": -(2**63),
        "t": "",
        "d": Decimal("-0.01"),
        "day": dt.date(1, 1, 1),
        "m": MOMENTS[1],
    },
]


def read(path):
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path)
    with pa.ipc.open_file(path) as file:
        return file.read_all()


def batches_of(rows, count=1):
    return iter([pa.RecordBatch.from_pylist(rows, TYPES)] * count)


@pytest.mark.parametrize("ending", ["parquet", "arrow"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_is_read_again(tmp_path, ending, count):
    path = tmp_path / f"x.{ending}"
    assert FileDestination(str(path)).write(TYPES, batches_of(ROWS, count)) == 3 * count
    table = read(path)
    assert table.schema.names == TYPES.names
    assert table.to_pylist() == ROWS * count


@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_csv(tmp_path, ending):
    path = tmp_path / f"x.{ending}"
    assert FileDestination(str(path)).write(TYPES, batches_of(ROWS, 2)) == 6
    data = path.read_bytes()
    text = (gzip.decompress(data) if ending == "csv.gz" else data).decode()
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == TYPES.names, "once"
    assert rows[1:4] == rows[4:]
    assert rows[1] == ["1", 'größe, "日"\n', "1.50", "2024-02-29", "1999-12-31 00:00:00.000000"]
    assert rows[2] == [""] * 5
    assert ',"",' in text, "an empty text is told from NULL"


@pytest.mark.parametrize("path", ["x", "x.xlsx", "x.csv.zip", "parquet", ".gz", "s3://bucket/x.txt"])
def test_endings_that_name_no_format(tmp_path, path):
    with pytest.raises(OptionError, match="no suffix that names a format") as caught:
        FileDestination(path if "://" in path else str(tmp_path / path))
    assert caught.value.cause == "file-format-unknown"


@pytest.mark.parametrize("ending", ["PARQUET", "Csv.Gz", "ARROW"])
def test_the_case_of_an_ending_does_not_count(tmp_path, ending):
    assert FileDestination(str(tmp_path / f"x.{ending}")).write(TYPES, batches_of(ROWS)) == 3


@pytest.mark.parametrize("ending", ["parquet", "arrow", "csv"])
def test_two_columns_of_one_name(tmp_path, ending):
    schema = pa.schema([("a", pa.int64()), ("a", pa.int64())])
    batch_of_two = pa.RecordBatch.from_arrays([pa.array([1]), pa.array([2])], schema=schema)
    destination = FileDestination(str(tmp_path / f"x.{ending}"))
    if ending == "csv":
        assert destination.write(schema, iter([batch_of_two])) == 1
        return
    with pytest.raises(ResultError, match="Two columns have the same name") as caught:
        destination.write(schema, iter([batch_of_two]))
    assert caught.value.cause == "duplicate-columns"
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_when_asked_for(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("of the user's")
    with pytest.raises(ResultError, match="already exists"):
        FileDestination(str(path))
    assert path.read_text() == "of the user's"
    FileDestination(str(path), overwrite=True).write(TYPES, batches_of(ROWS))
    assert path.read_text().startswith('"n","t"')
