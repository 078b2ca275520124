"""`resolve`: what the user names → `Found`, once it can be connected to; `described`: the same as AWS describes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from rds_iam_magic.aws.availability import check_can_wait, iam_problem, status_problem, when_ready
from rds_iam_magic.aws.endpoint import Endpoint, is_rds_name, parse_host_name, region_in_name
from rds_iam_magic.aws.secret import MasterSecret
from rds_iam_magic.aws.session import HastySession
from rds_iam_magic.aws.targets import find
from rds_iam_magic.aws.targets.endpoints import choose
from rds_iam_magic.aws.targets.found import Database, Found
from rds_iam_magic.aws.targets.ways import Search, by_master_secret, look_for
from rds_iam_magic.connect_options import TargetOptions, check_named
from rds_iam_magic.errors import TargetError, warn

NOWHERE = TargetOptions()


def resolve(
    session: Any,
    target: str | None,
    *,
    where: TargetOptions = NOWHERE,
    port: int | None = None,
    region: str | None = None,
    require_iam: bool = True,
    wait: bool = False,
    notify: Callable[[str], None] = warn,
) -> Found:
    """What a target means.

    Args:
        session: A boto3 session.
        target: A host name, an identifier, an ARN and so on, as `WAYS` has them; None if an option takes its place.
        where: The options that name the database otherwise, or another one of its endpoints.
        port: Overrides the endpoint's port.
        region: Overrides the region in a host name, and the session's for an identifier.
        require_iam: Whether IAM authentication must be enabled; checked only where the database is looked up.
        wait: Whether to wait until the database is available, and IAM authentication on; looks up a host name's
            database, too.
        notify: Called with what is waited for, and with where the endpoint came from, if that is not plain to see.

    Raises:
        OptionError: The database is named twice; or a proxy's or global endpoint's host name is to be waited for.
        TargetError: The target does not exist, is another engine, is not available, or IAM authentication is off.
        AwsError: It cannot be looked up, for instance without permission.
        RegionError: The target is an identifier, and no region is known.
    """
    name = _named(target, where)
    if wait and is_rds_name(name):
        check_can_wait(parse_host_name(name, region=region or "any"))
    search = Search(session, name, where, port=port, region=region, describe=wait)

    def look(session: Any = session) -> Found:
        return choose(session, look_for(replace(search, session=session)), where)

    def again() -> Endpoint:
        endpoint = look(HastySession(session)).endpoint
        return endpoint if port is None else replace(endpoint, port=port)

    found = _ready(look, _called(name, where), require_iam=require_iam, wait=wait, notify=notify)
    for note in (_other_region(found.endpoint, region), _other_port(found, port)):
        if note:
            notify(note)
    return replace(_with_port(found, port), again=again if found.moves else None)


def locate(
    session: Any,
    target: str | None,
    *,
    where: TargetOptions = NOWHERE,
    port: int | None = None,
    region: str | None = None,
) -> Found:
    """What `resolve` finds, whether it can be connected to or not; nobody is told anything. The arguments are the same.

    Raises:
        OptionError, TargetError, AwsError, RegionError: As `resolve` does, but not for its status, nor for IAM
            authentication.
    """
    search = Search(session, _named(target, where), where, port=port, region=region)
    return _with_port(choose(session, look_for(search), where), port)


def _named(target: str | None, where: TargetOptions) -> str:
    """The target's name; "" where an option takes its place.

    Raises:
        OptionError: The database is named twice.
        TargetError: It is not named.
    """
    check_named(target, where)
    name = (target or "").strip()
    if not name and not where.names_database:
        raise TargetError("The target is empty.", cause="target-empty")
    return name


def _with_port(found: Found, port: int | None) -> Found:
    return found if port is None else replace(found, endpoint=replace(found.endpoint, port=port))


def resolve_by_secret(
    session: Any,
    secret: MasterSecret,
    *,
    region: str | None = None,
    wait: bool = False,
    notify: Callable[[str], None] = warn,
) -> Found:
    """The database whose master secret this is; the arguments are as in `resolve`.

    Raises:
        TargetError: There is none, or it is not available.
        AwsError: It cannot be looked up.
    """
    search = Search(session, "", region=region)
    look = partial(by_master_secret, search, secret)
    return _ready(look, "the secret's database", require_iam=False, wait=wait, notify=notify)


def described(
    session: Any, target: str | Endpoint | None, *, where: TargetOptions = NOWHERE, region: str | None = None
) -> Database:
    """A target's database as AWS describes it, whether it can be connected to or not.

    Args:
        session: A boto3 session.
        target: As in `resolve`; or the endpoint of a connection.
        where: As in `resolve`.
        region: As in `resolve`.

    Raises:
        OptionError, TargetError, AwsError, RegionError: As `resolve` does.
    """
    if isinstance(target, Endpoint):
        return find.by_endpoint(session, target)
    found = look_for(Search(session, _named(target, where), where, region=region, describe=True))
    return found.database or find.by_endpoint(session, found.endpoint)


def _other_region(endpoint: Endpoint, region: str | None) -> str:
    """A sentence on a region that is given beside a host name of another one; "" if it is not so."""
    own = region_in_name(endpoint.host)
    if not region or not own or region == own:
        return ""
    return f"{endpoint.host} is in {own} by its name; the token is signed for {region}, as was asked for."


def _other_port(found: Found, port: int | None) -> str:
    """A sentence on a port that is given beside the one that RDS describes; "" if it is not so."""
    if port is None or found.database is None or found.database.endpoint.port == port:
        return ""
    return (
        f"RDS describes port {found.database.endpoint.port}; the token is signed for {port}, as was asked for. (A "
        "tunnel's port belongs to the tunnel, not here.)"
    )


def _called(name: str, where: TargetOptions) -> str:
    """How messages call it."""
    return name or (f"the stack {where.stack}'s database" if where.stack else "the secret's database")


def _ready(
    look: Callable[[], Found],
    name: str,
    *,
    require_iam: bool,
    wait: bool,
    notify: Callable[[str], None],
) -> Found:
    """What `look` finds, when it can be connected to; the user is told where it came from."""

    def problem_of(found: Found) -> TargetError | None:
        database = found.database
        if database is None:
            return None
        problem = status_problem(name, database.status)
        if problem is not None or not require_iam:
            return problem
        return _iam_problem(name, database)

    found = when_ready(name, look, problem_of, wait=wait, notify=notify)
    if found.told:
        notify(found.origin)
    return found


def _iam_problem(name: str, database: Database) -> TargetError | None:
    if database.proxy and database.iam_enabled is False:
        return TargetError(f"The proxy {database.proxy} takes no tokens.", cause="proxy-iam-authentication-off")
    return iam_problem(name, database.status, enabled=database.iam_enabled, pending=database.iam_pending)
