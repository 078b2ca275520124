"""An AWS account that asks for permissions, as AWS does; moto asks for none by default."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

USER = "stranger"


@contextmanager
def only(sandbox: Any, *actions: str, of: str = f"user/{USER}", iam: Any = None) -> Iterator[str]:
    """Within it, the principal may do these actions and what its own policies say; the name of its profile.

    moto looks at actions only: at no resource, no condition and no boundary. The users `stranger`, `inline`, `grouped`,
    `managed` and `denied` and the role `analytics` may call nothing of AWS by themselves (`denied`: everything).

    Args:
        sandbox: The sandbox.
        actions: Such as `rds:Describe*`; `sts:GetCallerIdentity` needs no permission.
        of: `user/NAME` or `role/analytics`; the role is assumed by `stranger`.
        iam: A client for IAM in the principal's account; default: the sandbox's own.
    """
    with ExitStack() as granted:
        if of.startswith("role/"):
            granted.enter_context(_granted(sandbox, f"user/{USER}", ["sts:AssumeRole"]))
        granted.enter_context(_granted(sandbox, of, ["sts:GetCallerIdentity", *actions], iam))
        url = sandbox.environment["AWS_ENDPOINT_URL"]
        _ask_after(url, "0")
        granted.callback(_ask_after, url, "inf")
        yield of.partition("/")[2]


@contextmanager
def _granted(sandbox: Any, of: str, actions: list[str], iam: Any = None) -> Iterator[None]:
    iam = iam or sandbox.client("iam")
    kind, _, name = of.partition("/")
    named = {f"{kind.title()}Name": name, "PolicyName": "only"}
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    getattr(iam, f"put_{kind}_policy")(PolicyDocument=document, **named)
    try:
        yield
    finally:
        getattr(iam, f"delete_{kind}_policy")(**named)


def session_of_role(sandbox: Any, seconds: int = 3600, role: str = "analytics", **options: Any) -> dict[str, str]:
    """The credentials of a role's session, as environment variables; it may last a second, as on no AWS."""
    import boto3
    from botocore.config import Config

    key, secret = sandbox.keys[USER]
    config = Config(parameter_validation=False)  # which would ask for 15 minutes at least
    url = sandbox.environment["AWS_ENDPOINT_URL"]
    client = boto3.Session(key, secret, region_name="us-east-1").client("sts", endpoint_url=url, config=config)
    arn = f"arn:aws:iam::123456789012:role/{role}"
    given = client.assume_role(RoleArn=arn, RoleSessionName="test", DurationSeconds=seconds, **options)["Credentials"]
    client.close()
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }


def key_of_partition(sandbox: Any, region: str, user: str = "foreigner") -> dict[str, str]:
    """The credentials of a user in the partition of a region, such as `cn-north-1`: no other one knows them."""
    iam = sandbox.client("iam", region)
    if user not in [row["UserName"] for row in iam.list_users()["Users"]]:
        iam.create_user(UserName=user)
    made = iam.create_access_key(UserName=user)["AccessKey"]
    iam.close()
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


def _ask_after(url: str, requests: str) -> None:
    """Have moto ask for permissions after so many requests."""
    order = urllib.request.Request(
        f"{url}/moto-api/reset-auth", requests.encode(), {"Content-Type": "text/plain"}, method="POST"
    )
    with urllib.request.urlopen(order) as answer:
        assert answer.status == 200
