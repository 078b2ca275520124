"""What a tool returned, column by column, in a form that does not depend on dtypes: for comparing tools."""

from __future__ import annotations

import datetime as dt
import numbers
from decimal import Decimal
from typing import Any


def values_of(result: Any) -> dict[str, str]:
    """Each column's number of values, their sum, the first and the last one, as text.

    Args:
        result: A DataFrame or an Arrow table.
    """
    frame = result.to_pandas() if hasattr(result, "schema") else result
    return {str(name): _column(frame[name]) for name in frame.columns}


def differences(values: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """By tool, the columns whose values are not those of the first tool."""
    reference = next(iter(values.values()), {})
    return {
        tool: [name for name in {**reference, **columns} if columns.get(name) != reference.get(name)]
        for tool, columns in values.items()
    }


def _column(column: Any) -> str:
    known = column.dropna()
    ends = [_text(column.iloc[place]) for place in (0, -1) if len(column)]
    return " ".join([f"{len(known)}/{len(column)}", _sum(known) if len(known) else "", *ends])


def _sum(known: Any) -> str:
    """The sum of numbers, of seconds for times, of hashes for texts."""
    import pandas as pd

    first = known.iloc[0]
    if isinstance(first, (numbers.Number, Decimal)):
        return f"{known.astype('float64').sum():.9g}"
    if isinstance(first, dt.timedelta):
        return f"{pd.to_timedelta(known).dt.total_seconds().sum():.9g} s"
    if isinstance(first, dt.date):
        return f"{(pd.to_datetime(known) - pd.Timestamp(0)).dt.total_seconds().sum():.12g} s"
    return f"{pd.util.hash_array(known.to_numpy(object), categorize=False).sum():x}"


def _text(value: Any) -> str:
    import pandas as pd

    if pd.isna(value):
        return "NULL"
    if isinstance(value, (numbers.Number, Decimal)):
        return f"{float(value):.9g}"
    if isinstance(value, dt.timedelta):
        return str(pd.Timedelta(value))
    if isinstance(value, dt.date):
        return str(pd.Timestamp(value))
    return repr(value)
