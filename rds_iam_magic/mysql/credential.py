"""What a session is opened with: an IAM token, or the master user's password."""

from __future__ import annotations

from dataclasses import dataclass

from rds_iam_magic.aws.secret import Secret


@dataclass(frozen=True, slots=True)
class Token:
    """An IAM token: sent only when the server asks for `mysql_clear_password`, as AWSAuthenticationPlugin does."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class Password:
    """A database password, for the master user: any plugin that PyMySQL knows may use it."""

    secret: Secret


Credential = Token | Password
