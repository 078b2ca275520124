"""A statement's results: `ResultSet` and `StreamedResult` (Arrow record batches), `Changed` (counts)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import ResultError
from rds_iam_magic.results.formats import DecimalMode, DtypeBackend
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from rds_iam_magic.results.frame import FrameBuilder
    from rds_iam_magic.results.memory import MemoryBudget


@dataclass(frozen=True, slots=True)
class Changed:
    """The result of a statement that returned no rows.

    Attributes:
        rows: The number of rows changed.
        insert_id: The first AUTO_INCREMENT value generated, or 0.
        warnings: The server's warning count.
        info: The server's info string, such as `Rows matched: 3  Changed: 1  Warnings: 0`.
        position, count: The statement's number in the text, from 1, and the number of statements.
        verb: The statement's first word in upper case, such as `UPDATE`, or `CREATE TABLE`.
    """

    rows: int
    insert_id: int = 0
    warnings: int = 0
    info: str = ""
    position: int = 1
    count: int = 1
    verb: str = ""


def take_rows(batches: list[pa.RecordBatch], rows: int) -> pa.RecordBatch:
    """Remove the first `rows` rows (or all, if there are fewer) from a list of batches; return them as one batch."""
    import pyarrow as pa

    selected: list[pa.RecordBatch] = []
    while batches and rows > 0:
        first = batches.pop(0)
        if first.num_rows > rows:
            batches.insert(0, first.slice(rows))
            first = first.slice(0, rows)
        selected.append(first)
        rows -= first.num_rows
    schema = selected[0].schema
    if len(selected) == 1:
        return selected[0]
    if any(batch.schema != schema for batch in selected):  # text, for decimals that do not fit an Arrow decimal
        from rds_iam_magic.results.frame import one_type

        mixed = [
            one_type([batch.column(i) for batch in selected], kind).combine_chunks()
            for i, kind in enumerate(schema.types)
        ]
        return pa.RecordBatch.from_arrays(mixed, names=schema.names)
    columns = [pa.concat_arrays([batch.column(i) for batch in selected]) for i in range(len(schema))]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def rechunk(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `rows` rows; the last may have fewer."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        while sum(part.num_rows for part in waiting) >= rows:
            yield take_rows(waiting, rows)
    if waiting:
        yield take_rows(waiting, rows)


def one_schema(result: StreamedResult) -> Iterator[pa.RecordBatch]:
    """The batches, each checked against the result's schema.

    Raises:
        ResultError: A batch differs: a column has decimals that do not fit an Arrow decimal.
    """
    for batch in result.batches:
        if batch.schema != result.schema:
            name = next(field.name for field, kind in zip(batch.schema, result.schema, strict=True) if field != kind)
            raise ResultError(
                f"Column {name} has values with more digits than an Arrow decimal can hold.",
                f"Select CAST({quote_name(name)} AS CHAR) instead.",
                cause="number-too-wide",
            )
        yield batch


@dataclass(slots=True)
class StreamedResult:
    """A result set whose rows are still arriving.

    Attributes:
        schema: The Arrow schema, from the column definitions alone; names may repeat.
        nullable: For each column, whether it may contain NULL, by its declaration and the statement.
        decimal: How DECIMAL is decoded.
        batches: The rows as they arrive; read them once, before asking for the next result.
        cut: Whether the limit dropped rows; known once the batches are exhausted.
        warnings: The server's warning count; known once the batches are exhausted.
        position, count: The statement's number in the text, from 1, and the number of statements.
        verb: The statement's first word in upper case, such as `SELECT`.
    """

    schema: pa.Schema
    nullable: tuple[bool, ...]
    decimal: DecimalMode
    batches: Iterator[pa.RecordBatch]
    cut: bool = False
    warnings: int = 0
    position: int = 1
    count: int = 1
    verb: str = ""

    def collect(self, budget: MemoryBudget, *, as_frame: bool = False) -> ResultSet:
        """Read all rows into a `ResultSet`.

        Args:
            budget: What the rows may take.
            as_frame: The rows are for `to_pandas()` with the default dtypes, and nothing else.

        Raises:
            ResultError: The memory budget is exceeded.
        """
        batches: list[pa.RecordBatch] = []
        builder: FrameBuilder | None = None
        rows = 0
        for batch in self.batches:
            rows += batch.num_rows
            budget.spend(batch.get_total_buffer_size(), rows)  # `nbytes` takes as long as decoding a row
            if builder is not None:
                builder.add(batch)
            elif as_frame and batches:
                builder = self._builder([*batches, batch])
                batches.clear()
            else:
                batches.append(batch)
        return ResultSet(
            self.schema,
            self.nullable,
            self.decimal,
            batches,
            self.cut,
            self.warnings,
            self.position,
            self.count,
            self.verb,
            builder,
        )

    def _builder(self, batches: list[pa.RecordBatch]) -> FrameBuilder:
        from rds_iam_magic.results.frame import FrameBuilder

        builder = FrameBuilder(self.schema, self.nullable, whole_as_integers=self.decimal == "float")
        for batch in batches:
            builder.add(batch)
        return builder


@dataclass(slots=True)
class ResultSet:
    """A result set as record batches, one per chunk read.

    Attributes:
        schema: The Arrow schema, from the column definitions alone; names may repeat.
        nullable: For each column, whether it may contain NULL, by its declaration and the statement.
        decimal: How DECIMAL was decoded; with `float`, whole decimals become integers in a DataFrame.
        batches: The rows, unless there is a `builder`; `to_pandas` empties this list to free memory.
        cut: Whether the limit dropped rows.
        warnings: The server's warning count.
        position, count: The statement's number in the text, from 1, and the number of statements.
        verb: The statement's first word in upper case, such as `SELECT`.
        builder: The rows, as a DataFrame in the making: all that `to_pandas()` needs.
    """

    schema: pa.Schema
    nullable: tuple[bool, ...]
    decimal: DecimalMode = "float"
    batches: list[pa.RecordBatch] = field(default_factory=list)
    cut: bool = False
    warnings: int = 0
    position: int = 1
    count: int = 1
    verb: str = ""
    builder: FrameBuilder | None = None

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        if self.builder is not None:
            return self.builder.rows
        return sum(batch.num_rows for batch in self.batches)

    def to_arrow(self) -> pa.Table:
        """The result as a `pyarrow.Table`, without a copy."""
        import pyarrow as pa

        if all(batch.schema == self.schema for batch in self.batches):
            return pa.Table.from_batches(self.batches, self.schema)
        from rds_iam_magic.results.frame import one_type

        columns = [one_type([b.column(i) for b in self.batches], kind) for i, kind in enumerate(self.schema.types)]
        return pa.Table.from_arrays(columns, names=self.schema.names)

    def to_polars(self) -> Any:
        """The result as a `polars.DataFrame`.

        Raises:
            ResultError: polars cannot hold it: two columns have the same name, or a DECIMAL has too many digits.
        """
        from rds_iam_magic.results.polars import to_polars

        return to_polars(self.to_arrow())

    def to_pandas(self, dtype_backend: DtypeBackend | None = None) -> pd.DataFrame:
        """The result as a DataFrame; this empties `batches`, so it can be called only once."""
        from rds_iam_magic.results import frame

        if self.builder is not None:
            return self.builder.finish()
        return frame.to_pandas(
            self.batches, self.schema, self.nullable, dtype_backend, whole_as_integers=self.decimal == "float"
        )
