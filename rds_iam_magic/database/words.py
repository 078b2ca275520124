"""The server's errors in the user's words: what happened, and what to do next, by error number.

https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
"""

from __future__ import annotations

from rds_iam_magic.database.protocol import ServerError
from rds_iam_magic.errors import StatementError

_HINTS = {
    1044: "Ask for a grant on that schema; SHOW GRANTS lists yours.",
    1046: "Connect with -d DATABASE, or name the schema: schema.table.",
    1049: "SHOW DATABASES lists those that you may see.",
    1054: "DESCRIBE the table to see its columns.",
    1064: "Check the SQL just before the place that the message quotes.",
    1142: "Ask for the grant; SHOW GRANTS lists yours.",
    1143: "Ask for a grant on the column; SHOW GRANTS lists yours.",
    1146: "SHOW TABLES lists the tables that you may see.",
    1205: "Another transaction holds the lock; run it again, or look at SHOW PROCESSLIST.",
    1213: "The server rolled the transaction back to break a deadlock; run it again from its start.",
    1227: "Ask an administrator; RDS grants no SUPER.",
    1290: "The server is read-only (a reader, or after a failover): connect to the writer.",
    1317: "The query was ended on the server.",
    1524: "Switch IAM authentication on for the database; the plugin comes with it.",
    1792: "The session or transaction may only read (--read-only, START TRANSACTION READ ONLY).",
    1836: "The server is read-only (a reader, or after a failover): connect to the writer.",
    1969: "It ran longer than its time limit; raise the limit (--timeout) or narrow the query.",
    3024: "It ran longer than its time limit; raise the limit (--timeout) or narrow the query.",
}

LOST = frozenset({1053, 1927, 2006, 2013, 2055, 3032, 4031})
"""Errors that end the session: a shutdown, a killed connection, idleness, and the client library's words for a loss."""

READ_ONLY = frozenset({1290, 1836})
"""A write was refused because the server is read-only, as after a failover."""

WRITE_IN_READ_ONLY = 1792
"""A write was refused because the transaction may only read."""


def counted(number: int, what: str) -> str:
    """A number of things for people: `1 row`, `2,000 rows`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def statement_error(event: ServerError, position: int, count: int) -> StatementError:
    """The error for a refused statement, the `position`-th of `count`."""
    what = f"Statement {position} of {count}" if count > 1 else "The statement"
    return StatementError(
        f"{what} failed: {event.message.rstrip('.')} ({event.code}).",
        _HINTS.get(event.code, ""),
        code=event.code,
        sqlstate=event.sqlstate,
        server_message=event.message,
        position=position,
    )
