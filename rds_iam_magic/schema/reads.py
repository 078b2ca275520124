"""`SchemaReads`: the methods of a `Connection` for looking around."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.schema.asking import Asks
    from rds_iam_magic.sql.statement import Statement


class SchemaReads(ABC):
    """What a `Connection` tells of schemas and tables: each as a DataFrame, by queries that change nothing."""

    @abstractmethod
    def _statements(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Statement]:
        """The statements of a text, by the session's rules, with their parameters bound."""

    def tables(self: Asks, pattern: str | None = None) -> pd.DataFrame:
        """The tables and views that the user sees: schema, table, type, rows_estimate, bytes, comment.

        The numbers of rows and bytes are the server's estimates; NULL for views. Temporary tables are listed only by
        servers that list them (MariaDB 11.2 or later).

        Args:
            pattern: Which tables: `ord%` or `ord*`, `shop.*` for those of another schema, or a name. Default: all in
                the default schema, or without one, in all schemas but the system's.

        Raises:
            OptionError: The pattern cannot be understood.
            StatementError: It is a name, and there is no such table.
            ConnectionLostError: The connection was lost.
        """
        from rds_iam_magic.schema.tables import list_tables

        return list_tables(self, pattern)

    def columns(self: Asks, table: str) -> pd.DataFrame:
        """The columns of a table or view, as DESCRIBE has them: column, type, null, key, default, extra, comment.

        Args:
            table: `table` or `schema.table`; other names in backquotes.

        Raises:
            StatementError: There is no such table (the hint names the nearest one), or the user may not see it.
            OptionError, ConnectionLostError: As `tables` does.
        """
        from rds_iam_magic.schema.columns import list_columns

        return list_columns(self, table)

    def preview(self: Asks, table: str, rows: int = 10) -> pd.DataFrame:
        """A few rows of a table, those that the server gives first.

        Args:
            table: `table` or `schema.table`; other names in backquotes.
            rows: How many.

        Raises:
            StatementError, OptionError, ConnectionLostError: As `columns` does.
        """
        from rds_iam_magic.schema.columns import preview

        return preview(self, table, rows)

    def ddl(self: Asks, table: str) -> str:
        """The statement that creates a table or view, as SHOW CREATE TABLE has it; notebooks show its line breaks.

        Args:
            table: `table` or `schema.table`; other names in backquotes.

        Raises:
            StatementError, OptionError, ConnectionLostError: As `columns` does.
        """
        from rds_iam_magic.schema.columns import create_statement

        return create_statement(self, table)

    def databases(self: Asks, *, aws: bool = False) -> pd.DataFrame:
        """The schemas that the user sees: schema, tables (how many of them), collation.

        With `aws`, the clusters and instances that the AWS credentials may see in the connection's region: identifier,
        role (cluster, writer, reader, instance), cluster, engine, version, status, endpoint, iam (whether IAM
        authentication is on), region.

        Args:
            aws: Ask AWS instead of the server.

        Raises:
            AwsError: RDS cannot be asked, for instance without permission.
            ConnectionLostError: The connection was lost.
        """
        from rds_iam_magic.schema.databases import list_on_aws, list_schemas

        return list_on_aws(self.login.session, self.login.endpoint.region) if aws else list_schemas(self)

    def profile(self: Asks, table: str, *, sample: bool = True) -> pd.DataFrame:
        """What is in each column of a table: a row with its figures, by one statement that reads the table once.

        The columns are column, type, count (of values but NULL), nulls, distinct, top (the most frequent values, each
        with its number), min, 25%, 50%, 75% and max (values of the column), mean. Texts are compared character by
        character, not by the column's collation; of long texts, JSON and BLOBs the first 100 characters are read, and a
        digest that tells which are equal.

        Args:
            table: `table` or `schema.table`; other names in backquotes.
            sample: Of a large table (over 1,000,000 rows, by the server's estimate, or less if it is wide), read a
                random sample of about 200,000 rows; a note says so. False: read all rows.

        Raises:
            ResultError: The rows exceed `max_memory`.
            StatementError, OptionError, ConnectionLostError: As `columns` does.
        """
        from rds_iam_magic.schema.profile import profile

        return profile(self, table, sample=sample)

    def explain(self: Asks, sql: str, *, params: Mapping[str, Any] | None = None, analyze: bool = False) -> str:
        """The plan of a statement, as a tree of text: which table is read how, in which order, for how many rows.

        Args:
            sql: One statement.
            params: Values of the parameters `:name`, by name; a list expands in `IN :name`. Default: nothing is bound.
            analyze: Run the statement, and tell what each step took; only for a query that reads.

        Raises:
            OptionError: There are several statements, or to analyze is to run one that may write.
            StatementError: The server refused the statement.
            ConnectionLostError: The connection was lost.
        """
        from rds_iam_magic.schema.explain import explain

        return explain(self, self._statements(sql, params), analyze=analyze)
