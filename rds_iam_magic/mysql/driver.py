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
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pymysql import err as pymysql_errors
from pymysql.connections import Connection as PyMySQLConnection
from pymysql.constants import CLIENT

from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.connect_options import Compress
from rds_iam_magic.errors import RdsIamError, TlsError
from rds_iam_magic.mysql import dial, session
from rds_iam_magic.mysql.credential import Credential, Password
from rds_iam_magic.mysql.session import ServerSession
from rds_iam_magic.mysql.wire import compressed_stream, compression
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
        compressed: The stream that data goes through after authentication, if compression was agreed on.
    """

    def __init__(
        self,
        credential: Credential | None,
        deadline: float,
        compress: Compress = "off",
        at_tls: Callable[[Any], None] | None = None,
        **options: Any,
    ) -> None:
        self._credential = credential
        self._at_tls = at_tls  # called with the certificate, when the handshake is to end there
        self._reached: Reached = "tcp"
        self._deadline = deadline
        self._compress: Compress = compress
        self._algorithm: compression.Algorithm | None = None  # chosen in the handshake
        self._login_suffix = b""  # what is still to be put behind the handshake response
        self._reader: _DeadlineReader | None = None
        self.token_asked = False
        self.dialled_at = time.monotonic()
        self.compressed: CompressedStream | None = None
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

    def _force_close(self) -> None:
        # PyMySQL's own method swallows every exception, interrupts included. This closes the descriptor: a file object
        # that an interrupt left open would keep the socket open too.
        if self._sock is not None and self._sock.fileno() >= 0:
            socket.close(self._sock.detach())
        self._sock = None

    def __del__(self) -> None:
        """PyMySQL would close the socket here; it has another owner."""

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
        if self._at_tls is not None:
            self._at_tls(self._sock.getpeercert())
            raise _Verified
        if self._compress == "auto" and self._algorithm is not None and took < compression.FAST_LINK:
            raise _FastLink

    def write_packet(self, payload: bytes) -> None:
        """PyMySQL's method; the handshake response, the first packet within TLS, gets its suffix."""
        if self._login_suffix and isinstance(self._sock, ssl.SSLSocket):
            payload, self._login_suffix = payload + self._login_suffix, b""
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
    """An SSL context whose socket has an owner before the TLS handshake, the likeliest moment for an interrupt."""

    context: ssl.SSLContext
    owner: GuardedConnection

    def wrap_socket(self, sock: socket.socket, server_hostname: str) -> Any:
        """The method that PyMySQL calls."""
        self.owner._sock = self.context.wrap_socket(
            sock, server_hostname=server_hostname, do_handshake_on_connect=False
        )
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
    made; if it raises, to nobody: it is closed.

    Raises:
        UnreachableError: Nothing answers at the address.
        TlsError: The server offers no TLS.
        ConnectError: The server does not offer the compression that was asked for.
        HandshakeError: The server or TLS refused for any other reason.
    """
    deadline = time.monotonic() + timeout
    options = {"program_name": "rds_iam_magic"} | options
    options |= {"host": host, "user": user, "database": database, "ssl": context, "write_timeout": timeout}
    opened = _attempt(address, take, credential, deadline, compress, options, dial_timeout or timeout)
    if opened is None:
        opened = _attempt(address, take, credential, deadline, "off", options, dial_timeout or timeout)
    assert opened is not None  # noqa: S101 - without compression, a fast link ends nothing; for mypy
    return opened


def _attempt(
    address: dial.Address,
    take: Take[Opened],
    credential: Credential | None,
    deadline: float,
    compress: Compress,
    options: dict[str, Any],
    dial_timeout: float,
) -> Opened | None:
    """What `take` makes; None if the link has turned out to be a fast one, or nobody is to log in; else it raises."""
    handled = sys.exc_info()[1]
    raw = GuardedConnection(credential, deadline, compress, **options)
    sock: socket.socket | None = None
    failure: BaseException
    try:
        sock = dial.dial(address, min(deadline, time.monotonic() + dial_timeout))
        raw.dialled_at = time.monotonic()
        peer = dial.Address(*sock.getpeername()[:2])
        raw.connect(sock)
        raw._sock.settimeout(None)
        opened = take(raw, peer)
        raw.take_socket()
        return opened
    except BaseException as error:  # noqa: BLE001 - PyMySQL stumbles over a malformed greeting in any way; raised below
        failure = error
    finally:
        raw.forget()
        raw._force_close()  # unless the socket was handed over
    if sock is not None:
        sock.close()  # does nothing if TLS took it over
    if isinstance(failure, (_FastLink, _Verified)):
        return None
    # Raised outside the handler, without the original frames: PyMySQL's hold the secret in their locals.
    timeout = options["write_timeout"]
    raise _cleaned(failure, handled, raw, expired=time.monotonic() >= deadline, timeout=timeout)


def verify_tls(
    address: dial.Address,
    *,
    host: str,
    context: ssl.SSLContext,
    timeout: float,
    dial_timeout: float | None = None,
) -> tuple[str, ...]:
    """Connect and verify TLS for `host`, all within `timeout` seconds; no user name and no secret is sent.

    Returns:
        The names in the certificate.

    Raises:
        UnreachableError, TlsError, HandshakeError: As `log_in` does.
    """
    certificates: list[Any] = []
    options = {"host": host, "user": "", "ssl": context, "write_timeout": timeout, "at_tls": certificates.append}
    _attempt(address, _session, None, time.monotonic() + timeout, "off", options, dial_timeout or timeout)
    names = (value for certificate in certificates for _, value in certificate.get("subjectAltName", ()))
    return tuple(dict.fromkeys(map(str, names)))


def open_session(address: dial.Address, **login: Any) -> ServerSession:
    """`log_in` for a `ServerSession`."""
    flags = CLIENT.MULTI_STATEMENTS | CLIENT.SESSION_TRACK
    # autocommit: the server's own setting stays
    return log_in(address, _session, client_flag=flags, charset="utf8mb4", autocommit=None, **login)


def _session(raw: GuardedConnection, peer: dial.Address) -> ServerSession:
    return ServerSession(raw._sock, peer, raw, raw.compressed)


def _cleaned(
    failure: BaseException, handled: BaseException | None, raw: GuardedConnection, *, expired: bool, timeout: float
) -> BaseException:
    """What to raise for a failed handshake: one of our errors, or what a signal handler raised meanwhile.

    `handled` is the exception that the calling code was handling; it does not count.
    """
    for error in _chain(failure, handled):
        if not isinstance(error, RdsIamError) and not _is_of_the_socket(error):
            failure = error  # raised by a signal handler; PyMySQL took it for a socket error
    is_foreign = not _is_of_the_socket(failure)
    if not isinstance(failure, Exception) or isinstance(failure, RdsIamError) or is_foreign:
        failure.__traceback__ = failure.__context__ = failure.__cause__ = None
        return failure
    return HandshakeError(_failure(failure, raw, expired=expired, timeout=timeout))


def _chain(error: BaseException | None, handled: BaseException | None) -> Iterator[BaseException]:
    """An error and the errors that led to it."""
    while error is not None and error is not handled:
        yield error
        error = getattr(error, "original_exception", None) or error.__context__


def _failure(error: Exception, raw: GuardedConnection, *, expired: bool, timeout: float) -> HandshakeFailure:
    code, message = 0, type(error).__name__  # the message of other errors may contain what was to be sent
    if isinstance(error, pymysql_errors.Error) and len(error.args) > 1 and isinstance(error.args[0], int):
        code, message = error.args[0], str(error.args[1])
    cause: BaseException | None = getattr(error, "original_exception", None)
    if expired:
        cause = TimeoutError(f"no answer within {limit_text(timeout)}")
    if cause is not None:
        cause.__traceback__ = cause.__context__ = None
    return HandshakeFailure(code, message, cause, raw.token_asked, _is_mariadb(raw), raw.reached)


def _is_mariadb(raw: GuardedConnection) -> bool:
    """By its version, or by the flag that it does not set: a version can be configured."""
    is_greeted = raw.reached not in ("tcp", "words")
    return is_greeted and (
        "mariadb" in str(raw.server_version).lower() or not raw.server_capabilities & CLIENT.LONG_PASSWORD
    )


# The modules that raise during the handshake, besides the socket's own.
_HANDSHAKE = frozenset(
    {"encodings", "pymysql", __name__, session.__name__, compressed_stream.__name__, Secret.__module__}
)


def _is_of_the_socket(error: BaseException) -> bool:
    return dial.is_of_the_socket(error, _HANDSHAKE)


def _left(deadline: float) -> float:
    """The remaining seconds, as a socket timeout: never 0, which would mean non-blocking."""
    return max(0.001, deadline - time.monotonic())
