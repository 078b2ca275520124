"""Record batches → a file, in constant memory: .parquet, .csv, .csv.gz, .arrow; local or on `s3://`.

The file gets its name only when it is complete (`destination.py`): an error or an interrupt leaves no partial file, and
an existing file stays until then.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.errors import OptionError, ResultError
from rds_iam_magic.results.destination import Destination, destination

GROUP_BYTES = 32 << 20
"""Bytes of Arrow data per Parquet row group; this much is kept in memory before it is written."""

_SUFFIXES = (".parquet", ".csv", ".csv.gz", ".arrow")


class FileDestination:
    """A file to be written.

    Args:
        path: A path, or an `s3://bucket/key` address.
        overwrite: Whether a file of that name may be replaced.
        session: The boto3 session for `s3://`; default: the environment's.
        notify: Called with a note if something could not be cleaned up after a failure.

    Raises:
        OptionError: The suffix names no format, or the URL is not valid.
        ResultError: The file already exists, or its folder or bucket does not.
    """

    def __init__(
        self,
        path: str,
        *,
        overwrite: bool = False,
        session: Any = None,
        notify: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = path
        self._suffix = next((suffix for suffix in _SUFFIXES if path.lower().endswith(suffix)), "")
        if not self._suffix:
            raise OptionError(f"{path!r} has no suffix that names a format.", cause="file-format-unknown")
        self._overwrite = overwrite
        self._notify = notify
        self._place = destination(path, session)
        try:
            self._check()
        finally:
            self._place.discard()  # only a connection to S3 can be open yet

    def write(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
        """Write all batches and return the number of rows.

        Raises:
            ResultError: The file cannot be written.
        """
        if self._suffix in (".parquet", ".arrow") and len(set(schema.names)) != len(schema.names):
            raise ResultError(
                f"Two columns have the same name, which {self._suffix} files cannot hold.",
                cause="duplicate-columns",
            )
        try:
            self._place.open()
            rows = self._write_all(schema, batches)
            self._check()
            self._place.commit()
        except pa.ArrowException as error:
            raise ResultError(
                f"{self.path} cannot be written: {str(error).splitlines()[0][:200]}",
                cause="type-not-writable",
            ) from None
        finally:
            leftover = self._place.discard()  # does nothing after a commit
            if leftover:
                self._notify(leftover)
        return rows

    def _write_all(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
        rows = 0
        sink = _Sink(self._place)
        with ExitStack() as stack:
            file: Any = sink
            if self._suffix == ".csv.gz":
                file = stack.enter_context(gzip.GzipFile(fileobj=cast("Any", sink), mode="wb", mtime=0))
            write = _WRITERS[self._suffix](stack, stack.enter_context(pa.PythonFile(file, mode="w")), schema)
            try:
                for batch in batches:
                    write(batch)
                    rows += batch.num_rows
            except BaseException:
                sink.stop()
                raise
        return rows

    def _check(self) -> None:
        if not self._overwrite and self._place.exists():
            raise ResultError(f"{self.path} already exists.", cause="file-exists")


class _Sink:
    """The file object for pyarrow and gzip; after a failure it swallows what they write while closing."""

    closed = False

    def __init__(self, place: Destination) -> None:
        self._place = place
        self._stopped = False
        self._position = 0

    def stop(self) -> None:
        self._stopped = True

    def write(self, data: bytes) -> int:
        if not self._stopped:
            try:
                self._place.write(data)
            except BaseException:
                self._stopped = True
                raise
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Do nothing: the destination flushes on commit."""

    def close(self) -> None:
        """Do nothing: the destination is closed on commit or discard."""

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


_Write = Callable[[pa.RecordBatch], None]


def _parquet(stack: ExitStack, sink: Any, schema: pa.Schema) -> _Write:
    from pyarrow import parquet

    writer = stack.enter_context(parquet.ParquetWriter(sink, schema, compression="zstd"))
    waiting: list[pa.RecordBatch] = []

    def flush() -> None:
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting, schema))
            waiting.clear()

    def write(batch: pa.RecordBatch) -> None:
        waiting.append(batch)
        if sum(part.nbytes for part in waiting) >= GROUP_BYTES:
            flush()

    def finish(kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            flush()

    stack.push(finish)
    return write


def _arrow(stack: ExitStack, sink: Any, schema: pa.Schema) -> _Write:
    writer = stack.enter_context(pa.ipc.new_file(sink, schema))
    return lambda batch: writer.write_batch(batch)


def _csv(stack: ExitStack, sink: Any, schema: pa.Schema) -> _Write:
    from pyarrow import csv

    plain = pa.schema([pa.field(field.name, _csv_type(field.type)) for field in schema])
    writer = stack.enter_context(csv.CSVWriter(sink, plain))

    def write(batch: pa.RecordBatch) -> None:
        columns = [_csv_column(column, kind) for column, kind in zip(batch.columns, plain.types, strict=True)]
        writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=plain))

    return write


_WRITERS: dict[str, Callable[[ExitStack, Any, pa.Schema], _Write]] = {
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".csv": _csv,
    ".csv.gz": _csv,
}


def _csv_type(kind: pa.DataType) -> pa.DataType:
    """The type to write: Arrow's CSV writer lacks decimals, durations, bytes and null, which become text."""
    is_text = pa.types.is_decimal(kind) or pa.types.is_duration(kind) or kind == pa.large_binary() or kind == pa.null()
    return pa.string() if is_text else kind


def _csv_column(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if pa.types.is_duration(column.type):
        microseconds = column.cast(pa.int64()).to_pylist()
        return pa.array([None if value is None else _clock(value) for value in microseconds], kind)
    if column.type == pa.large_binary():
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], kind)
    return pc.cast(column, kind)


def _clock(microseconds: int) -> str:
    """A TIME in MySQL's format."""
    sign, rest = ("-" if microseconds < 0 else ""), abs(microseconds)
    seconds, fraction = divmod(rest, 1_000_000)
    text = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text
