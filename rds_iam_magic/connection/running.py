"""`run_statement`: the order in which a statement uses a session, kept in one place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.connection.loss import SessionLostError
from rds_iam_magic.errors import ConnectionLostError, ProtocolError, RdsIamError, StatementError
from rds_iam_magic.mysql.cancel import work_of
from rds_iam_magic.mysql.reader import Preparable, ResponseReader
from rds_iam_magic.mysql.wire import values
from rds_iam_magic.mysql.wire.events import ServerError
from rds_iam_magic.results.progress import Progress
from rds_iam_magic.sql.effects import LOCKS, Effects, identifiers_in
from rds_iam_magic.wording import bytes_text

if TYPE_CHECKING:
    from rds_iam_magic.connection.reconnecting import ReconnectingSession
    from rds_iam_magic.mysql.session import ServerSession
    from rds_iam_magic.mysql.wire.charsets import Announced
    from rds_iam_magic.mysql.wire.events import Event
    from rds_iam_magic.sql.placeholders import WithPlaceholders
    from rds_iam_magic.sql.statement import Statement


@dataclass(slots=True)
class Running:
    """A running statement.

    Attributes:
        reader: Reads its response.
        read_only: Whether it runs in our READ ONLY transaction.
        is_lost: Whether the session was lost or can no longer be used.
        is_refused: Whether the server refused the statement.
    """

    reader: ResponseReader
    read_only: bool = False
    is_lost: bool = False
    is_refused: bool = False

    def events(self) -> Iterator[Event]:
        """The response's events.

        Raises:
            SessionLostError: The session was lost.
        """
        try:
            for event in self.reader:
                self.is_refused = isinstance(event, ServerError)
                yield event
        except ConnectionLostError as error:
            raise self.lost(error.detail or error.message) from None
        except ProtocolError:
            self.is_lost = True
            raise

    def lost(self, detail: str) -> SessionLostError:
        """Mark the session as lost, and return the error to raise."""
        self.is_lost = True
        return SessionLostError(sent=self.reader.sent, detail=detail)


@contextmanager
def run_statement(
    session: ReconnectingSession,
    statement: Statement,
    effects: Effects,
    *,
    limit: int | None = None,
    may_write: bool = True,
    rows: bytes = b"",
) -> Iterator[Running]:
    """Run a statement on a live session; the body of the `with` reads its events.

    When the body ends or raises, the session is either ready for the next statement or discarded. If the body leaves
    rows unread, a query that only reads is ended on the server; a statement that may write runs to its end, since
    ending it could leave its work half done.

    Args:
        session: Runs the statement; reopened first if it was lost.
        statement: Sent as written.
        effects: The statement's effects.
        limit: The maximum number of rows; the query is ended after them if it is certain not to write.
        may_write: False if the statement must not write: then the server refuses writes that the SQL does not show.
        rows: Many rows for it, as COM_STMT_BULK_EXECUTE sends them.

    Raises:
        NotConnectedError: The connection is closed.
        ConnectError: No session can be opened.
        ConnectionLostError: The statement depends on state that was lost with an earlier session.
        StatementError: The statement is too long or has characters that cannot be encoded; nothing was sent.
    """
    server_session = session.acquire(effects, lambda: identifiers_in(statement))
    sql = _encoded(statement.text, server_session.charsets)
    _require_size(session, max(len(sql), len(rows) + _BEFORE_ROWS))
    reader = ResponseReader(
        server_session,
        sql,
        still_runs=session.still_runs,
        no_data=session.login.timeouts.no_data,
        deadline=_deadline(session),
        binary=effects.is_query and session.login.endpoint.kind is not Kind.PROXY,
        prepared=Preparable(sql, rows=rows) if rows else _preparable(statement.with_placeholders, server_session),
        only_reads=effects.only_reads,
        progressed=_watched(session),
    )
    running = Running(reader)
    handled = sys.exc_info()[1]
    try:
        _prepare(session, running, effects, limit, may_write=may_write)
        yield running
        _end(session, running, effects)
    except ConnectionLostError as error:  # raised by a command of our own
        raise running.lost(error.detail or error.message) from None
    except (RdsIamError, GeneratorExit) as error:
        if not running.is_lost and not _is_stopped(error, handled):
            _leave(session, running, effects)
        raise
    finally:
        _close_reader(session, running)


def _preparable(with_placeholders: WithPlaceholders | None, session: ServerSession) -> Preparable | None:
    """The statement with its values apart, if the server makes of it the very same as of literals.

    MySQL derives a parameter's type from where it stands, and converts the value to it: a number compared with a text
    column is compared as a text. MariaDB takes a value as it is sent, as it does a literal.
    """
    if with_placeholders is None or not session.executes_last or not session.charsets.client.is_utf8:
        return None
    try:
        parameters = values.parameters(with_placeholders.values)
    except ValueError:  # an integer beyond 64 bits
        return None
    if len(parameters) > _MOST_PARAMETERS:
        return None
    return Preparable(with_placeholders.sql.encode(), parameters, len(with_placeholders.values))


_BEFORE_ROWS = 6  # bytes of COM_STMT_BULK_EXECUTE
_MOST_PARAMETERS = 8000  # bytes; they and what closes the statement come in one record of TLS, or not at all


def _require_size(session: ReconnectingSession, size: int) -> None:
    """Refuse a statement over max_allowed_packet: the server would close the connection while receiving it."""
    limit = session.max_packet
    if size + 1 > limit > 0:  # + 1: the command byte
        raise StatementError(
            f"The statement takes {bytes_text(size)}, and the server accepts {bytes_text(limit)} at most "
            "(max_allowed_packet); nothing was sent.",
            cause="packet-too-large",
            code=1153,
            sqlstate="08S01",
        )


def _deadline(session: ReconnectingSession) -> float | None:
    return None if session.settings.timeout is None else session.settings.timeout + session.login.timeouts.grace


def _watched(session: ReconnectingSession) -> Callable[[int, int], None]:
    """Tells the session's `watch` of the rows and bytes that have come."""
    ask_server = partial(work_of, session.login, session.current, session.identity)
    return lambda rows, size: session.watch(Progress(rows, size, ask_server=ask_server))


