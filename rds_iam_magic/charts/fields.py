"""`Field`: a column of a result, and how its values can be placed on an axis."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from rds_iam_magic.errors import OptionError

if TYPE_CHECKING:
    import pyarrow as pa

Scale = Literal["number", "time", "category"]
"""How values are placed: by their size, by the calendar, or side by side."""

_LISTED = 20


@dataclass(frozen=True, slots=True)
class Field:
    """A column.

    Attributes:
        name: Its name.
        place: Its number, from 0: names may repeat.
        scale: How its values are placed; None if they cannot be, such as bytes.
        whole: Whether its values are whole numbers, or days.
        is_span: Whether it is a TIME, which is drawn in seconds.
        is_bool: Whether it is BIT(1).
        is_plain: Whether it has texts or integers, which a server writes as a frame does.
    """

    name: str
    place: int
    scale: Scale | None
    whole: bool = False
    is_span: bool = False
    is_bool: bool = False
    is_plain: bool = False

    @property
    def title(self) -> str:
        """What its axis is called."""
        return f"{self.name} (s)" if self.is_span and self.scale == "number" else self.name

    def as_category(self) -> Field:
        """The same column with its values side by side, each by its text."""
        return replace(self, scale="category")


def fields_of(schema: pa.Schema) -> list[Field]:
    """The fields of a result, by its Arrow types."""
    return [_field(place, field.name, field.type) for place, field in enumerate(schema)]


def _field(place: int, name: str, kind: pa.DataType) -> Field:
    import pyarrow.types as pt

    if pt.is_integer(kind):
        return Field(name, place, "number", whole=True, is_plain=True)
    if pt.is_decimal(kind):
        return Field(name, place, "number", whole=kind.scale == 0)
    if pt.is_floating(kind):
        return Field(name, place, "number")
    if pt.is_duration(kind):
        return Field(name, place, "number", is_span=True)
    if pt.is_date(kind):
        return Field(name, place, "time", whole=True)
    if pt.is_timestamp(kind):
        return Field(name, place, "time", whole=kind.unit == "s")  # a DATE in a DataFrame
    if pt.is_boolean(kind):
        return Field(name, place, "category", is_bool=True)
    if pt.is_string(kind) or pt.is_large_string(kind):
        return Field(name, place, "category", is_plain=True)
    return Field(name, place, None)


def table_of(frame: Any) -> pa.Table:
    """A DataFrame of pandas or polars, or an Arrow table, as an Arrow table; a missing value is NULL, NaN too."""
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame
    if not hasattr(frame, "iloc"):
        table: pa.Table = frame.to_arrow()
        return table
    arrays = [pa.array(frame.iloc[:, place], from_pandas=True) for place in range(frame.shape[1])]
    arrays = [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays]
    return pa.Table.from_arrays(arrays, names=[str(name) for name in frame.columns])


def named(fields: Sequence[Field], name: str) -> Field:
    """The field of that name; case counts only where it must.

    Raises:
        OptionError: There is none, or there are several.
    """
    found = [field for field in fields if field.name == name]
    found = found or [field for field in fields if field.name.lower() == name.lower()]
    if len(found) > 1:
        raise OptionError(f"Several columns are named {name!r}.", "Give them different names in the SQL: AS name.")
    if not found:
        raise OptionError(f"There is no column {name!r} to plot.", _hint(fields, name))
    if found[0].scale is None:
        raise OptionError(f"The values of column {name!r} cannot be placed on an axis.", "Plot another column.")
    return found[0]


def _hint(fields: Sequence[Field], name: str) -> str:
    by_lower = {field.name.lower(): field.name for field in fields}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"Did you mean {by_lower[near[0]]}?" if near else f"{listed(fields)}"


def listed(fields: Sequence[Field]) -> str:
    """A sentence with the columns' names."""
    names = [field.name for field in fields]
    more = f" and {len(names) - _LISTED:,} more" if len(names) > _LISTED else ""
    return f"The columns: {', '.join(names[:_LISTED])}{more}."
