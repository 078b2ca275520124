"""The IAM policy that lets a principal connect as a database user, for a described database or from ids alone.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
"""

from __future__ import annotations

import re
from typing import Any

from rds_iam_magic.aws.endpoint import Endpoint, is_region, partition_of
from rds_iam_magic.aws.session import require_text
from rds_iam_magic.aws.targets.found import Database, account_of
from rds_iam_magic.aws.targets.resolve import NOWHERE, described
from rds_iam_magic.connect_options import MAX_USER_NAME, TargetOptions
from rds_iam_magic.errors import AwsError, OptionError, RegionError

_RESOURCE_ID = re.compile(r"(?:cluster|db|prx)-[A-Za-z0-9]+")
_ACCOUNT = re.compile(r"[0-9]{12}")
_PATTERN = re.compile(
    r"[*?]|\$\{"
)  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html


def connect_policy(database: Database, user: str, *, wildcard: bool = False) -> dict[str, Any]:
    """A policy document that allows `rds-db:connect` as `user`, on the database's *resource* id.

    Args:
        database: The described database.
        user: The database user; case-sensitive.
        wildcard: Whether `user` may be a pattern, for several users.

    Raises:
        OptionError: As `check_policy_user` does.
        AwsError: The resource id is not known, since the instance's cluster may not be described.
    """
    check_policy_user(user, wildcard=wildcard)
    endpoint = database.endpoint
    if database.resource_id is None:
        raise AwsError(
            f"The policy names the resource id of the cluster that {endpoint.identifier} is in; it is unknown, since "
            "AWS does not permit looking up the cluster with these credentials.",
            cause="policy-lookup-denied",
        )
    return _document(endpoint.partition, endpoint.region, account_of(database), database.resource_id, user)


def policy_from_ids(
    user: str, *, resource_id: str, account: str, region: str, wildcard: bool = False
) -> dict[str, Any]:
    """The same from ids alone, without a call to AWS.

    Args:
        user: As in `connect_policy`.
        resource_id: `cluster-…`, `db-…` or `prx-…`, as the RDS console shows it.
        account: The 12 digits of the database's account.
        region: The database's region; it tells the partition.
        wildcard: As in `connect_policy`.

    Raises:
        OptionError: As `check_policy_user` does, or an id has another form.
        RegionError: The region has another form.
    """
    check_policy_user(user, wildcard=wildcard)
    if _RESOURCE_ID.fullmatch(resource_id) is None:
        raise OptionError(f"{resource_id!r} is not a resource id.", cause="resource-id-invalid")
    if _ACCOUNT.fullmatch(account) is None:
        raise OptionError(f"{account!r} is not an AWS account: those have 12 digits.", cause="account-invalid")
    if not is_region(region):
        raise RegionError(f"{region} is not an AWS region.", cause="region-unknown")
    return _document(partition_of(region), region, account, resource_id, user)


def find_for_policy(
    session: Any, target: str | Endpoint | None, *, where: TargetOptions = NOWHERE, region: str | None = None
) -> Database:
    """The database that a policy is for.

    Args:
        session: A boto3 session.
        target: As in `resolve`, or a connection's endpoint.
        where: As in `resolve`.
        region: Overrides the region in a host name, and the session's for an identifier.

    Raises:
        TargetError: As `described` does.
        AwsError: It cannot be looked up, for instance without permission.
    """
    try:
        return described(session, target, where=where, region=region)
    except AwsError as error:
        if error.cause != "aws-lookup-denied":
            raise
        denial = error
    # Not the hint of connecting, that a host name needs no look-up: a policy's resource id is in no host name.
    raise AwsError(denial.message, detail=denial.detail, cause="policy-lookup-denied")


def check_policy_user(user: str, *, wildcard: bool = False) -> None:
    """Refuse what would make a policy for nobody, or for more than one user without being asked to.

    Args:
        user: The database user; case-sensitive.
        wildcard: Whether it may contain `*` and `?`, which stand for any characters, and `${`, which begins a variable.

    Raises:
        OptionError: It is empty, not valid text, too long, or a pattern.
    """
    require_text(user, "The database user's name")
    if _PATTERN.search(user) is not None:
        if not wildcard:
            raise OptionError(
                f"In a policy, {user!r} stands for more than one database user: * and ? for any characters, "
                "${ for a variable.",
                cause="policy-user-pattern",
            )
    elif len(user) > MAX_USER_NAME:
        raise OptionError(f"A user name has 1 to {MAX_USER_NAME} characters.", cause="user-name-invalid")


def _document(partition: str, region: str, account: str, resource_id: str, user: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "rds-db:connect",
                "Resource": f"arn:{partition}:rds-db:{region}:{account}:dbuser:{resource_id}/{user}",
            }
        ],
    }
