"""The server's errors → `StatementError`s with a cause, by error number.

https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
"""

from __future__ import annotations

import re

from rds_iam_magic.errors import StatementError
from rds_iam_magic.mysql.wire.events import ServerError

_CAUSES = {
    1044: "schema-denied",
    1046: "no-database-selected",
    1049: "schema-unknown",
    1051: "unknown-table",
    1054: "unknown-column",
    1064: "sql-syntax",
    1142: "table-denied",
    1143: "column-denied",
    1146: "unknown-table",
    1148: "local-files-off",
    1153: "packet-too-large",
    1205: "lock-wait-timeout",
    1213: "deadlock",
    1227: "privilege-missing",
    1305: "unknown-routine",
    1317: "query-killed",
    1524: "iam-plugin-missing",
    1792: "transaction-read-only",
    1836: "server-read-only",
    1874: "server-read-only",
    1969: "time-limit",
    3024: "time-limit",
    3948: "local-files-off",
    4166: "local-files-off",
}

_FORBIDDEN = 1290
"""ER_OPTION_PREVENTS_STATEMENT: a server option forbids the statement; the message names the option."""

# By the option as the message names it, with dashes and without its value.
_OPTIONS = {
    "event-scheduler": "event-scheduler-off",
    "innodb-read-only": "server-read-only",
    "local-infile": "local-files-off",
    "read-only": "server-read-only",
    "secure-file-priv": "server-files-off",
    "skip-grant-tables": "privilege-tables-off",
    "skip-networking": "networking-off",
    "super-read-only": "server-read-only",
}
_READ_ONLY_OPTIONS = {"innodb-read-only", "read-only", "super-read-only"}
_READ_ONLY_MODES = {1836, 1874}
_OPTION = re.compile(r"--([a-z][\w-]*)", re.IGNORECASE)

LOST = frozenset({1053, 1927, 2006, 2013, 2055, 3032, 4031})
"""Errors that end the session: a shutdown, a killed or idle connection, and the client library's codes for a loss."""

SYNTAX = 1064
"""The SQL cannot be parsed."""

WRITE_IN_READ_ONLY = 1792
"""A write was refused because the transaction is read-only."""

NOT_PREPARED = frozenset({1047, 1243, 1295, 1461, 1615, 4033})
"""A prepared statement was not executed, and its text may be: the command or the statement is unknown, cannot be
prepared, is one too many, was prepared too often, or has many rows, which a binary log of statements cannot have."""


def is_read_only(event: ServerError) -> bool:
    """Whether a write was refused because the server is read-only, as after a failover."""
    if event.code == _FORBIDDEN:
        return not _READ_ONLY_OPTIONS.isdisjoint(_options(event))
    return event.code in _READ_ONLY_MODES


def cause_of(event: ServerError) -> str:
    """The cause of a server error; `server-error` for numbers without one of their own."""
    if event.code != _FORBIDDEN:
        return _CAUSES.get(event.code, StatementError.cause)
    known = (_OPTIONS[option] for option in _options(event) if option in _OPTIONS)
    return next(known, "server-option-forbids")


def _options(event: ServerError) -> list[str]:
    return [option.lower().replace("_", "-") for option in _OPTION.findall(event.message)]


def statement_error(event: ServerError, position: int, count: int) -> StatementError:
    """The error for a refused statement, the `position`-th of `count`."""
    what = f"Statement {position} of {count}" if count > 1 else "The statement"
    return StatementError(
        f"{what} failed: {event.message.rstrip('.')} ({event.code}).",
        cause=cause_of(event),
        code=event.code,
        sqlstate=event.sqlstate,
        server_message=event.message,
        position=position,
    )
