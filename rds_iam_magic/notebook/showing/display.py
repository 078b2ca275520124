"""All output to the notebook: the only module that prints or displays."""

from __future__ import annotations

import base64
import json
import secrets
import sys
import time
from html import escape
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from rds_iam_magic.errors import short_traceback
from rds_iam_magic.hints import Interface, Note
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.mysql.session_settings import SessionSettings
    from rds_iam_magic.results.result import Changed


class RowCount(int):
    """The number of rows that a statement reports, as a cell's value whose repr says what it counts."""

    words: str
    told_in: int | None = None  # the execution count of the cell whose feedback tells it

    def __new__(cls, rows: int, words: str = "") -> RowCount:
        """A count, and its repr if it does not count changed rows."""
        count = super().__new__(cls, rows)
        count.words = words
        return count

    def __getnewargs__(self) -> tuple[int, str]:  # type: ignore[override] # pickled with its words
        return (int(self), self.words)

    def __repr__(self) -> str:
        return self.words or f"{count_of(int(self), 'row')} changed"

    def _ipython_display_(self) -> None:
        """Show nothing in a cell that has told it already; elsewhere it is shown as any value (NotImplementedError)."""
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is None or self.told_in != shell.execution_count:
            raise NotImplementedError

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's signature
        printer.text(repr(self))  # IPython shows subclasses of int as ints otherwise


