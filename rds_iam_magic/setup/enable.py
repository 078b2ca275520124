"""`enable_iam`: switches IAM database authentication on for a database that is there already.

https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Enabling.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rds_iam_magic.aws.availability import iam_problem, status_problem, when_ready
from rds_iam_magic.aws.targets.found import Database
from rds_iam_magic.aws.targets.resolve import described
from rds_iam_magic.errors import AwsError, OptionError, ProvisionError, RdsIamError, TargetError
from rds_iam_magic.hints import Note
from rds_iam_magic.setup.provision.calls import ask

_IAM = "IAMDatabaseAuthenticationEnabled"


def enable_iam(
    session: Any,
    target: str,
    *,
    region: str | None = None,
    now: bool = False,
    yes: bool = False,
    wait: bool = False,
    notify: Callable[[str], None],
) -> None:
    """Switch IAM authentication on; for an instance in a cluster, for the cluster. Where it is on, nothing is changed.

    Args:
        session: A boto3 session.
        target: A host name, an identifier or an ARN.
        region: Overrides the session's region.
        now: Whether to apply it at once; else AWS does so in the maintenance window.
        yes: Whether other changes that are due in the window may be applied at once, too.
        wait: Whether to wait until it is on.
        notify: Called with each line for the user.

    Raises:
        OptionError: To wait for the maintenance window could take a week.
        ProvisionError: It cannot be switched on, or not without other changes.
        TargetError: There is no such database, or it cannot be connected to.
        AwsError: AWS cannot be asked, or does not permit it.
    """
    if wait and not now:
        raise OptionError("The maintenance window may be a week away.", cause="wait-for-window")
    database = _find(session, target, region)
    if database.iam_enabled:
        notify(f"IAM database authentication is on already for {target}; nothing was changed.")
        return
    row = _describe(session, database)
    window = f"the maintenance window ({row.get('PreferredMaintenanceWindow', 'see the RDS console')}, UTC)"
    if database.iam_pending and not now:
        notify(Note("It is going to be switched on in {window}; {option:now} does it at once.", window=window))
        return
    _check_others(target, row, now=now, yes=yes)
    _modify(session, target, database, now=now)
    if not now:
        notify(
            Note(
                "IAM authentication will be switched on for {target} in {window}; {option:now} does it at once.",
                target=target,
                window=window,
            )
        )
        return
    notify(f"IAM database authentication is being switched on for {target}; it needs no restart.")
    if wait:
        when_ready(target, lambda: _find(session, target, region), _problem_of(target), wait=True, notify=notify)


def _problem_of(target: str) -> Callable[[Database], TargetError | None]:
    def problem_of(database: Database) -> TargetError | None:
        # Asked for just now: that it is not shown as pending yet does not mean that it is off.
        return status_problem(target, database.status) or iam_problem(
            target, database.status, enabled=database.iam_enabled, pending=True
        )

    return problem_of


def _find(session: Any, target: str, region: str | None) -> Database:
    """The database that has the setting: of an instance in a cluster, the cluster."""
    database = described(session, target, region=region)
    if database.proxy:
        raise TargetError(
            f"{database.proxy} is an RDS Proxy; its IAM authentication is set for each of its secrets.",
            cause="proxy-iam-authentication-off",
        )
    if database.resource_id is None:
        raise AwsError(
            f"The cluster that {target} is in may not be looked up: rds:DescribeDBClusters is missing.",
            cause="permission-missing",
            facts={"permission": "rds:DescribeDBClusters"},
        )
    return database


def _is_cluster(database: Database) -> bool:
    return ":cluster:" in database.arn


def _describe(session: Any, database: Database) -> dict[str, Any]:
    name = "DBCluster" if _is_cluster(database) else "DBInstance"
    call = "describe_db_clusters" if _is_cluster(database) else "describe_db_instances"
    rows = _rds(session, database, call, "looking up the database", {f"{name}Identifier": _identifier(database)})
    return dict(next(iter(rows.get(f"{name}s", [])), {}))


def _check_others(target: str, row: dict[str, Any], *, now: bool, yes: bool) -> None:
    """Applying one change at once applies all that are pending, some of which restart the database."""
    pending = row.get("PendingModifiedValues") or {}
    # False and 0 are changes, too: to one zone, to no backups.
    others = [key for key, value in pending.items() if key != _IAM and value not in (None, "", [], {})]
    if now and others and not yes:
        raise ProvisionError(
            f"{target} has other changes that are due in the maintenance window and would be applied at once, too: "
            f"{', '.join(others)}.",
            cause="changes-pending",
        )


def _modify(session: Any, target: str, database: Database, *, now: bool) -> None:
    name = "DBCluster" if _is_cluster(database) else "DBInstance"
    unsupported = ProvisionError(
        f"AWS refuses IAM database authentication for {target}.", cause="iam-authentication-unsupported"
    )
    busy = ProvisionError(f"{target} is {database.status}; it cannot be modified now.", cause="database-busy")
    refusals: dict[str, RdsIamError] = {
        "InvalidParameterCombination": unsupported,
        "InvalidParameterValue": unsupported,
        "InvalidDBClusterStateFault": busy,
        "InvalidDBInstanceState": busy,
    }
    _rds(
        session,
        database,
        "modify_db_cluster" if _is_cluster(database) else "modify_db_instance",
        f"modifying {target}",
        {f"{name}Identifier": _identifier(database), "EnableIAMDatabaseAuthentication": True, "ApplyImmediately": now},
        refusals,
    )


def _rds(
    session: Any,
    database: Database,
    call: str,
    doing: str,
    arguments: dict[str, Any],
    refusals: dict[str, RdsIamError] | None = None,
) -> dict[str, Any]:
    region = database.endpoint.region
    return ask(session, "rds", call, doing, arguments, refusals=refusals, region=region)


def _identifier(database: Database) -> str:
    return database.arn.rpartition(":")[2]
