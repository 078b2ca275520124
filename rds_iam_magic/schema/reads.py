"""`SchemaReads`: the methods of a `Connection` for looking around."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.schema.asking import Asks


class SchemaReads:
    """What a `Connection` tells of schemas and tables: each as a DataFrame, by queries that change nothing."""

    def tables(self: Asks, pattern: str | None = None) -> pd.DataFrame:
        """The tables and views that the user sees: schema, table, type, rows_estimate, bytes, comment.

        The numbers of rows and bytes are the server's estimates; NULL for views. Temporary tables are listed only by
        servers that list them (MariaDB 11.2 or later).

        Args:
            pattern: Which tables: `ord%` or `ord*`, `shop.*` for those of another schema, or a name. Default: all in
                the default schema, or without one, in all schemas but the system's.

        Raises:
            OptionError: The pattern cannot be understood.
            ConnectionLostError: The connection was lost.
        """
        from rds_iam_magic.schema.tables import list_tables

        return list_tables(self, pattern)
