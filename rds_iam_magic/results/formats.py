"""The formats in which a result can be requested."""

from __future__ import annotations

from typing import Literal, get_args

from rds_iam_magic.option import OptionInfo

DtypeBackend = Literal["numpy_nullable", "pyarrow"]
"""The alternatives to the default dtypes of a DataFrame, as in `pandas.read_sql`."""

DecimalMode = Literal["float", "exact"]
"""How DECIMAL is returned: as float64, or exactly."""

ResultType = Literal["pandas", "arrow", "polars"]
"""The library whose table type a result is returned as."""

QUERY_ARGUMENTS = {
    "sql": OptionInfo("One or more statements."),
    "params": OptionInfo(
        "Values of the parameters `:name`, by name; a list expands in `IN :name`.", default_text="nothing is bound"
    ),
    "dtype_backend": OptionInfo(
        "Dtypes of the DataFrame, as in `pandas.read_sql`: `numpy_nullable` or `pyarrow`.",
        default_text="the README's table of dtypes",
        choices=get_args(DtypeBackend),
        metavar="BACKEND",
    ),
    "decimal": OptionInfo(
        "DECIMAL as `float` (float64) or `exact` (decimal.Decimal).",
        default="float",
        choices=get_args(DecimalMode),
        metavar="MODE",
    ),
    "limit": OptionInfo(
        "Read at most this many rows, then end the query; a note says if there were more.", metavar="N"
    ),
    "parallel": OptionInfo(
        "Read the query in this many parts at once, each with a connection of its own.", metavar="N"
    ),
    "on": OptionInfo(
        "Column that the parts are ranges of, best an indexed one.",
        default_text="an integer key of the only table",
        metavar="COLUMN",
    ),
    "consistent": OptionInfo(
        "All parts see one moment: a short LOCK TABLES holds writers back while they begin. Without that privilege, a "
        "note says how far apart they began.",
        default=False,
    ),
    "overwrite": OptionInfo("Replace the file if it exists.", default=False),
}
"""The query options that both interfaces share."""
