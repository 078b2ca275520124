"""The forms that a result may be asked for in."""

from __future__ import annotations

from typing import Literal

DtypeBackend = Literal["numpy_nullable", "pyarrow"]
"""The dtypes of a DataFrame beside pandas' default ones, as in `pandas.read_sql`."""

DecimalMode = Literal["float", "exact"]
"""How DECIMAL comes: as float64, or digit for digit."""
