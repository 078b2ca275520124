"""Authentication tokens: the 15-minute passwords of IAM database authentication.

A token is a presigned URL without its scheme, signed locally, so having one does not mean that AWS accepts it. Each
connection attempt gets a fresh one: a token expires, while an established session continues.
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.Connecting.html
"""

from __future__ import annotations

from typing import Any

from rds_iam_magic.aws.border import aws_call
from rds_iam_magic.aws.endpoint import Endpoint
from rds_iam_magic.aws.secret import Secret
from rds_iam_magic.aws.session import credentials_of, require_text

LIFETIME = 900
"""A token's lifetime in seconds; RDS rejects longer ones."""


def sign_token(session: Any, endpoint: Endpoint, user: str) -> Secret:
    """Sign a token with which `user` can log in at `endpoint`, as `aws rds generate-db-auth-token` does.

    Args:
        session: A boto3 session; its credentials are read now, so refreshable ones are fresh.
        endpoint: The endpoint's own host and port, not a tunnel's.
        user: The database user; case-sensitive.

    Raises:
        CredentialsError: There are no credentials, or they cannot be refreshed.
        OptionError: The user name is empty or not valid text.
    """
    require_text(user, "The user's name")
    with aws_call("signing the authentication token"):
        return _sign(session, endpoint, user)


def _sign(session: Any, endpoint: Endpoint, user: str) -> Secret:
    # What botocore's generate_db_auth_token does, without building an RDS client first (0.1 s and more).
    from botocore.awsrequest import prepare_request_dict
    from botocore.model import ServiceId
    from botocore.signers import RequestSigner

    body = {"Action": "connect", "DBUser": user}
    request = {"url_path": "/", "query_string": "", "headers": {}, "body": body, "method": "GET"}
    prepare_request_dict(request, f"https://{endpoint.host}:{endpoint.port}")
    credentials = credentials_of(session)
    signer = RequestSigner(ServiceId("RDS"), endpoint.region, "rds-db", "v4", credentials, session.events)
    url = signer.generate_presigned_url(
        request, "connect", region_name=endpoint.region, expires_in=LIFETIME, signing_name="rds-db"
    )
    return Secret(url.removeprefix("https://"))