# Statements that count changed rows, and statements that count rows read; "" is unknown.
_CHANGING = frozenset({"", "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "MERGE", "WITH", "CALL", "EXECUTE"})
_READING = frozenset({"SELECT", "TABLE", "VALUES"})
# CREATE TABLE … SELECT, and MariaDB's blocks, may change rows.
_MAYBE_CHANGING = frozenset({"CREATE TABLE", "BEGIN", "IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR", "DECLARE"})


def row_count(result: Changed) -> RowCount:
    """The value of a statement without rows: `2 rows changed`, or `OK` if there is nothing to count."""
    if result.verb in _CHANGING or (result.rows and result.verb in _MAYBE_CHANGING):
        return RowCount(result.rows)
    if result.verb in _READING and result.rows:  # SELECT … INTO
        return RowCount(result.rows, f"OK, {count_of(result.rows, 'row')}")
    return RowCount(result.rows, "OK")


def say(text: str) -> None:
    """Print a line below the cell."""
    print(text)  # noqa: T201 - this is where lines are printed


def told(text: str, *, quiet: bool = False) -> None:
    """Print a line of what is done for the user, with options and commands as they are typed here; "" is nothing."""
    if text and not quiet:
        say(text.spelled(Interface.NOTEBOOK) if isinstance(text, Note) else text)


def note(text: str) -> None:
    """Print a note: something to know about a correct result."""
    say(_note_text(text))


def feedback(shell: InteractiveShell, line: str, notes: list[str]) -> None:
    """Show a quiet line and the notes on it: as one output of a notebook; in a terminal, the line is on stderr."""
    if in_terminal(shell):
        print(line, file=sys.stderr)  # noqa: T201 - this is where lines are printed
        for text in notes:
            note(text)
    else:
        shell.display_pub.publish(_block(line, notes))


def notes_alone(shell: InteractiveShell, texts: list[str]) -> None:
    """Show notes that no line goes with."""
    if not texts:
        return
    if in_terminal(shell):
        for text in texts:
            note(text)
    else:
        shell.display_pub.publish(_block("", texts))


class LiveLine:
    """A line that replaces itself: one output of a notebook; in a terminal, a line of stderr.

    Args:
        shell: Shows it.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._id = ""  # of the notebook's output

    @property
    def shown(self) -> bool:
        """Whether it has been shown."""
        return bool(self._id)

    def show(self, line: str) -> None:
        """Show it, or replace what it shows; nothing if stderr of a terminal's shell is a file or a pipe."""
        if not in_terminal(self._shell):
            self._publish(line)
        elif sys.stderr.isatty():
            self._id = "stderr"
            sys.stderr.write(f"\r{line[: get_terminal_size().columns - 1]}\x1b[K")  # one line: \r finds no other
            sys.stderr.flush()

    def note(self, text: str) -> None:
        """Show a note below it, at once."""
        self._clear()
        notes_alone(self._shell, [text])

    def finish(self, line: str, notes: list[str]) -> None:
        """Show its last state, and the notes on it."""
        if self._id and not in_terminal(self._shell):
            self._publish(line)
            notes_alone(self._shell, notes)  # a front end may be unable to replace outputs
            return
        self._clear()
        feedback(self._shell, line, notes)

    def _clear(self) -> None:
        """In a terminal, give its line to what is printed next."""
        if self._id and in_terminal(self._shell):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _publish(self, line: str) -> None:
        is_new = not self._id
        self._id = self._id or secrets.token_hex(16)
        transient = {"display_id": self._id}
        self._shell.display_pub.publish(_block(line, []), transient=transient, update=not is_new)


def in_terminal(shell: InteractiveShell) -> bool:
    """Whether output goes to a terminal or a pipe; a kernel, and `%%capture`, publish it in another way."""
    from IPython.core.displaypub import DisplayPublisher

    return type(shell.display_pub) is DisplayPublisher


_BLOCK = "display: block; line-height: 1.5"


def _block(line: str, notes: list[str]) -> dict[str, str]:
    """A line and notes, in the forms that front ends may show; `small` is left where styles are stripped."""
    lines = [_note_text(text) for text in notes]
    quiet = [f'<span style="color: #767676">{escape(line)}</span>'] if line else []
    html = "<br>".join([*quiet, *map(escape, lines)])
    return {
        "text/plain": "\n".join([*([line] if line else []), *lines]),
        "text/html": f'<small class="tex2jax_ignore mathjax_ignore" style="{_BLOCK}">{html}</small>',
    }


def _note_text(text: str) -> str:
    return f"Note: {text.spelled(Interface.NOTEBOOK) if isinstance(text, Note) else text}"


def chart(
    shell: InteractiveShell,
    data: dict[str, Any],
    metadata: dict[str, Any],
    text: str,
    *,
    png: bytes | None = None,
    note: str = "",
) -> None:
    """Show a chart, with its text for terminals and its picture for what draws none, and a note on what is not drawn.

    Without HTML: front ends would prefer that.
    """
    if not in_terminal(shell):  # where the text has it
        notes_alone(shell, [note] if note else [])
    picture = {} if png is None else {"image/png": base64.b64encode(png).decode("ascii")}
    shell.display_pub.publish({**data, **picture, "text/plain": text}, metadata=metadata)


def show(value: object) -> None:
    """Display a value as IPython does."""
    from IPython.display import display

    display(value)  # type: ignore[no-untyped-call] # IPython leaves it untyped


def describe(alias: str, connection: Connection) -> str:
    """A connection in one line: user, endpoint, server, database and state."""
    login = connection.login
    parts = [
        f"{alias}: {login.user}@{login.endpoint}",
        *([f"via {login.way}"] if login.way else []),
        _server(connection.server_version),
        connection.tls_version,
        *([f"compressed ({connection.compression})"] if connection.compression else []),
        f"database {connection.database}" if connection.database else "no database",
        *_modes(connection.settings),
        *_transaction(connection),
        *(["lost; the next statement reconnects"] if connection.lost else []),
        *(["closed while it was idle; the next statement reconnects"] if connection.idle_closed else []),
    ]
    return " · ".join(parts)


def _modes(settings: SessionSettings) -> list[str]:
    """The settings given at connect that change what statements do."""
    return [
        *(["read-only"] if settings.read_only else []),
        *(["safe updates"] if settings.safe_updates else []),
        *([f"time zone {settings.time_zone}"] if settings.time_zone else []),
        *([f"statements end after {settings.timeout:g} s"] if settings.timeout else []),
        *([f"closes after {settings.close_idle:g} min without a statement"] if settings.close_idle else []),
        *({True: ["autocommit"], False: ["no autocommit"], None: []}[settings.autocommit]),
    ]


def _transaction(connection: Connection) -> list[str]:
    since = connection.transaction_since
    if since is None:
        return []
    changes = RowCount(connection.rows_changed)
    return [f"a transaction has been open for {time.monotonic() - since:.0f} s ({changes!r})"]


def stopped(connection: Connection) -> None:
    """Print what became of the query and the connection after Stop."""
    if connection.lost:
        note(
            "the query could not be ended in time, so the connection was closed; the server may still be running it. "
            "The next statement reconnects."
        )
    else:
        transaction = "" if connection.transaction_since is None else ", with its open transaction"
        note(f"the query was ended on the server; the connection stays open{transaction}.")


def connected(alias: str, connection: Connection) -> None:
    """Print the line after connecting."""
    say(f"Connected. {describe(alias, connection)}")


def closed(alias: str, current: str | None) -> None:
    """Print the line after closing a connection."""
    say(f"Closed {alias}." + (f" The current connection is {current}." if current else ""))


def listing(connections: dict[str, Connection], current: str | None) -> None:
    """List the held connections, with the current one marked."""
    if not connections:
        say("Not connected. Connect with %rds_iam_connect TARGET -u USER.")
    for alias, connection in connections.items():
        say(f"{'*' if alias == current else ' '} {describe(alias, connection)}")


def sections(names: list[str]) -> None:
    """List the sections that connections can be opened by, if there are any."""
    if names:
        say(f"Sections (--section NAME): {', '.join(names)}")


def statements(texts: list[str]) -> None:
    """Print statements as they would be sent."""
    for text in texts:
        last_line = text.rpartition("\n")[2]
        say(f"{text}\n;" if "--" in last_line or "#" in last_line else f"{text};")


def policy(document: dict[str, Any]) -> None:
    """Print a policy document, ready to copy."""
    say(json.dumps(document, indent=2))


def shorten(error: KeyboardInterrupt) -> None:
    """Make IPython show an interrupt like this package's errors: without the traceback, which `%tb` shows."""
    error._render_traceback_ = lambda: short_traceback(error)  # type: ignore[attr-defined] # IPython's protocol


def _server(version: str) -> str:
    number, _, rest = version.partition("-")
    return f"MariaDB {number}" if "mariadb" in rest.lower() else f"MySQL {number}"
