"""The handshake, by PyMySQL, and the guard of every secret.

PyMySQL performs the handshake and the authentication; then `session.py` takes over its socket, or a plain connection of
PyMySQL (`drivers/plain_connection.py`, the only other module that relies on PyMySQL's internals).
`tests/mysql/test_driver.py` is the canary: it checks each internal that this module relies on.

The guard, `require_verified_tls`, sits where a secret is sent. PyMySQL itself sends `mysql_clear_password` without
checking for TLS, and falls back to plain text when a server offers no TLS.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pymysql import err as pymysql_errors
from pymysql.connections import Connection as PyMySQLConnection
from pymysql.constants import CLIENT

from rds_iam_magic.background import BackgroundCall, BackgroundThread
from rds_iam_magic.connect_options import Compress
from rds_iam_magic.errors import RdsIamError, TlsError
from rds_iam_magic.mysql import dial
from rds_iam_magic.mysql.credential import Credential, Password
from rds_iam_magic.mysql.session import ServerSession
from rds_iam_magic.mysql.tls_socket import TlsSocket
from rds_iam_magic.mysql.wire import compression, extensions
from rds_iam_magic.mysql.wire.compressed_stream import CompressedStream
from rds_iam_magic.wording import limit_text

Reached = Literal["tcp", "words", "greeting", "tls"]
"""How far a handshake came: the connection only; something that is no greeting, such as the server's refusal; a
greeting; verified TLS."""


@dataclass(frozen=True, slots=True)
class HandshakeFailure:
    """Why a handshake failed, in the driver's own terms.

    Attributes:
        code: The server's or the client library's error number; 0 for none.
        message: The error's message.
        cause: The underlying socket or TLS error.
        token_asked: Whether the server asked for `mysql_clear_password`. On MySQL the user then is an IAM user. MariaDB
            answers for a user that it does not know as for one of its accounts, chosen by the name: there it says
            nothing.
        server_is_mariadb: Whether the server is MariaDB, as far as it has greeted.
        reached: How far it came.
    """

    code: int
    message: str
    cause: BaseException | None
    token_asked: bool
    server_is_mariadb: bool = False
    reached: Reached = "tls"


class HandshakeError(Exception):
    """The handshake failed; `login_errors.py` turns it into the user's error."""

    def __init__(self, failure: HandshakeFailure) -> None:
        super().__init__(failure.code, failure.message)
        self.failure = failure


def require_verified_tls(sock: Any, host: str) -> None:
    """Raise unless `sock` is a TLS session whose certificate was verified for `host`.

    Raises:
        TlsError: It is not. No secret has been sent.
    """
    if not isinstance(sock, ssl.SSLSocket):
        raise TlsError(
            f"{host} asked for a secret without TLS; nothing was sent.",
            cause="tls-not-offered",
        )
    verified = (
        sock.context.verify_mode is ssl.CERT_REQUIRED
        and sock.context.check_hostname
        and sock.server_hostname == host
        and bool(sock.getpeercert())
    )
    if not verified:
        raise TlsError(f"The certificate of {host} was not verified; nothing was sent.", cause="tls-not-verified")


class _ClearPassword:
    """PyMySQL's handler for `mysql_clear_password`: the one place where a token is written to a socket."""

    def __init__(self, raw: GuardedConnection) -> None:
        self._raw = raw

    def authenticate(self, packet: Any) -> Any:  # noqa: ARG002 - PyMySQL's signature
        raw = self._raw
        raw.token_asked = True
        require_verified_tls(raw._sock, raw.host)
        raw.write_packet(raw.reveal() + b"\0")
        return raw._read_packet()


