"""`connect`: target → endpoint → trust store → held connection, for scripts and for the magics."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args

from rds_iam_magic.aws.endpoint import (
    Destination,
    Endpoint,
    check_target,
    is_login,
    login_refused,
    read_url,
    split_host_port,
)
from rds_iam_magic.aws.identity import diagnose_credentials
from rds_iam_magic.aws.secret import MasterSecret, read_master_secret
from rds_iam_magic.aws.session import open_session
from rds_iam_magic.aws.targets.found import Database, Found
from rds_iam_magic.aws.targets.moving import Current
from rds_iam_magic.aws.targets.resolve import NOWHERE, resolve, resolve_by_secret
from rds_iam_magic.aws.targets.silent import Silence
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.aws.truststore import TrustStore, trust_store
from rds_iam_magic.connect_options import (
    CONNECT_TIMEOUT,
    RESUME_TIMEOUT,
    Compress,
    ConnectOptions,
    TargetOptions,
    as_arguments,
    as_line,
    check_named,
)
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import AccessDeniedError, ConnectError, CredentialsError, OptionError, TargetError, warn
from rds_iam_magic.hints import Note
from rds_iam_magic.mysql.credential import Credential, Password, Token
from rds_iam_magic.mysql.dial import Address
from rds_iam_magic.mysql.login import Login
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.option import require_seconds
from rds_iam_magic.sections import with_section
from rds_iam_magic.tunnels.choice import check_ways, tunnel_of


def connect(
    target: str | None = None,
    *,
    user: str | None = None,
    database: str | None = None,
    port: int | None = None,
    stack: str | None = None,
    secret: str | None = None,
    reader: bool = False,
    endpoint: str | None = None,
    section: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    role_arn: str | None = None,
    external_id: str | None = None,
    via: str | None = None,
    ssm: str | None = None,
    ssh: str | None = None,
    ca: str | None = None,
    wait: bool = False,
    connect_timeout: float | None = None,
    compress: Compress = "auto",
    timeout: float | None = None,
    read_only: bool = False,
    safe_updates: bool = False,
    time_zone: str | None = None,
    autocommit: bool | None = None,
    close_idle: float | None = None,
    max_memory: int | str | None = None,
    notify: Callable[[str], None] = warn,
) -> Connection:
    """Connect to RDS or Aurora (MySQL, MariaDB) with an IAM token, over verified TLS.

    A URL of the form `mysql://USER@HOST:PORT/DATABASE`, without a password, is a target, too.

    Args:
        target: Identifier, ARN, resource id or host name of a DB cluster, DB instance, proxy or global database; or a
            host name of your own that leads to one (CNAME).
        user: Database user, created with `AWSAuthenticationPlugin`; case-sensitive.
        database: Default database (schema).
        port: The endpoint's port, not a tunnel's. Default: the port that RDS or the host name gives, else `3306`.
        stack: CloudFormation stack whose outputs or resources name the database; instead of the target.
        secret: Secret in Secrets Manager that names the database, or that the database names; instead of the target.
        reader: Connect to the cluster's reader endpoint.
        endpoint: Connect to the cluster's custom endpoint, or the proxy's.
        section: Section of `~/.config/rds_iam_magic/connections.ini` with further options; those given beside it win.
        region: AWS region. Default: the host name's, else `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile's.
        profile: AWS profile. Default: the default credential chain.
        role_arn: Role to assume first, for a database in another account; its credentials are refreshed automatically.
        external_id: External id that the role's trust policy requires.
        via: Address to dial instead of the endpoint, such as `127.0.0.1:3307` for a tunnel. TLS is still verified
            against the endpoint's name. Default: the variable `RDS_IAM_MAGIC_VIA`.
        ssm: Open a tunnel by AWS Systems Manager through this instance, with the programs `aws` and
            `session-manager-plugin`; it takes the place of an address to dial.
        ssh: Open a tunnel by `ssh` through this host, a name of `~/.ssh/config` too; it takes the place of an address
            to dial.
        ca: Path of a CA bundle, for machines without internet. Default: the variable `RDS_IAM_MAGIC_CA`, else the RDS
            bundle, downloaded and cached.
        wait: Wait until the database is available and IAM authentication is on, for at most 30 minutes: after it was
            created, started or modified. The database is looked up, a host name's too.
        connect_timeout: Seconds allowed for connecting, and for reconnecting. Default: `10`; `60` where a look-up
            has shown that the database may be paused.
        compress: Compress the traffic: `zlib`, `zstd` (MySQL 8.0.18 or later), `off`, or `auto`: what the server has,
            if the link is slow (a round trip of 5 ms or more). Default: `auto`.
        timeout: Seconds after which a statement is ended on the server. Default: the server's setting.
        read_only: Make every transaction read-only.
        safe_updates: UPDATE and DELETE need a key or a LIMIT (`sql_safe_updates`).
        time_zone: Session time zone, which TIMESTAMP values are converted to: an offset such as `+00:00`, or a name.
            Default: the server's setting.
        autocommit: True: commit after each statement. False: keep a transaction open until COMMIT. Default: the
            server's setting.
        close_idle: Minutes without a statement after which the session is closed, so that a database can pause; the
            next statement opens a new one. One that holds a transaction, temporary tables, variables or locks stays
            open. Default: it stays open.
        max_memory: Maximum memory for one result: a number of bytes, or a string such as `4 GB`. Default: half of the
            available memory.
        notify: Called with each note for the user, one line of text. Default: a Python warning.

    Raises:
        RdsIamError: One of its subclasses; the message says what to do next.

    Example:
        >>> with rds_iam_magic.connect("my-cluster", user="analyst", database="shop") as db:
        ...     orders = db.query("SELECT * FROM orders")
    """
    where = TargetOptions(stack=stack, secret=secret, reader=reader, endpoint=endpoint)
    options = ConnectOptions(
        region=region,
        profile=profile,
        role_arn=role_arn,
        external_id=external_id,
        via=via,
        ssm=ssm,
        ssh=ssh,
        ca=ca,
        wait=wait,
        connect_timeout=connect_timeout,
        compress=compress,
    )
    settings = SessionSettings(
        timeout=timeout,
        read_only=read_only,
        safe_updates=safe_updates,
        time_zone=time_zone,
        autocommit=autocommit,
        close_idle=close_idle,
    )
    to = Destination(target or "", user, database, port)
    if section is not None:
        options, settings, to, where = with_section(section, options, settings, to, where)
    to = destination_of(to.target or None, to.user, to.database, to.port, where=where)
    return connect_with(
        options,
        settings,
        to.target,
        user=str(to.user),
        database=to.database,
        port=to.port,
        where=where,
        max_memory=max_memory,
        notify=notify,
    )


def connect_with(
    options: ConnectOptions,
    settings: SessionSettings,
    target: str | None,
    *,
    user: str,
    database: str | None = None,
    port: int | None = None,
    where: TargetOptions = NOWHERE,
    max_memory: int | str | None = None,
    notify: Callable[[str], None] = warn,
) -> Connection:
    """`connect`, with the options as dataclasses.

    Raises:
        RdsIamError: One of its subclasses.
    """
    try:
        login = iam_login(options, target, user=user, database=database, port=port, where=where, notify=notify)
        return _opened(login, options, settings, max_memory, notify)
    except (ConnectError, CredentialsError, TargetError) as error:
        if error.cause not in _SELF_EVIDENT:
            shown = (target, user, database, port, replace(options, wait=False), where)
            line, arguments = as_line(*shown), as_arguments(*shown)
            error.put_behind_hint(Note("Why: {command:doctor}", line=line, arguments=arguments))
        raise


_SELF_EVIDENT = frozenset(
    {
        "aws-cli-missing",
        "compression-not-offered",
        "database-denied",
        "database-unknown",
        "login-as-target",
        "profile-unknown",
        "session-manager-plugin-missing",
        "ssh-host-invalid",
        "ssh-missing",
        "stack-with-several",
        "ssm-target-invalid",
        "target-ambiguous",
        "zstd-not-offered",
    }
)
"""Causes about which nothing more can be found out."""


def _opened(
    login: Login,
    options: ConnectOptions,
    settings: SessionSettings,
    max_memory: int | str | None,
    notify: Callable[[str], None],
) -> Connection:
    endpoint, user = login.endpoint, login.user
    ready = replace(options, wait=False, connect_timeout=login.timeout)
    lasting = replace(settings, close_idle=None)  # a task's connection ends with it
    recipe = Reconnect(ready, lasting, f"{endpoint.host}:{endpoint.port}", endpoint.region, user, login.database)
    return Connection(login, settings=settings, max_memory=max_memory, notify=notify, recipe=recipe)


def destination_of(
    target: str | None, user: str | None, database: str | None, port: int | None, *, where: TargetOptions = NOWHERE
) -> Destination:
    """What to connect to and as whom, with what a URL as the target says; "" is the target if an option stands for it.

    Raises:
        OptionError: The target or the user is empty, or holds a password; a URL and an argument differ; the database is
            named in two ways.
    """
    check_named(target, where)
    given = Destination(target or "", user, database, port)
    to = read_url(given) if target else given
    if not where.names_database:
        check_target(to.target)
    if not to.user or not to.user.strip():
        raise OptionError("The database user is missing.", cause="user-missing")
    if is_login(to.user):
        raise login_refused()
    return to


def iam_login(
    options: ConnectOptions,
    target: str | None,
    *,
    user: str,
    database: str | None = None,
    port: int | None = None,
    where: TargetOptions = NOWHERE,
    notify: Callable[[str], None] = warn,
) -> Login:
    """The login with IAM tokens; the target is looked up, nothing is connected.

    Raises:
        RdsIamError: One of its subclasses.
    """
    if not where.names_database:
        check_target(target or "")
    check_ways(options)
    session = session_of(options)
    found = resolve(
        session, target or None, where=where, port=port, region=options.region, wait=options.wait, notify=notify
    )
    if (options.ssh or options.ssm) and found.again is not None:
        notify(f"the tunnel leads to {found.endpoint}; when the target moves, as by a failover, connect again.")
        found = replace(found, again=None)
    login = login_to(
        with_time_to_resume(options, found.database, notify),
        session,
        found.endpoint,
        user,
        _token(session, found, user, notify),
        database=database or found.schema,
        notify=notify,
    )
    return replace(
        login,
        session=session,
        diagnose_credentials=lambda: diagnose_credentials(session, found.endpoint.region),
        diagnose_silence=Silence(session, found),
    )


def _token(session: Any, found: Found, user: str, notify: Callable[[str], None]) -> Callable[[], Credential]:
    """Signs a token for each session: for the endpoint as it was found, or for what that is by then."""
    again = found.again
    if again is None:
        return lambda: Token(sign_token(session, found.endpoint, user))
    now = Current(found.endpoint, again, notify)

    def token() -> Credential:
        endpoint = now.endpoint()
        return Token(sign_token(session, endpoint, user), endpoint)

    return token


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How a connection was made, without a secret, so that another process can make it again.

    Attributes:
        options, settings, user, database: As in `connect_with`.
        target: The endpoint's host and port, which need no look-up.
        region: The endpoint's region.
    """

    options: ConnectOptions
    settings: SessionSettings
    target: str
    region: str
    user: str
    database: str | None

    def with_database(self, database: str | None) -> Reconnect:
        """The same with another default schema."""
        return replace(self, database=database)

    def connect(self, *, notify: Callable[[str], None], max_memory: int | str | None) -> Connection:
        """Connect with the credentials that this process has.

        Raises:
            RdsIamError: One of its subclasses.
        """
        return connect_with(
            replace(self.options, region=self.region),  # the given one was for looking up
            self.settings,
            self.target,
            user=self.user,
            database=self.database,
            max_memory=max_memory,
            notify=notify,
        )


