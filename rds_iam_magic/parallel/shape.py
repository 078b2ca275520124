"""`Shape`: the columns that the undivided query has, so that each part has the same dtypes, empty ones too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.errors import ConnectionLostError, ResultError
from rds_iam_magic.mysql.server_errors import LOST, statement_error
from rds_iam_magic.mysql.wire.events import ResultSetStart, ServerError
from rds_iam_magic.mysql.wire.nullability import nullable_columns
from rds_iam_magic.results.formats import DecimalMode
from rds_iam_magic.results.result import ResultSet

if TYPE_CHECKING:
    import pyarrow as pa

    from rds_iam_magic.mysql.session import ServerSession
    from rds_iam_magic.mysql.wire.column import Column


def describe(
    session: ServerSession, sql: str, *, timeout: float, hint: Callable[[ServerError], str] = lambda _: ""
) -> tuple[Column, ...]:
    """Ask the server which columns a query has, without running it.

    Args:
        session: A session that is synchronised.
        sql: A query without LIMIT.
        timeout: Seconds.
        hint: Says more about a refusal, such as the name that was probably meant.

    Raises:
        StatementError: The server refused the query.
        ConnectionLostError: The connection was lost.
    """
    for event in session.command(f"{sql}\nLIMIT 0", timeout=timeout):
        if isinstance(event, ServerError):
            if event.code in LOST:
                raise ConnectionLostError("The connection was lost.", detail=f"{event.code}: {event.message}")
            error = statement_error(event, 1, 1)
            error.put_before_hint(hint(event))
            raise error
        if isinstance(event, ResultSetStart):
            return event.columns
    raise ResultError("The statement returns no rows.", cause="no-rows")


@dataclass(frozen=True, slots=True)
class Shape:
    """The Arrow schemas of a query's result, by how DECIMAL is decoded, and which columns may contain NULL."""

    as_float: pa.Schema
    exact: pa.Schema
    nullable: tuple[bool, ...]

    @classmethod
    def of(cls, columns: Sequence[Column], words: list[str], *, mariadb: bool) -> Shape:
        """The shape by the undivided query's column definitions and words."""
        from rds_iam_magic.mysql.decode import DecodeOptions, Decoder

        def schema(mode: DecimalMode) -> pa.Schema:
            return Decoder(columns, DecodeOptions(decimal=mode, mariadb=mariadb, words=lambda: words)).schema

        return cls(schema("float"), schema("exact"), nullable_columns(columns, words))

    def result(self, batches: Iterable[pa.RecordBatch], decimal: DecimalMode) -> ResultSet:
        """A part's batches, or those of all parts, as the undivided query's result.

        Raises:
            ResultError: A column's type differs in a part, and a value does not fit the undivided query's.
        """
        schema = self.as_float if decimal == "float" else self.exact
        return ResultSet(schema, self.nullable, decimal, [_conform(batch, schema) for batch in batches], verb="SELECT")

    def require_int64(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Refuse whole DECIMALs beyond 63 bits: only the whole result tells whether its column becomes float64.

        Raises:
            ResultError: A value does not fit Int64.
        """
        import pyarrow as pa

        from rds_iam_magic.mysql.decode.decimals import fits_int64

        whole = [field.name for field in self.as_float if pa.types.is_decimal(field.type)]
        for batch in batches:
            for name in whole:
                if not fits_int64(batch.column(name)):
                    raise ResultError(
                        f"Column {name} has a value beyond 63 bits, for which another part's Int64 has no place.",
                        cause="parts-beyond-int64",
                    )


def _conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with the schema's types, but for texts of decimals that no Arrow decimal holds."""
    import pyarrow as pa

    if batch.schema == schema:
        return batch
    columns = [_cast(column, field) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


def _cast(column: pa.Array, field: pa.Field) -> pa.Array:
    import pyarrow as pa

    is_wide = pa.types.is_decimal(field.type) and column.type == pa.large_string()
    if column.type == field.type or is_wide:
        return column
    if column.null_count == len(column):
        return pa.nulls(len(column), field.type)
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        message = f"Column {field.name} has another type in a part ({column.type}) than in the query ({field.type})."
    raise ResultError(message, cause="parts-type-differs")