class _DeadlineReader:
    """PyMySQL's reader during the handshake: gives no more bytes than asked for, and does not read past the deadline.

    PyMySQL's own reader is a `BufferedReader`, which reads ahead: its buffered bytes would be missing later, when the
    socket is read directly. It also reads the socket again although it has buffered bytes.
    """

    def __init__(self, sock: Any, deadline: float, compressed: CompressedStream | None = None) -> None:
        self._sock = sock
        self._stream = sock if compressed is None else compressed
        self._deadline = deadline
        self.heard = False  # whether a byte has come

    def read(self, count: int) -> bytes:
        """`count` bytes; fewer at the end of the stream."""
        data = bytearray(count)
        filled = 0
        while filled < count:
            # Reset for each read: a timeout per read would not stop a server that sends one byte at a time.
            self._sock.settimeout(_left(self._deadline))
            received = self._stream.recv_into(memoryview(data)[filled:])
            if not received:
                break
            self.heard = True
            filled += received
        return bytes(data[:filled])

    def close(self) -> None:
        """PyMySQL closes its reader; the socket is closed by its owner."""


class GuardedConnection(PyMySQLConnection):  # type: ignore[misc] # PyMySQL is untyped
    """PyMySQL's connection for the handshake: it gets a secret only over verified TLS, and keeps none.

    Attributes:
        token_asked: Whether the server asked for `mysql_clear_password`.
        dialled_at: When the TCP connection was there, as a `time.monotonic` value.
        peer: The address that was dialled.
        thread: Where the handshake was, until it is taken: a session goes on there. Without one it ends.
        compressed: The stream that data goes through after authentication, if compression was agreed on.
        extensions: Those of MariaDB that are wanted; after the greeting, those of them that it offers.
        certificate: The server's, as `getpeercert` gives it, once a handshake has ended with TLS.
    """

    def __init__(
        self,
        credential: Credential | None,
        deadline: float,
        compress: Compress = "off",
        abort: dial.Abort | None = None,
        *,
        ends_with_tls: bool = False,
        extensions: int = 0,
        **options: Any,
    ) -> None:
        self._abort = abort or dial.Abort()
        self._credential = credential
        self._ends_with_tls = ends_with_tls
        self._reached: Reached = "tcp"
        self._deadline = deadline
        self._compress: Compress = compress
        self._algorithm: compression.Algorithm | None = None  # chosen in the handshake
        self.extensions = extensions
        self._login_suffix = b""  # what is to be put behind the handshake response
        self._has_sent_login = False
        self._reader: _DeadlineReader | None = None
        self.token_asked = False
        self.dialled_at = time.monotonic()
        self.peer = dial.Address(options.get("host", ""), 0)
        self.thread: BackgroundThread | None = None
        self.compressed: CompressedStream | None = None
        self.certificate: dict[str, Any] = {}
        self._sock: Any = None
        self.ctx: Any = None
        super().__init__(defer_connect=True, auth_plugin_map={"mysql_clear_password": _ClearPassword}, **options)

    @property
    def password(self) -> bytes:
        """What PyMySQL's own plugins may use: never a token, and a password only over verified TLS."""
        if self._sock is None or not isinstance(self._credential, Password):
            return b""
        require_verified_tls(self._sock, self.host)
        return self.reveal()

    @password.setter
    def password(self, value: object) -> None:
        """PyMySQL's constructor assigns one; the credential is the only source."""

    @property
    def reached(self) -> Reached:
        """How far the handshake came."""
        heard = self._reader is not None and self._reader.heard
        return "words" if heard and self._reached == "tcp" else self._reached

    @property
    def _rfile(self) -> _DeadlineReader | None:
        return self._reader

    @_rfile.setter
    def _rfile(self, file: Any) -> None:
        """PyMySQL assigns a new buffered file whenever it replaces its socket (when TLS starts, for instance)."""
        if file is not None:
            file.close()  # releases its reference to the socket
        self._reader = None if self._sock is None else _DeadlineReader(self._sock, self._deadline)

    def reveal(self) -> bytes:
        """The secret; nothing once it is forgotten."""
        return self._credential.secret.reveal() if self._credential is not None else b""

    def forget(self) -> None:
        """Drop the secret."""
        self._credential = None

    def take_socket(self) -> Any:
        """Hand over the socket after the handshake; this connection cannot be used afterwards."""
        sock, self._sock = self._sock, None
        return sock

    def take_thread(self) -> BackgroundThread | None:
        """Hand over the thread."""
        thread, self.thread = self.thread, None
        return thread

    def _force_close(self) -> None:
        # PyMySQL's own method swallows every exception. This closes the descriptor in one step, even if a file object
        # still holds the socket open.
        sock, self._sock = self._sock, None
        self._abort.watch(None)
        if sock is not None:
            socket.SocketType.close(sock)

    def __del__(self) -> None:
        """Close a socket that nobody has taken, because of an interrupt."""
        if getattr(self, "_sock", None) is not None:
            self._force_close()

    def _request_authentication(self) -> None:
        self._reached = "greeting"
        # Before anything is sent, the user name included: PyMySQL 1.1 would continue in plain text.
        if not self.server_capabilities & CLIENT.SSL:
            raise TlsError(
                f"The server at {self.host} offers no TLS; nothing was sent.",
                cause="tls-not-offered",
            )
        self._choose_compression(time.monotonic() - self.dialled_at)
        self._sock.settimeout(_left(self._deadline))  # for the TLS handshake as a whole
        self.ctx = _OwnedTls(self.ctx, self)
        super()._request_authentication()
        if self._algorithm is not None:  # from the next command on, which is PyMySQL's SET NAMES
            self.compressed = CompressedStream(self._sock, self._algorithm)
            self._reader = _DeadlineReader(self._sock, self._deadline, self.compressed)

    def _choose_compression(self, greeting_took: float) -> None:
        """Before anything is sent: MySQL reads the capabilities from the TLS request, and never again."""
        offered = compression.offered(self.server_capabilities)
        name = compression.choose(self._compress, offered, greeting_took, self.host)
        if name:
            self._algorithm = compression.ALGORITHMS[name]()
            self.client_flag |= self._algorithm.capability
            self._login_suffix = self._algorithm.login_suffix

    def tls_established(self, took: float) -> None:
        """The TLS handshake is over: the second measure of the round trip."""
        self._reached = "tls"
        if self._ends_with_tls:
            self.certificate = self._sock.getpeercert() or {}
            raise _Verified
        if self._compress == "auto" and self._algorithm is not None and took < compression.FAST_LINK:
            raise _FastLink

    def _read_packet(self, *args: Any) -> Any:
        """PyMySQL's method; the first packet is the greeting, of which PyMySQL does not read all."""
        packet = super()._read_packet(*args)
        if self._reached == "tcp":
            self.extensions &= extensions.offered(packet.get_all_data())
        return packet

    def write_packet(self, payload: bytes) -> None:
        """PyMySQL's method; the TLS request and the handshake response, the first packet within TLS, get our part."""
        if not self._has_sent_login:
            payload = extensions.chosen(payload, self.extensions)
            self._has_sent_login = isinstance(self._sock, ssl.SSLSocket)
            payload += self._login_suffix if self._has_sent_login else b""
        super().write_packet(payload)

    def _write_bytes(self, data: bytes) -> None:
        super()._write_bytes(data if self.compressed is None else self.compressed.pack(data))


