"""Ending a query on the server while the connection, its transaction and its temporary tables stay.

`KILL QUERY` goes over a second session, opened with a fresh token at the very address that the first one has dialled: a
reader endpoint's name leads to one of several servers. A tunnel may still lead elsewhere, where the same connection id
is somebody else's: so the identities are compared first. An RDS Proxy shares the database's connections among its
clients, so that no id there is one's own for long: nothing is killed through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.errors import ConnectionLostError, RdsIamError, UnreachableError
from rds_iam_magic.mysql.own_queries import ServerIdentity, fetch_all, identify
from rds_iam_magic.mysql.wire.events import ServerError

if TYPE_CHECKING:
    from rds_iam_magic.mysql.login import Login
    from rds_iam_magic.mysql.reader import ResponseReader
    from rds_iam_magic.mysql.session import ServerSession


def cancel(login: Login, session: ServerSession, identity: ServerIdentity, reader: ResponseReader) -> bool:
    """End the query whose response is being read; after an interrupt within, it may be called again.

    Returns:
        Whether `session` is synchronised with its server again and can be used on; if not, it must be discarded.
    """
    if reader.call_off():
        return True
    if not reader.drain(0.05):
        if login.endpoint.kind is Kind.PROXY:
            return False
        reader.kills += 1
        if not _kill(login, session, identity) or not reader.drain(login.timeouts.command):
            return False
    if not reader.kills:  # it has come to its end by itself
        return True
    # KILL QUERY may arrive after the query has ended and hit the next statement, so let it hit one of no account.
    has_struck = reader.killed and reader.kills == 1
    if not (
        (has_struck or _is_synchronised(login, session) or _is_synchronised(login, session))
        and _tells_status(login, session)
    ):
        return False
    reader.kills = 0
    return True


def is_running(login: Login, session: ServerSession, identity: ServerIdentity) -> bool | None:
    """Whether the server still works for a session; None when nobody answers.

    When it cannot be told for another reason (a right that is gone, another server), it is taken to work: a query that
    runs is not to be discarded, and the user can end it.
    """
    if login.endpoint.kind is Kind.PROXY:
        return True
    try:
        with second_session(login, session) as second:
            if identify(second).server != identity.server:
                return True
            # SHOW: one's own threads without a privilege, on every server; MySQL deprecates the table of that name.
            rows = fetch_all(second, "SHOW PROCESSLIST")
            return any(row[0] == str(identity.id) and row[4] != "Sleep" for row in rows)
    except (UnreachableError, ConnectionLostError):
        return None
    except RdsIamError:
        return True


@contextmanager
def second_session(login: Login, session: ServerSession) -> Iterator[ServerSession]:
    """Another session at the very address that the first one has dialled.

    Raises:
        ConnectError: None can be opened.
    """
    second = None
    try:
        second = login.open(timeout=login.timeouts.command, address=session.peer)
        yield second
    finally:
        if second is not None:
            second.close()


def _kill(login: Login, session: ServerSession, identity: ServerIdentity) -> bool:
    try:
        with second_session(login, session) as second:
            if identify(second).server != identity.server:
                return False
            events = second.command(f"KILL QUERY {identity.id}", timeout=login.timeouts.command)
            return not any(isinstance(event, ServerError) for event in events)
    except RdsIamError:
        return False


def _is_synchronised(login: Login, session: ServerSession) -> bool:
    try:
        return not any(
            isinstance(event, ServerError) for event in session.command("DO 0", timeout=login.timeouts.command)
        )
    except RdsIamError:
        return False


def _tells_status(login: Login, session: ServerSession) -> bool:
    """Ask for the status: a killed statement may have committed the transaction, which its error does not tell."""
    try:
        session.ask_status(timeout=login.timeouts.command)
    except ConnectionLostError:
        return False
    return True
