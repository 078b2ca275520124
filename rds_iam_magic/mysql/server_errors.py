"""The server's errors in the user's words: what happened, and what to do next, by error number.

https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
"""

from __future__ import annotations

import re

from rds_iam_magic.errors import StatementError
from rds_iam_magic.mysql.wire.events import ServerError

_WRITER = "The server is read-only (a reader, or after a failover): connect to the writer."
_TIME_LIMIT = "It ran longer than its time limit: narrow the query, or raise the limit (--timeout at connect)."
_HINTS = {
    1044: "Ask for a grant on that schema; SHOW GRANTS lists yours.",
    1046: "Choose one with USE database, or write database.table.",
    1049: "SHOW DATABASES lists those that you may see.",
    1054: "DESCRIBE the table to see its columns.",
    1051: "SHOW TABLES lists the tables that you may see.",
    1064: "Check the SQL just before the place that the message quotes.",
    1142: "Ask for the grant; SHOW GRANTS lists yours.",
    1143: "Ask for a grant on the column; SHOW GRANTS lists yours.",
    1146: "SHOW TABLES lists the tables that you may see.",
    1148: "LOAD DATA LOCAL is switched off here; INSERT the rows instead.",
    1153: "Split it into smaller statements, or raise max_allowed_packet in the DB parameter group.",
    1205: "Another transaction holds the lock: try again, or find it with SHOW PROCESSLIST.",
    1213: "The server rolled the transaction back to break a deadlock; run it again from its start.",
    1227: "Ask an administrator; RDS grants no SUPER.",
    1305: "SHOW FUNCTION STATUS and SHOW PROCEDURE STATUS list the routines that you may see.",
    1317: "Somebody ended the query on the server (KILL QUERY).",
    1524: "Enable IAM authentication for the database; that installs the plugin.",
    1792: "The session or transaction may only read: connect without --read-only, or end START TRANSACTION READ ONLY.",
    1836: _WRITER,
    1874: _WRITER,
    1969: _TIME_LIMIT,
    3024: _TIME_LIMIT,
    3948: "LOAD DATA LOCAL is switched off here; INSERT the rows instead.",
    4166: "LOAD DATA LOCAL is switched off here; INSERT the rows instead.",
}

_FORBIDDEN = 1290
"""An option of the server's forbids the statement; the message names it."""

# By the option as the message names it, with dashes and without its value.
_OPTIONS = {
    "event-scheduler": "The event scheduler is off: enable event_scheduler in the DB parameter group.",
    "innodb-read-only": _WRITER,
    "local-infile": "LOAD DATA LOCAL is switched off here; INSERT the rows instead.",
    "read-only": _WRITER,
    "secure-file-priv": "secure_file_priv keeps the server from files of its own there: write a result here with --to "
    "FILE; on Aurora, use SELECT … INTO OUTFILE S3 and LOAD DATA FROM S3.",
    "skip-grant-tables": "The server runs without its privilege tables; ask its administrator.",
    "skip-networking": "The server takes no network connections; ask its administrator.",
    "super-read-only": _WRITER,
}
_READ_ONLY_OPTIONS = {"innodb-read-only", "read-only", "super-read-only"}
_READ_ONLY_MODES = {1836, 1874}
_OPTION = re.compile(r"--([a-z][\w-]*)", re.IGNORECASE)

LOST = frozenset({1053, 1927, 2006, 2013, 2055, 3032, 4031})
"""Errors that end the session: a shutdown, a killed connection, idleness, and the client library's words for a loss."""

WRITE_IN_READ_ONLY = 1792
"""A write was refused because the transaction may only read."""


def is_read_only(event: ServerError) -> bool:
    """Whether a write was refused because the server is read-only, as after a failover."""
    if event.code == _FORBIDDEN:
        return not _READ_ONLY_OPTIONS.isdisjoint(_options(event))
    return event.code in _READ_ONLY_MODES


def hint_for(event: ServerError) -> str:
    """What to do next after an error of the server's; "" if nothing is known of it."""
    if event.code != _FORBIDDEN:
        return _HINTS.get(event.code, "")
    known = (_OPTIONS[option] for option in _options(event) if option in _OPTIONS)
    return next(known, "An option of the server's forbids it; ask its administrator.")


def _options(event: ServerError) -> list[str]:
    return [option.lower().replace("_", "-") for option in _OPTION.findall(event.message)]


def statement_error(event: ServerError, position: int, count: int) -> StatementError:
    """The error for a refused statement, the `position`-th of `count`."""
    what = f"Statement {position} of {count}" if count > 1 else "The statement"
    return StatementError(
        f"{what} failed: {event.message.rstrip('.')} ({event.code}).",
        hint_for(event),
        code=event.code,
        sqlstate=event.sqlstate,
        server_message=event.message,
        position=position,
    )