class _Verified(Exception):  # noqa: N818 - no error: it ends a handshake that was to come as far as this
    """TLS is verified, and nobody is to log in."""


class _FastLink(Exception):  # noqa: N818 - no error: it ends a handshake that begins anew
    """Compression was chosen, and then the TLS handshake took less than a round trip of a slow link.

    A tunnel's near end is on loopback while the server is far away, so the address tells nothing, and the TCP connect
    neither. Two spans contain at least one round trip to the server itself, also through an SSH tunnel: from the
    connect to the greeting, and the TLS handshake. The shorter one counts: either may be longer for another reason,
    such as a server that looks the client's name up before it greets. But compression has to be chosen between the
    two, so in the rare case that only the second one is short, the handshake begins anew without compression. No
    secret and no user name has been sent.
    """


@dataclass(frozen=True, slots=True)
class _OwnedTls:
    """An SSL context whose socket is known, to its owner and to who may abort it, before the TLS handshake."""

    context: ssl.SSLContext
    owner: GuardedConnection

    def wrap_socket(self, sock: socket.socket, server_hostname: str) -> Any:
        """The method that PyMySQL calls."""
        self.context.sslsocket_class = TlsSocket
        self.owner._sock = self.context.wrap_socket(
            sock, server_hostname=server_hostname, do_handshake_on_connect=False
        )
        self.owner._abort.watch(self.owner._sock)
        began = time.monotonic()
        self.owner._sock.do_handshake()
        self.owner.tls_established(time.monotonic() - began)
        return self.owner._sock


