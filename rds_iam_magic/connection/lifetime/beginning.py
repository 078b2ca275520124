"""`set_up`: what a new session is set to before the first statement: the user's settings, and what a lost one had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rds_iam_magic.connection.session_state import AUTOCOMMIT, IN_TRANSACTION
from rds_iam_magic.errors import OptionError
from rds_iam_magic.mysql.wire.events import ServerError
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.connection.session_state import SessionState
    from rds_iam_magic.mysql.login import Login
    from rds_iam_magic.mysql.session import ServerSession
    from rds_iam_magic.mysql.session_settings import SessionSettings


def set_up(session: ServerSession, login: Login, settings: SessionSettings, state: SessionState) -> None:
    """Apply the user's settings, and the default schema and autocommit of the session before.

    Args:
        session: The new one.
        login: What it was opened with.
        settings: The user's.
        state: What the session before it held.

    Raises:
        OptionError: The server rejects a setting.
        ConnectionLostError: The connection was lost.
    """
    mariadb = "mariadb" in session.server_version.lower()
    statements = settings.statements(mariadb=mariadb)
    if state.database and state.database != login.database:
        statements[f"database {state.database}"] = f"USE {quote_name(state.database)}"
    for setting, statement in statements.items():
        _set(session, login, setting, statement)
    if state.autocommit is not None and state.autocommit != bool(session.status & AUTOCOMMIT):
        _set(session, login, "autocommit", f"SET SESSION autocommit = {int(state.autocommit)}")
    session.status &= ~IN_TRANSACTION


def _set(session: ServerSession, login: Login, setting: str, statement: str) -> None:
    for event in session.command(statement, timeout=login.timeouts.command):
        if isinstance(event, ServerError):
            raise OptionError(
                f"The server rejected the setting {setting}: {event.message.rstrip('.')} ({event.code}).",
                cause="time-zone-rejected" if "time zone" in setting else "setting-rejected",
            )
