"""The handshake, by PyMySQL: this is the only module that knows PyMySQL's internals, and the guard of every secret.

PyMySQL does the handshake and the authentication; then the socket is taken from it, for `session.py`.
`tests/mysql/test_driver.py` names each internal that this relies on (the canary).

The guard of this project sits here, where a secret is sent: `require_verified_tls`. PyMySQL itself sends
`mysql_clear_password` without looking whether TLS is on, and falls back to plain text when a server offers no TLS.
"""

from __future__ import annotations

import socket
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pymysql import err as pymysql_errors
from pymysql.connections import Connection as PyMySQLConnection
from pymysql.constants import CLIENT

from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.errors import RdsIamError, TlsError
from rds_iam_magic.mysql import dial, session
from rds_iam_magic.mysql.credential import Credential, Password
from rds_iam_magic.mysql.session import ServerSession


@dataclass(frozen=True, slots=True)
class HandshakeFailure:
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

    def __init__(self, failure: HandshakeFailure) -> None:
        super().__init__(failure.code, failure.message)
        self.failure = failure


def require_verified_tls(sock: Any, host: str) -> None:
    """Refuse to go on unless `sock` is a TLS session whose certificate was verified for `host`.

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
                cause="tls-not-offered",
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
    opened = ServerSession(raw._sock, peer, raw)
    raw.take_socket()
    return opened


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
    return HandshakeError(_failure(failure, token_asked, expired=expired, timeout=timeout))


def _chain(error: BaseException | None, handled: BaseException | None) -> Iterator[BaseException]:
    """An error and those beneath it."""
    while error is not None and error is not handled:
        yield error
        error = getattr(error, "original_exception", None) or error.__context__


def _failure(error: Exception, token_asked: bool, *, expired: bool, timeout: float) -> HandshakeFailure:
    code, words = 0, type(error).__name__  # the words of other errors may hold what was to be sent
    if isinstance(error, pymysql_errors.Error) and len(error.args) > 1 and isinstance(error.args[0], int):
        code, words = error.args[0], str(error.args[1])
    cause: BaseException | None = getattr(error, "original_exception", None)
    if expired:
        cause = TimeoutError(f"no answer within {timeout:g} s")
    if cause is not None:
        cause.__traceback__ = cause.__context__ = None
    return HandshakeFailure(code, words, cause, token_asked)


# Where PyMySQL's errors in the handshake come from, beside the socket's own.
_HANDSHAKE = frozenset({"encodings", "pymysql", __name__, session.__name__, Secret.__module__})


def _is_of_the_socket(error: BaseException) -> bool:
    return dial.is_of_the_socket(error, _HANDSHAKE)


def _left(deadline: float) -> float:
    """Seconds that are left, as a socket's timeout: never 0, which would mean not to wait at all."""
    return max(0.001, deadline - time.monotonic())
