"""An AWS account that asks for permissions, as AWS does; moto asks for none by default."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

USER = "stranger"


@contextmanager
def only(sandbox: Any, *actions: str) -> Iterator[str]:
    """Within it, the profile that this gives may do these actions and nothing else."""
    iam, url = sandbox.client("iam"), sandbox.environment["AWS_ENDPOINT_URL"]
    statement = {"Effect": "Allow", "Action": ["sts:GetCallerIdentity", *actions], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=USER, PolicyName="only", PolicyDocument=document)
    _ask_after(url, "0")
    try:
        yield USER
    finally:
        _ask_after(url, "inf")
        iam.delete_user_policy(UserName=USER, PolicyName="only")


def _ask_after(url: str, requests: str) -> None:
    """Have moto ask for permissions after so many requests."""
    order = urllib.request.Request(
        f"{url}/moto-api/reset-auth", requests.encode(), {"Content-Type": "text/plain"}, method="POST"
    )
    with urllib.request.urlopen(order) as answer:
        assert answer.status == 200
