"""Logins at the sandbox with a given token, and what its verifier said to them."""

from __future__ import annotations

import ssl
from typing import Any

import boto3
import pytest

from rds_iam_magic.aws.endpoint import parse_host_name
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.errors import AccessDeniedError
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.login import Login


def session_of(sandbox: Any, principal: str = "administrator", **changes: Any) -> boto3.Session:
    key, secret = sandbox.keys[principal]
    options = {"aws_access_key_id": key, "aws_secret_access_key": secret, "region_name": "us-east-1"}
    return boto3.Session(**options | changes)


def session_with(variables: dict[str, str], region: str = "us-east-1") -> boto3.Session:
    """A session with the credentials of `permissions.session_of_role` or `key_of_partition`."""
    return boto3.Session(
        variables["AWS_ACCESS_KEY_ID"],
        variables["AWS_SECRET_ACCESS_KEY"],
        variables.get("AWS_SESSION_TOKEN"),
        region_name=region,
    )


def login_with(sandbox: Any, token: Any, user: str = "reader") -> Login:
    """A login with a given token: TLS is verified for the cluster whatever the token was signed for."""
    secret = token if isinstance(token, Secret) else Secret(token)
    return Login(
        endpoint=parse_host_name(sandbox.endpoint),
        user=user,
        credential=lambda: Token(secret),
        context=ssl.create_default_context(cafile=str(sandbox.bundle)),
        trust_source="bundle",
        via=Address("127.0.0.1", sandbox.server.port),
    )


def accepted(sandbox: Any, token: Any, user: str = "reader") -> bool:
    login_with(sandbox, token, user).open().close()
    return True


def refused(sandbox: Any, token: Any, user: str = "reader") -> str:
    """The verifier's reason; the client learns nothing but 1045."""
    before = len(sandbox.refusals())
    with pytest.raises(AccessDeniedError, match="1045"):
        login_with(sandbox, token, user).open()
    lines: list[str] = sandbox.refusals()[before:]
    assert len(lines) == 1, "one line for each refusal"
    return lines[0]
