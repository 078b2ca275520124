"""`ConnectOptions`: how AWS and the database are reached; a value that the magic lines and `connect` fill in.

The text of each option stands here and in `SessionSettings`, and nowhere else: help, documentation and parsing are
made from it, or checked against it in the suite.
"""

from __future__ import annotations

from dataclasses import dataclass

from rds_iam_magic.aws.endpoint import DEFAULT_PORT
from rds_iam_magic.option import OptionInfo, option

CONNECT_TIMEOUT = 10.0
"""Seconds for name look-up, dialling, TLS and authentication together."""


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """How AWS and the database are reached, whoever connects; each field says what it is for."""

    region: str | None = option(
        None,
        "AWS region.",
        metavar="REGION",
        default_text="the host name's, else the AWS configuration's",
        for_aws=True,
    )
    profile: str | None = option(
        None, "AWS profile.", metavar="PROFILE", default_text="the default chain of credentials", for_aws=True
    )
    role_arn: str | None = option(
        None,
        "Role to assume first, for a database of another account; its credentials refresh by themselves.",
        metavar="ARN",
        for_aws=True,
    )
    external_id: str | None = option(
        None, "External id that the role's trust policy asks for.", metavar="ID", for_aws=True
    )
    via: str | None = option(
        None,
        "Address to dial instead of the endpoint, such as `127.0.0.1:3307` for a tunnel. TLS is verified for the "
        "endpoint all the same.",
        metavar="HOST[:PORT]",
        variable="RDS_IAM_MAGIC_VIA",
    )
    ca: str | None = option(
        None,
        "Path of a CA bundle, for machines without internet.",
        metavar="PATH",
        variable="RDS_IAM_MAGIC_CA",
        default_text="the RDS bundle, downloaded and cached",
    )
    connect_timeout: float = option(CONNECT_TIMEOUT, "Seconds to connect, and to reconnect.", metavar="S")


CONNECT_ARGUMENTS = {
    "target": OptionInfo(
        "Identifier of a DB cluster or instance, or the host name of its endpoint.",
        metavar="TARGET",
    ),
    "user": OptionInfo("Database user, made with `AWSAuthenticationPlugin`; case matters.", metavar="USER", short="u"),
    "database": OptionInfo("Default database (schema).", metavar="DATABASE", short="d"),
    "port": OptionInfo(
        "The endpoint's port, not a tunnel's.",
        metavar="PORT",
        short="p",
        default_text=f"what RDS or the host name says, else `{DEFAULT_PORT}`",
    ),
    "max_memory": OptionInfo(
        "Most memory that one result may take, in bytes or as a text such as `4 GB`.",
        default_text="half of the available memory",
    ),
    "notify": OptionInfo(
        "Called with a line of text for each thing that the user should know.", default_text="a Python warning"
    ),
}
"""What is said once when a connection is made, and is not an option of how it is reached or set."""
