"""`Asks`: what looking around needs of a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.results.formats import DecimalMode
    from rds_iam_magic.sql.statement import Statement


class Asks(Protocol):
    """A connection, as far as it is used here: each query runs as the user's own do, and changes nothing."""

    login: Any
    notify: Callable[[str], None]

    @property
    def database(self) -> str | None:
        """The default schema."""

    @property
    def server_version(self) -> str:
        """The server's version."""

    def query(self, sql: str) -> pd.DataFrame:
        """The rows of a query."""

    def _statements(self, sql: str, params: Mapping[str, Any] | None = None) -> list[Statement]: ...

    def run(self, sql: str, *, decimal: DecimalMode = ...) -> Iterator[Any]:
        """The results of statements."""
