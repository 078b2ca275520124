"""`diagnose`: why a database user cannot log in, for scripts and for the magics."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import Destination
from rds_iam_magic.connect_options import Compress, ConnectOptions, TargetOptions, as_line
from rds_iam_magic.connecting import destination_of
from rds_iam_magic.doctor.evidence import Asked
from rds_iam_magic.errors import warn
from rds_iam_magic.hints import Interface
from rds_iam_magic.mysql.session_settings import SessionSettings
from rds_iam_magic.sections import with_section
from rds_iam_magic.tunnels.choice import check_ways

if TYPE_CHECKING:
    from rds_iam_magic.doctor.findings import Diagnosis


def diagnose(
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
    notify: Callable[[str], None] = warn,
) -> Diagnosis:
    """Say why a database user cannot log in, step by step, from the AWS credentials to the grants.

    The arguments are those of `connect`. It only looks; it logs in once, if it can, and closes that session.
    What it may not look at is unknown, with the permission that it takes: never a problem.

    Args:
        target: Identifier, ARN, resource id or host name of a DB cluster, DB instance, proxy or global database; or a
            host name of your own that leads to one (CNAME).
        user: Database user, created with `AWSAuthenticationPlugin`; case-sensitive.
        database: Default database (schema).
        port: The endpoint's port, not a tunnel's. Default: the port that RDS or the host name gives, else `3306`.
        stack: CloudFormation stack whose outputs or resources name the database; instead of the target.
        secret: The master user's secret: its name or ARN. With it the server's accounts are looked at, too; without a
            target it also names the database.
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
        wait: No effect: what is not available is said, not waited for.
        connect_timeout: Seconds allowed for connecting, and for reconnecting. Default: `10`; `60` where a look-up
            has shown that the database may be paused.
        compress: Compress the traffic: `zlib`, `zstd` (MySQL 8.0.18 or later), `off`, or `auto`: what the server has,
            if the link is slow (a round trip of 5 ms or more). Default: `auto`.
        notify: Called with each note for the user, one line of text. Default: a Python warning.

    Raises:
        OptionError: The arguments cannot be understood. Whatever else does not work is in the diagnosis.

    Example:
        >>> print(rds_iam_magic.diagnose("my-cluster", user="analyst"))
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
    where = TargetOptions(stack=stack, reader=reader, endpoint=endpoint)
    to = Destination(target or "", user, database, port)
    if section is not None:
        options, _, to, where = with_section(section, options, SessionSettings(), to, where)
    return attempt_of(to, options, where, secret).diagnose(notify)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login as it was asked for, without a secret.

    Attributes:
        to: The target, the user, the default schema, the port.
        options: How AWS and the database are reached.
        where: The options that name the database instead of the target.
        secret: The master user's secret, by its name or ARN; None if the accounts are not to be looked at.
    """

    to: Destination
    options: ConnectOptions
    where: TargetOptions = TargetOptions()  # noqa: RUF009 - frozen
    secret: str | None = None

    @property
    def asked(self) -> Asked:
        """The same as evidence."""
        to, options = self.to, self.options
        return Asked(
            user=str(to.user),
            target=to.target,
            database=to.database,
            port=to.port,
            region=options.region,
            ca=bool(options.ca or os.environ.get("RDS_IAM_MAGIC_CA")),
            way=_way(options),
            line=as_line(to.target, str(to.user), to.database, to.port, options, self.where),
            names=tuple((kind, os.environ[name]) for name, kind in _NAMING.items() if os.environ.get(name)),
        )

    def diagnose(self, notify: Callable[[str], None], interface: Interface = Interface.PYTHON) -> Diagnosis:
        """Run the checks, and conclude.

        Args:
            notify: Called with what is waited for, one line of text.
            interface: Where it was asked, as whose the mends spell options.
        """
        from rds_iam_magic.doctor.diagnose import diagnose_with

        found = diagnose_with(replace(self.asked, interface=interface), self.options, self.where, self.secret, notify)
        return replace(found, line=self.line)

    @property
    def line(self) -> str:
        """What follows the doctor's name to ask the same again."""
        where = replace(self.where, secret=self.secret or self.where.secret)
        return as_line(self.to.target, str(self.to.user), self.to.database, self.to.port, self.options, where)


def attempt_of(to: Destination, options: ConnectOptions, where: TargetOptions, secret: str | None) -> Attempt:
    """The attempt that options come to: without a target, the master user's secret names the database.

    Args:
        to: What they say of the target, the user, the default schema and the port.
        options: How AWS and the database are reached.
        where: The options that name the database instead; its `secret` is one that does nothing else.
        secret: The master user's secret, or None.

    Raises:
        OptionError: The user or the target is missing, or cannot be one; or options exclude each other.
    """
    if not to.target and not where.names_database:
        where = replace(where, secret=secret)
    to = destination_of(to.target or None, to.user, to.database, to.port, where=where)
    check_ways(options)
    return Attempt(to, replace(options, wait=False), where, secret)


_NAMING = {
    "AWS_PROFILE": "profile",
    "AWS_DEFAULT_PROFILE": "profile",
    "AWS_CONFIG_FILE": "path",
    "AWS_SHARED_CREDENTIALS_FILE": "path",
    "RDS_IAM_MAGIC_CA": "path",
}
"""Variables whose values may be in a message, and which kind of name they are."""


def _way(options: ConnectOptions) -> str:
    """What is dialled instead of the endpoint; "" for the endpoint."""
    if options.ssh:
        return f"ssh {options.ssh}"
    if options.ssm:
        return f"ssm {options.ssm}"
    return options.via or os.environ.get("RDS_IAM_MAGIC_VIA") or ""
