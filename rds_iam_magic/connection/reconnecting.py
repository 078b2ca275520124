"""`ReconnectingSession`: the session that a connection holds; checked before use, opened again when it is lost.

What a lost session held and a new one cannot have (an open transaction, temporary tables, user variables, locks) is
remembered here, so that nothing goes on as if it were still there.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.errors import (
    AccessDeniedError,
    ConnectError,
    ConnectionLostError,
    NotConnectedError,
    OptionError,
    RdsIamError,
    TlsError,
)
from rds_iam_magic.mysql.cancel import cancel, is_running, second_session
from rds_iam_magic.mysql.nearest_name import nearest_name_hint, not_found
from rds_iam_magic.mysql.own_queries import PATIENCE, ServerIdentity, fetch_all, identify
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.mysql.wire.events import ServerError
from rds_iam_magic.sql.effects import ALWAYS_LOST, TEMPORARY_TABLES, Effects
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.mysql.login import Login
    from rds_iam_magic.mysql.reader import ResponseReader
    from rds_iam_magic.mysql.session import ServerSession
    from rds_iam_magic.sql.statement import Statement

PING_AFTER = 30.0
"""Seconds of idleness after which a session is asked whether it is alive: a cut network is not seen otherwise."""

PING_TIMEOUT = 3.0
_MOST_UNANSWERED = 2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds between attempts to reconnect; doubled each time, with jitter

# https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html
IN_TRANSACTION = 0x0001
_AUTOCOMMIT = 0x0002


class ReconnectingSession:
    """At most one session at a time; not thread-safe.

    Args:
        login: Opens sessions, each with a fresh token.
        settings: Made anew on each session.
        notify: Is given a line for each thing that the user should know.

    Attributes:
        server_version, tls_version: Of the last session.
        transaction_since: When the open transaction was first seen, on the clock of `time.monotonic`; None without one.
        database: The default schema: what was asked for at connect, or what USE has made it.
        rows_changed: Rows that statements have changed in the open transaction.

    Raises:
        ConnectError: The first session could not be opened.
    """

    def __init__(self, login: Login, settings: SessionSettings, notify: Callable[[str], None]) -> None:
        self.login = login
        self.settings = settings
        self.closed = False
        self.transaction_since: float | None = None
        self.rows_changed = 0
        self._is_read_only = False
        self._notify = notify
        self._session: ServerSession | None = None
        self._doomed: list[ServerSession] = []  # given up, and perhaps not closed yet: an interrupt came between
        self._is_new = False  # a session was opened again, and what that means is not told yet
        self._released = False  # the server ended the last session because it was told to
        self._identity = ServerIdentity(0, "")
        self.server_version = self.tls_version = ""
        self.database = login.database
        self._left: set[str] = set()
        self._tables: set[str] = set()
        self._unanswered = 0
        self._was_manual = False  # autocommit was off on the last session
        self._pid = os.getpid()
        self._opened = 0  # sessions so far
        self._open(login.timeout)

    @property
    def current(self) -> ServerSession:
        """The session as it is; for what it says of itself.

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
    def max_packet(self) -> int:
        """The longest statement that the server takes, in bytes."""
        return self._identity.max_packet

    @property
    def last_status(self) -> int:
        """The status flags of the session, as the server last told them."""
        return 0 if self._session is None else self._session.status

    def acquire(self, effects: Effects, names: set[str]) -> ServerSession:
        """A session that is alive, for a statement; a lost one is opened again first.

        Args:
            effects: The statement's.
            names: The names that it uses, in lower case: a temporary table may be among them.

        Raises:
            NotConnectedError: The connection was closed.
            ConnectError: No session can be opened.
            ConnectionLostError: The statement builds on what was lost with the session.
        """
        self._after_fork()
        if self.closed:
            return self.current  # raises
        self._close_doomed()
        self.end_read_only()
        if self._session is None or not self._is_alive(self._session):
            self.discard()
            self._reopen()
        if self._is_new:
            self._check_state_survived(effects, names)
        return self.current

    def before_send(self, effects: Effects) -> None:
        """A statement is about to be sent; what it may leave counts from now on."""
        self._unanswered = 0
        self._left |= effects.leaves
        if effects.creates_table:
            self._tables.add(effects.creates_table)

    def begin_read_only(self) -> bool:
        """Have the server itself refuse what the SQL does not tell of: a view may call a function that writes (1792).

        Within a transaction of the user's, and without autocommit, there is nothing to be done: what the session wrote
        is rolled back with it.

        Returns:
            Whether it will.

        Raises:
            ConnectionLostError: The connection broke.
            RdsIamError: The server does not take that.
        """
        self._is_read_only = bool(self.current.status & _AUTOCOMMIT) and not self.current.status & IN_TRANSACTION
        if self._is_read_only:
            fetch_all(self.current, "START TRANSACTION READ ONLY")
        return self._is_read_only

    def end_read_only(self) -> None:
        """End what `guard` began; does nothing otherwise."""
        if not self._is_read_only or self._session is None:
            return
        try:
            self._session.command("COMMIT", timeout=PING_TIMEOUT)
            self._session.ask_status(timeout=PING_TIMEOUT)  # ROW_COUNT() is -1 again, as a query leaves it
            self._is_read_only = False
        except RdsIamError:
            self.discard()

    def after_success(self, effects: Effects, changed: int) -> None:
        """A statement has run, and has changed so many rows."""
        self.end_read_only()
        if self._session is None:
            return
        self._session.used_at = time.monotonic()
        if effects.uses_database is not None:
            self.database = effects.uses_database
        self._was_manual = not self._session.status & _AUTOCOMMIT
        self.rows_changed += changed
        self._follow_status(self._session)
        if effects.ends_session:
            self.discard()
            self._released = True

    def after_refusal(self) -> None:
        """A statement was refused. That may have ended the transaction (a deadlock does), and errors do not tell."""
        self.end_read_only()
        if self.transaction_since is None or self._session is None:
            return
        try:
            self._session.ask_status(timeout=PING_TIMEOUT)
        except RdsIamError:
            self.discard()
            return
        self._follow_status(self._session)

    def first_warning(self) -> str | None:
        """The first of the server's warnings, with its number; None if it does not give them.

        SHOW WARNINGS leaves the warnings and FOUND_ROWS() alone; ROW_COUNT() is -1 after it, as after every query.
        """
        try:
            rows = fetch_all(self.current, "SHOW WARNINGS LIMIT 1", timeout=PATIENCE)
        except ConnectionLostError:
            self.discard()
            return None
        except RdsIamError:
            return None
        return f"{rows[0][2]} ({rows[0][1]})" if rows and len(rows[0]) > 2 else None

    def nearest_name(self, event: ServerError, statement: Statement) -> str:
        """A hint with the name that was most likely meant, when the server does not know one; "" without a guess.

        It is looked up over a second session: on this one, that would take SHOW ERRORS and FOUND_ROWS() away.
        """
        if not_found(event) is None or self._session is None:
            return ""
        try:
            with second_session(self.login, self._session) as second:
                return nearest_name_hint(event, statement, self.database, lambda sql: fetch_all(second, sql))
        except RdsIamError:  # a hint is not worth an error of its own
            return ""

    def _follow_status(self, session: ServerSession) -> None:
        """Whether a transaction is open is the server's to say: statements end one implicitly, and so do errors."""
        if not session.status & IN_TRANSACTION:
            self._forget_transaction()
        elif self.transaction_since is None:
            self.transaction_since = time.monotonic()

    def _forget_transaction(self) -> bool:
        """There is none any more; returns whether there was one."""
        was_open = self.transaction_since is not None
        self.transaction_since, self.rows_changed = None, 0
        return was_open

    def still_runs(self) -> bool:
        """Whether the server still works on the statement; no, when it cannot be reached twice in a row."""
        answer = is_running(self.login, self.current, self._identity)
        self._unanswered = self._unanswered + 1 if answer is None else 0
        return self._unanswered < _MOST_UNANSWERED if answer is None else answer

    def end_query(self, answer: ResponseReader) -> None:
        """End the query whose answer is being read; a session that cannot be brought in step is given up."""
        if self._session is None or answer.is_foreign:
            return
        if not cancel(self.login, self._session, self._identity, answer):
            self.discard()
        self.end_read_only()
        if self._session is not None:
            self._follow_status(self._session)

    def discard(self) -> None:
        """Drop the session at once."""
        self._is_read_only = False
        if self._session is not None:
            self._doomed.append(self._session)
        self._close_doomed()

    def _close_doomed(self) -> None:
        """Close what was given up. An interrupt may come at any line: what it leaves, the next call finds."""
        while self._doomed:
            session = self._doomed[-1]
            if session is self._session:
                self._session = None
            session.abort()
            session.close()
            self._doomed.pop()

    def close(self) -> None:
        """End the session in order."""
        self.closed = True
        self._leave_to_parent()
        self._close_doomed()
        if self._session is not None:
            self._session.close()
            self._session = None

    def loss(self, effects: Effects, *, sent: bool) -> ConnectionLostError | None:
        """What a loss in mid-statement means; None if the statement may simply run on a new session.

        The open transaction is closed with it, so that the next statement is not refused for its sake.
        """
        in_transaction = self._forget_transaction()
        if effects.ends_session and sent and not effects.commits:
            return ConnectionLostError(
                "The connection was lost during ROLLBACK RELEASE; the server rolls the transaction back.",
                cause="rollback-release-lost",
            )
        if effects.commits and sent:
            return ConnectionLostError(
                "The connection was lost while the server committed: whether the COMMIT took effect is unknown.",
                cause="commit-unknown",
            )
        if in_transaction:
            if sent and effects.may_commit:
                return may_have_run("The open transaction may have been committed by it")
            return ConnectionLostError(
                "The connection was lost in an open transaction; the server rolls it back.",
                "Run the transaction again from its start.",
                cause="transaction-lost",
            )
        if not sent or effects.only_reads:
            return None
        return may_have_run("It was not run again")

    def follow_failover(self) -> str:
        """After a write was refused as read-only: leave the server if the name leads to another one now.

        Returns:
            What comes of it, for the user; "" for nothing.
        """
        if self.login.endpoint.kind in (Kind.READER, Kind.CUSTOM) or self.transaction_since is not None:
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
        self.discard()  # the next statement opens the connection again, and tells what went with the old one
        return "After a failover the name leads to another server, the new writer: run the statement again."

    def _after_fork(self) -> None:
        """In a child process: leave the parent's socket alone and open an own one when it is needed."""
        if self._leave_to_parent():
            self._forget_transaction()
            self._left, self._tables = set(), set()

    def _leave_to_parent(self) -> bool:
        """In a child process: let go of the parent's sockets; returns whether this is one."""
        if self._pid == os.getpid():
            return False
        self._pid = os.getpid()
        for session in (*self._doomed, *([self._session] if self._session else [])):
            session.abandon()
        self._session = None
        self._doomed.clear()
        return True

    def _is_alive(self, session: ServerSession) -> bool:
        idle = time.monotonic() - session.used_at
        try:
            session.settle(timeout=PING_TIMEOUT)
            if not session.in_step:  # an interrupt came before its answer was read
                return False
            if idle < PING_AFTER and not session.looks_dead():
                return True
            return session.is_answering(timeout=PING_TIMEOUT)
        except RdsIamError:
            return False

    def _reopen(self) -> None:
        """Open a session again, with pauses between attempts, within the login's time."""
        deadline = time.monotonic() + self.login.timeout
        pause, denied = _FIRST_PAUSE, False
        while True:
            try:
                return self._open(max(0.5, deadline - time.monotonic()))
            except TlsError:
                raise  # time does not mend it
            except AccessDeniedError:
                if denied:
                    raise
                denied = True  # the token may have run out on its way, or its key been rotated: once more, with another
            except (ConnectError, ConnectionLostError):
                wait = pause * (0.5 + random.random() / 2)  # noqa: S311 - jitter, so that not all come back at once
                if time.monotonic() + wait >= deadline:
                    raise
                time.sleep(wait)
                pause = min(2 * pause, _LONGEST_PAUSE)

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
        """Make a fresh session the held one, set as it was asked for and as the lost one was."""
        statements = self.settings.statements(mariadb="mariadb" in session.server_version.lower())
        if self.database and self.database != self.login.database:
            statements[f"database {self.database}"] = f"USE {quote_name(self.database)}"
        if self._was_manual and self.settings.autocommit is not False:
            statements["no autocommit"] = "SET SESSION autocommit = 0"
        for setting, statement in statements.items():
            for event in session.command(statement, timeout=PATIENCE):
                if isinstance(event, ServerError):
                    raise OptionError(
                        f"The server rejected the setting {setting}: {event.message.rstrip('.')} ({event.code}).",
                        cause="time-zone-rejected" if "time zone" in setting else "setting-rejected",
                    )
        session.status = session.status & ~IN_TRANSACTION
        session.used_at = time.monotonic()
        self.server_version, self.tls_version = session.server_version, session.tls_version
        self._identity = identity
        self._is_new = bool(self._opened)
        self._opened += 1
        self._session = session  # last: from here on it is held

    def _check_state_survived(self, effects: Effects, names: set[str]) -> None:
        had_transaction = self.transaction_since is not None
        left, tables, released = self._left, self._tables, self._released
        # In one line, so that an interrupt finds all of it told or nothing.
        self._left, self._tables, self._released, self.transaction_since, self._is_new = (
            set(),
            set(),
            False,
            None,
            False,
        )
        self.rows_changed = 0
        if had_transaction:
            raise ConnectionLostError(
                "The connection was lost while a transaction was open; the server has rolled it back.",
                cause="transaction-lost",
            )
        missing = sorted((left | ALWAYS_LOST) & effects.needs) or ([TEMPORARY_TABLES] if tables & names else [])
        if missing:
            raise ConnectionLostError(
                f"The {'session was released' if released else 'connection was lost'}, and with it the "
                f"{' and '.join(missing)}, which this statement may depend on.",
                cause="session-state-lost",
            )
        gone = f"; gone with the old one: {', '.join(sorted(left))}" if left else ""
        if not released:
            self._notify(f"the connection was lost and is open again{gone}.")
        elif gone:
            self._notify(f"the session was released and a new one is open{gone}.")


def may_have_run(what: str) -> ConnectionLostError:
    """The error for a loss after which it is not known whether the statement took effect; `what` ends the message."""
    return ConnectionLostError(
        f"The connection was lost while the server worked: the statement may have taken effect. {what}.",
        cause="may-have-run",
    )
