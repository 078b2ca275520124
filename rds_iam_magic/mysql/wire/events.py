"""What an answer consists of, in the order in which it comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rds_iam_magic.mysql.wire.column import Column

MORE_RESULTS = 0x0008
"""Among the status flags: another result follows."""

PAD = 64
"""Zeros behind the last row of a chunk, so that fixed windows over the last fields stay inside of the buffer."""


@dataclass(frozen=True, slots=True)
class Ok:
    """A statement without rows has run."""

    affected_rows: int
    insert_id: int
    status: int
    warnings: int
    info: str


@dataclass(frozen=True, slots=True)
class ResultSetStart:
    """A result set begins."""

    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A chunk of rows.

    Attributes:
        data: uint8; the buffer that was read into, `PAD` bytes longer than the last row.
        starts: int64; where each row's first field begins.
        ends: int64; where each row ends.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class ResultSetEnd:
    """A result set has come to its end."""

    status: int
    warnings: int


@dataclass(frozen=True, slots=True)
class ServerError:
    """The server refused the statement, or gave it up in the middle of its rows; the answer ends with it."""

    code: int
    sqlstate: str
    message: str


Event = Ok | ResultSetStart | Rows | ResultSetEnd | ServerError
