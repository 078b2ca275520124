"""One authenticated session with a server: the only module that knows PyMySQL's internals.

PyMySQL does the handshake and the authentication; what a statement answers is read raw, for `protocol.py` to parse.
`tests/database/test_driver.py` names each internal that this relies on (the canary).

The guard of this project sits here, where a secret is sent: `require_verified_tls`. PyMySQL itself sends
`mysql_clear_password` without looking whether TLS is on, and falls back to plain text when a server offers no TLS.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from pymysql import err as pymysql_errors
from pymysql.connections import Connection as PyMySQLConnection
from pymysql.constants import CLIENT, COMMAND

from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.database import dial
from rds_iam_magic.database.protocol import End, Event, Ok, Response
from rds_iam_magic.errors import ConnectionLostError, RdsIamError, TlsError


@dataclass(frozen=True, slots=True)
class Token:
    """An IAM token: sent only when the server asks for `mysql_clear_password`, as AWSAuthenticationPlugin does."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class Password:
    """A database password, for the master user: any plugin that PyMySQL knows may use it."""

    secret: Secret


Credential = Token | Password


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a handshake failed, in the driver's own terms.

    Attributes:
        code: The server's or the client library's error number; 0 for none.
        message: The words that came with it.
        cause: The error beneath it: of the socket, or of TLS.
        token_asked: Whether the server asked for `mysql_clear_password`, so that it knows the user as an IAM user.
    """

    code: int
    message: str
    cause: BaseException | None
    token_asked: bool


class HandshakeError(Exception):
    """The handshake failed; `login.py` puts it into the user's words."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code, refusal.message)
        self.refusal = refusal


def require_verified_tls(sock: Any, host: str) -> None:
    """Refuse to go on unless `sock` is a TLS session whose certificate was verified for `host`.

    Raises:
        TlsError: It is not. No secret has been sent.
    """
    if not isinstance(sock, ssl.SSLSocket):
        raise TlsError(
            f"{host} asked for a secret without TLS; nothing was sent.",
            "Check what listens at the address (--via): RDS always offers TLS.",
        )
    verified = (
        sock.context.verify_mode is ssl.CERT_REQUIRED
        and sock.context.check_hostname
        and sock.server_hostname == host
        and bool(sock.getpeercert())
    )
    if not verified:
        raise TlsError(
            f"The certificate of {host} was not verified; nothing was sent.", "This is a bug; please report it."
        )


class _ClearPassword:
    """PyMySQL's handler for `mysql_clear_password`: the one place where a token is written to a socket."""

    def __init__(self, raw: _GuardedConnection) -> None:
        self._raw = raw

    def authenticate(self, packet: Any) -> Any:  # noqa: ARG002 - PyMySQL's signature
        raw = self._raw
        raw.token_asked = True
        require_verified_tls(raw._sock, raw.host)
        raw.write_packet(raw.reveal() + b"\0")
        return raw._read_packet()


class _GuardedConnection(PyMySQLConnection):  # type: ignore[misc] # PyMySQL is untyped
    """PyMySQL's connection, which cannot read a secret unless TLS is verified, and keeps none."""

    def __init__(self, credential: Credential, **options: Any) -> None:
        self._credential: Credential | None = credential
        self.token_asked = False
        super().__init__(defer_connect=True, auth_plugin_map={"mysql_clear_password": _ClearPassword}, **options)

    @property
    def password(self) -> bytes:
        """What PyMySQL's own plugins may use: nothing of a token, and a password only over verified TLS."""
        if self._sock is None or not isinstance(self._credential, Password):
            return b""
        require_verified_tls(self._sock, self.host)
        return self.reveal()

    @password.setter
    def password(self, value: object) -> None:
        """PyMySQL's constructor assigns one; the credential is the only source."""

    def reveal(self) -> bytes:
        return self._credential.secret.reveal() if self._credential is not None else b""

    def forget(self) -> None:
        self._credential = None

    def _request_authentication(self) -> None:
        # Before anything is sent, the user name included: PyMySQL 1.1 would go on in plain text.
        if not self.server_capabilities & CLIENT.SSL:
            raise TlsError(
                f"The server at {self.host} offers no TLS; nothing was sent.",
                "Check what listens at the address (--via): RDS always offers TLS.",
            )
        super()._request_authentication()


