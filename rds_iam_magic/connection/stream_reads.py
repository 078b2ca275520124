"""`StreamReads`: what a `Connection` does with rows that need not fit in memory."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from rds_iam_magic.connection.execution import Request
from rds_iam_magic.errors import OptionError
from rds_iam_magic.results.result import StreamedResult, one_schema, rechunk

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from rds_iam_magic.mysql.login import Login
    from rds_iam_magic.results.formats import DtypeBackend


class StreamReads(ABC):
    """The methods of `Connection` that pass rows on as they arrive."""

    login: Login
    notify: Callable[[str], None]

    @abstractmethod
    def _streaming(self, request: Request) -> AbstractContextManager[StreamedResult]:
        """Run the statements before the last one, then stream the last one's result set."""

    def batches(
        self, sql: str, *, params: Mapping[str, Any] | None = None, rows: int = 65_536, limit: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Run SQL and stream its last statement's result set as record batches of `rows` rows, in constant memory.

        The connection is busy until the iterator is exhausted or closed.

        Args:
            sql: One or more statements.
            params: Values of the parameters `:name`, by name; a list expands in `IN :name`. Default: nothing is bound.
            rows: Rows in each batch; the last one may have fewer.
            limit: Read at most this many rows, then end the query; a note says if there were more.

        Raises:
            StatementError, ResultError, ConnectionLostError: As `query` does; a connection lost after the first batch
                always raises.
        """
        if rows < 1:
            raise OptionError(f"rows={rows} is not valid; a batch has at least one row.", "Omit it to get 65,536.")
        return self._batches(Request(sql, "exact", limit, params), rows)

    def write(
        self,
        sql: str,
        path: str | os.PathLike[str],
        *,
        params: Mapping[str, Any] | None = None,
        overwrite: bool = False,
        limit: int | None = None,
    ) -> int:
        """Run SQL and write its last statement's result set to a file, in constant memory; return the number of rows.

        Args:
            sql: One or more statements.
            path: A path or `s3://bucket/key` that ends in .parquet (zstd), .csv, .csv.gz or .arrow.
            params: Values of the parameters `:name`, by name; a list expands in `IN :name`. Default: nothing is bound.
            overwrite: Replace the file if it exists.
            limit: Read at most this many rows, then end the query; a note says if there were more.

        Raises:
            OptionError: The suffix names no format.
            ResultError: The file exists or cannot be written; no partial file is left.
            StatementError, ConnectionLostError: As `batches` does.
        """
        from rds_iam_magic.results.export import FileDestination

        destination = FileDestination(
            os.fspath(path), overwrite=overwrite, session=self.login.session, notify=self.notify
        )
        with self._streaming(Request(sql, "exact", limit, params)) as result:
            return destination.write(result.schema, one_schema(result))

    def _batches(self, request: Request, rows: int) -> Iterator[pa.RecordBatch]:
        with self._streaming(request) as result:
            yield from rechunk(one_schema(result), rows)

    def _chunks(self, request: Request, rows: int, dtype_backend: DtypeBackend | None) -> Iterator[pd.DataFrame]:
        from rds_iam_magic.results import frame

        whole_as_integers = request.decimal == "float"
        with self._streaming(request) as result:
            schema, nullable, is_empty = result.schema, result.nullable, True
            for batch in rechunk(result.batches, rows):
                is_empty = False
                yield frame.to_pandas([batch], schema, nullable, dtype_backend, whole_as_integers=whole_as_integers)
            if is_empty:  # as in pandas, an empty result is one empty chunk
                yield frame.to_pandas([], schema, nullable, dtype_backend, whole_as_integers=whole_as_integers)
