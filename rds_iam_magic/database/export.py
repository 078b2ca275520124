"""Record batches → a file, at constant memory: .parquet, .csv, .csv.gz, .arrow; here or on `s3://`.

It is written under another name beside the target and renamed at the end: an error or an interrupt leaves no partial
file, and what was there before stays until the new one is complete.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import fs

from rds_iam_magic.errors import OptionError, ResultError

GROUP_BYTES = 32 << 20
"""Bytes of Arrow data in a row group of a Parquet file: what is kept in memory before it is written."""

_SUFFIXES = (".parquet", ".csv", ".csv.gz", ".arrow")


class Target:
    """A file to be written.

    Args:
        path: A path, or an `s3://bucket/key` address.
        overwrite: Whether a file of that name may be replaced.

    Raises:
        OptionError: The ending is not one of those above.
        ResultError: The file is there already, or its folder is not.
    """

    def __init__(self, path: str, *, overwrite: bool = False) -> None:
        self.path = path
        self._suffix = next((suffix for suffix in _SUFFIXES if path.lower().endswith(suffix)), "")
        if not self._suffix:
            raise OptionError(
                f"{path!r} has no ending that says how to write it.", f"Use one of {', '.join(_SUFFIXES)}."
            )
        self._overwrite = overwrite
        self._files, self._place = _open_file_system(path)
        self._check()

    def write(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
        """Write all batches and return the number of rows.

        Raises:
            ResultError: The file cannot be written.
        """
        if self._suffix in (".parquet", ".arrow") and len(set(schema.names)) != len(schema.names):
            raise ResultError(
                f"Two columns have the same name, which {self._suffix} files cannot hold.", "Name them apart with AS."
            )
        temporary = f"{self._place}.{secrets.token_hex(4)}.part"
        try:
            rows = self._write_to(temporary, schema, batches)
            self._check()
            self._files.move(temporary, self._place)
        except BaseException as error:
            self._discard(temporary)
            if isinstance(error, (OSError, pa.ArrowException)):
                raise ResultError(
                    f"{self.path} cannot be written: {str(error).splitlines()[0][:200]}",
                    "Check the place and the right to write there; for s3:// the AWS credentials of the environment.",
                ) from None
            raise
        return rows

    def _write_to(self, place: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
        rows = 0
        with ExitStack() as stack:
            # The ending of the temporary name says nothing, so compression is said here.
            compression = "gzip" if self._suffix == ".csv.gz" else None
            sink = stack.enter_context(self._files.open_output_stream(place, compression=compression))
            write = _WRITERS[self._suffix](stack, sink, schema)
            for batch in batches:
                write(batch)
                rows += batch.num_rows
        return rows

    def _check(self) -> None:
        if self._files.get_file_info(self._place).type == fs.FileType.Directory:
            raise ResultError(f"{self.path} is a folder.", "Name a file in it.")
        if not self._overwrite and self._files.get_file_info(self._place).type != fs.FileType.NotFound:
            raise ResultError(f"{self.path} is there already.", "Add --overwrite to replace it, or take another name.")

    def _discard(self, place: str) -> None:
        if self._files.get_file_info(place).type != fs.FileType.NotFound:
            self._files.delete_file(place)


def _open_file_system(path: str) -> tuple[Any, str]:
    if "://" not in path:
        from pathlib import Path

        local = Path(path).expanduser().absolute()
        if not local.parent.is_dir():
            raise ResultError(f"There is no folder {local.parent}.", "Make it first, or name another.")
        return fs.LocalFileSystem(), str(local)
    try:
        files, place = fs.FileSystem.from_uri(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise OptionError(f"{path!r} cannot be written to: {error}", "Give a path or an s3://BUCKET/KEY.") from None
    return files, place


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
    """Arrow's writer knows no decimals of 256 bits, durations and bytes: those are written as texts."""
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
    """A TIME as MySQL writes it."""
    sign, rest = ("-" if microseconds < 0 else ""), abs(microseconds)
    seconds, fraction = divmod(rest, 1_000_000)
    text = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text
