"""One authenticated session with a server: the only module that knows PyMySQL's internals.

PyMySQL does the handshake and the authentication; then the socket is taken from it. Statements are sent, and what they
answer is read, on the TLS socket itself, for `protocol.py` to parse.
`tests/database/test_driver.py` names each internal that this relies on (the canary).

The guard of this project sits here, where a secret is sent: `require_verified_tls`. PyMySQL itself sends
`mysql_clear_password` without looking whether TLS is on, and falls back to plain text when a server offers no TLS.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pymysql import err as pymysql_errors
from pymysql.connections import Connection as PyMySQLConnection
from pymysql.constants import CLIENT, COMMAND

from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.database import dial
from rds_iam_magic.database.background import BackgroundCall
from rds_iam_magic.errors import ConnectionLostError, RdsIamError, TlsError
from rds_iam_magic.mysql.wire.charsets import Announced
from rds_iam_magic.mysql.wire.events import Event, Ok, ResultSetEnd
from rds_iam_magic.mysql.wire.text_result import ResponseParser


@dataclass(frozen=True, slots=True)
class Token:
    """An IAM token: sent only when the server asks for `mysql_clear_password`, as AWSAuthenticationPlugin does."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class Password:
    """A database password, for the master user: any plugin that PyMySQL knows may use it."""

    secret: Secret


Credential = Token | Password
_MAX_PACKET = 0xFFFFFF


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


