"""`columns_of`: a frame → its columns, each as an Arrow array; names that no table can have are refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rds_iam_magic.errors import OptionError
from rds_iam_magic.ingest.column import Column
from rds_iam_magic.ingest.values import column_of, plain

if TYPE_CHECKING:
    import pandas as pd

LONGEST_NAME = 64
MOST_COLUMNS = 1017  # of an InnoDB table


class Frame(NamedTuple):
    """A frame to load: its columns, all of the same number of rows, and notes."""

    columns: tuple[Column, ...]
    rows: int
    notes: tuple[str, ...]


def frame_of(data: Any, *, index: bool | None = None) -> Frame:
    """The columns of a pandas DataFrame, or of what has `to_arrow` or is an Arrow table.

    Args:
        data: The frame.
        index: Whether its index becomes columns, too. Default: if it has names.

    Raises:
        OptionError: It is no frame, or a column or value in it cannot be stored as it is.
    """
    import pandas as pd
    import pyarrow as pa

    notes: list[str] = []
    if isinstance(data, pd.DataFrame):
        named = [*_index_columns(data, index, notes), *_own_columns(data)]
        rows = len(data)
        check_names([name for name, _ in named])
        columns = tuple(column_of(str(name), values) for name, values in named)
    else:
        table = data.to_arrow() if hasattr(data, "to_arrow") else data
        if not isinstance(table, pa.Table):
            raise OptionError(
                f"A {type(data).__name__} is no DataFrame.", "Load a DataFrame of pandas or polars, or an Arrow table."
            )
        rows = table.num_rows
        check_names(table.schema.names)
        columns = tuple(
            plain(name, values, str(values.type))
            for name, values in zip(table.schema.names, table.columns, strict=True)
        )
    notes += [note for column in columns for note in column.notes]
    return Frame(columns, rows, tuple(notes))


def _own_columns(frame: pd.DataFrame) -> Iterator[tuple[Any, pd.Series]]:
    if frame.columns.nlevels > 1:
        raise OptionError(
            "The columns have several levels of names; a table's have one.",
            "Join the levels: df.columns = ['_'.join(map(str, names)) for names in df.columns].",
            cause="load-column-name",
        )
    for position, name in enumerate(frame.columns):
        yield name, frame.iloc[:, position]


def _index_columns(frame: pd.DataFrame, index: bool | None, notes: list[str]) -> Iterator[tuple[Any, Any]]:
    """The levels of the index as columns, if they are to be stored."""
    import pandas as pd

    names = list(frame.index.names)
    is_named = any(name is not None for name in names)
    is_default = isinstance(frame.index, pd.RangeIndex) and frame.index.start == 0 and frame.index.step == 1
    if index is None and not is_named and not is_default:
        notes.append("the index has no name and was not stored; with index=True it becomes a column.")
    if index or (index is None and is_named):
        for level, name in enumerate(names):
            default = "index" if len(names) == 1 else f"level_{level}"  # as pandas' reset_index names them
            values = frame.index.get_level_values(level)
            yield (default if name is None else name), pd.Series(values)


def check_names(names: Sequence[Any]) -> None:
    """Check that a table can have columns of these names.

    Raises:
        OptionError: It cannot.
    """
    if not names:
        raise _refused("The frame has no columns; a table has at least one.")
    if len(names) > MOST_COLUMNS:
        raise _refused(f"The frame has {len(names):,} columns; a table has {MOST_COLUMNS:,} at most.")
    seen: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        if not isinstance(name, str):
            raise _refused(
                f"Column {position} is named {name!r}, which is no text.",
                "df.columns.map(str) gives texts.",
            )
        what = _fault_of(name)
        if what:
            raise _refused(f"Column {position}, {name[:80]!r}: its name {what}.")
        if (first := seen.setdefault(name.casefold(), position)) != position:
            raise _refused(f"Columns {first} and {position} have the same name for a database: {name!r}.")


def _fault_of(name: str) -> str:
    if not name:
        return "is empty"
    if len(name) > LONGEST_NAME:
        return f"has {len(name)} characters; {LONGEST_NAME} are the most"
    if name.endswith(" "):
        return "ends with a space, which no column's may"
    if any(not 0 < ord(c) <= 0xFFFF or 0xD800 <= ord(c) <= 0xDFFF for c in name):
        return "has a character that no column's name may have"
    return ""


def _refused(message: str, hint: str = "") -> OptionError:
    return OptionError(message, hint, cause="load-column-name")