Opened = TypeVar("Opened")
Take = Callable[[GuardedConnection, dial.Address], Opened]
"""Takes over what the handshake made, from PyMySQL's connection and the address that was dialled."""


def log_in(
    address: dial.Address,
    take: Take[Opened],
    *,
    host: str,
    user: str,
    credential: Credential,
    context: ssl.SSLContext,
    database: str | None,
    timeout: float,
    dial_timeout: float | None = None,
    compress: Compress = "off",
    **options: Any,
) -> Opened:
    """Connect, verify TLS for `host` and authenticate, all within `timeout` seconds; return what `take` makes of it.

    With `dial_timeout`, TCP has only so much of it. `options` are PyMySQL's own. The socket belongs to what `take` has
    made; if it raises, to nobody: it is closed. An interrupt ends only the wait, at once; the attempt is told to end,
    and closes its socket itself.

    Raises:
        UnreachableError: Nothing answers at the address.
        TlsError: The server offers no TLS.
        ConnectError: The server does not offer the compression that was asked for.
        HandshakeError: The server or TLS refused for any other reason.
    """
    options = {"program_name": "rds_iam_magic"} | options
    options |= {"host": host, "user": user, "database": database, "ssl": context, "write_timeout": timeout}
    return _opened(address, take, credential, dial_timeout, options, compress)


def verify_tls(
    address: dial.Address,
    *,
    host: str,
    context: ssl.SSLContext,
    timeout: float,
    dial_timeout: float | None = None,
) -> tuple[str, ...]:
    """Connect and verify TLS for `host`, as `log_in` does; no user name and no secret is sent.

    Returns:
        The names in the certificate.

    Raises:
        UnreachableError, TlsError, HandshakeError: As `log_in` does.
    """
    options = {"host": host, "user": "", "ssl": context, "write_timeout": timeout, "ends_with_tls": True}
    return _opened(address, _names, None, dial_timeout, options)


def _names(raw: GuardedConnection, _: dial.Address) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value) for _, value in raw.certificate.get("subjectAltName", ())))


def _opened(
    address: dial.Address,
    take: Take[Opened],
    credential: Credential | None,
    dial_timeout: float | None,
    options: dict[str, Any],
    compress: Compress = "off",
) -> Opened:
    """What `take` makes of a handshake in the background; `options` are those of `GuardedConnection`."""
    timeout = options["write_timeout"]
    attempt = _Attempt(address, credential, time.monotonic() + timeout, dial_timeout or timeout, dial.Abort(), options)
    thread = BackgroundThread()
    call = BackgroundCall(lambda: attempt.shake_hands(compress), thread)
    try:
        raw = call.wait_for_result()
        raw.thread = thread
        opened = take(raw, raw.peer)
        raw.take_socket()
        if raw.take_thread() is not None:
            thread.close()
        return opened
    except BaseException:
        call.abandon(GuardedConnection._force_close)
        attempt.abort.abort()
        thread.close()
        raise
    finally:
        del call  # it holds the error, whose traceback holds this frame


