"""Arrow → polars: types that polars lacks are narrowed if the values allow it, else refused with a hint.

polars itself would panic (a `BaseException` from Rust, with a backtrace on standard error).
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rds_iam_magic.errors import ResultError
from rds_iam_magic.sql.quoting import quote_name

MAX_PRECISION = 38
"""The maximum precision of a polars Decimal."""


def to_polars(table: pa.Table) -> Any:
    """Convert a table to a `polars.DataFrame`.

    Raises:
        ResultError: Two columns have the same name, or a value has more digits than polars supports.
    """
    import polars

    repeated = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if repeated:
        raise ResultError(f"Two columns are named {repeated[0]}, which polars cannot hold.", cause="duplicate-columns")
    columns = [_narrow(name, table.column(name)) for name in table.column_names]
    narrowed = pa.Table.from_arrays(columns, names=table.column_names)
    try:
        return polars.from_arrow(narrowed)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of Rust's is one
        message = (str(error).strip().splitlines() or [type(error).__name__])[0]
    raise ResultError(f"polars cannot hold this result: {message[:200]}", cause="polars-unsupported")


def _narrow(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if not pa.types.is_decimal256(kind):
        return column
    if kind.scale <= MAX_PRECISION:
        try:
            return pc.cast(column, pa.decimal128(MAX_PRECISION, kind.scale))
        except pa.ArrowInvalid:
            pass
    raise ResultError(
        f"Column {name} has values with more than {MAX_PRECISION} digits, which polars cannot hold.",
        f"Select CAST({quote_name(name)} AS DECIMAL({MAX_PRECISION}, {min(kind.scale, 30)})) or … AS CHAR instead.",
        cause="polars-unsupported",
    )
