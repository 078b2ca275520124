"""`Login`: everything needed to open a session, any number of times, each time with a fresh token."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.connect_options import CONNECT_TIMEOUT, Compress
from rds_iam_magic.errors import ConnectError, CredentialsError, UnreachableError
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
        via: The address to dial instead of the endpoint: the near end of a tunnel.
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
    database: str | None = None
    timeout: float = CONNECT_TIMEOUT
    session: Any = None
    timeouts: Timeouts = DEFAULT
    compress: Compress = "off"
    diagnose_credentials: Callable[[], ConnectError | CredentialsError | None] = lambda: None
    diagnose_silence: Callable[[], str] = lambda: ""

    def open(self, *, timeout: float | None = None, address: Address | None = None) -> ServerSession:
        """Open one session.

        Args:
            timeout: Seconds; default: the login's.
            address: The address to dial; default: `via`, else the endpoint.

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
        credential = self.credential()
        endpoint = self.endpoint if isinstance(credential, Password) else credential.endpoint or self.endpoint
        opened: T | None = None
        try:
            opened = opener(
                address or self.via or Address(endpoint.host, endpoint.port),
                host=endpoint.host,
                user=self.user,
                credential=credential,
                context=self.context,
                database=self.database,
                timeout=self.timeout if timeout is None else timeout,
                **options,
            )
            if isinstance(credential, Password) or opened.token_asked:
                return opened
            opened.close()
            failure = HandshakeFailure(1045, "the server let the user in without a token", None, token_asked=False)
        except HandshakeError as error:
            failure = error.failure
        except UnreachableError as error:
            if address is None and self.via is None:
                error.put_before_hint(self.diagnose_silence())
            raise
        except BaseException:  # an interrupt may come after it was opened
            if opened is not None:
                opened.close()
            raise
        raise error_for(replace(self, endpoint=endpoint), failure, is_token=not isinstance(credential, Password))