def session_of(options: ConnectOptions) -> Any:
    """The boto3 session for the options.

    Raises:
        CredentialsError: The profile does not exist.
        OptionError: An external id without a role.
    """
    return open_session(
        profile=options.profile, region=options.region, role_arn=options.role_arn, external_id=options.external_id
    )


def connect_as_master(
    secret_id: str | None,
    options: ConnectOptions,
    *,
    target: str | None = None,
    where: TargetOptions = NOWHERE,
    notify: Callable[[str], None] = warn,
) -> Connection:
    """Connect as the master user, with the password of a secret, over the same verified TLS.

    Args:
        secret_id: The secret's name or ARN; None for the one that comes along with the target, such as a stack's.
        options: How AWS and the database are reached.
        target: The target; default: the database that the secret names, else the one that RDS says it belongs to.
        where: As in `resolve`.
        notify: As in `connect`.

    Raises:
        RdsIamError: One of its subclasses.
    """
    check_named(target, where)
    if target is not None:
        check_target(target)
    check_ways(options)
    session = session_of(options)
    found: Found | None = None
    if target is not None or where.names_database:
        found = resolve(
            session,
            target,
            where=where,
            region=options.region,
            require_iam=False,
            wait=options.wait,
            notify=notify,
        )
    of_secret = secret_id or (found.secret if found is not None else None)
    if of_secret is None:
        raise OptionError("The master user's secret is missing.", cause="master-secret-missing")
    secret = read_master_secret(session, of_secret)
    if found is None:
        found = resolve_by_secret(session, secret, region=options.region, wait=options.wait, notify=notify)
    options = with_time_to_resume(options, found.database, notify)
    return connect_by_secret(options, session, found.endpoint, of_secret, secret=secret, notify=notify)


