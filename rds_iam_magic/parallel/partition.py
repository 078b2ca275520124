"""`Partition`: a task that reads one range of a query, in any process: it connects by itself, with its own token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rds_iam_magic.errors import warn
from rds_iam_magic.results.formats import DecimalMode, DtypeBackend
from rds_iam_magic.results.result import Changed, ResultSet

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from rds_iam_magic.parallel.shape import Shape


class Reads(Protocol):
    """What a part needs of a connection."""

    def run(self, sql: str, *, decimal: DecimalMode) -> Iterator[ResultSet | Changed]:
        """Run SQL and yield each result."""
        ...

    def close(self) -> None:
        """End the session."""
        ...


class Recipe(Protocol):
    """How to connect again, without a secret."""

    def connect(self, *, notify: Callable[[str], None], max_memory: int | str | None) -> Any:
        """Open a connection, with the credentials that the process has."""
        ...

    def with_database(self, database: str | None) -> Recipe:
        """The same with another default schema."""
        ...


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a query's rows, as a task that may be pickled and read anywhere.

    It holds no secret: whoever reads it needs AWS credentials that may connect as the same user, by the same profile or
    role, or by the machine's own.

    Attributes:
        number, count: The part's number, from 1, and the number of parts.
        sql: The statement that reads it.
        recipe: How to connect.
        shape: The columns of the undivided query.
        max_memory: Maximum memory for the part: a number of bytes, or a string such as `4 GB`.
    """

    number: int
    count: int
    sql: str
    recipe: Recipe
    shape: Shape
    max_memory: int | str | None = None

    def __repr__(self) -> str:
        return f"<Partition {self.number} of {self.count}>"

    def read(
        self,
        *,
        dtype_backend: DtypeBackend | None = None,
        decimal: DecimalMode = "float",
        notify: Callable[[str], None] = warn,
    ) -> pd.DataFrame:
        """Connect, read the rows and return them as a DataFrame with the dtypes of the undivided query.

        The dtypes never depend on the part. A whole DECIMAL is Int64 in each one: a value beyond 63 bits, which makes
        the undivided query's column float64, is an error here.

        Args:
            dtype_backend: As in `Connection.query`.
            decimal: As in `Connection.query`.
            notify: Called with each note for the user, one line of text. Default: a Python warning.

        Raises:
            RdsIamError: As `connect` and `Connection.query` do.
            ResultError: A whole DECIMAL exceeds 63 bits.
        """
        mode: DecimalMode = "exact" if dtype_backend == "pyarrow" else decimal
        result = self._read(mode, notify)
        if mode == "float":
            self.shape.require_int64(result.batches)
        return result.to_pandas(dtype_backend)

    def read_arrow(self, *, notify: Callable[[str], None] = warn) -> pa.Table:
        """Connect, read the rows and return them as a `pyarrow.Table`; DECIMAL is exact.

        Raises:
            RdsIamError: As `connect` and `Connection.query` do.
        """
        return self._read("exact", notify).to_arrow()

    def empty(self, *, dtype_backend: DtypeBackend | None = None, decimal: DecimalMode = "float") -> pd.DataFrame:
        """A DataFrame without rows that has the dtypes of `read`; nothing is read."""
        mode: DecimalMode = "exact" if dtype_backend == "pyarrow" else decimal
        return self.shape.result([], mode).to_pandas(dtype_backend)

    def _read(self, decimal: DecimalMode, notify: Callable[[str], None]) -> ResultSet:
        with closing(self.recipe.connect(notify=notify, max_memory=self.max_memory)) as connection:
            (result,) = connection.run(self.sql, decimal=decimal)
        return self.shape.result(result.batches, decimal)
