"""Ending a query on the server while the connection, its transaction and its temporary tables survive.

`KILL QUERY` is sent over a second session, opened with a fresh token to the same address: a reader endpoint's name
resolves to one of several servers. A tunnel may still lead to another server, where the same connection id belongs to
someone else, so the identities are compared first. An RDS Proxy multiplexes its clients over the database's
connections, so an id seen through it is not ours for long: nothing is killed through it.
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
    """End the query whose response is being read; if interrupted, it may be called again.

    Returns:
        Whether `session` is synchronised with its server again; if not, it must be discarded.
    """
    if reader.call_off():
        return True
    if not reader.drain(0.05):
        if login.endpoint.kind is Kind.PROXY:
            return False
        reader.kills += 1
        if not kill(login, session, identity) or not reader.drain(login.timeouts.command):
            return False
    if not reader.kills:  # it ended by itself
        return True
    # KILL QUERY may arrive after the query has ended and hit the next statement, so run a throwaway one.
    has_struck = reader.killed and reader.kills == 1
    if not (
        (has_struck or _is_synchronised(login, session) or _is_synchronised(login, session))
        and _tells_status(login, session)
    ):
        return False
    reader.kills = 0
    return True


def is_running(login: Login, session: ServerSession, identity: ServerIdentity) -> bool | None:
    """Whether the server is still running the session's statement; None when it does not answer.

    If that cannot be determined for another reason (a revoked privilege, another server), the answer is True: a running
    query must not be discarded, and the user can end it.
    """
    if login.endpoint.kind is Kind.PROXY:
        return True
    try:
        process = _process(login, session, identity)
    except (UnreachableError, ConnectionLostError):
        return None
    except RdsIamError:
        return True
    return process is not None and process[4:5] != ["Sleep"]


def work_of(login: Login, session: ServerSession, identity: ServerIdentity) -> str | None:
    """What the server says that it is doing with the session's statement, such as `Sending data`; "" if nothing.

    None if that cannot be known, such as through an RDS Proxy.
    """
    if login.endpoint.kind is Kind.PROXY:
        return None
    try:
        process = _process(login, session, identity)
    except RdsIamError:
        return None
    if process == []:
        return None
    return "" if process is None or process[4] == "Sleep" else process[6] or ""


def _process(login: Login, session: ServerSession, identity: ServerIdentity) -> list[str | None] | None:
    """The session's line of SHOW PROCESSLIST; None if there is none, empty if the second session is at another server.

    Raises:
        RdsIamError: It cannot be asked.
    """
    with second_session(login, session) as second:
        if identify(second).server != identity.server:
            return []
        # SHOW PROCESSLIST lists one's own threads without a privilege; MySQL deprecates the table of that name.
        rows = fetch_all(second, "SHOW PROCESSLIST")
        return next((row for row in rows if row[0] == str(identity.id)), None)


@contextmanager
def second_session(login: Login, session: ServerSession) -> Iterator[ServerSession]:
    """Open another session at the address that the first one dialled.

    Raises:
        ConnectError: It cannot be opened.
    """
    second = None
    try:
        second = login.open(timeout=login.timeouts.command, address=session.peer)
        yield second
    finally:
        if second is not None:
            second.close()


def kill(login: Login, session: ServerSession, identity: ServerIdentity) -> bool:
    """Send KILL QUERY for a session over a second one; returns whether the server took it."""
    try:
        with second_session(login, session) as second:
            if identify(second).server != identity.server:
                return False
            events = second.command(f"KILL QUERY {identity.id}", timeout=login.timeouts.command)
            return not any(isinstance(event, ServerError) for event in events)
    except RdsIamError:
        return False


def kill_over(idle: ServerSession, what: str, *, timeout: float) -> bool:
    """Send KILL over a session that runs nothing: `what` is `QUERY` or `CONNECTION`, and an id on the same server.

    Returns:
        Whether the server took it; if interrupted, the session may be used again once it is settled.
    """
    try:
        idle.settle(timeout=timeout)
        if not idle.synchronised:
            return False
        return not any(isinstance(event, ServerError) for event in idle.command(f"KILL {what}", timeout=timeout))
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
    """Ask for the status: a killed statement may have committed the transaction, which its error does not show."""
    try:
        session.ask_status(timeout=login.timeouts.command)
    except ConnectionLostError:
        return False
    return True
