"""`PartReads`: what a `Connection` does with a query in parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rds_iam_magic.connection.execution import require_decimal_mode

if TYPE_CHECKING:
    from rds_iam_magic.connection.planner import Planner
    from rds_iam_magic.parallel.partition import Partition
    from rds_iam_magic.results.formats import DecimalMode
    from rds_iam_magic.results.result import ResultSet


class PartReads(ABC):
    """The methods of `Connection` that divide a query."""

    @abstractmethod
    def statements(self, sql: str, *, params: Mapping[str, Any] | None = None) -> list[str]:
        """The statements of a text as they would be sent."""

    @abstractmethod
    def _planner(self) -> Planner:
        """Divides queries for this connection."""

    def partitions(
        self, sql: str, *, params: Mapping[str, Any] | None = None, on: str | None = None, n: int = 8
    ) -> list[Partition]:
        """Divide a query into tasks that other threads, processes or machines can run, each with its own token.

        Each task reads the query's rows within a range of the key `on`; together they are the rows, each once, as long
        as the data do not change in between: tasks that run at different times see different moments.

        Args:
            sql: One query; it is evaluated once for each part.
            params: Values of the parameters `:name`, by name; a list expands in `IN :name`. Default: nothing is bound.
            on: Column that the parts are ranges of, best an indexed one. Default: an integer key of the only table.
            n: The most tasks that there may be.

        Raises:
            OptionError: The query cannot be divided, or the connection cannot be made again elsewhere.
            StatementError, ConnectionLostError: As `query` does.
        """
        return self._planner().partitions(self._bound(sql, params), on, n)

    def to_dask(self, sql: str, *, params: Mapping[str, Any] | None = None, on: str | None = None, n: int = 8) -> Any:
        """Divide a query into a `dask.dataframe.DataFrame`, whose partitions connect by themselves when computed.

        Args:
            sql: One query; it is evaluated once for each part.
            params: Values of the parameters `:name`, by name; a list expands in `IN :name`. Default: nothing is bound.
            on: Column that the parts are ranges of, best an indexed one. Default: an integer key of the only table.
            n: The most partitions that there may be.

        Raises:
            OptionError: dask is not installed, or as `partitions` does.
            StatementError, ConnectionLostError: As `query` does.
        """
        from rds_iam_magic.parallel.dask import require_dask, to_dask

        require_dask()
        return to_dask(self.partitions(sql, params=params, on=on, n=n))

    def run_parallel(
        self,
        sql: str,
        parallel: int,
        *,
        params: Mapping[str, Any] | None = None,
        on: str | None = None,
        consistent: bool = False,
        decimal: DecimalMode = "float",
    ) -> ResultSet:
        """Read one query in parts at once, as `query` does with `parallel`; the parts follow each other by the key.

        Raises:
            OptionError: The query cannot be divided.
            StatementError, ResultError, ConnectionLostError: A part failed; the others were ended.
        """
        require_decimal_mode(decimal)
        return self._planner().read(self._bound(sql, params), on, parallel, decimal, consistent=consistent)

    def _bound(self, sql: str, params: Mapping[str, Any] | None) -> str:
        """A query with literals in the place of its parameters: each part is a statement of its own."""
        return sql if params is None else ";\n".join(self.statements(sql, params=params))
