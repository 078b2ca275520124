"""`ConnectOptions`: how AWS and the database are reached; filled in by the magics and by `connect`.

Each option's text is written once, here or in `SessionSettings`: help, documentation and parsing are
generated from it or, in the test suite, checked against it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from rds_iam_magic.errors import OptionError
from rds_iam_magic.option import OptionInfo, option, options_of

DEFAULT_PORT = 3306

MAX_USER_NAME = 32
"""Characters of a user name on MySQL; MariaDB allows more."""

CONNECT_TIMEOUT = 10.0
"""Seconds for DNS look-up, TCP connect, TLS and authentication together."""

RESUME_TIMEOUT = 60.0
"""The same for a database that may be paused: it resumes when somebody connects, mostly within 15 s, after a pause of a
day in 30 s or more. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html"""

Compress = Literal["auto", "zlib", "zstd", "off"]
"""How the traffic with the server is compressed."""


@dataclass(frozen=True, slots=True)
class ConnectOptions:
    """How AWS and the database are reached; each field carries its own description."""

    region: str | None = option(
        None,
        "AWS region.",
        metavar="REGION",
        default_text="the host name's, else `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile's",
        for_aws=True,
    )
    profile: str | None = option(
        None, "AWS profile.", metavar="PROFILE", default_text="the default credential chain", for_aws=True
    )
    role_arn: str | None = option(
        None,
        "Role to assume first, for a database in another account; its credentials are refreshed automatically.",
        metavar="ARN",
        for_aws=True,
    )
    external_id: str | None = option(
        None, "External id that the role's trust policy requires.", metavar="ID", for_aws=True
    )
    via: str | None = option(
        None,
        "Address to dial instead of the endpoint, such as `127.0.0.1:3307` for a tunnel. TLS is still verified "
        "against the endpoint's name.",
        metavar="HOST[:PORT]",
        variable="RDS_IAM_MAGIC_VIA",
    )
    ssm: str | None = option(
        None,
        "Open a tunnel by AWS Systems Manager through this instance, with the programs `aws` and "
        "`session-manager-plugin`; it takes the place of an address to dial.",
        metavar="INSTANCE_ID",
    )
    ssh: str | None = option(
        None,
        "Open a tunnel by `ssh` through this host, a name of `~/.ssh/config` too; it takes the place of an address to "
        "dial.",
        metavar="[USER@]HOST[:PORT]",
    )
    ca: str | None = option(
        None,
        "Path of a CA bundle, for machines without internet.",
        metavar="PATH",
        variable="RDS_IAM_MAGIC_CA",
        default_text="the RDS bundle, downloaded and cached",
    )
    wait: bool = option(
        False,
        "Wait until the database is available and IAM authentication is on, for at most 30 minutes: after it was "
        "created, started or modified. The database is looked up, a host name's too.",
    )
    connect_timeout: float | None = option(
        None,
        "Seconds allowed for connecting, and for reconnecting.",
        metavar="S",
        default_text=f"`{CONNECT_TIMEOUT:g}`; `{RESUME_TIMEOUT:g}` where a look-up has shown that the database may be "
        "paused",
    )
    compress: Compress = option(  # noqa: RUF009 - a dataclass field; ruff takes the alias for a mutable type
        "auto",
        "Compress the traffic: `zlib`, `zstd` (MySQL 8.0.18 or later), `off`, or `auto`: what the server has, if the "
        "link is slow (a round trip of 5 ms or more).",
        metavar="ALGORITHM",
        choices=get_args(Compress),
    )


@dataclass(frozen=True, slots=True)
class TargetOptions:
    """How the database is named otherwise than by TARGET, and which of its endpoints is meant."""

    stack: str | None = option(
        None,
        "CloudFormation stack whose outputs or resources name the database; instead of the target.",
        metavar="NAME",
    )
    secret: str | None = option(
        None,
        "Secret in Secrets Manager that names the database, or that the database names; instead of the target.",
        metavar="ID",
    )
    reader: bool = option(False, "Connect to the cluster's reader endpoint.")
    endpoint: str | None = option(None, "Connect to the cluster's custom endpoint, or the proxy's.", metavar="NAME")

    @property
    def names_database(self) -> bool:
        """Whether one of them takes the target's place."""
        return self.stack is not None or self.secret is not None