def connect_by_secret(
    options: ConnectOptions,
    session: Any,
    endpoint: Endpoint,
    of_secret: str,
    *,
    secret: MasterSecret | None = None,
    trust: TrustStore | None = None,
    notify: Callable[[str], None] = warn,
) -> Connection:
    """Connect as the user of a secret; it is read once more if the server rejects its password.

    Args:
        options: How AWS and the database are reached.
        session: The boto3 session that reads the secret.
        endpoint: The endpoint.
        of_secret: The secret's name or ARN.
        secret: What was read of it; default: it is read.
        trust: As in `login_to`.
        notify: As in `connect`.

    Raises:
        RdsIamError: One of its subclasses.
    """

    def attempt(secret: MasterSecret) -> Connection:
        password = Password(secret.password)
        login = login_to(options, session, endpoint, secret.username, lambda: password, trust=trust, notify=notify)
        return Connection(login, notify=notify)

    try:
        return attempt(secret or read_master_secret(session, of_secret))
    except AccessDeniedError:
        pass  # the password may have been rotated since it was read
    return attempt(read_master_secret(session, of_secret))


def with_time_to_resume(
    options: ConnectOptions, database: Database | None, notify: Callable[[str], None]
) -> ConnectOptions:
    """The options with more time to connect, if the database may be paused and the user has set no time."""
    if options.connect_timeout is not None or database is None or not database.pauses:
        return options
    notify(
        f"the database may be paused (its minimum capacity is 0 ACU): connecting may take {RESUME_TIMEOUT:g} s instead "
        f"of {CONNECT_TIMEOUT:g}, so that it can resume."
    )
    return replace(options, connect_timeout=RESUME_TIMEOUT)


