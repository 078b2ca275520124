"""A handshake that failed → the error for the user, by what the server or TLS said.

https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from rds_iam_magic.errors import AccessDeniedError, ConnectError, CredentialsError, TlsError, UnreachableError

if TYPE_CHECKING:
    from rds_iam_magic.mysql.driver import HandshakeFailure
    from rds_iam_magic.mysql.login import Login


def error_for(login: Login, failure: HandshakeFailure, *, is_token: bool) -> ConnectError | CredentialsError:
    """The error for a handshake that failed.

    Args:
        login: What was tried.
        failure: What came of it.
        is_token: Whether it was tried with a token, rather than a password.
    """
    if isinstance(failure.cause, ssl.SSLError):
        return _tls_error(login, failure.cause)
    if failure.code == 1045:
        return _denied(login, failure, is_token=is_token)
    if failure.code in _BY_CODE:
        message, hint = _BY_CODE[failure.code]
        words = message.format(user=login.user, database=login.database, address=_address(login), words=failure.message)
        return ConnectError(words, hint, detail=f"{failure.code}: {failure.message}")
    if 1000 <= failure.code < 2000 or failure.code >= 3000:  # the server's own; from 2000 on, the client library's
        return ConnectError(
            f"The server at {_address(login)} refuses {login.user}: {failure.message.rstrip('.')} ({failure.code}).",
            "These are the server's own words; its administrator can tell more.",
        )
    if isinstance(failure.cause, (TimeoutError, socket.timeout)):
        return UnreachableError(
            f"{_address(login)} accepts connections but does not answer as a MySQL server ({failure.cause}).",
            "Check what listens there and the far end of the tunnel; --connect-timeout S gives it longer.",
        )
    return ConnectError(
        f"The connection to {_address(login)} failed: {failure.message} ({failure.code}).",
        "Check that a MySQL or MariaDB server answers there, and that it is up.",
        detail=str(failure.cause or ""),
    )


def _address(login: Login) -> str:
    return f"{login.endpoint}, dialled at {login.via}" if login.via else str(login.endpoint)


def _tls_error(login: Login, cause: ssl.SSLError) -> TlsError:
    host, detail = login.endpoint.host, str(cause)
    code = getattr(cause, "verify_code", None)
    if code in _NAME_MISMATCH:
        return TlsError(
            f"The certificate of the server at {_address(login)} is for another host; nothing was sent.",
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
            f"The certificate of {_address(login)} is not signed by an authority of the CA bundle; nothing was sent.",
            f"The bundle is {login.trust_source}; give another with --ca PATH only if you trust who answers there.",
            detail=detail,
        )
    return TlsError(
        f"No TLS session with {_address(login)}: {cause.reason or cause}; nothing was sent.",
        "Check what listens there: a MySQL server with TLS 1.2 or later is expected.",
        detail=detail,
    )


def _denied(login: Login, failure: HandshakeFailure, *, is_token: bool) -> ConnectError | CredentialsError:
    detail = f"{failure.code}: {failure.message}"
    if not is_token:
        return AccessDeniedError(
            f"The server refused the user {login.user} with the password of the secret (1045).",
            "The secret may not be this database's, or it is being rotated; try again in a minute.",
            detail=detail,
        )
    if failure.token_asked:
        diagnosis = login.diagnose_credentials()
        if diagnosis is not None:
            return diagnosis
        return AccessDeniedError(
            f"The server asked {login.user} for a token and refused it (1045): a right is missing, or the account, "
            "the region, the port or the user's name is another.",
            "Check that your IAM identity has the policy that this prints: "
            f"%rds_iam_policy {login.user} --target {login.endpoint.host}",
            detail=detail,
        )
    return AccessDeniedError(
        f"The server did not ask {login.user} for a token (1045): it has no IAM user of that name for this address.",
        f"Check spelling and case, or create the user: %rds_iam_user create {login.user} --secret SECRET_ID …",
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
    1040: ("{address} has no free connection: {words} (1040).", "Close idle connections, or try again in a minute."),
    1129: ("{address} blocks this machine after failed attempts: {words} (1129).", "Ask for FLUSH HOSTS."),
    1203: ("{user} has as many connections as allowed: {words} (1203).", "Close one, then try again."),
    1226: ("{user} has used up a limit of the account: {words} (1226).", "Wait, or ask for a higher limit."),
    9501: ("The RDS Proxy at {address} cannot reach its database (9501).", "Check the proxy's target group."),
}
