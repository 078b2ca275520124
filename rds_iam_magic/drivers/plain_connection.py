"""`PlainConnection`: PyMySQL's own connection, opened by the guarded handshake, each time with a fresh token.

What is read and sent after the handshake is PyMySQL's affair. The object holds how a token is signed, never a token.
`tests/drivers/test_plain_connection.py` is the canary for what it relies on in PyMySQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

from pymysql import err
from pymysql.charset import charset_by_name
from pymysql.connections import DEFAULT_CHARSET
from pymysql.connections import Connection as PyMySQLConnection
from pymysql.cursors import Cursor

from rds_iam_magic.errors import OptionError
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.driver import GuardedConnection, log_in
from rds_iam_magic.mysql.login import Login
from rds_iam_magic.mysql.session_settings import SessionSettings

_LEARNT = (
    "_auth_plugin_name", "_secure", "_sock", "charset", "client_flag", "collation", "encoding",
    "protocol_version", "salt", "server_capabilities", "server_charset", "server_language", "server_status",
    "server_thread_id", "server_version", "token_asked",
)  # fmt: skip
"""What a connection of PyMySQL knows after the handshake and not before, the socket included; none is a secret."""


class PlainCursor(Cursor):  # type: ignore[misc] # PyMySQL is untyped
    """PyMySQL's cursor, with what ibis asks of one."""

    @property
    def description_flags(self) -> tuple[int, ...] | None:
        """The flags of each column, as mysqlclient has them; None without a result set."""
        return tuple(field.flags for field in self._result.fields) if self.description else None


class PlainConnection(PyMySQLConnection):  # type: ignore[misc] # PyMySQL is untyped
    """A connection of PyMySQL without a password; `connect`, and so `ping(reconnect=True)`, logs in anew.

    Args:
        login: How it is opened.
        settings: Applied after each login; None for autocommit leaves PyMySQL's own option.
        options: PyMySQL's own; none that says where to connect, and how it is secured.

    Attributes:
        token_asked: Whether the server asked for a token.

    Raises:
        RdsIamError: It could not be opened; not PyMySQL's errors, whose frames would hold a token.
    """

    _read_timeout: float | None  # PyMySQL's own; it has no types

    def __init__(self, login: Login, settings: SessionSettings, *, defer_connect: bool = False, **options: Any) -> None:
        self._login = login
        self._settings = settings
        self._options = {name: value for name, value in options.items() if name in ("collation", "program_name")}
        self.token_asked = False
        if charset_by_name(options.get("charset") or DEFAULT_CHARSET) is None:
            raise OptionError(f"PyMySQL knows no character set {options['charset']!r}.", "Omit it to get utf8mb4.")
        options = {"cursorclass": PlainCursor, "host": login.endpoint.host, "port": login.endpoint.port, **options}
        try:
            super().__init__(user=login.user, database=login.database, ssl=login.context, defer_connect=True, **options)
        except (TypeError, ValueError) as error:
            raise OptionError(f"PyMySQL does not take an option: {error}.") from None
        if not defer_connect:
            self.connect()

    def __repr__(self) -> str:
        return f"<PyMySQL connection {self._login.user}@{self._login.endpoint}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A connection cannot be pickled or copied; open one where it is needed.")

    @property
    def _server_version(self) -> tuple[int, ...]:
        """The server's version in numbers: mysqlclient has it, and ibis asks for it."""
        version = self.server_version.removeprefix("5.5.5-")  # MariaDB's prefix for old replicas
        return tuple(map(int, re.findall(r"\d+", version)[:3]))

    def get_character_set_info(self) -> dict[str, Any]:
        """The connection's character set; ibis divides the lengths of columns by `mbmaxlen`, as PyMySQL already has."""
        return {"name": self.charset, "mbmaxlen": 1}

    def connect(self, sock: Any = None) -> None:  # noqa: ARG002 - PyMySQL's signature; a socket has not been verified
        """Log in with a fresh token; a session that is open is closed.

        Raises:
            RdsIamError: It could not be opened, or a setting was rejected.
        """
        super()._force_close()
        try:
            self._login.hold(self)
            self._login.open_with(
                partial(log_in, take=self._take_over),
                charset=self.charset,
                autocommit=None,  # set last, as PyMySQL does
                client_flag=self.client_flag,
                **self._options,
            )
            self._prepare()
        except BaseException:
            self._force_close()
            raise

    def _force_close(self) -> None:
        """PyMySQL's method, which every way to close comes to; with the last connection a tunnel ends, too."""
        super()._force_close()
        self._login.release(self)

    def _take_over(self, raw: GuardedConnection, peer: Address) -> PlainConnection:
        for name in _LEARNT:
            setattr(self, name, getattr(raw, name))
        self._rfile = self._sock.makefile("rb")
        self._closed = False
        self._result = None
        self._next_seq_id = 0
        self._current_timeout = None  # as the socket is now
        self.host_info = f"socket {peer}"
        return self

    def _prepare(self) -> None:
        """Set the new session up, within the time allowed for connecting."""
        statements = {} if self.sql_mode is None else {"sql_mode": f"SET sql_mode = {self.escape(self.sql_mode)}"}
        statements |= {} if self.init_command is None else {"init_command": self.init_command}
        statements |= self._settings.statements(mariadb="mariadb" in self.server_version.lower())
        allowed, self._read_timeout = self._read_timeout, self._login.timeout
        try:
            for setting, statement in statements.items():
                with self._rejected_setting(setting), self.cursor() as cursor:
                    cursor.execute(statement)
            with self._rejected_setting("autocommit"):
                if self.autocommit_mode is not None:
                    self.autocommit(self.autocommit_mode)
        finally:
            self._read_timeout = allowed

    @contextmanager
    def _rejected_setting(self, setting: str) -> Iterator[None]:
        """Make an error of PyMySQL's one about the setting; the session is closed then."""
        try:
            yield
        except err.Error as error:
            self._force_close()
            raise OptionError(
                f"The server rejected the setting {setting}: {error.args[-1]} ({error.args[0]}).",
                cause="time-zone-rejected" if "time zone" in setting else "setting-rejected",
            ) from None
