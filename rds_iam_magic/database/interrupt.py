"""Ending a query on the server while the connection, its transaction and its temporary tables stay.

`KILL QUERY` goes over a second session, opened with a fresh token. A reader endpoint, a proxy or a failover may lead
that session to another server, where the same connection id is somebody else's: so the identities are compared first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.database.protocol import Rows, ServerError, texts
from rds_iam_magic.errors import RdsIamError

if TYPE_CHECKING:
    from rds_iam_magic.database.answer import Answer
    from rds_iam_magic.database.driver import ServerSession
    from rds_iam_magic.database.login import Login

PATIENCE = 5.0
"""Seconds for each step: to open the second session, to kill, for the answer to end."""

_IDENTITY = "SELECT CONNECTION_ID(), CONCAT_WS('|', @@hostname, @@port, @@server_id, @@datadir, @@version)"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which connection (`id`) of which server a session is."""

    id: int
    server: str


def identify(session: ServerSession) -> Identity:
    """Ask a session who it is.

    Raises:
        ConnectionLostError: It does not answer.
    """
    number, server = first_row(session, _IDENTITY)
    return Identity(int(number or 0), server or "")


def first_row(session: ServerSession, sql: str, *, timeout: float = PATIENCE) -> list[str | None]:
    """The first row of a short query of our own, as texts.

    Raises:
        ConnectionLostError: The server does not answer.
        RdsIamError: It refuses, or gives no row.
    """
    rows = all_rows(session, sql, timeout=timeout)
    if not rows:
        raise RdsIamError(f"The server gave no row for {sql!r}.")
    return rows[0]


def all_rows(session: ServerSession, sql: str, *, timeout: float = PATIENCE) -> list[list[str | None]]:
    """The rows of a short statement of our own, as texts.

    Raises:
        ConnectionLostError: The server does not answer.
        RdsIamError: It refuses.
    """
    rows: list[list[str | None]] = []
    for event in session.command(sql, timeout=timeout):
        if isinstance(event, Rows):
            rows += [texts(event, row) for row in range(len(event))]
        if isinstance(event, ServerError):
            raise RdsIamError(f"The server refused {sql!r}: {event.message} ({event.code}).")
    return rows


def end_query(login: Login, session: ServerSession, identity: Identity, answer: Answer) -> bool:
    """End the query whose answer is being read.

    Returns:
        Whether `session` is in step with its server again and can be used on; if not, it must be given up.
    """
    if answer.drain(0.05):  # it has come to its end meanwhile
        return True
    if not _kill(login, identity) or not answer.drain(PATIENCE):
        return False
    # The kill may come just after the query's end and hit the next statement, so let it hit one of no account.
    return _in_step(session) or _in_step(session)


def runs(login: Login, identity: Identity) -> bool | None:
    """Whether the server still works for the session of that identity; None when it cannot be told."""
    try:
        second = login.open(timeout=PATIENCE)
    except RdsIamError:
        return None
    try:
        if identify(second).server != identity.server:
            return None
        # SHOW: one's own threads without a privilege, on every server; MySQL has deprecated the table of that name.
        return any(row[0] == str(identity.id) and row[4] != "Sleep" for row in all_rows(second, "SHOW PROCESSLIST"))
    except RdsIamError:
        return None
    finally:
        second.close()


def _kill(login: Login, identity: Identity) -> bool:
    try:
        second = login.open(timeout=PATIENCE)
    except RdsIamError:
        return False
    try:
        if identify(second).server != identity.server:
            return False
        events = second.command(f"KILL QUERY {identity.id}", timeout=PATIENCE)
        return not any(isinstance(event, ServerError) for event in events)
    except RdsIamError:
        return False
    finally:
        second.close()


def _in_step(session: ServerSession) -> bool:
    try:
        return first_row(session, "SELECT 1") == ["1"]
    except RdsIamError:
        return False
