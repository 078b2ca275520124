"""What is shown, and how: the only place that prints or displays."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from rds_iam_magic.database.words import counted

if TYPE_CHECKING:
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.database.connection import Connection
    from rds_iam_magic.database.result import Changed
    from rds_iam_magic.database.settings import Settings
    from rds_iam_magic.errors import RdsIamError
    from rds_iam_magic.setup.users import Outcome


class RowCount(int):
    """A number of changed rows that says so when it is a cell's value."""

    def __repr__(self) -> str:
        return f"{counted(int(self), 'row')} changed"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's signature
        printer.text(repr(self))  # IPython shows subclasses of int as ints otherwise


def say(text: str) -> None:
    """A line for the user, below the cell."""
    print(text)  # noqa: T201 - this is where lines are printed


def note(text: str) -> None:
    """Something to know about a result that is right all the same."""
    say(f"Note: {text}")


def show(value: object) -> None:
    """A value as IPython shows it."""
    from IPython.display import display

    display(value)  # type: ignore[no-untyped-call] # IPython leaves it untyped


def describe(alias: str, connection: Connection) -> str:
    """One line: where a connection leads."""
    login = connection.login
    parts = [
        f"{alias}: {login.user}@{login.endpoint}",
        *([f"via {login.via}"] if login.via else []),
        _server(connection.server_version),
        connection.tls_version,
        f"database {connection.database}" if connection.database else "no database",
        *_modes(connection.settings),
        *_transaction(connection),
        *(["lost; the next statement opens it again"] if connection.lost else []),
    ]
    return " · ".join(parts)


def _modes(settings: Settings) -> list[str]:
    """What was asked for at connect and changes what statements do."""
    return [
        *(["read-only"] if settings.read_only else []),
        *(["safe updates"] if settings.safe_updates else []),
        *([f"time zone {settings.time_zone}"] if settings.time_zone else []),
        *([f"statements end after {settings.timeout:g} s"] if settings.timeout else []),
        *({True: ["autocommit"], False: ["no autocommit"], None: []}[settings.autocommit]),
    ]


def _transaction(connection: Connection) -> list[str]:
    since = connection.transaction_since
    if since is None:
        return []
    return [f"a transaction has been open for {time.monotonic() - since:.0f} s ({RowCount(connection.rows_changed)!r})"]


def stopped(connection: Connection) -> None:
    """What stopping a cell came to."""
    if connection.lost:
        note(
            "the query could not be ended in time, so the connection was given up; the server may still work on it. "
            "The next statement opens the connection again."
        )
    else:
        note("the query was ended on the server; the connection goes on.")


def connected(alias: str, connection: Connection) -> None:
    """The line after connecting."""
    say(f"Connected. {describe(alias, connection)}")


def closed(alias: str, current: str | None) -> None:
    """The line after closing a connection."""
    say(f"Closed {alias}." + (f" The current connection is {current}." if current else ""))


def listing(connections: dict[str, Connection], current: str | None) -> None:
    """The held connections, the current one marked."""
    if not connections:
        say("No connection is held. Connect with %rds_iam_connect TARGET -u USER.")
    for alias, connection in connections.items():
        say(f"{'*' if alias == current else ' '} {describe(alias, connection)}")


def changed(result: Changed, position: int) -> None:
    """The line for a statement without rows that is not a cell's last."""
    say(f"Statement {position}: {RowCount(result.rows)!r}.")


def written(rows: int, path: str) -> None:
    """The line after writing a file."""
    say(f"{counted(rows, 'row')} written to {path}.")


def policy(document: dict[str, Any]) -> None:
    """A policy document, ready to be copied."""
    say(json.dumps(document, indent=2))


def user_outcome(outcome: Outcome, name: str) -> None:
    """What creating a user came to, and its row."""
    if outcome.created:
        say(f"Created {name}.")
    elif outcome.granted:
        say(f"{name} was there already; the grants are new.")
    else:
        say(f"{name} was there already, with these grants; nothing was changed.")
    show(outcome.row)


def shorten(error: RdsIamError | KeyboardInterrupt, shell: InteractiveShell) -> None:
    """Make IPython show an error in one or two lines; `%tb` shows the traceback.

    IPython asks an exception that has a `_render_traceback_` how to show itself.
    """

    def render() -> list[str]:
        if not _asked_by_tb():
            return [f"{type(error).__name__}: {error}".rstrip(": ")]
        lines = shell.InteractiveTB.structured_traceback(type(error), error, error.__traceback__, tb_offset=1)
        detail = getattr(error, "detail", "")
        return [*lines, f"Detail: {detail}"] if detail else list(lines)

    error._render_traceback_ = render  # type: ignore[union-attr] # IPython's protocol


def _asked_by_tb() -> bool:
    """Whether `%tb` is on the call stack; nothing else tells the first showing from the one that is asked for."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the stack is only looked at
    while frame is not None:
        if frame.f_code.co_name == "tb" and frame.f_globals.get("__name__", "").startswith("IPython.core.magics"):
            return True
        frame = frame.f_back
    return False


def _server(version: str) -> str:
    number, _, rest = version.partition("-")
    return f"MariaDB {number}" if "mariadb" in rest.lower() else f"MySQL {number}"