def _prepare(
    session: ReconnectingSession, running: Running, effects: Effects, limit: int | None, *, may_write: bool
) -> None:
    ends_early = limit is not None and effects.reads_unless_functions_write
    has_locks = LOCKS in session.state.left  # START TRANSACTION would release those of LOCK TABLES
    if not may_write or (ends_early and not effects.only_reads and not has_locks):
        running.read_only = session.begin_read_only()
    if effects.only_reads or (ends_early and running.read_only):
        running.reader.limit = limit
    session.before_send(effects)


def _end(session: ReconnectingSession, running: Running, effects: Effects) -> None:
    """Finish after the last event, or after the limit's last row."""
    if not running.reader.is_settled:
        session.cancel(running.reader)
    session.after_success(effects, running.reader.changed)


def _leave(session: ReconnectingSession, running: Running, effects: Effects) -> None:
    """Finish after the body stopped reading early."""
    reader = running.reader
    if effects.only_reads or running.is_refused or reader.expired or reader.is_foreign:
        return  # `_close_reader` ends the query
    try:
        if reader.drain(None):
            _end(session, running, effects)
    except ConnectionLostError:
        session.discard()


def _close_reader(session: ReconnectingSession, running: Running) -> None:
    """Close the reader; a second interrupt during cancellation discards the session at once."""
    reader = running.reader
    try:
        if running.is_lost:
            session.discard()
        elif not reader.is_settled:
            session.cancel(reader)
    except BaseException:
        if not reader.is_settled:
            session.discard()
        raise
    finally:
        reader.close()


def _encoded(sql: str, announced: Announced) -> bytes:
    try:
        return announced.encode(sql)
    except UnicodeEncodeError as error:
        raise StatementError(
            f"The statement contains {error.object[error.start]!r}, which the session's character set "
            f"{announced.client.name} cannot represent; nothing was sent.",
            cause="charset-lacks-character",
        ) from None


def _is_stopped(error: BaseException | None, handled: BaseException | None) -> bool:
    """Whether the user pressed Stop; an interrupt outside a generator reaches it as a GeneratorExit.

    `handled` is the exception that the calling code was handling when the statement began; it does not count.
    """
    while error is not None and error is not handled and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return isinstance(error, KeyboardInterrupt) and error is not handled
