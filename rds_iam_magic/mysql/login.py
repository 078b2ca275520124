"""`Login`: all that it takes to open a session, again and again, each time with a fresh token."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.connect_options import CONNECT_TIMEOUT
from rds_iam_magic.errors import ConnectError, CredentialsError
from rds_iam_magic.mysql.credential import Credential, Password
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.driver import HandshakeError, HandshakeFailure, open_session
from rds_iam_magic.mysql.login_errors import error_for
from rds_iam_magic.mysql.session import ServerSession
from rds_iam_magic.timeouts import DEFAULT, Timeouts


@dataclass(frozen=True, slots=True)
class Login:
    """How a session is opened.

    Attributes:
        endpoint: What the token is signed for and TLS is verified against.
        user: The database user.
        credential: Called for each attempt, so that each has a fresh token.
        context: Verifies certificate and host name.
        trust_source: Where the context's authorities came from, for messages.
        via: Where to dial instead of the endpoint: the near end of a tunnel.
        database: The default schema, if any.
        timeout: Seconds for one attempt.
        session: The boto3 session that signs, for `s3://` addresses too; the environment's where there is none.
        timeouts: How long the steps behind the connection may take.
        diagnose_credentials: Called when the server has rejected a token; returns what AWS itself says of the
            credentials, if anything.
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
    diagnose_credentials: Callable[[], ConnectError | CredentialsError | None] = lambda: None

    def open(self, *, timeout: float | None = None, address: Address | None = None) -> ServerSession:
        """Open one session.

        Args:
            timeout: Seconds, if others than the login's.
            address: Where to dial, if neither at `via` nor at the endpoint: a server that is connected already.

        Raises:
            ConnectError: In one of its kinds; nothing is left open.
            CredentialsError: No token could be made.
        """
        credential = self.credential()
        session: ServerSession | None = None
        try:
            session = open_session(
                address or self.via or Address(self.endpoint.host, self.endpoint.port),
                host=self.endpoint.host,
                user=self.user,
                credential=credential,
                context=self.context,
                database=self.database,
                timeout=self.timeout if timeout is None else timeout,
            )
            if isinstance(credential, Password) or session.token_asked:
                return session
            session.close()
            failure = HandshakeFailure(1045, "the server let the user in without a token", None, token_asked=False)
        except HandshakeError as error:
            failure = error.failure
        except BaseException:  # an interrupt, when it is open already
            if session is not None:
                session.close()
            raise
        raise error_for(self, failure, is_token=not isinstance(credential, Password))
