"""`Login`: everything needed to open a session, any number of times, each time with a fresh token."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.connect_options import CONNECT_TIMEOUT, Compress
from rds_iam_magic.errors import ConnectError, CredentialsError, TunnelError, UnreachableError
from rds_iam_magic.mysql.credential import Credential, Password
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.driver import HandshakeError, HandshakeFailure, open_session
from rds_iam_magic.mysql.login_errors import error_for
from rds_iam_magic.mysql.session import ServerSession
from rds_iam_magic.timeouts import DEFAULT, Timeouts


class Opened(Protocol):
    """What a login may open: it knows whether the server asked for a token, and can be closed."""

    @property
    def token_asked(self) -> bool: ...  # noqa: D102 - said above

    def close(self) -> None: ...  # noqa: D102


class Tunnel(Protocol):
    """A tunnel to the endpoint that is opened when a session is to go through it."""

    def address(self, timeout: float) -> tuple[str, int]:
        """The near end's host and port; opened first, if it is not open, within so many seconds."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it is open."""
        ...

    @property
    def near_end(self) -> tuple[str, int] | None:
        """The near end's host and port if it is open; else None: it is not opened for that."""
        ...

    def failed(self) -> str:
        """Tell that a session could not be opened through it; what it says to that, or ""."""
        ...

    def hold(self, holder: object) -> None:
        """Keep it open for a connection."""
        ...

    def release(self, holder: object) -> None:
        """That connection is closed."""
        ...


T = TypeVar("T", bound=Opened)


@dataclass(frozen=True, slots=True)
class Login:
    """How a session is opened.

    Attributes:
        endpoint: The endpoint that the token is signed for and TLS is verified against; of what moves, such as a global
            database's writer, the one at the time of connecting.
        user: The database user.
        credential: Called for each attempt, so that each has a fresh token, and the endpoint of now where that moves.
        context: Verifies the certificate and the host name.
        trust_source: The origin of the context's CA certificates, for messages.
        via: The address to dial instead of the endpoint: the near end of a tunnel that somebody has opened.
        tunnel: A tunnel of the connection's own, or None.
        database: The default schema, if any.
        timeout: Seconds for one attempt.
        session: The boto3 session that signs and accesses `s3://` paths; None for the environment's default.
        timeouts: How long the steps behind the connection may take.
        compress: How the traffic is compressed.
        diagnose_credentials: Called when the server has rejected a token; returns the error that AWS itself reports for
            the credentials, if any.
        diagnose_silence: Called when nothing answers at the endpoint; returns a sentence for the error, or "".
    """

    endpoint: Endpoint
    user: str
    credential: Callable[[], Credential]
    context: ssl.SSLContext
    trust_source: str
    via: Address | None = None
    tunnel: Tunnel | None = None
    database: str | None = None
    timeout: float = CONNECT_TIMEOUT
    session: Any = None
    timeouts: Timeouts = DEFAULT
    compress: Compress = "off"
    diagnose_credentials: Callable[[], ConnectError | CredentialsError | None] = lambda: None
    diagnose_silence: Callable[[], str] = lambda: ""

    @property
    def way(self) -> str:
        """What the endpoint is reached through, such as `127.0.0.1:3307` or `ssh bastion`; "" if it is dialled."""
        return str(self.tunnel or self.via or "")

    def hold(self, connection: object) -> None:
        """Keep the tunnel, if there is one, open for a connection."""
        if self.tunnel is not None:
            self.tunnel.hold(connection)

    def release(self, connection: object) -> None:
        """That connection is closed; the tunnel ends with the last one."""
        if self.tunnel is not None:
            self.tunnel.release(connection)

    def open(self, *, timeout: float | None = None, address: Address | None = None) -> ServerSession:
        """Open one session.

        Args:
            timeout: Seconds; default: the login's.
            address: The address to dial; default: the near end of the tunnel, `via`, or the endpoint.

        Raises:
            ConnectError: One of its subclasses; nothing is left open.
            CredentialsError: No token could be signed.
        """
        return self.open_with(open_session, timeout=timeout, address=address, compress=self.compress)

    def open_with(
        self,
        opener: Callable[..., T],
        *,
        timeout: float | None = None,
        address: Address | None = None,
        **options: Any,
    ) -> T:
        """Open what `opener` opens, with a fresh token.

        Args:
            opener: `driver.log_in` with what takes the socket over.
            timeout: As in `open`.
            address: As in `open`.
            options: Further options of the opener.

        Raises:
            ConnectError: One of its subclasses; nothing is left open.
            CredentialsError: No token could be signed.
        """
        timeout = self.timeout if timeout is None else timeout
        if address is None and self.tunnel is not None:
            return self._open_through(self.tunnel, opener, timeout, options)
        return self._open_at(address or self.via, opener, timeout, options)

    def _open_through(self, tunnel: Tunnel, opener: Callable[..., T], timeout: float, options: dict[str, Any]) -> T:
        """Open through a tunnel, and once more if its program turns out to have ended just now."""
        deadline = time.monotonic() + timeout
        for is_last in (False, True):
            address = Address(*tunnel.address(deadline - time.monotonic()))
            try:
                return self._open_at(address, opener, max(0.5, round(deadline - time.monotonic(), 1)), options)
            except ConnectError as error:
                if error.cause not in _OF_NOBODY:  # the server has answered
                    raise
                failed = error
            words = tunnel.failed()
            if words:
                raise TunnelError(
                    f"{tunnel} is open, but {self.endpoint} does not answer through it: {words}.",
                    cause="tunnel-blocked",
                    lasting=False,
                )
            if is_last or tunnel.alive:
                break
        raise failed

    def _open_at(self, address: Address | None, opener: Callable[..., T], timeout: float, options: dict[str, Any]) -> T:
        """Open at an address, or else at the credential's endpoint."""
        credential = self.credential()
        endpoint = self.endpoint if isinstance(credential, Password) else credential.endpoint or self.endpoint
        opened: T | None = None
        try:
            opened = opener(
                address or Address(endpoint.host, endpoint.port),
                host=endpoint.host,
                user=self.user,
                credential=credential,
                context=self.context,
                database=self.database,
                timeout=timeout,
                **options,
            )
            if isinstance(credential, Password) or opened.token_asked:
                return opened
            opened.close()
            failure = HandshakeFailure(1045, "the server let the user in without a token", None, token_asked=False)
        except HandshakeError as error:
            failure = error.failure
        except UnreachableError as error:
            if address is None:
                error.put_before_hint(self.diagnose_silence())
            raise
        except BaseException:  # an interrupt may come after it was opened
            if opened is not None:
                opened.close()
            raise
        raise error_for(replace(self, endpoint=endpoint), failure, is_token=not isinstance(credential, Password))


_OF_NOBODY = frozenset({"address-silent", "address-unreachable", "connect-failed", "not-mysql", "tls-failed"})
"""Causes of an attempt that the server did not answer."""
