"""`run_statement`: the one place that knows in which order a statement uses a session."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.connection.loss import SessionLostError
from rds_iam_magic.errors import ConnectionLostError, ProtocolError, RdsIamError, StatementError
from rds_iam_magic.mysql.reader import ResponseReader
from rds_iam_magic.mysql.wire.events import ServerError
from rds_iam_magic.sql.effects import Effects, identifiers_in
from rds_iam_magic.wording import bytes_text

if TYPE_CHECKING:
    from rds_iam_magic.connection.reconnecting import ReconnectingSession
    from rds_iam_magic.mysql.wire.charsets import Announced
    from rds_iam_magic.mysql.wire.events import Event
    from rds_iam_magic.sql.statement import Statement


@dataclass(slots=True)
class Running:
    """A statement that runs.

    Attributes:
        reader: Its response.
        read_only: Whether the server refuses whatever would write.
        is_lost: Whether the session broke under it, or is of no more use.
        is_refused: Whether the server refused it.
    """

    reader: ResponseReader
    read_only: bool = False
    is_lost: bool = False
    is_refused: bool = False

    def events(self) -> Iterator[Event]:
        """The response's events.

        Raises:
            SessionLostError: The session broke.
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
        """The error for a session that broke, or that the server ended."""
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
) -> Iterator[Running]:
    """Run a statement on a session that is alive: the one place that knows the order of its steps.

    The body reads the events. When it has come to its end, the session is ready for the next statement; when it
    raises, too, or is discarded. A query whose rows nobody reads on is ended on the server; what may write runs to
    its end, or it might do half of its work.

    Args:
        session: What it runs on; opened again first if it was lost.
        statement: Sent as it is.
        effects: The statement's.
        limit: So many rows are wanted at most. The query is ended behind them if it certainly does not write.
        may_write: False for a statement that must not: the server is to refuse what the SQL does not tell of.

    Raises:
        NotConnectedError: The connection was closed.
        ConnectError: No session can be opened.
        ConnectionLostError: The statement builds on what was lost with an earlier session.
        StatementError: Nothing was sent: the statement is too long, or has characters that cannot be sent.
    """
    server_session = session.acquire(effects, identifiers_in(statement))
    sql = _encoded(statement.text, server_session.charsets)
    _require_size(session, len(sql))
    reader = ResponseReader(
        server_session,
        sql,
        still_runs=session.still_runs,
        no_data=session.login.timeouts.no_data,
        deadline=_deadline(session),
    )
    running = Running(reader)
    handled = sys.exc_info()[1]
    try:
        _prepare(session, running, effects, limit, may_write=may_write)
        yield running
        _end(session, running, effects)
    except ConnectionLostError as error:  # by a command of our own
        raise running.lost(error.detail or error.message) from None
    except (RdsIamError, GeneratorExit) as error:
        if not running.is_lost and not _is_stopped(error, handled):
            _leave(session, running, effects)
        raise
    finally:
        _close_reader(session, running)


def _require_size(session: ReconnectingSession, size: int) -> None:
    """Refuse what the server would refuse in the midst of being sent, with the connection."""
    limit = session.max_packet
    if size + 1 > limit > 0:  # and the byte of the command
        raise StatementError(
            f"The statement has {bytes_text(size)}, and the server takes {bytes_text(limit)} at most "
            "(max_allowed_packet); nothing was sent.",
            cause="packet-too-large",
            code=1153,
            sqlstate="08S01",
        )


def _deadline(session: ReconnectingSession) -> float | None:
    return None if session.settings.timeout is None else session.settings.timeout + session.login.timeouts.grace


def _prepare(
    session: ReconnectingSession, running: Running, effects: Effects, limit: int | None, *, may_write: bool
) -> None:
    ends_early = limit is not None and effects.reads_unless_functions_write
    if not may_write or (ends_early and not effects.only_reads):
        running.read_only = session.begin_read_only()
    if effects.only_reads or (ends_early and running.read_only):
        running.reader.limit = limit
    session.before_send(effects)


def _end(session: ReconnectingSession, running: Running, effects: Effects) -> None:
    """After the last event, or after as many rows as were wanted."""
    if not running.reader.is_settled:
        session.cancel(running.reader)
    session.after_success(effects, running.reader.changed)


def _leave(session: ReconnectingSession, running: Running, effects: Effects) -> None:
    """Nobody reads on."""
    reader = running.reader
    if effects.only_reads or running.is_refused or reader.expired or reader.is_foreign:
        return  # `_close_reader` has it ended
    try:
        if reader.drain(None):
            _end(session, running, effects)
    except ConnectionLostError:
        session.discard()


def _close_reader(session: ReconnectingSession, running: Running) -> None:
    """A second interrupt, while the first one's work is done, discards the session at once."""
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
            f"The statement holds {error.object[error.start]!r}, which the session's character set "
            f"{announced.client.name} does not have; nothing was sent.",
            cause="charset-lacks-character",
        ) from None


def _is_stopped(error: BaseException | None, handled: BaseException | None) -> bool:
    """Whether the user has pressed Stop: an interrupt outside of a generator closes it by a GeneratorExit.

    `handled` is what the code around was dealing with when the statement began; it has no part in this.
    """
    while error is not None and error is not handled and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return isinstance(error, KeyboardInterrupt) and error is not handled
