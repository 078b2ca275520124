"""`sqlalchemy_engine`: an engine whose pool opens each connection with a fresh token; SQLAlchemy is imported late."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pymysql.constants import CLIENT

from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.drivers.plain_connection import PlainConnection
from rds_iam_magic.drivers.pymysql import check_pymysql_options, login_of
from rds_iam_magic.errors import OptionError, warn
from rds_iam_magic.mysql.session_settings import SessionSettings

if TYPE_CHECKING:
    import sqlalchemy

POOL_RECYCLE = 1800
"""Seconds after which the pool replaces a connection: half an hour, after which an RDS Proxy closes an idle one."""


def sqlalchemy_engine(
    target: str | Connection | None = None,
    *,
    user: str | None = None,
    database: str | None = None,
    port: int | None = None,
    stack: str | None = None,
    secret: str | None = None,
    reader: bool = False,
    endpoint: str | None = None,
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
    timeout: float | None = None,
    read_only: bool = False,
    safe_updates: bool = False,
    time_zone: str | None = None,
    notify: Callable[[str], None] = warn,
    **engine_options: Any,
) -> sqlalchemy.Engine:
    """An SQLAlchemy engine for `pandas.to_sql`, marimo, jupysql and the like; needs the extra `sqlalchemy`.

    Each connection of its pool logs in with a fresh token, over verified TLS. Neither the engine nor its URL holds a
    password. The target is looked up now; the first use connects. On MySQL, `timeout` ends queries only.

    Args:
        target: Identifier, ARN, resource id or host name of a DB cluster, DB instance, proxy or global database; or a
            host name of your own that leads to one (CNAME). Or a connection of `rds_iam_magic.connect` or
            `rds_iam_magic.connection`, whose login and settings are used once more.
        user: Database user, created with `AWSAuthenticationPlugin`; case-sensitive.
        database: Default database (schema).
        port: The endpoint's port, not a tunnel's. Default: the port that RDS or the host name gives, else `3306`.
        stack: CloudFormation stack whose outputs or resources name the database; instead of the target.
        secret: Secret in Secrets Manager that names the database, or that the database names; instead of the target.
        reader: Connect to the cluster's reader endpoint.
        endpoint: Connect to the cluster's custom endpoint, or the proxy's.
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
        timeout: Seconds after which a statement is ended on the server. Default: the server's setting.
        read_only: Make every transaction read-only.
        safe_updates: UPDATE and DELETE need a key or a LIMIT (`sql_safe_updates`).
        time_zone: Session time zone, which TIMESTAMP values are converted to: an offset such as `+00:00`, or a name.
            Default: the server's setting.
        notify: Called with each note for the user, one line of text. Default: a Python warning.
        engine_options: Those of `sqlalchemy.create_engine`, such as `pool_size`, `echo` and `isolation_level`.
            `connect_args` are PyMySQL's, as in `pymysql_connect`. `pool_pre_ping` is on and `pool_recycle` 1800
            unless they are given.

    Raises:
        OptionError: SQLAlchemy is not installed, or does not take an option.
        RdsIamError: One of its subclasses; the message says what to do next.

    Example:
        >>> engine = rds_iam_magic.sqlalchemy_engine("my-cluster", user="analyst", database="shop")
        >>> frame.to_sql("targets", engine, if_exists="replace", index=False)
    """
    try:
        import sqlalchemy
    except ImportError:
        raise OptionError("SQLAlchemy is not installed.", cause="sqlalchemy-missing") from None
    _check_engine_options(engine_options)
    driver_options = dict(engine_options.pop("connect_args", None) or {})
    check_pymysql_options(driver_options)
    # As SQLAlchemy asks of PyMySQL itself: its row counts are of the rows found, not of those that were changed.
    driver_options["client_flag"] = driver_options.get("client_flag", 0) | CLIENT.FOUND_ROWS
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
        compress="off",
    )
    settings = SessionSettings(timeout=timeout, read_only=read_only, safe_updates=safe_updates, time_zone=time_zone)
    where = TargetOptions(stack=stack, secret=secret, reader=reader, endpoint=endpoint)
    login, settings = login_of(
        target, options, settings, user=user, database=database, port=port, where=where, notify=notify
    )
    url = sqlalchemy.URL.create(
        "mysql+pymysql",
        username=login.user,
        host=login.endpoint.host,
        port=login.endpoint.port,
        database=login.database,
    )

    def fresh() -> PlainConnection:
        return PlainConnection(login, settings, **driver_options)

    defaults = {"pool_pre_ping": True, "pool_recycle": POOL_RECYCLE}
    try:
        return sqlalchemy.create_engine(url, creator=fresh, **{**defaults, **engine_options})
    except TypeError as error:  # its words name the options that it does not take
        raise OptionError(f"SQLAlchemy takes no such option: {str(error).partition(',')[0]}.") from None


_REFUSED = {
    "autocommit": 'Write isolation_level="AUTOCOMMIT".',
    "creator": "Omit it: each connection is opened with a fresh token.",
    "module": "Omit it: the driver is PyMySQL.",
    "pool": "Give poolclass=, or pool_size= and the like.",
}


def _check_engine_options(options: dict[str, Any]) -> None:
    for name in options:
        if name in _REFUSED:
            raise OptionError(f"{name}= cannot be given here.", _REFUSED[name], cause="driver-option-refused")
