"""`pymysql_connect`: a plain connection of PyMySQL, for code that wants the driver itself."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pymysql
from pymysql.constants import CLIENT

from rds_iam_magic.connect_options import CONNECT_ARGUMENTS, ConnectOptions, TargetOptions
from rds_iam_magic.connecting import destination_of, iam_login
from rds_iam_magic.connection.connection import Connection
from rds_iam_magic.drivers.plain_connection import PlainConnection
from rds_iam_magic.errors import OptionError, warn
from rds_iam_magic.mysql.login import Login
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.option import options_of


def pymysql_connect(
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
    autocommit: bool | None = False,
    notify: Callable[[str], None] = warn,
    **pymysql_options: Any,
) -> pymysql.connections.Connection:
    """Open a plain connection of PyMySQL with an IAM token, over verified TLS.

    It behaves as one of `pymysql.connect`: a lost one raises, and no statement is run again. Its `connect()` and
    `ping(reconnect=True)` log in anew, with a fresh token. No token is kept in it. On MySQL, `timeout` ends queries
    only.

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
        autocommit: True: commit after each statement. False, as in PyMySQL: keep a transaction open until `commit()`.
            None: the server's setting.
        notify: Called with each note for the user, one line of text. Default: a Python warning.
        pymysql_options: PyMySQL's own: `cursorclass`, `charset`, `collation`, `conv`, `read_timeout`, `write_timeout`,
            `init_command`, `sql_mode`, `client_flag`, `local_infile` and the like.

    Raises:
        RdsIamError: One of its subclasses; the message says what to do next.

    Example:
        >>> with rds_iam_magic.pymysql_connect("my-cluster", user="analyst", database="shop") as db:
        ...     with db.cursor() as cursor:
        ...         cursor.execute("SELECT COUNT(*) FROM orders WHERE country = %s", ("JP",))
    """
    check_pymysql_options(pymysql_options, ours=_OURS)
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
    return PlainConnection(login, settings, autocommit=autocommit, **pymysql_options)


def login_of(
    target: str | Connection | None,
    options: ConnectOptions,
    settings: SessionSettings,
    *,
    user: str | None,
    database: str | None,
    port: int | None,
    where: TargetOptions,
    notify: Callable[[str], None],
) -> tuple[Login, SessionSettings]:
    """The login and the settings, those of a connection if that is the target; autocommit is left out.

    Raises:
        OptionError: Options came with a connection, which has its own.
        RdsIamError: The target is not to be had.
    """
    if isinstance(target, Connection):
        plain = (ConnectOptions(compress="off"), SessionSettings(), None, None, TargetOptions())
        if (options, settings, user, port, where) != plain:
            raise OptionError(
                "The target is a connection, which has its own user and options.",
                "Give only database=, or the cluster's name as the target.",
            )
        return replace(target.login, database=database or target.database), replace(target.settings, autocommit=None)
    to = destination_of(target, user, database, port, where=where)
    login = iam_login(
        options, to.target, user=str(to.user), database=to.database, port=to.port, where=where, notify=notify
    )
    return login, settings


_OURS = (
    *CONNECT_ARGUMENTS,
    *options_of(TargetOptions),
    *options_of(ConnectOptions),
    *options_of(SessionSettings),
)

_PASSED_ON = (
    "binary_prefix", "charset", "client_flag", "collation", "conv", "cursorclass", "defer_connect", "init_command",
    "local_infile", "max_allowed_packet", "program_name", "read_timeout", "sql_mode", "use_unicode", "write_timeout",
)  # fmt: skip

_TAKEN = {
    "auth_plugin_map": "Omit it: a token is sent by this package only.",
    "bind_address": "Omit it.",
    "compress": "Omit it: PyMySQL cannot read compressed traffic.",
    "db": "Write database=.",
    "host": "Omit it: the target names the host; via= is the address of a tunnel.",
    "named_pipe": "Omit it: the target names the host.",
    "passwd": "Omit it: a token takes its place.",
    "password": "Omit it: a token takes its place.",
    "read_default_file": "Omit it: such a file may name another host or a password.",
    "read_default_group": "Omit it: such a file may name another host or a password.",
    "server_public_key": "Omit it: a token takes the password's place.",
    "unix_socket": "Omit it: the target names the host.",
}
_TLS = "Omit it: TLS is always verified; ca= names another CA bundle."


def check_pymysql_options(options: Mapping[str, Any], ours: Iterable[str] = ()) -> None:
    """Refuse what is not PyMySQL's to decide here: where to connect, and how it is secured.

    Args:
        options: PyMySQL's options, by their names.
        ours: Names that are options too, but not of PyMySQL, for the one that was probably meant.

    Raises:
        OptionError: One is refused, or PyMySQL has none of that name. The value is never repeated.
    """
    for name in options:
        if name == "client_flag" and _asks_for_compression(options[name]):
            raise OptionError(
                "client_flag=COMPRESS cannot be given here.", _TAKEN["compress"], cause="driver-option-refused"
            )
        if name in _PASSED_ON:
            continue
        if name in _TAKEN or name.startswith("ssl"):
            raise OptionError(f"{name}= cannot be given here.", _TAKEN.get(name, _TLS), cause="driver-option-refused")
        near = difflib.get_close_matches(name, [*_PASSED_ON, *ours], n=1)
        raise OptionError(
            f"There is no option {name}=.",
            f"Did you mean {near[0]}=?" if near else f"PyMySQL's are {', '.join(_PASSED_ON)}.",
        )


def _asks_for_compression(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & CLIENT.COMPRESS)