@dataclass(frozen=True, slots=True)
class _Attempt:
    """All that happens before the socket has an owner, on a thread where no interrupt strikes.

    `SSLSocket._create` makes a second socket object for the descriptor, and lets the first one go some lines later. An
    interrupt in between would leave it two owners, and each closes it: the second one whatever has its number by then.
    """

    address: dial.Address
    credential: Credential | None
    deadline: float
    dial_timeout: float
    abort: dial.Abort
    options: dict[str, Any]

    def shake_hands(self, compress: Compress) -> GuardedConnection:
        """PyMySQL's connection after the handshake; without a socket, if that was to end with TLS."""
        raw = self._once(compress) or self._once("off")
        assert raw is not None  # noqa: S101 - without compression, a fast link ends nothing; for mypy
        return raw

    def _once(self, compress: Compress) -> GuardedConnection | None:
        """None if the link has turned out to be a fast one; in every other case it raises."""
        raw = GuardedConnection(self.credential, self.deadline, compress, self.abort, **self.options)
        sock: socket.socket | None = None
        try:
            sock = dial.dial(self.address, min(self.deadline, time.monotonic() + self.dial_timeout), self.abort)
            raw.dialled_at = time.monotonic()
            raw.peer = dial.Address(*sock.getpeername()[:2])
            raw.connect(sock)
            raw._sock.settimeout(None)
            self.abort.watch(None)
            raw.forget()
            return raw
        except BaseException as error:  # noqa: BLE001 - PyMySQL stumbles over a malformed greeting in any way; see below
            failure = error
        raw.forget()
        raw._force_close()
        if sock is not None:
            sock.close()  # does nothing if TLS took it over
        if isinstance(failure, _FastLink):
            return None
        if isinstance(failure, _Verified):
            return raw
        if isinstance(failure, Exception) and not isinstance(failure, RdsIamError):
            limit = self.options["write_timeout"] if time.monotonic() >= self.deadline else None
            failure = HandshakeError(_failure(failure, raw, limit, self.credential))
        # Raised outside the handler, without the original frames: PyMySQL's hold the secret in their locals.
        failure.__context__ = failure.__cause__ = None
        raise failure.with_traceback(None)


def open_session(address: dial.Address, **login: Any) -> ServerSession:
    """`log_in` for a `ServerSession`."""
    flags = CLIENT.MULTI_STATEMENTS | CLIENT.SESSION_TRACK
    # autocommit: the server's own setting stays
    options = {"client_flag": flags, "charset": "utf8mb4", "autocommit": None, "extensions": extensions.BULK}
    return log_in(address, _session, **options, **login)


def _session(raw: GuardedConnection, peer: dial.Address) -> ServerSession:
    return ServerSession(raw._sock, peer, raw, raw.compressed, raw.take_thread())


def _failure(
    error: Exception, raw: GuardedConnection, expired: float | None, credential: Credential | None
) -> HandshakeFailure:
    code, message = 0, type(error).__name__  # the message of other errors may contain what was to be sent
    if isinstance(error, pymysql_errors.Error) and len(error.args) > 1 and isinstance(error.args[0], int):
        code, message = error.args[0], str(error.args[1])
    if credential is not None:
        message = credential.secret.hidden_in(message)  # should the server repeat it
    cause: BaseException | None = getattr(error, "original_exception", None)
    if expired is not None:
        cause = TimeoutError(f"no answer within {limit_text(expired)}")
    if cause is not None:
        cause.__traceback__ = cause.__context__ = None
    return HandshakeFailure(code, message, cause, raw.token_asked, _is_mariadb(raw), raw.reached)


def _is_mariadb(raw: GuardedConnection) -> bool:
    """By its version, or by the flag that it does not set: a version can be configured."""
    is_greeted = raw.reached not in ("tcp", "words")
    return is_greeted and (
        "mariadb" in str(raw.server_version).lower() or not raw.server_capabilities & CLIENT.LONG_PASSWORD
    )


def _left(deadline: float) -> float:
    """The remaining seconds, as a socket timeout: never 0, which would mean non-blocking."""
    return max(0.001, deadline - time.monotonic())
