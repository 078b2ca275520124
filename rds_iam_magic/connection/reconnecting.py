"""`ReconnectingSession`: a connection's session, checked before each statement and reopened when it is lost.

`running.py` calls its methods in the right order. `session_state.py` says what a session holds, `loss.py` what its
loss means.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.connection.lifetime.beginning import set_up
from rds_iam_magic.connection.loss import Ending, error_after_loss, error_on_new_session, note_on_new_session
from rds_iam_magic.connection.session_state import AUTOCOMMIT, IN_TRANSACTION, SessionState
from rds_iam_magic.errors import ConnectionLostError, NotConnectedError, RdsIamError
from rds_iam_magic.mysql.cancel import cancel as cancel_query
from rds_iam_magic.mysql.cancel import is_running, kill, kill_over, second_session
from rds_iam_magic.mysql.own_queries import ServerIdentity, fetch_all, identify
from rds_iam_magic.mysql.reader import ResponseReader
from rds_iam_magic.mysql.reopening import open_with_retries
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.mysql.wire.events import ServerError
from rds_iam_magic.results.progress import Progress, Watch
from rds_iam_magic.schema.nearest_name import nearest_name_hint, not_found
from rds_iam_magic.sql.effects import Effects

if TYPE_CHECKING:
    from rds_iam_magic.mysql.login import Login
    from rds_iam_magic.mysql.session import ServerSession
    from rds_iam_magic.sql.statement import Statement


class ReconnectingSession:
    """At most one session at a time; not thread-safe.

    Args:
        login: Opens sessions, each with a fresh token.
        settings: Applied to each new session.
        notify: Called with each note for the user.

    Attributes:
        watch: Called with the progress of each statement that runs on it.
        opened: Called when a session has been opened.
        server_version, tls_version, compression: The latest session's.
        state: What the session holds; after a loss, the lost session's state until the next statement reports it.

    Raises:
        ConnectError: The first session could not be opened.
    """

    def __init__(self, login: Login, settings: SessionSettings, notify: Callable[[str], None]) -> None:
        self.login = login
        self.settings = settings
        self.closed = False
        self.watch: Watch = lambda progress: None  # noqa: ARG005 - nobody watches
        self.opened: Callable[[], None] = lambda: None
        self.state = SessionState(database=login.database)
        self.server_version = self.tls_version = self.compression = ""
        self._notify = notify
        self._session: ServerSession | None = None
        self._discarded: list[ServerSession] = []  # but perhaps not closed: an interrupt may have come first
        self._is_new = False  # the session was reopened, and the loss is not reported yet
        self._ending = Ending.LOST  # how the last session ended
        self._first_status = 0  # the last session's, when it was set up
        self._read_only = False  # a READ ONLY transaction of ours is open
        self._identity = ServerIdentity(0, "")
        self._unanswered = 0
        self._pid = os.getpid()
        self._opened = 0  # number of sessions so far
        try:
            login.hold(self)
            self._open(login.timeout)
        except BaseException:
            login.release(self)
            raise

    @property
    def current(self) -> ServerSession:
        """The current session, unchecked.

        Raises:
            NotConnectedError: There is none.
        """
        if self._session is None:
            raise NotConnectedError("The connection is closed.", cause="connection-closed")
        return self._session

    @property
    def lost(self) -> bool:
        """Whether there is no session now; the next statement opens one."""
        return self._session is None

    @property
    def idle_closed(self) -> bool:
        """Whether there is no session now because it was idle."""
        return self._session is None and self._ending is Ending.IDLE

    @property
    def last_status(self) -> int:
        """The session's status flags, as last reported by the server; without one, those that the last began with."""
        session = self._session  # read once: another thread may close it for being idle
        return self._first_status if session is None else session.status

    @property
    def max_packet(self) -> int:
        """The server's max_allowed_packet, in bytes."""
        return self._identity.max_packet

    @property
    def identity(self) -> ServerIdentity:
        """The latest session's id and server."""
        return self._identity

    @property
    def connection_id(self) -> int:
        """The session's CONNECTION_ID()."""
        return self._identity.id

    def acquire(self, effects: Effects, identifiers: Callable[[], set[str]]) -> ServerSession:
        """Return a live session for a statement, reopening a lost one first.

        Args:
            effects: The statement's effects.
            identifiers: Returns the identifiers that it uses, in lower case: one may be a temporary table.

        Raises:
            NotConnectedError: The connection is closed.
            ConnectError: No session can be opened.
            ConnectionLostError: The statement depends on state that was lost with the session.
        """
        self._after_fork()
        if self.closed:
            return self.current  # raises
        self._close_discarded()
        self.end_read_only()
        if self._session is None or not self._is_alive(self._session):
            self.discard()
            open_with_retries(self._open, self.login, lambda: self.watch(Progress(stage="reconnecting")))
        if self._is_new:
            self._check_state_survived(effects, identifiers())
        return self.current

    def begin_read_only(self) -> bool:
        """Have the server refuse writes that the SQL does not show, such as a view over a function that writes (1792).

        In a user's transaction, or without autocommit, this does nothing: there a loss rolls the writes back anyway.

        Returns:
            Whether a READ ONLY transaction was started.

        Raises:
            ConnectionLostError: The connection was lost.
            RdsIamError: The server refused to start it.
        """
        self._read_only = bool(self.current.status & AUTOCOMMIT) and not self.current.status & IN_TRANSACTION
        if self._read_only:
            fetch_all(self.current, "START TRANSACTION READ ONLY")
        return self._read_only

    def end_read_only(self) -> None:
        """End the transaction that `begin_read_only` started, if any."""
        if not self._read_only or self._session is None:
            return
        try:
            self._session.command("COMMIT", timeout=self.login.timeouts.check)
            self._session.ask_status(timeout=self.login.timeouts.check)  # ROW_COUNT() is -1 again, as a query leaves it
            self._read_only = False
        except RdsIamError:
            self.discard()

    def before_send(self, effects: Effects) -> None:
        """Record what the statement may leave in the session; call just before sending it."""
        self._unanswered = 0
        self.state = self.state.before_send(effects)

    def after_success(self, effects: Effects, changed: int) -> None:
        """Update the state after a statement succeeded and changed `changed` rows."""
        self.end_read_only()
        session = self._session
        if session is None:
            return
        session.used_at = now = time.monotonic()
        self.state = self.state.after_success(effects, changed, session.status, now)
        if effects.ends_session:
            self.discard()
            self._ending = Ending.RELEASED

    def after_refusal(self) -> None:
        """Ask for the status after a refused statement: an error such as a deadlock may have ended the transaction."""
        self.end_read_only()
        if self.state.in_transaction:
            self._ask_status()

    def _ask_status(self) -> None:
        session = self._session
        if session is None:
            return
        try:
            session.ask_status(timeout=self.login.timeouts.check)
        except RdsIamError:
            self.discard()
            return
        self.state = self.state.with_status(session.status, time.monotonic())

    def error_after_loss(self, effects: Effects, *, sent: bool) -> ConnectionLostError | None:
        """The error to raise after a loss, or None if the statement can safely be retried.

        It also clears the open transaction, so that the next statement is not refused because of it.
        """
        error = error_after_loss(self.state, effects, sent=sent)
        self.state = self.state.without_transaction()
        return error

    def first_warning(self) -> str | None:
        """The server's first warning, with its number; None if it cannot be read.

        SHOW WARNINGS keeps the warnings and FOUND_ROWS(), but sets ROW_COUNT() to -1, as every query does.
        """
        try:
            rows = fetch_all(self.current, "SHOW WARNINGS LIMIT 1", timeout=self.login.timeouts.command)
        except ConnectionLostError:
            self.discard()
            return None
        except RdsIamError:
            return None
        return f"{rows[0][2]} ({rows[0][1]})" if rows and len(rows[0]) > 2 else None

    def nearest_name(self, event: ServerError, statement: Statement) -> str:
        """A "Did you mean …?" hint for a name that the server does not know; "" without a guess.

        The look-up uses a second session: on this one it would reset SHOW ERRORS and FOUND_ROWS().
        """
        if not_found(event) is None or self._session is None:
            return ""
        try:
            with second_session(self.login, self._session) as second:
                return nearest_name_hint(event, statement, self.state.database, lambda sql: fetch_all(second, sql))
        except RdsIamError:  # a hint is not worth an error of its own
            return ""

    def still_runs(self) -> bool:
        """Whether the server is still running the statement; False once `unanswered_checks` checks in a row failed."""
        answer = is_running(self.login, self.current, self._identity)
        self._unanswered = self._unanswered + 1 if answer is None else 0
        return self._unanswered < self.login.timeouts.unanswered_checks if answer is None else answer

    def cancel(self, reader: ResponseReader) -> None:
        """End the query whose response is being read; a session that cannot be synchronised is discarded."""
        if self._session is None or reader.is_foreign:
            return
        if not cancel_query(self.login, self._session, self._identity, reader):
            self.discard()
        self.end_read_only()
        if self._session is not None:
            self.state = self.state.with_status(self._session.status, time.monotonic())

    def kill_query(self, login: Login, idle: ReconnectingSession) -> bool:
        """End the running query on the server, from any thread: its own thread sees that as an error.

        Args:
            login: Opens a second session, if the idle one is at another server.
            idle: Another connection's session, of the calling thread, that runs nothing.

        Returns:
            Whether the server took it; never through an RDS Proxy, where ids are not ours for long.
        """
        session, identity = self._session, self._identity
        if session is None or login.endpoint.kind is Kind.PROXY:
            return False
        return idle.kill_other("QUERY", identity) or kill(login, session, identity)

    def kill_other(self, what: str, identity: ServerIdentity) -> bool:
        """Send KILL QUERY or KILL CONNECTION for another session over this one, which must be idle."""
        session = self._session
        if session is None or self.login.endpoint.kind is Kind.PROXY or identity.server != self._identity.server:
            return False
        return kill_over(session, f"{what} {identity.id}", timeout=self.login.timeouts.check)

    def discard(self) -> None:
        """Drop the session at once."""
        self._read_only = False
        if self._session is not None:
            self._discarded.append(self._session)
        self._close_discarded()

    def close_idle(self) -> frozenset[str]:
        """End the session, unless it holds what would be lost with it: what that is, as named to the user."""
        if self._session is None:
            return frozenset()
        if self.state.held:
            return self.state.held
        self.end_read_only()
        self._ask_status()  # after an error, the server may have a transaction open that it has not told of
        session = self._session
        if session is not None and not self.state.held:
            self._ending = Ending.IDLE
            session.close()
            self._session = None
        return self.state.held

    def _close_discarded(self) -> None:
        """Close discarded sessions. Safe at any interrupt: the next call closes what is left."""
        while self._discarded:
            session = self._discarded[-1]
            if session is self._session:
                self._session = None
            session.abort()
            session.close()
            self._discarded.pop()

    def close(self) -> None:
        """End the session cleanly, with COM_QUIT."""
        self.closed = True
        self._leave_to_parent()
        self._close_discarded()
        if self._session is not None:
            self._session.close()
            self._session = None
        self.login.release(self)

    def follow_failover(self) -> str:
        """After a write was refused as read-only: leave the server if the host name now resolves to another one.

        Returns:
            A hint for the user; "" if the server is the same.
        """
        if self.login.endpoint.kind in (Kind.READER, Kind.CUSTOM) or self.state.in_transaction:
            return ""
        fresh: ServerSession | None = None
        try:
            fresh = self.login.open()
            is_another = identify(fresh).server != self._identity.server
        except RdsIamError:
            is_another = False
        finally:
            if fresh is not None:
                fresh.close()
        if not is_another:
            return ""
        self.discard()  # the next statement reconnects, and reports what was lost
        return "After a failover, the host name now leads to the new writer: run the statement again."

    def _after_fork(self) -> None:
        """In a forked child: drop the parent's session; a new one is opened when it is needed."""
        if self._leave_to_parent():
            self.state = self.state.renewed()

    def _leave_to_parent(self) -> bool:
        """In a forked child: abandon the parent's sockets; returns whether this is such a child."""
        if self._pid == os.getpid():
            return False
        self._pid = os.getpid()
        for session in (*self._discarded, *([self._session] if self._session else [])):
            session.abandon()
        self._session = None
        self._discarded.clear()
        return True

    def _is_alive(self, session: ServerSession) -> bool:
        idle = time.monotonic() - session.used_at
        try:
            session.settle(timeout=self.login.timeouts.check)
            if not session.synchronised:  # an interrupt came before its response was read
                return False
            if idle < self.login.timeouts.idle and not session.looks_dead():
                return True
            return session.is_answering(timeout=self.login.timeouts.check)
        except RdsIamError:
            return False

    def _open(self, timeout: float) -> None:
        session: ServerSession | None = None
        try:
            session = self.login.open(timeout=timeout)
            self._configure(session, identify(session))
        except BaseException:
            if session is not None and session is not self._session:
                session.close()
            raise

    def _configure(self, session: ServerSession, identity: ServerIdentity) -> None:
        """Apply the user's settings and the lost session's database and autocommit to a new session, then keep it."""
        set_up(session, self.login, self.settings, self.state)
        session.used_at, self._first_status = time.monotonic(), session.status
        self.server_version, self.tls_version = session.server_version, session.tls_version
        self.compression = session.compression
        self._identity = identity
        self._is_new = bool(self._opened)
        self._opened += 1
        self._session = session  # from here on this object owns it
        self.opened()

    def _check_state_survived(self, effects: Effects, identifiers: set[str]) -> None:
        lost, ending = self.state, self._ending
        # In one statement, so that an interrupt leaves either all of it reported or nothing.
        self.state, self._ending, self._is_new = lost.renewed(), Ending.LOST, False
        error = error_on_new_session(lost, effects, identifiers, ending=ending)
        if error is not None:
            raise error
        note = note_on_new_session(lost, ending=ending)
        if note:
            self._notify(note)
