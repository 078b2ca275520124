"""The events of a response, in the order in which they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.wire.column import Column

MORE_RESULTS = 0x0008
"""Status flag SERVER_MORE_RESULTS_EXISTS: another result follows."""

PAD = 64
"""Zero bytes after the last row of a chunk, so that fixed-size reads of the last fields stay inside the buffer."""


@dataclass(frozen=True, slots=True)
class Ok:
    """A statement without rows has succeeded."""

    affected_rows: int
    insert_id: int
    status: int
    warnings: int
    info: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """COM_STMT_PREPARE has succeeded.

    Attributes:
        statement_id: The server's number for it.
        parameters: The number of `?` in it.
        columns: The number of columns of its rows; 0 if it returns none.
        warnings: The number of warnings, which its execution does not repeat.
    """

    statement_id: int
    parameters: int
    columns: int
    warnings: int = 0


@dataclass(frozen=True, slots=True)
class PrepareFailed:
    """The server did not prepare the statement; nothing has run."""

    error: ServerError


@dataclass(frozen=True, slots=True)
class ResultSetStart:
    """A result set begins.

    Attributes:
        columns: Its columns.
        binary: Whether its rows are those of the binary protocol.
    """

    columns: tuple[Column, ...]
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A chunk of rows.

    Attributes:
        data: uint8, shape (bytes,); the buffer that was read into, with at least `PAD` bytes after the last row.
        starts: int64, shape (rows,); the offset of each row's first field.
        ends: int64, shape (rows,); the offset after each row.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class ResultSetEnd:
    """A result set has ended."""

    status: int
    warnings: int


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server refused the statement or aborted it among its rows; this ends the response."""

    code: int
    sqlstate: str
    message: str


Event = Ok | Prepared | PrepareFailed | ResultSetStart | Rows | ResultSetEnd | ServerError
