"""`StandIn`: what the sandbox's MariaDB cannot be. A server that asks for a plugin over TLS, and then refuses.

Its answers are those of a MySQL or of an RDS Proxy, none of which is among the sandbox's servers. Where one is
*recorded*, the packets of such a server were seen; *documented* is what its documentation or source says; the rest is
inferred. https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
"""

from __future__ import annotations

import socket
import ssl
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from tests.support.loopback import LoopbackServer
from tests.support.packets import greeting, packet

CLEAR_PASSWORD = "mysql_clear_password"
BUILT_IN = ("caching_sha2_password", "mysql_native_password", "sha256_password")
"""Of MySQL 8.0, in its order; 8.4 has the second one off."""


@dataclass(frozen=True)
class Answer:
    """What a user is asked for, and the error that follows.

    Attributes:
        code: The error's number.
        message: With `{user}`, and `{password}` for whether one came: YES or NO.
        state: The SQLSTATE.
        plugin: What is asked for; "" to refuse at once.
        greets: Whether it greets before: a host that is blocked gets nothing else.
    """

    code: int
    message: str
    state: str = "HY000"
    plugin: str = CLEAR_PASSWORD
    greets: bool = True

    def asking(self, plugin: str) -> Answer:
        """The same error after another plugin."""
        return replace(self, plugin=plugin)


def denied(address: str = "10.0.3.7", plugin: str = CLEAR_PASSWORD) -> Answer:
    """1045; documented."""
    message = f"Access denied for user '{{user}}'@'{address}' (using password: {{password}})"
    return Answer(1045, message, "28000", plugin)


def mysql_unknown_user(user: str) -> Answer:
    """MySQL asks an unknown user for a built-in plugin, never for RDS's, and for the same one each time.

    Documented, by `decoy_user` in MySQL 8.0's sql/auth/sql_authentication.cc, which draws it at random and remembers
    it; not recorded. Here it is drawn by the name.
    """
    return denied(plugin=BUILT_IN[zlib.crc32(user.encode()) % len(BUILT_IN)])


def mysql_account_of(*users: str, otherwise: Callable[[str], Answer] = mysql_unknown_user) -> Callable[[str], Answer]:
    """A MySQL with these IAM users, the case of whose names counts, and whose tokens are all refused."""
    return lambda user: denied() if user in users else otherwise(user)


PASSWORD_USER = denied(plugin="caching_sha2_password")
"""A user with a password, on MySQL 8; documented: its own plugin is asked for."""

LOCKED = Answer(3118, "Access denied for user '{user}'@'10.0.3.7'. Account is locked.")
"""MySQL looks after the plugin; documented. MariaDB's, 4151, the sandbox's own server says."""

IAM_OFF = Answer(1524, "Plugin 'AWSAuthenticationPlugin' is not loaded", plugin="")
"""The account is there and IAM authentication is off; documented."""

TOO_MANY_CONNECTIONS = Answer(1040, "Too many connections", "08004", greets=False)
HOST_BLOCKED = Answer(
    1129,
    "Host '10.0.3.7' is blocked because of many connection errors; unblock with 'mysqladmin flush-hosts'",
    greets=False,
)
USER_CONNECTIONS = Answer(1203, "User {user} already has more than 'max_user_connections' active connections", "42000")
USER_LIMIT = Answer(
    1226, "User '{user}' has exceeded the 'max_connections_per_hour' resource (current value: 5)", "42000"
)
"""The four are documented: the texts of MySQL's error reference."""

PROXY_DENIED = denied("%")
"""RDS Proxy, asking for a token: none of the others' addresses; documented."""

PROXY_WITHOUT_SECRET = denied("%", plugin="mysql_native_password")
"""RDS Proxy with no secret, or a stale one, for that user, or IAM switched off: it asks for a password; inferred."""

PROXY_THROTTLED = Answer(1040, "IAM authentication rate limit exceeded", "08004")
PROXY_UNAVAILABLE = Answer(9501, "Timed-out waiting to acquire database connection")
"""Both documented, in RDS Proxy's troubleshooting."""


class StandIn(LoopbackServer):
    """Serves several connections at a time on loopback; a context manager.

    Args:
        context: Its TLS: `sandbox.server_context()` has a certificate for each host name that is asked for.
        answer: What it says, to everybody or by the user's name.
        mariadb: Greet as MariaDB does.

    Attributes:
        users: Who came, in order.
        secrets: What came for the plugin that was asked for, in order, without the ending zero.
    """

    TIMEOUT = 10

    def __init__(
        self, context: ssl.SSLContext, answer: Answer | Callable[[str], Answer], *, mariadb: bool = False
    ) -> None:
        self.users: list[str] = []
        self.secrets: list[bytes] = []
        self._context, self._mariadb = context, mariadb
        self._answer = answer if callable(answer) else lambda _: answer
        super().__init__()

    def _serve(self) -> None:
        with ThreadPoolExecutor(8) as talks:
            while True:
                connection, _ = self._server.accept()
                if self._stopping:
                    connection.close()
                    return
                talks.submit(self._one, connection)

    def _one(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # a probe goes away at any moment
            connection.settimeout(self.TIMEOUT)
            self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        if not self._answer("").greets:
            connection.sendall(packet(0, _error(self._answer(""), state=False)))
            return
        version = "5.5.5-10.11.11-MariaDB" if self._mariadb else "8.0.39"
        connection.sendall(greeting(tls=True, mariadb=self._mariadb, version=version))
        connection.recv(36, socket.MSG_WAITALL)  # the TLS request
        with self._context.wrap_socket(connection, server_side=True) as inside:
            login = _payload(inside)
            if login:
                self._refuse(inside, login[32:].partition(b"\0")[0].decode())

    def _refuse(self, inside: ssl.SSLSocket, user: str) -> None:
        self.users.append(user)
        answer, number, secret = self._answer(user), 3, b""
        if answer.plugin:
            inside.sendall(packet(3, b"\xfe" + answer.plugin.encode() + b"\0" + b"01234567890123456789\0"))
            secret = _payload(inside).rstrip(b"\0")
            self.secrets.append(secret)
            number = 5
        inside.sendall(packet(number, _error(answer, user=user, password="YES" if secret else "NO")))


def _error(answer: Answer, *, state: bool = True, **texts: Any) -> bytes:
    """Before the greeting there is no SQLSTATE: nothing is known of the client yet."""
    mark = b"#" + answer.state.encode() if state else b""
    return b"\xff" + answer.code.to_bytes(2, "little") + mark + answer.message.format(**texts).encode()


def _payload(inside: ssl.SSLSocket) -> bytes:
    head = _read(inside, 4)
    return _read(inside, int.from_bytes(head[:3], "little")) if len(head) == 4 else b""


def _read(inside: ssl.SSLSocket, count: int) -> bytes:
    data = b""
    while len(data) < count and (part := inside.recv(count - len(data))):
        data += part
    return data
