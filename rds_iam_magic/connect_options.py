"""`ConnectOptions`: how AWS and the database are reached; a value that the magic lines and `connect` fill in."""

from __future__ import annotations

from dataclasses import dataclass

CONNECT_TIMEOUT = 10.0
"""Seconds for name look-up, dialling, TLS and authentication together."""


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """How AWS and the database are reached, whoever connects.

    Attributes:
        region: Overrides the region of the host name and of the AWS configuration.
        profile: The AWS profile; the default chain of credentials without it.
        role_arn: A role that the credentials assume first.
        external_id: What that role's trust policy may ask for.
        via: `HOST[:PORT]` to dial instead of the endpoint; `RDS_IAM_MAGIC_VIA` without it.
        ca: A CA bundle's path; `RDS_IAM_MAGIC_CA`, then the cached download, without it.
        connect_timeout: Seconds for one attempt to connect.
    """

    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    via: str | None = None
    ca: str | None = None
    connect_timeout: float = CONNECT_TIMEOUT
