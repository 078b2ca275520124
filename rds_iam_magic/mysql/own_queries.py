"""Short queries that this package runs itself, and the identity of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.errors import RdsIamError
from rds_iam_magic.mysql.wire.events import Rows, ServerError
from rds_iam_magic.mysql.wire.packets import read_text_row
from rds_iam_magic.timeouts import DEFAULT

if TYPE_CHECKING:
    from rds_iam_magic.mysql.session import ServerSession

_IDENTITY = (
    "SELECT CONNECTION_ID(), CONCAT_WS('|', @@hostname, @@port, @@server_id, @@datadir, @@version), "
    "@@max_allowed_packet"
)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A session's connection id, its server, and the server's max_allowed_packet in bytes."""

    id: int
    server: str
    max_packet: int = 1 << 30


def identify(session: ServerSession) -> ServerIdentity:
    """Ask the server for a session's identity.

    Raises:
        ConnectionLostError: The server does not answer.
    """
    number, server, max_packet = fetch_one(session, _IDENTITY)
    return ServerIdentity(int(number or 0), server or "", int(max_packet or 0))


def fetch_one(session: ServerSession, sql: str, *, timeout: float = DEFAULT.command) -> list[str | None]:
    """The first row of a short query of our own, as strings; NULL is None.

    Raises:
        ConnectionLostError: The server does not answer.
        RdsIamError: It refuses, or returns no row.
    """
    rows = fetch_all(session, sql, timeout=timeout)
    if not rows:
        raise RdsIamError(f"The server returned no row for {sql!r}.", cause="own-query-failed")
    return rows[0]


def fetch_all(session: ServerSession, sql: str, *, timeout: float = DEFAULT.command) -> list[list[str | None]]:
    """The rows of a short statement of our own, as strings; NULL is None.

    Raises:
        ConnectionLostError: The server does not answer.
        RdsIamError: It refuses.
    """
    rows: list[list[str | None]] = []
    for event in session.command(sql, timeout=timeout):
        if isinstance(event, Rows):
            rows += [read_text_row(event, row) for row in range(len(event))]
        if isinstance(event, ServerError):
            raise RdsIamError(f"The server refused {sql!r}: {event.message} ({event.code}).", cause="own-query-failed")
    return rows