def login_to(
    options: ConnectOptions,
    session: Any,
    endpoint: Endpoint,
    user: str,
    credential: Callable[[], Credential],
    *,
    database: str | None = None,
    trust: TrustStore | None = None,
    notify: Callable[[str], None],
) -> Login:
    """The login at an endpoint; nothing is looked up, nothing is connected.

    Args:
        options: How the database is reached.
        session: The boto3 session whose credentials an SSM session is started with.
        endpoint: The endpoint.
        user: The database user.
        credential: As in `Login`.
        database: The default schema, if any.
        trust: Default: the endpoint's own, which may have to be downloaded.
        notify: As in `connect`.

    Raises:
        OptionError: An option is not valid.
        TrustStoreError: There is no usable CA bundle.
    """
    if options.compress not in get_args(Compress):
        raise OptionError(
            f"compress={options.compress!r} is not valid.", f"Use one of: {', '.join(get_args(Compress))}."
        )
    timeout = CONNECT_TIMEOUT if options.connect_timeout is None else options.connect_timeout
    require_seconds("connect_timeout", timeout)
    trust = trust or trust_store(endpoint, ca=options.ca)
    if trust.warning:
        notify(trust.warning)
    return Login(
        endpoint=endpoint,
        user=user,
        credential=credential,
        context=trust.context,
        trust_source=trust.source,
        via=_address(options, endpoint, notify),
        tunnel=tunnel_of(options, session, endpoint),
        database=database,
        timeout=timeout,
        compress=options.compress,
    )


def _address(options: ConnectOptions, endpoint: Endpoint, notify: Callable[[str], None]) -> Address | None:
    """The address to dial instead of the endpoint, or None."""
    text = options.via or os.environ.get("RDS_IAM_MAGIC_VIA")
    if not text:
        return None
    if options.ssm or options.ssh:
        notify(
            Note("RDS_IAM_MAGIC_VIA is set; it has no effect beside {option:%s}." % ("ssm" if options.ssm else "ssh"))
        )
        return None
    host, port = split_host_port(text.strip())
    return Address(host, port or endpoint.port)
