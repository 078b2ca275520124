"""`WAYS`: the one table of all ways to name a database, in order; the first that fits counts.

docs/targets.md is generated from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from rds_iam_magic.aws.endpoint import (
    Destination,
    is_arn,
    is_host_name,
    is_plain_url,
    is_rds_name,
    parse_host_name,
    read_url,
    split_host_port,
)
from rds_iam_magic.aws.identity import account_of_caller
from rds_iam_magic.aws.secret import MasterSecret, read_master_secret, region_in
from rds_iam_magic.aws.session import configured_region, region_of, require_text
from rds_iam_magic.aws.targets import alias, find
from rds_iam_magic.aws.targets.arn import Arn, parse_arn, region_of_arn
from rds_iam_magic.aws.targets.describe import CLUSTERS, INSTANCES
from rds_iam_magic.aws.targets.endpoints import by_custom_endpoint, by_proxy_endpoint_arn
from rds_iam_magic.aws.targets.found import Found, account_of
from rds_iam_magic.aws.targets.global_database import find_global, writer_of
from rds_iam_magic.aws.targets.stack import read_stack
from rds_iam_magic.connect_options import TargetOptions
from rds_iam_magic.errors import AwsError, TargetError


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and with what.

    Attributes:
        session: A boto3 session.
        name: The target; "" where an option takes its place.
        where: The options.
        port: The port that is given beside it, if any.
        region: The region that is given beside it, if any.
        describe: Whether AWS is asked for what has a host name, too.
    """

    session: Any
    name: str
    where: TargetOptions = TargetOptions()  # noqa: RUF009 - frozen
    port: int | None = None
    region: str | None = None
    describe: bool = False

    @property
    def any_region(self) -> str:
        """The given region, else the session's.

        Raises:
            RegionError: There is none.
        """
        return self.region or region_of(self.session)


class Way(NamedTuple):
    """A way to name a database.

    Attributes:
        says: What the user writes; options as in `HINTS`, in all three texts.
        recognised: What it is recognised by.
        calls: Which calls to AWS it takes.
        fits: Whether a search is of this way.
        look: Finds it.
    """

    says: str
    recognised: str
    calls: str
    fits: Callable[[Search], bool]
    look: Callable[[Search], Found]


def look_for(search: Search) -> Found:
    """What a search finds.

    Raises:
        RdsIamError: As the way that it goes does.
    """
    way = next(way for way in WAYS if way.fits(search))
    return way.look(search)


def _by_url(search: Search) -> Found:
    to = read_url(Destination(search.name, None, None, search.port))
    return replace(look_for(replace(search, name=to.target, port=to.port)), schema=to.database)


def _by_host_name(search: Search) -> Found:
    endpoint = parse_host_name(search.name, port=search.port, region=search.region)
    database = find.by_endpoint(search.session, endpoint) if search.describe else None
    return Found(endpoint, f"{endpoint.host} is the host name of an RDS endpoint ({endpoint.kind.value}).", database)


def _by_global_host(search: Search) -> Found:
    """The writer's cluster; the global name itself where it may not be looked up, or the region is given."""
    region = configured_region(search.session)
    if search.region is None and region is not None:
        host = parse_host_name(search.name, region=region)
        row = find_global(search.session, region, host=host.host)
        if row is not None:
            return writer_of(search.session, row, region)
    return _by_host_name(replace(search, region=search.region or region))


def _by_own_name(search: Search) -> Found:
    host, port = split_host_port(search.name)
    real = alias.rds_name_behind(search.name)
    if real is None:
        parse_host_name(search.name)  # raises the error that tells what to give instead
        raise AssertionError("an RDS host name is no name of one's own")
    found = look_for(replace(search, name=real, port=search.port or port))
    origin = f"{host} leads to {found.endpoint.host} (CNAME): the token and TLS are for that name."
    return replace(found, origin=origin, told=True, moves=True)


def _by_arn(search: Search) -> Found:
    arn = parse_arn(search.name)
    region = region_of_arn(arn, search.region) or region_of(search.session)
    found: Found | None = None
    problem: AwsError | None = None
    try:
        found = _BY_ARN[arn.kind](search, arn, region)
    except AwsError as error:
        if error.cause not in _NOT_THERE:
            raise
        problem = error
    _check_account(search.session, arn, found)
    hint = "It may have been deleted: an ARN tells the region and the account."
    if problem is not None:
        if problem.cause in ("stack-unknown", "target-unknown"):
            problem.hint = hint
        raise problem
    if found is None:
        raise TargetError(f"There is no {arn.kind} {arn.name!r} in {region}.", hint, cause="target-unknown")
    return found


