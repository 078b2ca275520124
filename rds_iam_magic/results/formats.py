"""The forms that a result may be asked for in."""

from __future__ import annotations

from typing import Literal, get_args

from rds_iam_magic.option import OptionInfo

DtypeBackend = Literal["numpy_nullable", "pyarrow"]
"""The dtypes of a DataFrame beside pandas' default ones, as in `pandas.read_sql`."""

DecimalMode = Literal["float", "exact"]
"""How DECIMAL comes: as float64, or digit for digit."""

ResultType = Literal["pandas", "arrow", "polars"]
"""The library whose table a result becomes."""

QUERY_ARGUMENTS = {
    "sql": OptionInfo("One or more statements."),
    "dtype_backend": OptionInfo(
        "Dtypes of the DataFrame, as in `pandas.read_sql`: `numpy_nullable` or `pyarrow`.",
        default_text="the README's table of dtypes",
        choices=get_args(DtypeBackend),
        metavar="BACKEND",
    ),
    "decimal": OptionInfo(
        "DECIMAL as `float` (float64) or as `exact` (decimal.Decimal, digit for digit).",
        default="float",
        choices=get_args(DecimalMode),
        metavar="MODE",
    ),
    "limit": OptionInfo(
        "Read at most this many rows, then end the query; a note says if there were more.", metavar="N"
    ),
    "overwrite": OptionInfo("Replace the file if it exists.", default=False),
}
"""What both interfaces let the user choose for a query."""
