"""`Login`: all that it takes to open a session, again and again; and why it failed, in the user's words."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.database.dial import Address
from rds_iam_magic.database.driver import Credential, HandshakeError, Password, Refusal, ServerSession, open_session
from rds_iam_magic.database.way import CONNECT_TIMEOUT
from rds_iam_magic.errors import AccessDeniedError, ConnectError, CredentialsError, TlsError, UnreachableError


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
        why_refused: Asked when the server has refused a token: what AWS itself says of the credentials, if anything.
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
    why_refused: Callable[[], ConnectError | CredentialsError | None] = lambda: None

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
            refusal = Refusal(1045, "the server let the user in without a token", None, token_asked=False)
        except HandshakeError as error:
            refusal = error.refusal
        except BaseException:  # an interrupt, when it is open already
            if session is not None:
                session.close()
            raise
        raise self._explain(refusal, is_token=not isinstance(credential, Password))

    def _explain(self, refusal: Refusal, *, is_token: bool) -> ConnectError | CredentialsError:
        if isinstance(refusal.cause, ssl.SSLError):
            return self._explain_tls(refusal.cause)
        if refusal.code == 1045:
            return self._explain_denial(refusal, is_token=is_token)
        if refusal.code in _BY_CODE:
            message, hint = _BY_CODE[refusal.code]
            words = message.format(user=self.user, database=self.database, place=self._place(), words=refusal.message)
            return ConnectError(words, hint, detail=f"{refusal.code}: {refusal.message}")
        if 1000 <= refusal.code < 2000 or refusal.code >= 3000:  # the server's own; from 2000 on, the client library's
            return ConnectError(
                f"The server at {self._place()} refuses {self.user}: {refusal.message.rstrip('.')} ({refusal.code}).",
                "These are the server's own words; its administrator can tell more.",
            )
        if isinstance(refusal.cause, (TimeoutError, socket.timeout)):
            return UnreachableError(
                f"{self._place()} accepts connections but does not answer as a MySQL server ({refusal.cause}).",
                "Check what listens there and the far end of the tunnel; --connect-timeout S gives it longer.",
            )
        return ConnectError(
            f"The connection to {self._place()} failed: {refusal.message} ({refusal.code}).",
            "Check that a MySQL or MariaDB server answers there, and that it is up.",
            detail=str(refusal.cause or ""),
        )

    def _place(self) -> str:
        return f"{self.endpoint}, dialled at {self.via}" if self.via else str(self.endpoint)

    def _explain_tls(self, cause: ssl.SSLError) -> TlsError:
        host, detail = self.endpoint.host, str(cause)
        code = getattr(cause, "verify_code", None)
        if code in _NAME_MISMATCH:
            return TlsError(
                f"The certificate of the server at {self._place()} is for another host; nothing was sent.",
                "Give the endpoint's own name as the target, and check where the tunnel (--via) ends.",
                detail=detail,
            )
        if code in _EXPIRED:
            return TlsError(
                f"The certificate of {host} has expired or is not valid yet; nothing was sent.",
                "Check this machine's clock; else the database's certificate must be rotated (RDS console, Modify).",
                detail=detail,
            )
        if code is not None:
            return TlsError(
                f"The certificate of {self._place()} is not signed by an authority of the CA bundle; nothing was sent.",
                f"The bundle is {self.trust_source}; give another with --ca PATH only if you trust who answers there.",
                detail=detail,
            )
        return TlsError(
            f"No TLS session with {self._place()}: {cause.reason or cause}; nothing was sent.",
            "Check what listens there: a MySQL server with TLS 1.2 or later is expected.",
            detail=detail,
        )

    def _explain_denial(self, refusal: Refusal, *, is_token: bool) -> ConnectError | CredentialsError:
        detail = f"{refusal.code}: {refusal.message}"
        if not is_token:
            return AccessDeniedError(
                f"The server refused the user {self.user} with the password of the secret (1045).",
                "The secret may not be this database's, or it is being rotated; try again in a minute.",
                detail=detail,
            )
        if refusal.token_asked:
            found = self.why_refused()
            if found is not None:
                return found
            return AccessDeniedError(
                f"The server asked {self.user} for a token and refused it (1045): a right is missing, or the account, "
                "the region, the port or the user's name is another.",
                "Check that your IAM identity has the policy that this prints: "
                f"%rds_iam_policy {self.user} --target {self.endpoint.host}",
                detail=detail,
            )
        return AccessDeniedError(
            f"The server did not ask {self.user} for a token (1045): it has no IAM user of that name for this address.",
            f"Check spelling and case, or create the user: %rds_iam_user create {self.user} --secret SECRET_ID …",
            detail=detail,
        )


# OpenSSL's verification results: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_NAME_MISMATCH = (62, 64)
_EXPIRED = (9, 10)

_BY_CODE = {
    1044: (
        "{user} was let in, but has no right to the database {database} (1044).",
        "Ask for a grant on it, or connect without -d and look with SHOW DATABASES.",
    ),
    1049: (
        "{user} was let in, but there is no database {database} (1049).",
        "Check its spelling and case, or connect without -d and look with SHOW DATABASES.",
    ),
    1040: ("{place} has no free connection: {words} (1040).", "Close idle connections, or try again in a minute."),
    1129: ("{place} blocks this machine after failed attempts: {words} (1129).", "Ask for FLUSH HOSTS."),
    1203: ("{user} has as many connections as allowed: {words} (1203).", "Close one, then try again."),
    1226: ("{user} has used up a limit of the account: {words} (1226).", "Wait, or ask for a higher limit."),
    9501: ("The RDS Proxy at {place} cannot reach its database (9501).", "Check the proxy's target group."),
}
