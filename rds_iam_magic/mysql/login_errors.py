"""A failed handshake → the user's error, by the server's error number or the TLS error.

https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.connect_options import as_word
from rds_iam_magic.errors import AccessDeniedError, ConnectError, CredentialsError, TlsError, UnreachableError
from rds_iam_magic.sql.quoting import quote_name

if TYPE_CHECKING:
    from rds_iam_magic.mysql.driver import HandshakeFailure
    from rds_iam_magic.mysql.login import Login


def error_for(login: Login, failure: HandshakeFailure, *, is_token: bool) -> ConnectError | CredentialsError:
    """The error for a failed handshake.

    Args:
        login: The login that failed.
        failure: Why it failed.
        is_token: Whether it used a token rather than a password.
    """
    if isinstance(failure.cause, ssl.SSLError):
        return _tls_error(login, failure.cause)
    if failure.code == 1045:
        return _denied(login, failure, is_token=is_token)
    if failure.code == 1040 and "rate limit" in failure.message.lower():
        return ConnectError(
            f"{_address(login)} accepts no more logins with IAM for now: {failure.message.rstrip('.')} (1040).",
            cause="iam-throttled",
            detail=f"{failure.code}: {failure.message}",
        )
    if failure.code in _BY_CODE:
        cause, template = _BY_CODE[failure.code]
        text = template.format(user=login.user, database=login.database, address=_address(login), words=failure.message)
        return ConnectError(text, cause=cause, detail=f"{failure.code}: {failure.message}")
    if 1000 <= failure.code < 2000 or failure.code >= 3000:  # the server's; 2000 to 2999 are the client library's
        return ConnectError(
            f"The server at {_address(login)} refused {login.user}: {failure.message.rstrip('.')} ({failure.code}).",
            cause="login-refused",
        )
    if isinstance(failure.cause, (TimeoutError, socket.timeout)):
        return UnreachableError(
            f"{_address(login)} accepts connections but does not answer as a MySQL server ({failure.cause}).",
            cause="not-mysql",
        )
    return ConnectError(
        f"The connection to {_address(login)} failed: {failure.message} ({failure.code}).",
        detail=str(failure.cause or ""),
    )


def _address(login: Login) -> str:
    if login.tunnel is not None:
        return f"{login.endpoint}, through {login.tunnel}"
    return f"{login.endpoint}, dialled at {login.via}" if login.via else str(login.endpoint)


def _tls_error(login: Login, cause: ssl.SSLError) -> TlsError:
    host, detail = login.endpoint.host, str(cause)
    code = getattr(cause, "verify_code", None)
    if code in _NAME_MISMATCH:
        return TlsError(
            f"The certificate of the server at {_address(login)} is for another host; nothing was sent.",
            cause="tls-name-mismatch",
            detail=detail,
        )
    if code in _EXPIRED:
        return TlsError(
            f"The certificate of {host} has expired or is not valid yet; nothing was sent.",
            cause="tls-expired",
            detail=detail,
        )
    if code is not None:
        return TlsError(
            f"The certificate of {_address(login)} is not signed by an authority of the CA bundle; nothing was sent.",
            cause="tls-untrusted",
            facts={"source": login.trust_source},
            detail=detail,
        )
    return TlsError(
        f"TLS with {_address(login)} failed: {cause.reason or cause}; nothing was sent.",
        detail=detail,
    )


def _denied(login: Login, failure: HandshakeFailure, *, is_token: bool) -> ConnectError | CredentialsError:
    detail = f"{failure.code}: {failure.message}"
    if not is_token:
        return AccessDeniedError(
            f"The server rejected the secret's password for {login.user} (1045).",
            cause="password-denied",
            detail=detail,
        )
    facts = {"user": login.user, "host": login.endpoint.host}
    if not failure.token_asked:
        if login.endpoint.kind is Kind.PROXY:
            return AccessDeniedError(
                f"The RDS Proxy offers {login.user} no login with IAM (1045): it has no secret for this user, the "
                "secret is outdated, or IAM authentication is off at the proxy.",
                cause="proxy-user-unknown",
                facts=facts,
                detail=detail,
            )
        return AccessDeniedError(
            f"The server has no IAM-authenticated user {login.user} for this client address (1045).",
            cause="user-unknown",
            facts={**facts, "account": quote_name(login.user), "word": as_word(login.user)},
            detail=detail,
        )
    diagnosis = login.diagnose_credentials()
    if diagnosis is not None:
        return diagnosis
    if failure.server_is_mariadb:
        return AccessDeniedError(
            f"The server rejected the token for {login.user} (1045): there is no such user for this client address, or "
            "rds-db:connect is not allowed for it, or the token was signed for a different account, region or port.",
            cause="user-or-iam-denied",
            facts=facts,
            detail=detail,
        )
    return AccessDeniedError(
        f"The server rejected the token for {login.user} (1045): rds-db:connect is not allowed for this user, or "
        "the token was signed for a different account, region, port or user.",
        cause="iam-denied",
        facts=facts,
        detail=detail,
    )


# OpenSSL's verification results: https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_NAME_MISMATCH = (62, 64)
_EXPIRED = (9, 10)

_BY_CODE = {  # the server's number → the cause, the message
    1040: ("too-many-connections", "{address} has no free connection: {words} (1040)."),
    1044: ("database-denied", "Logged in as {user}, but {user} has no privileges on database {database} (1044)."),
    1049: ("database-unknown", "Logged in as {user}, but there is no database {database} (1049)."),
    1129: ("host-blocked", "{address} blocks this machine after failed attempts: {words} (1129)."),
    1524: ("iam-plugin-missing", "IAM authentication is off at {address}: {words} (1524)."),
    1203: ("too-many-user-connections", "{user} has reached the maximum number of connections: {words} (1203)."),
    1226: ("user-limit-reached", "{user} has reached a resource limit: {words} (1226)."),
    9501: ("proxy-cannot-reach-database", "The RDS Proxy at {address} cannot reach its database (9501)."),
}
