"""`connect_to_set_up`: a connection as the master user, whose secret is the one given, or the one that RDS manages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rds_iam_magic.aws.endpoint import Endpoint, Kind, check_target
from rds_iam_magic.aws.targets.resolve import NOWHERE, described, resolve
from rds_iam_magic.connecting import connect_as_master, session_of, with_time_to_resume
from rds_iam_magic.errors import AwsError, TargetError, warn

if TYPE_CHECKING:
    from rds_iam_magic.aws.targets.found import Database, Found
    from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
    from rds_iam_magic.connection.connection import Connection


def connect_to_set_up(
    options: ConnectOptions,
    *,
    target: str | Endpoint | None = None,
    secret: str | None = None,
    where: TargetOptions = NOWHERE,
    notify: Callable[[str], None] = warn,
) -> Connection:
    """Connect as the master user.

    Args:
        options: How AWS and the database are reached.
        target: The target, or its endpoint. Default: the database that the secret names.
        secret: The secret's name or ARN. Default: the one that the stack names, or that RDS manages for the target.
        where: The options that name the database instead of the target.
        notify: As in `connect`.

    Raises:
        TargetError: RDS manages no secret for the target, or has none yet.
        AwsError: The target may not be described, so that its secret is not known.
        RdsIamError: As `connect_as_master` does.
    """
    if where.names_database:
        found = _resolve(session_of(options), None, options, notify, where)
        target, secret = found.endpoint, secret or found.secret
        options = _once_found(options, found.database, notify)
    if secret is None:
        if target is None:
            raise TargetError("Neither a target nor a secret is given.", cause="master-target-missing")
        target, database, secret = _with_secret(session_of(options), target, options, notify)
        options = _once_found(options, database, notify)
    if isinstance(target, Endpoint):
        options = replace(options, region=options.region or target.region)
        target = f"{target.host}:{target.port}"
    return connect_as_master(secret, options, target=target, notify=notify)


def _once_found(options: ConnectOptions, database: Database | None, notify: Callable[[str], None]) -> ConnectOptions:
    """The options for connecting by the endpoint's host name, which does not tell again what a look-up has shown."""
    return replace(with_time_to_resume(options, database, notify), wait=False)  # it has been waited for


def _with_secret(
    session: Any, target: str | Endpoint, options: ConnectOptions, notify: Callable[[str], None]
) -> tuple[Endpoint, Database | None, str]:
    """The endpoint, the database if it was described, and the secret that came along, else the one that RDS manages."""
    if isinstance(target, str):
        check_target(target)
    try:
        found = _resolve(session, target, options, notify) if isinstance(target, str) else None
        if found is not None and found.secret is not None:
            return found.endpoint, found.database, found.secret
        database = _described(session, target, found)
    except AwsError as error:
        if error.cause != "aws-lookup-denied":
            raise
        denial = error
    else:
        return database.endpoint, database, _secret_of(database, notify)
    raise AwsError(denial.message, detail=denial.detail, cause="master-lookup-denied")


def _described(session: Any, target: str | Endpoint, found: Found | None) -> Database:
    """The database as RDS describes it: what was found, else the one of the endpoint."""
    endpoint = target if found is None else found.endpoint
    database = None if found is None else found.database
    if database is None and isinstance(endpoint, Endpoint) and endpoint.kind is Kind.PROXY:
        raise _of_proxy(endpoint.host)
    database = database or described(session, endpoint)
    if database.proxy:
        raise _of_proxy(database.proxy)
    return database


def _resolve(
    session: Any,
    target: str | None,
    options: ConnectOptions,
    notify: Callable[[str], None],
    where: TargetOptions = NOWHERE,
) -> Found:
    return resolve(
        session,
        target,
        where=where,
        region=options.region,
        require_iam=False,
        wait=options.wait,
        notify=notify,
    )


def _of_proxy(name: str) -> TargetError:
    return TargetError(
        f"{name} is an RDS Proxy; which secret the master user of its database has is not known there.",
        cause="master-of-proxy",
    )


def _secret_of(database: Database, notify: Callable[[str], None]) -> str:
    """The ARN of the secret that RDS manages. Its status: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_MasterUserSecret.html."""
    name = database.endpoint.identifier
    if database.master_secret is None and database.resource_id is None:
        raise AwsError(
            f"The secret of {name}'s master user is the cluster's, which these credentials may not look up.",
            cause="master-lookup-denied",
        )
    if database.master_secret is None:
        raise TargetError(f"RDS manages no secret for the master user of {name}.", cause="master-secret-missing")
    arn, status = database.master_secret
    if status == "creating":
        raise TargetError(f"The secret of {name}'s master user is being created.", cause="master-secret-creating")
    if status == "rotating":
        notify(f"the password of {name}'s master user is being rotated: a refused login may work in a minute.")
    if status == "impaired":
        notify(
            f"RDS cannot rotate the password of {name}'s master user (its secret is impaired): check the secret and "
            "its KMS key; for now the password still works."
        )
    return arn
