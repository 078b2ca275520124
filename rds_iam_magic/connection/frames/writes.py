"""`FrameWrites`: what a `Connection` does with frames that become tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, get_args

from rds_iam_magic.errors import OptionError

if TYPE_CHECKING:
    from rds_iam_magic.connection.frames.own_statements import OwnStatements

IfExists = Literal["fail", "replace", "append"]
"""What to do with a table that exists, as in `pandas.DataFrame.to_sql`."""


class FrameWrites(ABC):
    """The methods of `Connection` that write frames back."""

    notify: Callable[[str], None]
    _of_frames: frozenset[tuple[int, str]] = frozenset()  # sessions and names of `load_temporary`'s tables

    @property
    @abstractmethod
    def database(self) -> str | None:
        """The default schema."""

    @abstractmethod
    def _loading(self) -> AbstractContextManager[OwnStatements]:
        """Take the turn, and run a load's statements."""

    def load(self, data: Any, table: str, *, if_exists: IfExists = "fail", index: bool | None = None) -> int:
        """Write a DataFrame into a table, all rows or none; return the number of rows.

        What cannot be stored exactly is an error before the table has a row of it. All rows are read back and compared.
        A new table has columns by the dtypes; a note tells sizes that follow from the values.

        Args:
            data: A DataFrame of pandas or polars, or an Arrow table.
            table: `table` or `schema.table`; other names in backquotes.
            if_exists: If the table exists: `fail`; `replace` it, in one step; or `append` rows, whose columns the table
                decides, as a part of the open transaction if there is one. Default: `fail`.
            index: Store the index as columns, too. Default: if it has names.

        Raises:
            OptionError: A value, dtype or name cannot be stored as it is, or the table cannot be used so.
            ResultError: What came back was not what was sent; nothing was stored.
            StatementError: The server refused; nothing was stored.
            ConnectionLostError: The connection was lost; nothing was stored, unless it says so.
        """
        from rds_iam_magic.connection.frames.loader import FrameLoader
        from rds_iam_magic.ingest.columns import frame_of
        from rds_iam_magic.schema.names import parse_table

        if if_exists not in get_args(IfExists):
            raise OptionError(f"if_exists={if_exists!r} is not valid.", "Use 'fail', 'replace' or 'append'.")
        name = parse_table(table)
        frame = frame_of(data, index=index)
        with self._loading() as own:
            FrameLoader(own, frame, name, self.database, lambda text: self.notify(text)).load(if_exists)
        for note in frame.notes:
            self.notify(note)
        return frame.rows

    def load_temporary(self, data: Any, name: str, *, index: bool | None = None) -> int:
        """Make a temporary table of a DataFrame, to join with; return the number of rows.

        It ends with the session. One that this has made before under the name is replaced. On MySQL, a statement can
        name it only once.

        Args:
            data: A DataFrame of pandas or polars, or an Arrow table.
            name: The table's, in the default schema; there must be no other table of that name, which it would hide.
            index: Store the index as columns, too. Default: if it has names.

        Raises:
            OptionError: A value, dtype or name cannot be stored as it is, or there is another table of that name.
            ResultError, StatementError, ConnectionLostError: As `load` does; there is no table then.
        """
        from rds_iam_magic.connection.frames.loader import FrameLoader
        from rds_iam_magic.ingest.columns import frame_of
        from rds_iam_magic.schema.names import parse_table

        table = parse_table(name)
        if table.schema is not None:
            raise OptionError(f"A temporary table is in the default schema; {name} names one.", "Omit it.")
        frame = frame_of(data, index=index)
        with self._loading() as own:
            loader = FrameLoader(own, frame, table, self.database, lambda text: self.notify(text))
            self._of_frames = loader.load_temporary(self._of_frames)
        for note in frame.notes:
            self.notify(note)
        return frame.rows