_NOT_THERE = frozenset(
    {"aws-denied", "aws-lookup-denied", "secret-key-unusable", "secret-unknown", "stack-unknown", "target-unknown"}
)
"""What AWS says of things in another account."""


def _check_account(session: Any, arn: Arn, found: Found | None) -> None:
    """Refuse another account's ARN, which may name the same as one here does; looked at only if nothing was found."""
    if found is None:
        account = account_of_caller(session)
    else:
        account = account_of(found.database) if found.database is not None else None
    if account not in (None, arn.account):
        raise TargetError(
            f"{arn.name} is in account {arn.account}; the credentials are of account {account}.",
            cause="target-in-other-account",
        )


def _by_global_arn(search: Search, arn: Arn, region: str) -> Found | None:
    row = find_global(search.session, region, name=arn.name)
    return None if row is None else writer_of(search.session, row, region)


_BY_ARN: dict[str, Callable[[Search, Arn, str], Found | None]] = {
    "DB cluster": lambda search, arn, region: find.by_name_of_kind(search.session, CLUSTERS, arn.name, region),
    "DB instance": lambda search, arn, region: find.by_name_of_kind(search.session, INSTANCES, arn.name, region),
    "proxy": lambda search, arn, region: find.by_proxy_arn(search.session, arn.text, region),
    "proxy endpoint": lambda search, arn, region: by_proxy_endpoint_arn(search.session, arn.text, region),
    "custom endpoint": lambda search, arn, region: by_custom_endpoint(search.session, arn.name, region),
    "global database": _by_global_arn,
    "stack": lambda search, arn, region: _of_stack(search, arn.text, region),
    "secret": lambda search, arn, _: _of_secret(search, arn.text),
}


def _by_stack(search: Search) -> Found:
    stack = str(search.where.stack).strip()
    region = region_of_arn(parse_arn(stack), search.region) if is_arn(stack) else None
    return _of_stack(search, stack, region or search.any_region)


def _of_stack(search: Search, stack: str, region: str) -> Found:
    names = read_stack(search.session, stack, region)
    if names.host:
        # The region of a host name is its own, and the port of its output comes before none.
        found = look_for(_named(search, names.host, search.port or names.port))
        origin = f"The stack {names.name} names {found.endpoint.host} (output {names.output})."
    else:
        kind, name = (CLUSTERS, names.clusters[0]) if names.clusters else (INSTANCES, names.instances[0])
        what = "DB cluster" if names.clusters else "DB instance"
        of_kind = find.by_name_of_kind(search.session, kind, name, region)
        if of_kind is None:
            raise TargetError(
                f"The stack {names.name} has the {what} {name}, which does not exist any more.", cause="target-unknown"
            )
        found = of_kind
        origin = f"The stack {names.name} has the {what} {name}; its endpoint is {found.endpoint.host}."
    return replace(found, origin=origin, told=True, secret=names.secret)


def _named(search: Search, name: str, port: int | None) -> Search:
    """The search for a name that something else gave: not one of its own kind again, which could lead back to it.

    Raises:
        TargetError: It is an ARN.
    """
    if is_arn(name):
        raise TargetError(f"{name} stands where the database's host name is expected.", cause="not-rds-host")
    return replace(search, name=name, port=port, region=None, where=TargetOptions())


def _by_secret(search: Search) -> Found:
    secret = str(search.where.secret)
    require_text(secret, "The secret's name")
    try:
        return _of_secret(search, secret.strip())
    except TargetError as error:
        if error.cause != "secret-without-database":
            raise
        problem = error
    # Beside a target, as for the master user, this secret is not taken.
    hint = "Give the cluster's or instance's identifier or host name instead of the secret."
    raise TargetError(problem.message, hint, cause="secret-without-database")


