"""`Column`: a column to load, as one Arrow array, and the errors that name its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.errors import OptionError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    """A column to load.

    Attributes:
        name: Its name.
        values: One Arrow array of a type that `values.py` gives; missing values are null.
        has_null: Whether its dtype can hold a missing value.
        dtype: Its dtype in the frame, for messages.
        notes: What has to be told about it.
    """

    name: str
    values: pa.Array
    has_null: bool
    dtype: str
    notes: tuple[str, ...] = ()

    def refused(self, row: int, what: str, hint: str = "") -> OptionError:
        """The error for a value that cannot be stored as it is; `row` counts from 0, `what` ends the sentence."""
        return value_refused(self.name, row, what, hint)

    def require(self, bad: pa.Array, what: str, hint: str = "") -> None:
        """Check that no value is true in `bad`.

        Raises:
            OptionError: One is; it names the first.
        """
        import pyarrow.compute as pc

        row = pc.index(bad, True).as_py() if len(bad) else -1
        if row >= 0:
            raise self.refused(row, what, hint)


def value_refused(name: str, row: int, what: str, hint: str = "") -> OptionError:
    """The error for a value that cannot be stored as it is; `row` counts from 0, `what` ends the sentence."""
    return OptionError(
        f"Column {name}, row {row + 1:,}: {what}; nothing was stored.",
        hint,
        cause="load-value",
    )


def dtype_refused(name: str, what: str, hint: str = "") -> OptionError:
    """The error for a column whose dtype has no counterpart in a table; `what` ends the sentence."""
    return OptionError(f"Column {name} {what}; nothing was stored.", hint, cause="load-dtype")