class ServerSession:
    """An authenticated session over verified TLS.

    Attributes:
        peer: The address that was dialled: of the one server that the name led to, or of the tunnel.
        server_version, tls_version: As the handshake told.
        token_asked: Whether the server asked for a token.
        status: The status flags, as the server last told them.
        used_at: When a statement last ended, on the clock of `time.monotonic`.

    Not thread-safe: one thread at a time sends or reads; `abort` alone may be called from any thread.
    """

    def __init__(self, raw: _GuardedConnection, handle: socket.socket, peer: dial.Address) -> None:
        self._raw = raw
        self._handle = handle
        self.peer = peer
        self.server_version = str(raw.server_version).removeprefix("5.5.5-")  # MariaDB's prefix for old replicas
        self.tls_version = str(raw._sock.version())
        self.token_asked = raw.token_asked
        self.status = int(raw.server_status)
        self.used_at = time.monotonic()

    def send(self, sql: bytes) -> int:
        """Send a COM_QUERY; returns the number of the answer's first packet.

        It is 1 unless the statement took several packets (16 MiB and more).

        Raises:
            ConnectionLostError: The socket is closed.
        """
        try:
            self._raw._execute_command(COMMAND.COM_QUERY, sql)
            return int(self._raw._next_seq_id)
        except _BROKEN as error:
            words = str(error)
        raise _lost(words)

    def read_into(self, space: memoryview) -> int:
        """Read what is there, at least a byte, into `space`; returns the count, 0 at the end of the stream.

        Raises:
            ConnectionLostError: The connection broke.
        """
        try:
            return int(self._raw._rfile.readinto1(space))
        except _BROKEN as error:
            words = str(error)
        raise _lost(words)

    def wait_readable(self, timeout: float) -> bool:
        """Whether there is something to read, or the stream has ended, within `timeout` seconds."""
        sock = self._raw._sock
        return sock is None or bool(sock.pending()) or _readable(sock, timeout)

    def command(self, sql: str, *, timeout: float) -> list[Event]:
        """Run a short statement of our own and return the events of its answer.

        Raises:
            ConnectionLostError: The connection broke, or the server did not answer within `timeout` seconds;
                the session is of no more use then.
        """
        events: list[Event] = []
        try:
            with _watchdog(self._handle, time.monotonic() + timeout):
                response = Response(sequence=self.send(sql.encode()))
                while not response.done:
                    count = self.read_into(response.space())
                    events += response.received(count) if count else response.closed()
        except BaseException:  # an interrupt too: the answer that was not read would be taken for the next one's
            self.abort()
            raise
        self.status = next((e.status for e in reversed(events) if isinstance(e, (Ok, End))), self.status)
        return events

    def looks_dead(self) -> bool:
        """Whether the idle socket has something to read: a server that is idle too sends only its farewell."""
        sock = self._raw._sock
        if sock is None:
            return True
        try:
            return bool(sock.pending()) or _readable(sock, 0)
        except (OSError, ValueError):
            return True

    def abort(self) -> None:
        """End the connection at once, from any thread: a read that blocks in another thread returns.

        Closing alone would wait for that read (it holds the reader's lock), so the socket is shut down first.
        """
        _shut_down(self._handle)

    def abandon(self) -> None:
        """Let go of the socket without a word, since it is another process's too (after a fork)."""
        raw = self._raw
        raw._rfile, sock, raw._sock = None, raw._sock, None
        self._handle.close()
        if sock is not None:
            os.close(sock.detach())  # no TLS farewell either: the parent's session goes on

    def close(self) -> None:
        """Say goodbye to the server and close; does nothing when closed already."""
        self._handle.close()
        if self._raw.open:
            self._raw.close()


def open_session(
    address: dial.Address,
    *,
    host: str,
    user: str,
    credential: Credential,
    context: ssl.SSLContext,
    database: str | None,
    timeout: float,
) -> ServerSession:
    """Dial, shake hands over TLS verified for `host`, authenticate; all within `timeout` seconds.

    Raises:
        UnreachableError: Nothing answers at the address.
        TlsError: The server offers no TLS.
        HandshakeError: Anything else that the server or TLS refused.
    """
    deadline = time.monotonic() + timeout
    sock = dial.dial(address, deadline)
    handle = sock.dup()
    raw = _GuardedConnection(
        credential,
        host=host,
        user=user,
        database=database,
        charset="utf8mb4",
        ssl=context,
        autocommit=None,  # the server's own setting stays
        client_flag=CLIENT.MULTI_STATEMENTS,
        program_name="rds_iam_magic",
    )
    refusal: Refusal | None = None
    connected = interrupted = False
    try:
        peer = dial.Address(*sock.getpeername()[:2])
        with _watchdog(handle, deadline):
            raw.connect(sock)
        connected = True
    except RdsIamError:
        raise
    except KeyboardInterrupt:
        interrupted = True
    except Exception as error:  # noqa: BLE001 - PyMySQL stumbles over a malformed greeting in any way
        refusal = _refusal(error, raw.token_asked, expired=time.monotonic() >= deadline, timeout=timeout)
    finally:
        raw.forget()
        if not connected:
            raw._force_close()  # PyMySQL before 1.2 leaves it open after a refusal
            handle.close()
    # Raised outside of the handlers: PyMySQL's frames hold the secret in their locals.
    if interrupted:
        raise KeyboardInterrupt
    if refusal is not None:
        raise HandshakeError(refusal)
    return ServerSession(raw, handle, peer)


def _refusal(error: Exception, token_asked: bool, *, expired: bool, timeout: float) -> Refusal:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    words = str(error.args[1] if len(error.args) > 1 else error)
    cause: BaseException | None = getattr(error, "original_exception", None)
    if expired:
        cause = TimeoutError(f"no answer within {timeout:g} s")
    if cause is not None:
        cause.__traceback__ = cause.__context__ = None
    return Refusal(code, words, cause, token_asked)


@contextmanager
def _watchdog(handle: socket.socket, deadline: float) -> Iterator[None]:
    """Shut the socket down at the deadline: timeouts of single reads do not stop a server that trickles."""
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), _shut_down, [handle])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


# How PyMySQL and the socket say that a connection broke. AttributeError and ValueError: another thread has closed the
# stream (its attribute is None then, or it is a closed file).
_BROKEN = (pymysql_errors.OperationalError, pymysql_errors.InterfaceError, OSError, ValueError, AttributeError)


def _lost(words: str) -> ConnectionLostError:
    return ConnectionLostError("The connection to the server was lost.", detail=words)


def _readable(sock: socket.socket, timeout: float) -> bool:
    if hasattr(select, "poll"):  # select() takes no descriptor above 1023
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(timeout * 1000))
    return bool(select.select([sock], [], [], timeout)[0])


def _shut_down(sock: socket.socket) -> None:
    with suppress(OSError):  # the other side, or another thread, was faster
        sock.shutdown(socket.SHUT_RDWR)
