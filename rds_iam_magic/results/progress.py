"""`Progress`: how far a running statement is, for whoever shows it while the caller waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running statement is.

    Attributes:
        rows: Rows that have come.
        size: Bytes that they take: as received, or as Arrow columns for a query in parts.
        stage: What is going on besides, such as `3 of 8 parts read`; "" if there is nothing to say.
        ask_server: Asks what the server is doing, which takes a login: in the server's words, "" if it says nothing,
            None if that cannot be known and need not be asked again.
    """

    rows: int = 0
    size: int = 0
    stage: str = ""
    ask_server: Callable[[], str | None] = lambda: None


Watch = Callable[[Progress], None]
"""Called on the thread that waits for a statement, several times a second; what it raises ends the statement."""
