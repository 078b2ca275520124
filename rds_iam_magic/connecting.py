"""`connect`: target → endpoint → trust store → held connection, for scripts and for the magics."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args

from rds_iam_magic.aws import discovery
from rds_iam_magic.aws.endpoint import (
    Destination,
    Endpoint,
    check_target,
    is_login,
    login_refused,
    read_url,
    split_host_port,
)
from rds_iam_magic.aws.secret import MasterSecret, read_master_secret
from rds_iam_magic.aws.session import diagnose_credentials, open_session
from rds_iam_magic.aws.token import sign_token
from rds_iam_magic.aws.truststore import trust_store
from rds_iam_magic.connect_options import CONNECT_TIMEOUT, Compress, ConnectOptions
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.errors import AccessDeniedError, OptionError, warn
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
    connect_timeout: float = CONNECT_TIMEOUT,
    compress: Compress = "auto",
    timeout: float | None = None,
    read_only: bool = False,
    safe_updates: bool = False,
    time_zone: str | None = None,
    autocommit: bool | None = None,
    max_memory: int | str | None = None,
    notify: Callable[[str], None] = warn,
) -> Connection:
    """Connect to RDS or Aurora (MySQL, MariaDB) with an IAM token, over verified TLS.

    A URL of the form `mysql://USER@HOST:PORT/DATABASE`, without a password, is a target, too.

    Args:
        target: Identifier or ARN of a DB cluster or instance, or the host name of its endpoint.
        user: Database user, created with `AWSAuthenticationPlugin`; case-sensitive.
        database: Default database (schema).
        port: The endpoint's port, not a tunnel's. Default: the port that RDS or the host name gives, else `3306`.
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
        connect_timeout: Seconds allowed for connecting, and for reconnecting. Default: `10`.
        compress: Compress the traffic: `zlib`, `zstd` (MySQL 8.0.18 or later), `off`, or `auto`: what the server has,
            if the link is slow (a round trip of 5 ms or more). Default: `auto`.
        timeout: Seconds after which a statement is ended on the server. Default: the server's setting.
        read_only: Make every transaction read-only.
        safe_updates: UPDATE and DELETE need a key or a LIMIT (`sql_safe_updates`).
        time_zone: Session time zone, which TIMESTAMP values are converted to: an offset such as `+00:00`, or a name.
            Default: the server's setting.
        autocommit: True: commit after each statement. False: keep a transaction open until COMMIT. Default: the
            server's setting.
        max_memory: Maximum memory for one result: a number of bytes, or a string such as `4 GB`. Default: half of the
            available memory.
        notify: Called with each note for the user, one line of text. Default: a Python warning.

    Raises:
        RdsIamError: One of its subclasses; the message says what to do next.

    Example:
        >>> with rds_iam_magic.connect("my-cluster", user="analyst", database="sales") as db:
        ...     orders = db.query("SELECT * FROM orders")
    """
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
        timeout=timeout, read_only=read_only, safe_updates=safe_updates, time_zone=time_zone, autocommit=autocommit
    )
    to = Destination(target or "", user, database, port)
    if section is not None:
        options, settings, to = with_section(section, options, settings, to)
    to = destination_of(to.target, to.user, to.database, to.port)
    return connect_with(
        options,
        settings,
        to.target,
        user=str(to.user),
        database=to.database,
        port=to.port,
        max_memory=max_memory,
        notify=notify,
    )


def connect_with(
    options: ConnectOptions,
    settings: SessionSettings,
    target: str,
    *,
    user: str,
    database: str | None = None,
    port: int | None = None,
    max_memory: int | str | None = None,
    notify: Callable[[str], None] = warn,
) -> Connection:
    """`connect`, with the options as dataclasses.

    Raises:
        RdsIamError: One of its subclasses.
    """
    login = iam_login(options, target, user=user, database=database, port=port, notify=notify)
    endpoint = login.endpoint
    ready = replace(options, wait=False)
    recipe = Reconnect(ready, settings, f"{endpoint.host}:{endpoint.port}", endpoint.region, user, database)
    return Connection(login, settings=settings, max_memory=max_memory, notify=notify, recipe=recipe)


def destination_of(target: str, user: str | None, database: str | None, port: int | None) -> Destination:
    """What to connect to and as whom, with what a URL as the target says.

    Raises:
        OptionError: The target or the user is empty, or holds a password; a URL and an argument differ.
    """
    given = Destination(target, user, database, port)
    to = read_url(given) if target else given
    check_target(to.target)
    if not to.user or not to.user.strip():
        raise OptionError("The database user is missing.", cause="user-missing")
    if is_login(to.user):
        raise login_refused()
    return to


def iam_login(
    options: ConnectOptions,
    target: str,
    *,
    user: str,
    database: str | None = None,
    port: int | None = None,
    notify: Callable[[str], None] = warn,
) -> Login:
    """The login with IAM tokens; the target is looked up, nothing is connected.

    Raises:
        RdsIamError: One of its subclasses.
    """
    check_target(target)
    check_ways(options)
    session = session_of(options)
    endpoint = discovery.resolve(session, target, port=port, region=options.region, wait=options.wait, notify=notify)

    def token() -> Credential:
        return Token(sign_token(session, endpoint, user))

    login = _login(options, session, endpoint, user, token, database=database, notify=notify)
    return replace(login, session=session, diagnose_credentials=lambda: diagnose_credentials(session))


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
            replace(self.options, region=self.options.region or self.region),
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
    secret_id: str, options: ConnectOptions, *, target: str | None = None, notify: Callable[[str], None] = warn
) -> Connection:
    """Connect as the master user, with the password of a secret, over the same verified TLS.

    Args:
        secret_id: The secret's name or ARN.
        options: How AWS and the database are reached.
        target: The target; default: the database that the secret names, else the one that RDS says it belongs to.
        notify: As in `connect`.

    Raises:
        RdsIamError: One of its subclasses.
    """
    if target is not None:
        check_target(target)
    check_ways(options)
    session = session_of(options)
    secret = read_master_secret(session, secret_id)
    endpoint = _endpoint_of(session, secret, target, options, notify)

    def attempt(secret: MasterSecret) -> Connection:
        login = _login(options, session, endpoint, secret.username, lambda: Password(secret.password), notify=notify)
        return Connection(login, notify=notify)

    try:
        return attempt(secret)
    except AccessDeniedError:
        pass  # the password may have been rotated since it was read
    return attempt(read_master_secret(session, secret_id))


def _endpoint_of(
    session: Any, secret: MasterSecret, target: str | None, options: ConnectOptions, notify: Callable[[str], None]
) -> Endpoint:
    resolve = partial(discovery.resolve, session, require_iam=False, wait=options.wait, notify=notify)
    if target:
        return resolve(target, region=options.region)
    if secret.host:
        return resolve(secret.host, port=secret.port, region=options.region)
    if secret.identifier:
        return resolve(secret.identifier, region=options.region or secret.region)
    return discovery.resolve_by_secret(session, secret.arn, wait=options.wait, notify=notify)


def _login(
    options: ConnectOptions,
    session: Any,
    endpoint: Endpoint,
    user: str,
    credential: Callable[[], Credential],
    *,
    database: str | None = None,
    notify: Callable[[str], None],
) -> Login:
    if options.compress not in get_args(Compress):
        raise OptionError(
            f"compress={options.compress!r} is not valid.", f"Use one of: {', '.join(get_args(Compress))}."
        )
    require_seconds("connect_timeout", options.connect_timeout)
    trust = trust_store(endpoint, ca=options.ca)
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
        timeout=options.connect_timeout,
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
