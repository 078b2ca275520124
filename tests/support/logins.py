"""What the suite's fixtures stand on: an IAM user with a schema to fill, and logins of it."""

from __future__ import annotations

import ssl
from dataclasses import replace

import boto3

from rds_iam_magic.aws.endpoint import Kind, parse_host_name
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.login import Login

SCRATCH = "scratch"


def login_of_tester(sandbox, **changes) -> Login:
    """A login of the IAM user `tester`, who may do anything in the schema `scratch`."""
    endpoint = parse_host_name(sandbox.endpoint)
    key, secret = sandbox.keys["administrator"]
    session = boto3.Session(key, secret, region_name=endpoint.region)
    options = {
        "endpoint": endpoint,
        "user": "tester",
        "credential": lambda: Token(sign_token(session, endpoint, "tester")),
        "context": ssl.create_default_context(cafile=str(sandbox.bundle)),
        "trust_source": str(sandbox.bundle),
        "via": Address("127.0.0.1", sandbox.server.port),
        "database": SCRATCH,
    }
    return Login(**options | changes)


def through_text(login: Login) -> Login:
    """The same login as if through an RDS Proxy, where nothing is prepared: all rows come in the text protocol."""
    return replace(login, endpoint=replace(login.endpoint, kind=Kind.PROXY))


def create_tester(server) -> None:
    with server.root() as root:
        root.execute(f"CREATE DATABASE IF NOT EXISTS {SCRATCH}")
        root.execute(
            "CREATE USER IF NOT EXISTS 'tester'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL"
        )
        root.execute(f"GRANT ALL ON {SCRATCH}.* TO 'tester'@'%'")
        root.execute("GRANT PROCESS ON *.* TO 'tester'@'%'")
