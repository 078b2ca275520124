"""A frame's column → an Arrow array of one of a few types; what has no counterpart in a table is refused.

The types are bool, the integers, float and double, decimal, large_string, large_binary, date32, time64[us],
timestamp, duration and null. Values of the dtype `object` must all be of one Python type: Arrow's own guess would
drop the time of a `datetime` among `date`s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rds_iam_magic.ingest.column import Column, dtype_refused, value_refused
from rds_iam_magic.ingest.objects import from_objects
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


def column_of(name: str, series: pd.Series) -> Column:
    """A column of a pandas DataFrame.

    Raises:
        OptionError: Its dtype, or a value, has no counterpart in a table.
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    dtype = series.dtype
    if isinstance(dtype, pd.SparseDtype):
        series = series.sparse.to_dense()
    if isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype)):
        raise dtype_refused(
            name, f"has the dtype {dtype}, which no column of MySQL can hold", "Convert it, for instance with str."
        )
    if isinstance(dtype, pd.CategoricalDtype):
        return _of_categories(name, series)
    is_numpy = isinstance(series.dtype, np.dtype)
    if is_numpy and series.dtype.kind == "O":
        return from_objects(name, list(series))
    if is_numpy and (series.dtype.kind not in "biufmM" or series.dtype.itemsize > 8):
        raise dtype_refused(name, f"has the dtype {dtype}, which no column of MySQL can hold")
    try:
        array = pa.array(series, from_pandas=is_numpy)
    except UnicodeError:
        return from_objects(name, list(series))  # raises, and says which
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise dtype_refused(name, f"of the dtype {dtype} cannot be read: {error}") from None
    never_null = is_numpy and series.dtype.kind in "biu"
    return plain(name, array, str(dtype), has_null=not never_null)


def _of_categories(name: str, series: pd.Series) -> Column:
    """A categorical column, as a column of its categories' dtype that may have missing values."""
    import pandas as pd
    import pyarrow as pa

    categories = column_of(name, pd.Series(series.cat.categories))
    codes = pa.array(series.cat.codes, mask=series.cat.codes.to_numpy() < 0)
    return Column(name, categories.values.take(codes), True, str(series.dtype), categories.notes)


def plain(name: str, values: pa.Array | pa.ChunkedArray, dtype: str, *, has_null: bool = True) -> Column:
    """A column of Arrow values, in one array of one of the types above.

    Raises:
        OptionError: Its type has no counterpart in a table.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    kind, notes = values.type, tuple[str, ...]()
    if isinstance(kind, pa.BaseExtensionType):
        return plain(name, _without_extension(name, values), dtype, has_null=has_null)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        decoded = values.dictionary_decode() if pa.types.is_dictionary(kind) else pc.run_end_decode(values)
        return plain(name, decoded, dtype, has_null=has_null)
    target = _kept_type(kind)
    if target is None:
        raise dtype_refused(
            name,
            f"has the type {kind}, which no column of MySQL can hold",
            "Store nested values as JSON, for instance with json.dumps." if pa.types.is_nested(kind) else "",
        )
    if target.equals(pa.time64("us")) and kind.equals(pa.time64("ns")):
        _check_nanoseconds(name, values)
    values = values if kind.equals(target) else values.cast(target, safe=False)
    if pa.types.is_floating(target):
        values, notes = _without_nan(name, values)
    return Column(name, values, has_null, dtype, notes)


def _kept_type(kind: pa.DataType) -> pa.DataType | None:
    """The type that values of a type are kept as; None if there is none."""
    import pyarrow as pa

    types = pa.types
    if types.is_float16(kind):
        return pa.float32()
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return pa.large_string()
    if (
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    ):
        return pa.large_binary()
    if types.is_date(kind):
        return pa.date32()
    if types.is_time(kind):
        return pa.time64("us")
    if types.is_decimal(kind):
        return pa.decimal256(kind.precision, kind.scale) if kind.bit_width < 128 else kind
    kept = (types.is_boolean, types.is_integer, types.is_floating, types.is_timestamp, types.is_duration, types.is_null)
    return kind if any(check(kind) for check in kept) else None


def _without_extension(name: str, values: Any) -> pa.Array:
    """The storage of an extension type, such as a JSON's text; a UUID becomes its text."""
    import pyarrow as pa

    if values.type.extension_name == "arrow.uuid":
        return pa.array([None if value is None else str(value) for value in values.to_pylist()], pa.large_string())
    if values.type.extension_name in ("arrow.json", "arrow.bool8"):
        return values.storage if values.type.extension_name == "arrow.json" else values.cast(pa.bool_())
    raise dtype_refused(name, f"has the type {values.type}, which no column of MySQL can hold")


def _check_nanoseconds(name: str, values: pa.Array) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = values.cast(pa.time64("us"), safe=False).cast(pa.time64("ns"))
    row = pc.index(pc.not_equal(whole, values), True).as_py()
    if row >= 0:
        raise value_refused(name, row, "it has nanoseconds, and MySQL keeps microseconds", "Round it first.")


def _without_nan(name: str, values: pa.Array) -> tuple[pa.Array, tuple[str, ...]]:
    """NaN as NULL, which is told where the frame tells the two apart."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_nan = pc.fill_null(pc.is_nan(values), False)
    count = pc.sum(is_nan).as_py() or 0
    if not count:
        return values, ()
    values = pc.if_else(is_nan, pa.scalar(None, values.type), values)
    return values, (f"column {name}: {count_of(count, 'NaN')} became NULL, which MySQL has instead.",)
