"""Credentials for opening a session: an IAM token, or the master user's password."""

from __future__ import annotations

from dataclasses import dataclass

from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.aws.secret import Secret


@dataclass(frozen=True, slots=True)
class Token:
    """An IAM token: sent only when the server asks for `mysql_clear_password`, as AWSAuthenticationPlugin does.

    Attributes:
        secret: The token.
        endpoint: The endpoint that it was signed for, where that is found anew for each session; else the login's.
    """

    secret: Secret
    endpoint: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class Password:
    """The master user's password: any authentication plugin of PyMySQL may use it."""

    secret: Secret


Credential = Token | Password
