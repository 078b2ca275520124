"""What the suite's fixtures stand on: an IAM user with a schema to fill, and logins of it."""

from __future__ import annotations

import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import boto3

from rds_iam_magic.aws.endpoint import Kind, parse_host_name
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.mysql.credential import Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.login import Login

SCRATCH = "scratch"

WATCHED: list[Any] = []
"""Servers of fixtures that outlive a test: each test's sessions on them must end with it."""


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


@contextmanager
def watch(server) -> Iterator[None]:
    """Have each test end its sessions on a server."""
    WATCHED.append(server)
    try:
        yield
    finally:
        WATCHED.remove(server)


def sessions() -> Counter[str]:
    """How many sessions each user has on the watched servers; those of this look are root's."""
    found: Counter[str] = Counter()
    for server in WATCHED:
        if server.pid is not None:
            with server.root() as root:
                root.execute(
                    "SELECT USER FROM information_schema.PROCESSLIST WHERE USER NOT IN ('root', 'system user')"
                )
                found.update(f"session of {user} at port {server.port}" for (user,) in root.fetchall())
    return found


def create_tester(server) -> None:
    with server.root() as root:
        root.execute(f"CREATE DATABASE IF NOT EXISTS {SCRATCH}")
        root.execute(
            "CREATE USER IF NOT EXISTS 'tester'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL"
        )
        root.execute(f"GRANT ALL ON {SCRATCH}.* TO 'tester'@'%'")
        root.execute("GRANT PROCESS ON *.* TO 'tester'@'%'")
