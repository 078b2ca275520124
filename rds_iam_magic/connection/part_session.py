"""`PartSession`: a session that reads one part of a query, on a thread of its own; it never comes back once stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from rds_iam_magic.connection.execution import Execution
from rds_iam_magic.connection.executor import StatementExecutor
from rds_iam_magic.connection.reconnecting import ReconnectingSession
from rds_iam_magic.errors import NotConnectedError
from rds_iam_magic.results.formats import DecimalMode
from rds_iam_magic.results.memory import MemoryBudget
from rds_iam_magic.results.result import StreamedResult
from rds_iam_magic.sql.effects import effects_of
from rds_iam_magic.sql.statement import Statement, split

if TYPE_CHECKING:
    from rds_iam_magic.mysql.credential import Credential
    from rds_iam_magic.mysql.login import Login
    from rds_iam_magic.mysql.own_queries import ServerIdentity
    from rds_iam_magic.mysql.session_settings import SessionSettings


class PartSession:
    """One session for one part; all methods but `kill` and `abort` belong to the thread that made it.

    Args:
        login: Opens the session.
        settings: Applied to it.
        notify: Called with each note.
        stopped: Whether nothing more may be opened.
        idle: The main connection's session, which runs nothing while parts are read: it ends their queries.
        gone: Takes the identity of a session that ended otherwise than by `close`: the server may still work for it.

    Raises:
        ConnectError: The session could not be opened.
    """

    def __init__(
        self,
        login: Login,
        settings: SessionSettings,
        notify: Callable[[str], None],
        stopped: Callable[[], bool],
        idle: ReconnectingSession,
        gone: Callable[[ServerIdentity], None],
    ) -> None:
        def credential() -> Credential:
            if stopped():
                raise NotConnectedError("The parts were stopped.", cause="connection-closed")
            return login.credential()

        self._login, self._idle, self._gone = login, idle, gone
        self._session = ReconnectingSession(replace(login, credential=credential), settings, notify)
        self._executor = StatementExecutor(self._session, notify)

    def execute(self, sql: str) -> None:
        """Run a statement of our own.

        Raises:
            StatementError: The server refused it.
            ConnectionLostError: The connection was lost.
        """
        for _ in self._executor.collect(_execution(sql, "float"), MemoryBudget(None)):
            pass

    @contextmanager
    def stream(self, sql: str, decimal: DecimalMode) -> Iterator[StreamedResult]:
        """Run a query and stream its rows; what is left unread is ended on the server.

        Raises:
            StatementError: The server refused it.
            ConnectionLostError: The connection was lost, and the query could not be run again.
        """
        with closing(self._executor.stream(_execution(sql, decimal))) as outcomes:
            result = next(outcomes)
            assert isinstance(result, StreamedResult)  # noqa: S101 - it was described before: it returns rows
            yield result
            for _ in outcomes:
                pass

    def kill(self) -> bool:
        """From the thread that waits: end the running query on the server; returns whether it could."""
        return self._session.kill_query(self._login, self._idle)

    def abort(self) -> None:
        """End the connection at once, from any thread."""
        with suppress(NotConnectedError):  # there is none
            self._session.current.abort()

    def close(self) -> None:
        """End the session; a transaction that only reads ends with it."""
        if self._session.lost:
            self._gone(self._session.identity)
        self._session.close()


def _execution(sql: str, decimal: DecimalMode) -> Execution:
    statement: Statement = split(sql)[0]
    return Execution(statement, effects_of(statement), 1, 1, decimal, None)