def check_named(target: str | None, where: TargetOptions) -> None:
    """Refuse a database that is named in two ways, two of its endpoints at once, and empty names.

    Args:
        target: The target, or None.
        where: The options that may take its place, or name an endpoint.

    Raises:
        OptionError: It is so.
    """
    ways = {"the target": target, "a stack": where.stack, "a secret": where.secret}
    given = [way for way, value in ways.items() if value is not None]
    if len(given) > 1:
        raise OptionError(f"The database is named by {' and by '.join(given)}.", cause="target-named-twice")
    if where.reader and where.endpoint is not None:
        raise OptionError("The reader endpoint and another one are asked for at once.", "Keep one of them.")
    for what, value in (("stack", where.stack), ("secret", where.secret), ("endpoint", where.endpoint)):
        if value is not None and not value.strip():
            raise OptionError(f"The {what}'s name is empty.", cause="option-empty")


CONNECT_ARGUMENTS = {
    "target": OptionInfo(
        "Identifier, ARN, resource id or host name of a DB cluster, DB instance, proxy or global database; or a host "
        "name of your own that leads to one (CNAME).",
        metavar="TARGET",
    ),
    "user": OptionInfo(
        "Database user, created with `AWSAuthenticationPlugin`; case-sensitive.", metavar="USER", short="u"
    ),
    "database": OptionInfo("Default database (schema).", metavar="DATABASE", short="d"),
    "port": OptionInfo(
        "The endpoint's port, not a tunnel's.",
        metavar="PORT",
        short="p",
        default_text=f"the port that RDS or the host name gives, else `{DEFAULT_PORT}`",
    ),
    "section": OptionInfo(
        "Section of `~/.config/rds_iam_magic/connections.ini` with further options; those given beside it win.",
        metavar="NAME",
        short="s",
    ),
    "max_memory": OptionInfo(
        "Maximum memory for one result: a number of bytes, or a string such as `4 GB`.",
        default_text="half of the available memory",
    ),
    "notify": OptionInfo("Called with each note for the user, one line of text.", default_text="a Python warning"),
}
"""The arguments of `connect` that are neither `ConnectOptions` nor `SessionSettings`."""


def as_line(
    target: str | None,
    user: str,
    database: str | None,
    port: int | None,
    options: ConnectOptions,
    where: TargetOptions,
) -> str:
    """The target and the options that are given, as on the line of a magic, to copy; no option of them is a secret.

    What IPython would take for a variable is written so that it does not.
    """
    words = [_word(target)] if target else []
    for key, value, info in _given(user, database, port, options, where):
        name = f"-{info.short}" if info.short else f"--{key.replace('_', '-')}"
        words += [name] if value is True else [name, _word(f"{value:g}" if isinstance(value, float) else str(value))]
    return _for_ipython(" ".join(words))


def as_word(text: str) -> str:
    """A text as one word of a magic's line, to copy: what IPython would take for a variable is written so, too."""
    return _for_ipython(_word(text))


def _for_ipython(line: str) -> str:
    """A line that IPython makes this one of: it fills in `{…}`, and `$…` that stands outside of single quotes.

    Where those are, it takes from the number of quotes behind, up to the next brace.
    """
    pieces = (_DOLLAR.sub("$$", piece) for piece in re.split(r"(?<=[{}])", line))
    return "".join(piece.replace("{", "{{").replace("}", "}}") for piece in pieces)


def as_ipython_reads(line: str) -> str:
    """What IPython makes of a line that was written by `as_line` or `as_word`."""
    pieces = re.findall(r"(.*?)(?:(\{)\{|(\})\}|\Z)", line, re.DOTALL)
    return "".join(_DOUBLED.sub("$", "".join(piece)) for piece in pieces)


_DOUBLED = re.compile(r"\$\$(?=[\w.]+(?:[^']*'[^']*')*[^']*\Z)")
_DOLLAR = re.compile(r"\$(?=[\w.]+(?:[^']*'[^']*')*[^']*\Z)")


def _word(text: str) -> str:
    """A text as one word of a line, which is never taken for an option."""
    quoted = shlex.quote(text)
    return f"'{quoted}'" if quoted.startswith("-") else quoted


def as_arguments(
    target: str | None,
    user: str,
    database: str | None,
    port: int | None,
    options: ConnectOptions,
    where: TargetOptions,
) -> str:
    """The same as the arguments of a call in Python."""
    named = [f"{key}={value!r}" for key, value, _ in _given(user, database, port, options, where)]
    return ", ".join([*([repr(target)] if target else []), *named])


def _given(
    user: str, database: str | None, port: int | None, options: ConnectOptions, where: TargetOptions
) -> Iterator[tuple[str, Any, OptionInfo]]:
    """The options that differ from their defaults, each with its Python name and its declaration."""
    for key, value in (("user", user), ("database", database), ("port", port)):
        if value is not None:
            yield key, value, CONNECT_ARGUMENTS[key]
    for kind in (where, options):
        for key, info in options_of(type(kind)).items():
            if getattr(kind, key) != info.default:
                yield key, getattr(kind, key), info