def _of_secret(search: Search, secret: str) -> Found:
    """The database of a secret; one that RDS manages does not say, so that it need not be read."""
    if secret.rpartition(":secret:")[2].startswith("rds!"):
        found = find.by_secret(search.session, secret, region_in(secret) or search.any_region)
    else:
        found = by_master_secret(search, read_master_secret(search.session, secret))
    return replace(
        found, origin=f"The secret {secret} is of {found.endpoint.host}.", told=True, secret=found.secret or secret
    )


def by_master_secret(search: Search, secret: MasterSecret) -> Found:
    """The database of a secret that has been read: by its host, else its identifier, else the database that names it.

    Raises:
        TargetError: There is none.
        AwsError: It may not be looked up.
    """
    region = search.region or secret.region or search.any_region
    if secret.host:
        found = look_for(_named(search, secret.host, search.port or secret.port))
    elif secret.identifier:
        kind = CLUSTERS if secret.is_cluster else INSTANCES
        of_kind = find.by_name_of_kind(search.session, kind, secret.identifier, region)
        if of_kind is None:
            what = "DB cluster" if secret.is_cluster else "DB instance"
            raise TargetError(
                f"The secret names the {what} {secret.identifier!r}, which does not exist in {region}.",
                cause="target-unknown",
            )
        found = of_kind
    else:
        found = find.by_secret(search.session, secret.arn, region)
    return replace(found, schema=secret.database)


def _is_global_host(search: Search) -> bool:
    return is_rds_name(search.name) and ".global." in search.name.lower()


WAYS = (
    Way(
        "`{option:stack}`, in place of the target",
        "the option",
        "`DescribeStacks`: the output `AuroraEndpoint` (with `AuroraPort`), else the outputs that are RDS host names, "
        "a writer's before a reader's. Else `ListStackResources`, of nested stacks too, and the cluster or instance is "
        "described",
        lambda search: search.where.stack is not None,
        _by_stack,
    ),
    Way(
        "`{option:secret}`, in place of the target",
        "the option",
        "`GetSecretValue`: its `host`, `port` and `dbname`, else its identifier, which is described. For a secret that "
        "RDS manages instead: `DescribeDBClusters`, `DescribeDBInstances`, and the one that names the secret",
        lambda search: search.where.secret is not None,
        _by_secret,
    ),
    Way(
        "`mysql://USER@HOST:PORT/DATABASE`",
        "the scheme; one with a password is refused, and not repeated",
        "as its HOST alone",
        lambda search: is_plain_url(search.name),
        _by_url,
    ),
    Way(
        "ARN of a cluster, instance, proxy, custom or proxy endpoint, global database, stack or secret",
        "`arn:`; region, account and partition are the ARN's",
        "the call that describes it; what is not found, or may not be looked up, also `GetCallerIdentity`, to tell "
        "that it is in another account",
        lambda search: is_arn(search.name),
        _by_arn,
    ),
    Way(
        "host name of a global database",
        "`.global-` in it",
        "`DescribeGlobalClusters`, then `DescribeDBClusters` in the writer's region, for each session; none "
        "with `{option:region}`",
        _is_global_host,
        _by_global_host,
    ),
    Way(
        "host name of any other RDS endpoint, in any partition; `HOST:PORT`",
        "the suffix, such as `.rds.amazonaws.com`",
        "none; only if nothing answers there, the cluster or instance is looked up, where that is allowed, for its "
        "port and its status",
        lambda search: is_rds_name(search.name),
        _by_host_name,
    ),
    Way(
        "resource id: `cluster-…`, `db-…`, `prx-…`",
        "its form: capitals and digits behind the hyphen",
        "all clusters, instances or proxies are listed and compared",
        lambda search: find.is_resource_id(search.name),
        lambda search: find.by_resource_id(search.session, search.name, region=search.region),
    ),
    Way(
        "host name of your own, `HOST:PORT`",
        "a dot or colon in it; the system's resolver, up to 8 CNAMEs, to the first RDS name",
        "those of that RDS name",
        lambda search: is_host_name(search.name),
        _by_own_name,
    ),
    Way(
        "identifier",
        "all else",
        "`DescribeDBClusters` and `DescribeDBInstances`; for an instance in a cluster its cluster, too. Found in "
        "neither: `DescribeDBProxies`, then `DescribeGlobalClusters`. A cluster *and* an instance of one name are both "
        "listed, and refused",
        lambda _: True,
        lambda search: find.by_identifier(search.session, search.name, region=search.region),
    ),
)
