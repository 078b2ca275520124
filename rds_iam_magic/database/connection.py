"""`Connection`: the held connection. It opens sessions, runs statements, ends them, and closes.

A text is split into statements, which go to the server one by one and byte for byte: an error names its statement.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rds_iam_magic.database import interrupt
from rds_iam_magic.database.answer import Answer
from rds_iam_magic.database.login import Login
from rds_iam_magic.database.protocol import End, Head, Ok, Rows, ServerError
from rds_iam_magic.database.result import Changed, DecimalMode, DtypeBackend, ResultSet
from rds_iam_magic.database.statement import Statement, split
from rds_iam_magic.database.words import statement_error
from rds_iam_magic.errors import (
    ConnectionLostError,
    NotConnectedError,
    OptionError,
    ProtocolError,
    ResultError,
)

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.database.decode import Decoder
    from rds_iam_magic.database.driver import ServerSession

Result = ResultSet | Changed
_NO_BACKSLASH_ESCAPES = 0x0200  # https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html


class RdsIamWarning(UserWarning):
    """Something that the user should know about a result or a connection that works."""


def warn(text: str) -> None:
    """Tell something by a Python warning."""
    warnings.warn(text, RdsIamWarning, stacklevel=4)


class Connection:
    """A held connection to one endpoint as one user.

    Use from several threads is serialised: a text runs to its end before the next begins.

    Args:
        login: Opens sessions.
        notify: Is given a line for each thing that the user should know; a Python warning by default.

    Raises:
        ConnectError: The first session could not be opened.
    """

    def __init__(self, login: Login, *, notify: Callable[[str], None] = warn) -> None:
        self.login = login
        self.notify = notify
        self._busy = threading.Lock()
        self._owner: int | None = None
        self._session: ServerSession | None = None
        self._identity = interrupt.Identity(0, "")
        self._open()

    def __repr__(self) -> str:
        return f"<Connection {self.login.user}@{self.login.endpoint}>"

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def server_version(self) -> str:
        """The server's version, such as `10.11.6-MariaDB`."""
        return self._held().server_version

    @property
    def tls_version(self) -> str:
        """The version of TLS in use, such as `TLSv1.3`."""
        return self._held().tls_version

    @property
    def closed(self) -> bool:
        """Whether no session is held."""
        return self._session is None

    def query(
        self, sql: str, *, dtype_backend: DtypeBackend | None = None, decimal: DecimalMode = "float"
    ) -> pd.DataFrame:
        """Run SQL and return its last result set as a DataFrame, with the dtypes of the columns' declarations.

        Raises:
            StatementError: The server refused a statement.
            ResultError: There was no result set.
            ConnectionLostError: The connection broke.
        """
        last: ResultSet | None = None
        for result in self.run(sql, decimal=decimal):
            last = result if isinstance(result, ResultSet) else last
        if last is None:
            raise ResultError("The SQL gave no rows.", "Use execute() for statements that give none.")
        return last.to_pandas(dtype_backend)

    def execute(self, sql: str) -> int:
        """Run SQL and return the number of rows that its statements changed; rows that it gives are dropped.

        Raises:
            StatementError: The server refused a statement; those before it have run.
            ConnectionLostError: The connection broke.
        """
        return sum(result.rows for result in self.run(sql) if isinstance(result, Changed))

    def run(self, sql: str, *, decimal: DecimalMode = "float") -> Iterator[Result]:
        """Run statements in order and give each result as it comes; a failing one ends the text.

        Raises:
            OptionError: There is no SQL in the text.
            StatementError: The server refused a statement; `position` tells which.
            ConnectionLostError: The connection broke.
        """
        with self._exclusive():
            session = self._held()
            statements = split(sql, backslash_escapes=not session.status & _NO_BACKSLASH_ESCAPES)
            if not statements:
                raise OptionError("There is no SQL to run.", "Write a statement, such as SELECT 1.")
            for position, statement in enumerate(statements, 1):
                yield from self._results(statement, position, len(statements), decimal)

    def close(self) -> None:
        """End the session; does nothing when it is closed already."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _open(self) -> None:
        session = self.login.open()
        try:
            self._identity = interrupt.identify(session)
        except BaseException:
            session.close()
            raise
        self._session = session

    def _held(self) -> ServerSession:
        if self._session is None:
            raise NotConnectedError("The connection is closed.", "Connect again: %rds_iam_connect TARGET -u USER.")
        return self._session

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        if self._owner == threading.get_ident():
            raise ResultError(
                "The connection still gives the rows of another query.",
                "Read that to its end or close it first, or use a second connection.",
            )
        with self._busy:
            self._owner = threading.get_ident()
            try:
                yield
            finally:
                self._owner = None

    def _results(self, statement: Statement, position: int, count: int, decimal: DecimalMode) -> Iterator[Result]:
        decoder: Decoder | None = None
        result: ResultSet | None = None
        with self._answer(statement) as answer:
            for event in answer:
                if isinstance(event, Head):
                    decoder = _decoder(event, decimal)
                    result = ResultSet(event.columns, decoder.schema, decimal=decimal)
                elif isinstance(event, Rows) and decoder is not None and result is not None:
                    result.batches.append(decoder.decode(event))
                elif isinstance(event, End) and decoder is not None and result is not None:
                    result.warnings = event.warnings
                    self._tell(decoder)
                    yield result
                elif isinstance(event, Ok):
                    yield Changed(event.affected_rows, event.insert_id, event.warnings, event.info)
                elif isinstance(event, ServerError):
                    raise statement_error(event, position, count)

    @contextmanager
    def _answer(self, statement: Statement) -> Iterator[Answer]:
        """The answer to a statement; left early, its query is ended on the server."""
        session = self._held()
        answer = Answer(session, statement.text.encode())
        try:
            yield answer
        except (ConnectionLostError, ProtocolError):
            self._drop(session)
            raise
        finally:
            if not answer.finished and self._session is session:
                self._end(session, answer)
            answer.close()

    def _end(self, session: ServerSession, answer: Answer) -> None:
        if not interrupt.end_query(self.login, session, self._identity, answer):
            self._drop(session)

    def _drop(self, session: ServerSession) -> None:
        """Give a session up at once."""
        self._session = None
        session.abort()
        session.close()

    def _tell(self, decoder: Decoder) -> None:
        for line in decoder.findings_text():
            self.notify(line)


def _decoder(head: Head, decimal: DecimalMode) -> Decoder:
    from rds_iam_magic.database.decode import Decoder, Options

    return Decoder(head.columns, Options(decimal=decimal))
