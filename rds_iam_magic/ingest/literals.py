"""Arrow columns → SQL literals, a whole column at a time, for a session with NO_BACKSLASH_ESCAPES.

`sql/literals.py` writes one value at a time, as any session reads it; here the loader has set the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rds_iam_magic.ingest.checks import PER_SECOND

if TYPE_CHECKING:
    import pyarrow as pa


def literals_of(values: pa.Array) -> pa.Array:
    """The literal of each value, as Arrow text without nulls. The values have passed `check_values`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(values.type):
        return pa.array(["NULL"] * len(values), pa.large_string())
    return pc.fill_null(_written(values).cast(pa.large_string()), "NULL")


def _written(values: pa.Array) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, types = values.type, pa.types
    if types.is_boolean(kind):
        return pc.if_else(values, "1", "0")
    if types.is_integer(kind):
        return values.cast(pa.large_string())
    if types.is_floating(kind):
        return _floats(values)
    if types.is_large_binary(kind):
        return pa.array(
            [None if value is None else f"X'{value.hex()}'" for value in values.to_pylist()], pa.large_string()
        )
    texts = texts_of(values)
    return _quoted(pc.replace_substring(texts, "'", "''") if types.is_large_string(kind) else texts)


def texts_of(values: pa.Array) -> pa.Array:
    """What is between the quotes, as Arrow text: of texts, dates and times; of decimals, for `1E-10` is a DOUBLE."""
    import pyarrow as pa

    kind = values.type
    if pa.types.is_timestamp(kind):
        values = values.cast(pa.timestamp(kind.unit))  # from a time zone, to UTC
        values = values if kind.unit != "ns" else values.cast(pa.timestamp("us"))
    elif pa.types.is_duration(kind):
        values = _durations(values)
    return values.cast(pa.large_string())


def _quoted(texts: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    quote = pa.scalar("'", pa.large_string())
    return pc.binary_join_element_wise(quote, texts.cast(pa.large_string()), quote, pa.scalar("", pa.large_string()))


def _floats(values: pa.Array) -> Any:
    """With an exponent, since `1.5` is a DECIMAL; a FLOAT is written as the double that it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = values.cast(pa.float64()).cast(pa.large_string())
    nothing = pa.scalar("", pa.large_string())
    exponent = pc.if_else(pc.match_substring(texts, "e"), nothing, pa.scalar("e0", pa.large_string()))
    return pc.binary_join_element_wise(texts, exponent, nothing)


def _durations(values: pa.Array) -> Any:
    """As `-838:59:59.000000`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    per_second = PER_SECOND[values.type.unit]
    size = pc.abs(values.cast(pa.int64()))
    seconds, fraction = pc.divide(size, per_second), _rest(size, per_second)
    micro = pc.multiply(fraction, 10**6 // per_second) if per_second <= 10**6 else pc.divide(fraction, 1000)
    parts = [
        pc.divide(seconds, 3600),
        _rest(pc.divide(seconds, 60), 60),
        _rest(seconds, 60),
    ]
    texts = [pc.utf8_lpad(part.cast(pa.string()), 2, "0") for part in parts]
    clock = pc.binary_join_element_wise(*texts, ":")
    text = pc.binary_join_element_wise(clock, pc.utf8_lpad(micro.cast(pa.string()), 6, "0"), ".")
    sign = pc.if_else(pc.less(values.cast(pa.int64()), 0), "-", "")
    return pc.binary_join_element_wise(sign, text, "")


def _rest(numbers: Any, divisor: int) -> Any:
    import pyarrow.compute as pc

    return pc.subtract(numbers, pc.multiply(pc.divide(numbers, divisor), divisor))