class _DeadlineReader:
    """What PyMySQL reads the handshake from: not a byte more than it asks for, and not past the deadline.

    PyMySQL's own is a `BufferedReader`, which reads ahead (what it holds would be missing later, when the socket itself
    is read) and asks the socket again though it has bytes to give.
    """

    def __init__(self, sock: Any, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def read(self, count: int) -> bytes:
        """`count` bytes; fewer at the end of the stream."""
        data = bytearray(count)
        filled = 0
        while filled < count:
            # Anew for each read: the limit of one read alone does not stop a server that trickles.
            self._sock.settimeout(_left(self._deadline))
            received = self._sock.recv_into(memoryview(data)[filled:])
            if not received:
                break
            filled += received
        return bytes(data[:filled])

    def close(self) -> None:
        """PyMySQL closes its reader; the socket is closed by its owner."""


class _GuardedConnection(PyMySQLConnection):  # type: ignore[misc] # PyMySQL is untyped
    """PyMySQL's connection for the handshake: it cannot read a secret unless TLS is verified, and keeps none."""

    def __init__(self, credential: Credential, deadline: float, **options: Any) -> None:
        self._credential: Credential | None = credential
        self._deadline = deadline
        self._reader: _DeadlineReader | None = None
        self.token_asked = False
        self._sock: Any = None
        self.ctx: Any = None
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

    @property
    def _rfile(self) -> _DeadlineReader | None:
        return self._reader

    @_rfile.setter
    def _rfile(self, file: Any) -> None:
        """PyMySQL assigns a new buffered file whenever its socket is another one (with TLS on, for instance)."""
        if file is not None:
            file.close()  # lets go of its share of the socket
        self._reader = None if self._sock is None else _DeadlineReader(self._sock, self._deadline)

    def reveal(self) -> bytes:
        return self._credential.secret.reveal() if self._credential is not None else b""

    def forget(self) -> None:
        self._credential = None

    def take_socket(self) -> Any:
        """The socket after the handshake; this connection is of no more use."""
        sock, self._sock = self._sock, None
        return sock

    def _force_close(self) -> None:
        # PyMySQL's own swallows whatever is raised in it, an interrupt too. By its descriptor: a file over the socket
        # that an interrupt kept open would keep the socket open as well.
        if self._sock is not None and self._sock.fileno() >= 0:
            socket.close(self._sock.detach())
        self._sock = None

    def __del__(self) -> None:
        """PyMySQL's closes here as well; the socket has an owner."""

    def _request_authentication(self) -> None:
        # Before anything is sent, the user name included: PyMySQL 1.1 would go on in plain text.
        if not self.server_capabilities & CLIENT.SSL:
            raise TlsError(
                f"The server at {self.host} offers no TLS; nothing was sent.",
                "Check what listens at the address (--via): RDS always offers TLS.",
            )
        self._sock.settimeout(_left(self._deadline))  # for the TLS handshake as a whole
        self.ctx = _OwnedTls(self.ctx, self)
        super()._request_authentication()


@dataclass(frozen=True, slots=True)
class _OwnedTls:
    """An SSL context whose sockets have an owner before they shake hands, which is where an interrupt comes mostly."""

    context: ssl.SSLContext
    owner: _GuardedConnection

    def wrap_socket(self, sock: socket.socket, server_hostname: str) -> Any:
        """As PyMySQL calls it."""
        self.owner._sock = self.context.wrap_socket(
            sock, server_hostname=server_hostname, do_handshake_on_connect=False
        )
        self.owner._sock.do_handshake()
        return self.owner._sock


class ServerSession:
    """An authenticated session over verified TLS.

    Args:
        sock: The TLS socket after the handshake; this object closes it.
        peer: See below.
        greeting: PyMySQL's connection, for what the handshake told.

    Attributes:
        peer: The address that was dialled: of the one server that the name led to, or of the tunnel.
        server_version, tls_version: As the handshake told.
        token_asked: Whether the server asked for a token.
        status: The status flags, as the server last told them.
        charsets: The session's character sets, as the server last told.
        used_at: When a statement last ended, on the clock of `time.monotonic`.
        in_step: Whether every answer has been read to its end. What is sent is answered in order, so that a session
            which is not in step would give the next statement another one's answer.

    Not thread-safe: one thread at a time sends or reads; `abort` alone may be called from any thread.
    """

    def __init__(self, sock: Any, peer: dial.Address, greeting: Any) -> None:
        self._sock: Any = sock
        self._pid = os.getpid()
        self._command: BackgroundCall[list[Event]] | None = None  # of our own, that was interrupted while it ran
        self.peer = peer
        self.server_version = str(greeting.server_version).removeprefix("5.5.5-")  # MariaDB's prefix for old replicas
        self.tls_version = str(sock.version())
        self.token_asked = bool(greeting.token_asked)
        self.status = int(greeting.server_status)
        self.charsets = Announced(tracked=bool(greeting.server_capabilities & CLIENT.SESSION_TRACK))
        self.used_at = time.monotonic()
        self.in_step = True

    def __del__(self) -> None:
        """A session that nobody holds any more (an interrupt came just then) does not stay on the server."""
        sock = getattr(self, "_sock", None)
        if sock is not None:
            sock.close()

    def send(self, sql: bytes) -> int:
        """Send a COM_QUERY; returns the number of the answer's first packet.

        It is 1 unless the statement took several packets (16 MiB and more).

        Raises:
            ConnectionLostError: The socket is closed.
        """
        self.in_step = False
        with _losses():
            return self._send(COMMAND.COM_QUERY, sql)

    def read_into(self, space: memoryview) -> int:
        """Read what is there, at least a byte, into `space`; returns the count, 0 at the end of the stream.

        It reads from the TLS socket itself: a buffered reader between would ask the socket again though it has bytes to
        give, whenever `space` is larger than those by more than its buffer.

        Raises:
            ConnectionLostError: The connection broke.
        """
        with _losses():
            return int(self._open_socket().recv_into(space))

    def command(self, sql: str, *, timeout: float) -> list[Event]:
        """Run a short statement of our own and return the events of its answer.

        It runs in the background: after an interrupt it comes to its end there (`settle`).

        Raises:
            ConnectionLostError: The connection broke, or the server did not answer within `timeout` seconds;
                the session is of no more use then.
        """
        return self._ask(COMMAND.COM_QUERY, sql.encode(), timeout)

    def is_answering(self, *, timeout: float) -> bool:
        """Whether the server answers, by a command that leaves FOUND_ROWS(), ROW_COUNT() and the warnings alone.

        COM_STATISTICS has no effect at all; COM_PING sets ROW_COUNT() to 0 (MariaDB and MySQL count its OK packet).
        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_statistics.html
        """
        try:
            self._ask(COMMAND.COM_STATISTICS, b"", timeout)
        except ConnectionLostError:
            return False
        return True

    def ask_status(self, *, timeout: float) -> None:
        """Have the server tell its status flags again, which an error packet does not hold.

        COM_SET_OPTION is answered by an EOF packet, and sets ROW_COUNT() to -1 as every error did before; multiple
        statements, which it switches on, are on.
        https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_set_option.html

        Raises:
            ConnectionLostError: The connection broke.
        """
        self._ask(COMMAND.COM_SET_OPTION, b"\0\0", timeout)

    def settle(self, *, timeout: float) -> None:
        """Wait for the end of a command that was interrupted, if there is one.

        Raises:
            ConnectionLostError: The connection broke, or the answer did not come within `timeout` seconds.
        """
        command = self._command
        if command is not None and not command.cancel():
            self._result(command, timeout)
        self._command = None

    def looks_dead(self) -> bool:
        """Whether the idle socket has something to read: a server that is idle too sends only its farewell."""
        sock = self._sock
        if sock is None:
            return True
        try:
            return bool(sock.pending()) or _readable(sock, 0)
        except (OSError, ValueError) as error:
            if not _is_of_the_socket(error):
                raise
            return True

    def abort(self) -> None:
        """End the connection at once, from any thread: a read that blocks in another thread returns.

        Closing alone would not wake that read. (`SSLSocket.shutdown` would forget TLS as well.)
        """
        sock = self._sock
        if sock is not None:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError as error:  # the other side, or another thread, was faster
                if not _is_of_the_socket(error):
                    raise

    def abandon(self) -> None:
        """Let go of the socket without a word, since it is another process's too (after a fork)."""
        sock, self._sock = self._sock, None
        if sock is not None:
            socket.close(sock.detach())  # no TLS farewell either: the parent's session goes on

    def close(self) -> None:
        """Say goodbye to the server and close; does nothing when closed already."""
        sock = self._sock
        if sock is None:
            return
        try:
            if self._pid == os.getpid():
                self._end_command()
                sock.settimeout(1.0)
                sock.sendall(_packet(0, bytes([COMMAND.COM_QUIT])))
        except (OSError, ValueError) as error:  # the server was faster
            if not _is_of_the_socket(error):
                raise
        finally:
            sock.close()
            self._sock = None

    def _end_command(self) -> None:
        """A command that an interrupt has left still reads from the socket."""
        command = self._command
        if command is None or command.cancel() or command.wait(1.0):  # a KILL that is aborted might come later
            return
        self.abort()
        command.wait(1.0)

    def _ask(self, command: int, payload: bytes, timeout: float) -> list[Event]:
        self.settle(timeout=timeout)
        self._command = BackgroundCall(lambda: self._send_and_receive(command, payload))
        self._command.start()
        events = self._result(self._command, timeout)
        self._command = None
        return events

    def _result(self, command: BackgroundCall[list[Event]], timeout: float) -> list[Event]:
        if not command.wait(timeout):
            self.abort()
            raise _lost(f"no answer within {timeout:g} s")
        return command.result()

    def _send_and_receive(self, command: int, payload: bytes) -> list[Event]:
        self.in_step = False
        with _losses():
            sequence = self._send(command, payload)
        response = ResponseParser(sequence=sequence, command=command, announced=self.charsets)
        events: list[Event] = []
        while not response.done:
            count = self.read_into(response.get_buffer())
            events += response.buffer_updated(count) if count else response.eof_received()
        self.status = next((e.status for e in reversed(events) if isinstance(e, (Ok, ResultSetEnd))), self.status)
        self.in_step = True
        return events

    def _send(self, command: int, payload: bytes) -> int:
        sock = self._open_socket()
        rest = memoryview(bytes([command]) + payload)
        for sequence in range(len(rest) // _MAX_PACKET + 1):  # a last packet that is full has an empty one behind it
            sock.sendall(_packet(sequence, rest[:_MAX_PACKET]))
            rest = rest[_MAX_PACKET:]
        return sequence + 1

    def _open_socket(self) -> Any:
        if self._sock is None:
            raise OSError(errno.EBADF, "the connection is closed")
        return self._sock


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
    handled = sys.exc_info()[1]
    raw = _GuardedConnection(
        credential,
        deadline,
        host=host,
        user=user,
        database=database,
        charset="utf8mb4",
        ssl=context,
        autocommit=None,  # the server's own setting stays
        client_flag=CLIENT.MULTI_STATEMENTS | CLIENT.SESSION_TRACK,
        program_name="rds_iam_magic",
        write_timeout=timeout,
    )
    sock: socket.socket | None = None
    failure: BaseException
    try:
        sock = dial.dial(address, deadline)
        peer = dial.Address(*sock.getpeername()[:2])
        raw.connect(sock)
        return _session(raw, peer)
    except BaseException as error:  # noqa: BLE001 - PyMySQL stumbles over a malformed greeting in any way; raised below
        failure = error
    finally:
        raw.forget()
        raw._force_close()  # what was not handed on
    if sock is not None:
        sock.close()  # does nothing when TLS took it over
    # Raised outside of the handler, without their frames: PyMySQL's hold the secret in their locals.
    raise _cleaned(failure, handled, raw.token_asked, expired=time.monotonic() >= deadline, timeout=timeout)


def _session(raw: _GuardedConnection, peer: dial.Address) -> ServerSession:
    raw._sock.settimeout(None)
    session = ServerSession(raw._sock, peer, raw)
    raw.take_socket()
    return session


def _cleaned(
    failure: BaseException, handled: BaseException | None, token_asked: bool, *, expired: bool, timeout: float
) -> BaseException:
    """What to raise for a failed handshake: an error of ours, or what a signal's handler has raised meanwhile.

    `handled` is what the code around was dealing with when it called; it has no part in this.
    """
    for error in _chain(failure, handled):
        if not isinstance(error, RdsIamError) and not _is_of_the_socket(error):
            failure = error  # by a signal's handler; PyMySQL has taken it for one of the socket's
    is_foreign = not _is_of_the_socket(failure)
    if not isinstance(failure, Exception) or isinstance(failure, RdsIamError) or is_foreign:
        failure.__traceback__ = failure.__context__ = failure.__cause__ = None
        return failure
    return HandshakeError(_refusal(failure, token_asked, expired=expired, timeout=timeout))


def _chain(error: BaseException | None, handled: BaseException | None) -> Iterator[BaseException]:
    """An error and those beneath it."""
    while error is not None and error is not handled:
        yield error
        error = getattr(error, "original_exception", None) or error.__context__


def _refusal(error: Exception, token_asked: bool, *, expired: bool, timeout: float) -> Refusal:
    code, words = 0, type(error).__name__  # the words of other errors may hold what was to be sent
    if isinstance(error, pymysql_errors.Error) and len(error.args) > 1 and isinstance(error.args[0], int):
        code, words = error.args[0], str(error.args[1])
    cause: BaseException | None = getattr(error, "original_exception", None)
    if expired:
        cause = TimeoutError(f"no answer within {timeout:g} s")
    if cause is not None:
        cause.__traceback__ = cause.__context__ = None
    return Refusal(code, words, cause, token_asked)


@contextmanager
def _losses() -> Iterator[None]:
    """Turn what the socket raises into a ConnectionLostError; what a signal's handler raises goes its way."""
    try:
        yield
        return
    except _BROKEN as error:
        if not _is_of_the_socket(error):
            raise
        words = str(error) or type(error).__name__
    raise _lost(words)


# How a socket says that it broke. ValueError: it is closed, or TLS is gone.
_BROKEN = (OSError, ValueError)
# Where PyMySQL's errors in the handshake come from, beside the socket's own.
_HANDSHAKE = frozenset({"encodings", "pymysql", __name__, Secret.__module__})


def _is_of_the_socket(error: BaseException) -> bool:
    return dial.is_of_the_socket(error, _HANDSHAKE)


def _lost(words: str) -> ConnectionLostError:
    return ConnectionLostError("The connection to the server was lost.", detail=words)


def _left(deadline: float) -> float:
    """Seconds that are left, as a socket's timeout: never 0, which would mean not to wait at all."""
    return max(0.001, deadline - time.monotonic())


def _packet(sequence: int, payload: bytes | memoryview) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence & 0xFF]) + payload


def _readable(sock: socket.socket, timeout: float) -> bool:
    if hasattr(select, "poll"):  # select() takes no descriptor above 1023
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(timeout * 1000))
    return bool(select.select([sock], [], [], timeout)[0])
