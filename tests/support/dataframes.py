"""Generated DataFrames of every dtype that a table can hold."""

import datetime as dt

import pandas as pd
import pyarrow as pa
from hypothesis import strategies as st

TEXT = st.text(st.characters(codec="utf-8", exclude_characters=""), max_size=20)
MOMENT = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59))  # noqa: DTZ001 - naive on purpose
RECENT = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2038, 1, 18))  # noqa: DTZ001
DURATION = st.timedeltas(dt.timedelta(hours=-838), dt.timedelta(hours=838))


def integers(bits, *, signed):
    return st.integers(-(1 << bits - 1) if signed else 0, (1 << bits - signed) - 1)


def series(values, dtype):
    """Lists of values, some missing where the dtype has a word for that, as a Series of a dtype."""
    return lambda rows: st.lists(values, min_size=rows, max_size=rows).map(lambda v: pd.Series(v, dtype=dtype))


def maybe(values):
    return st.none() | values


FLOATS = st.floats(allow_infinity=False)
FLOATS32 = st.floats(allow_infinity=False, width=32)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)

NUMPY = [
    *[series(integers(bits, signed=True), f"int{bits}") for bits in (8, 16, 32, 64)],
    *[series(integers(bits, signed=False), f"uint{bits}") for bits in (8, 16, 32, 64)],
    series(st.booleans(), "bool"),
    series(FLOATS, "float64"),
    series(FLOATS32, "float32"),
    series(st.floats(allow_infinity=False, width=16), "float16"),
    series(maybe(MOMENT), "M8[us]"),
    series(maybe(MOMENT.map(lambda d: d.replace(microsecond=0))), "M8[s]"),
    series(maybe(RECENT), "M8[ns]"),
    series(maybe(DURATION), "m8[us]"),
]
NULLABLE = [
    *[series(maybe(integers(bits, signed=True)), f"Int{bits}") for bits in (8, 16, 32, 64)],
    *[series(maybe(integers(bits, signed=False)), f"UInt{bits}") for bits in (8, 16, 32, 64)],
    series(maybe(st.booleans()), "boolean"),
    series(maybe(st.floats(allow_infinity=False, allow_nan=False)), "Float64"),
    series(maybe(TEXT), "str"),
    series(maybe(TEXT), "string"),
    series(maybe(TEXT), "category"),
]
ARROW = [
    series(maybe(values), pd.ArrowDtype(kind))
    for values, kind in [
        (integers(64, signed=False), pa.uint64()),
        (TEXT, pa.string()),
        (st.binary(max_size=20), pa.binary()),
        (st.booleans(), pa.bool_()),
        (st.dates(), pa.date32()),
        (st.times(), pa.time64("us")),
        (MOMENT, pa.timestamp("us")),
        (RECENT.map(lambda d: d.replace(tzinfo=dt.timezone.utc)), pa.timestamp("us", "Europe/Berlin")),
        (DURATION, pa.duration("us")),
        (DECIMALS, pa.decimal128(20, 4)),
        (st.floats(allow_infinity=False, allow_nan=False), pa.float64()),
    ]
]
OBJECTS = [
    series(maybe(values), object)
    for values in (
        TEXT,
        st.binary(max_size=20),
        st.integers(-(10**64), 10**64),
        st.booleans(),
        st.dates(),
        MOMENT,
        RECENT.map(lambda d: d.replace(tzinfo=dt.timezone.utc)),
        st.times(),
        DURATION,
        DECIMALS,
        st.uuids(),
    )
]


@st.composite
def frames(draw, families):
    rows = draw(st.integers(0, 5))
    chosen = draw(st.lists(st.sampled_from(families), min_size=1, max_size=8))
    return pd.DataFrame({f"c{i}": draw(make(rows)) for i, make in enumerate(chosen)}, index=pd.RangeIndex(rows))
