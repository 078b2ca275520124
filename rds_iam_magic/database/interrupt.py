"""Ending a query on the server while the connection, its transaction and its temporary tables stay.

`KILL QUERY` goes over a second session, opened with a fresh token at the very address that the first one has dialled: a
reader endpoint's name leads to one of several servers. A tunnel may still lead elsewhere, where the same connection id
is somebody else's: so the identities are compared first. An RDS Proxy shares the database's connections among its
clients, so that no id there is one's own for long: nothing is killed through it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.database.protocol import Rows, ServerError, texts
from rds_iam_magic.errors import RdsIamError, UnreachableError

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
    if login.endpoint.kind is Kind.PROXY:
        return False
    if not _aside(lambda: _kill(login, session, identity)) or not answer.drain(PATIENCE):
        return False
    # The kill may come just after the query's end and hit the next statement, so let it hit one of no account.
    return _in_step(session) or _in_step(session)


def runs(login: Login, session: ServerSession, identity: Identity) -> bool | None:
    """Whether the server still works for a session; None when nobody answers.

    When it cannot be told for another reason (a right that is gone, another server), it is taken to work: a query that
    runs is not to be given up, and the user can end it.
    """
    if login.endpoint.kind is Kind.PROXY:
        return True
    try:
        second = login.open(timeout=PATIENCE, address=session.peer)
    except UnreachableError:
        return None
    except RdsIamError:
        return True
    try:
        if identify(second).server != identity.server:
            return True
        # SHOW: one's own threads without a privilege, on every server; MySQL has deprecated the table of that name.
        return any(row[0] == str(identity.id) and row[4] != "Sleep" for row in all_rows(second, "SHOW PROCESSLIST"))
    except RdsIamError:
        return None
    finally:
        second.close()


def _kill(login: Login, session: ServerSession, identity: Identity) -> bool:
    try:
        second = login.open(timeout=PATIENCE, address=session.peer)
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


def _aside(work: Callable[[], bool]) -> bool:
    """Do it on a thread of its own and wait in short steps: a second interrupt need not wait for a silent network."""
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(work()), name="rds_iam_magic kill", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.05)
    return found == [True]


def _in_step(session: ServerSession) -> bool:
    try:
        return first_row(session, "SELECT 1") == ["1"]
    except RdsIamError:
        return False
