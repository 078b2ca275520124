"""What the loss of a session means for the running statement and for the first statement afterwards."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from rds_iam_magic.connection.session_state import SessionState
from rds_iam_magic.errors import ConnectionLostError
from rds_iam_magic.sql.effects import ALWAYS_LOST, TEMPORARY_TABLES, Effects


class Ending(Enum):
    """How a session has ended that a new one takes the place of; the value is how that is said."""

    LOST = "connection was lost"
    RELEASED = "session was released"  # by COMMIT RELEASE or ROLLBACK RELEASE
    IDLE = "session was closed while it was idle"  # by us, when it held nothing


class SessionLostError(Exception):
    """The session was lost while a statement was running; the executor decides what that means.

    Attributes:
        sent: Whether the whole statement was sent, so that the server may have run it.
        detail: The technical cause, for `%tb`.
    """

    def __init__(self, *, sent: bool, detail: str) -> None:
        super().__init__(detail)
        self.sent = sent
        self.detail = detail


def error_after_loss(state: SessionState, effects: Effects, *, sent: bool) -> ConnectionLostError | None:
    """The error to raise after losing the session mid-statement, or None if the statement can safely be retried.

    Args:
        state: The lost session's state.
        effects: The statement's effects.
        sent: Whether the whole statement was sent.
    """
    if effects.ends_session and sent and not effects.commits:
        return ConnectionLostError(
            "The connection was lost during ROLLBACK RELEASE; the server rolls the transaction back.",
            cause="rollback-release-lost",
        )
    if effects.commits and sent:
        return ConnectionLostError(
            "The connection was lost during the commit: whether it took effect is unknown.",
            cause="commit-unknown",
        )
    if state.in_transaction:
        if sent and effects.may_commit:
            return may_have_run("It may have committed the open transaction")
        return ConnectionLostError(
            "The connection was lost in an open transaction; the server rolls it back.",
            cause="transaction-lost",
        )
    if not sent or effects.only_reads:
        return None
    return may_have_run("It was not run again")


def may_have_run(what: str) -> ConnectionLostError:
    """The error for a loss after which it is unknown whether the statement took effect; `what` ends the message."""
    return ConnectionLostError(
        f"The connection was lost while the statement ran: it may have taken effect. {what}.",
        cause="may-have-run",
    )


def error_on_new_session(
    lost: SessionState, effects: Effects, identifiers: Collection[str], *, ending: Ending
) -> ConnectionLostError | None:
    """The error for the first statement on a new session, if it depends on state lost with the old one; else None.

    Args:
        lost: The old session's state.
        effects: The statement's effects.
        identifiers: Those that it uses, in lower case: one may be a temporary table.
        ending: How the old session ended.
    """
    if lost.in_transaction:
        return ConnectionLostError(
            "The connection was lost while a transaction was open; the server has rolled it back.",
            cause="transaction-lost",
        )
    missing = sorted((lost.left | ALWAYS_LOST) & effects.needs)
    if not missing and not lost.temporary_tables.isdisjoint(identifiers):
        missing = [TEMPORARY_TABLES]
    if not missing:
        return None
    return ConnectionLostError(
        f"The {ending.value}, and with it the {' and '.join(missing)}, which this statement may depend on.",
        cause="session-state-lost",
    )


def note_on_new_session(lost: SessionState, *, ending: Ending) -> str:
    """The note about a new session on which the statement can run; "" for none."""
    gone = ", ".join(sorted(lost.left))
    if ending is Ending.IDLE:
        return "the session was closed while it was idle; a new one was opened for this statement."
    if ending is Ending.RELEASED:
        return f"the session was released and a new one was opened; lost with the old one: {gone}." if gone else ""
    return f"the connection was lost and has been reopened{f'; lost with the old one: {gone}' if gone else ''}."
