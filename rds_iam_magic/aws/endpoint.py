"""`Endpoint`: the AWS host and port that a token is signed for and that TLS is verified against.

Host names are parsed without calling AWS: analysts often may connect but not describe. The formats are those of
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html and of botocore's
partition list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from rds_iam_magic.connect_options import DEFAULT_PORT
from rds_iam_magic.errors import OptionError, RdsIamError, TargetError

T = TypeVar("T")

# DNS suffix → partition. GovCloud shares `amazonaws.com` and is recognised by its region.
_PARTITIONS = {
    "amazonaws.com": "aws",
    "amazonaws.com.cn": "aws-cn",
    "amazonaws.eu": "aws-eusc",
    "c2s.ic.gov": "aws-iso",
    "sc2s.sgov.gov": "aws-iso-b",
    "cloud.adc-e.uk": "aws-iso-e",
    "csp.hci.ic.gov": "aws-iso-f",
}
_PARTITIONS_OF_REGIONS = {  # by how the names of their regions begin; all others are of `aws`
    "us-gov-": "aws-us-gov",
    "cn-": "aws-cn",
    "eusc-": "aws-eusc",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
}
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")


class Kind(str, Enum):
    """The kind of an endpoint."""

    INSTANCE = "instance"
    CLUSTER = "cluster"  # the writer
    READER = "reader"
    CUSTOM = "custom"
    PROXY = "proxy"
    SHARD_GROUP = "shard group"
    GLOBAL = "global"


_KIND_BY_PREFIX = (  # in this order: `cluster-` begins the others
    ("cluster-ro-", Kind.READER),
    ("cluster-custom-", Kind.CUSTOM),
    ("cluster-", Kind.CLUSTER),
    ("proxy-", Kind.PROXY),
    ("shardgrp-", Kind.SHARD_GROUP),
    ("global-", Kind.GLOBAL),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An RDS endpoint; `host` is always in lower case, because the signature covers the lower-case name."""

    host: str
    region: str
    port: int = DEFAULT_PORT
    kind: Kind = Kind.INSTANCE
    partition: str = "aws"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def identifier(self) -> str:
        """The first label: the name of the cluster, instance or proxy."""
        return self.host.partition(".")[0]


# s3:// is a file path; role names in ARNs may contain an @.
_URL = re.compile(r"(?!s3:)[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LOGIN = re.compile(r"(?!arn:)[^\s:@/\"'`]+:[^\s@]*@[^\s@]+", re.IGNORECASE)
_PASSWORD = re.compile(r"(?:^|[?&;,\s])(?:password|passwd|pwd)\s*=", re.IGNORECASE)


def is_login(text: str) -> bool:
    """Whether a text is a connection URL or `user:password@host`, as other tools accept: it may contain a password."""
    return _URL.match(text.strip()) is not None or _LOGIN.fullmatch(text.strip()) is not None


def login_refused(kind: type[RdsIamError] = OptionError) -> RdsIamError:
    """The error for a text that is a login; it never repeats the text, which may contain a password."""
    error = kind(
        "This URL or user:password@host is not a target; it is not repeated here, since it may contain a password.",
        cause="login-as-target",
    )
    error.holds_input = True
    return error


# No colon before the @, and nothing behind the schema: there a password could be.
_PLAIN_URL = re.compile(
    r"(?:mysql|mariadb)(?:\+[a-z]+)?://(?:(?P<user>[\w.$-]+)@)?(?P<host>[A-Za-z0-9.-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?(?:/(?P<database>[\w$-]*))?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Destination:
    """What a connection is opened to, as far as it is known."""

    target: str
    user: str | None = None
    database: str | None = None
    port: int | None = None


def is_plain_url(target: str) -> bool:
    """Whether a target is a URL of the form `mysql://USER@HOST:PORT/DATABASE`, without a password."""
    match = _PLAIN_URL.fullmatch(target.strip())
    return match is not None and int(match["port"] or DEFAULT_PORT) in range(1, 65536)


def read_url(given: Destination) -> Destination:
    """What a plain URL says, beside what was given otherwise; any other target as it is.

    Raises:
        OptionError: Both say something, and not the same.
    """
    match = _PLAIN_URL.fullmatch(given.target.strip()) if is_plain_url(given.target) else None
    if match is None:
        return given
    return Destination(
        match["host"],
        user=_one_of("user", match["user"], given.user),
        database=_one_of("database", match["database"], given.database),
        port=_one_of("port", int(match["port"]) if match["port"] else None, given.port),
    )


def _one_of(name: str, said: T | None, given: T | None) -> T | None:
    if said and given and said != given:
        raise OptionError(f"The URL says {name} {said}, and {name} {given} is given, too.", "Keep one of them.")
    return said or given


def check_target(target: str) -> None:
    """Refuse an invalid target before AWS is called and before any message repeats it.

    Raises:
        OptionError: It is empty, or a login such as other tools accept.
    """
    if not target or not target.strip():
        raise OptionError("The target is empty.", cause="target-empty")
    if is_login(target) or "@" in target or _PASSWORD.search(target):
        raise login_refused()


def is_host_name(target: str) -> bool:
    """Whether a target is a host name: identifiers of clusters and instances contain no dot and no colon."""
    return not is_arn(target) and ("." in target or ":" in target or target.strip().lower() == "localhost")


def is_arn(target: str) -> bool:
    """Whether a target is meant as an ARN."""
    return target.strip().startswith("arn:")


def is_rds_name(target: str) -> bool:
    """Whether a target is the host name of an RDS endpoint, with or without a port, by its form."""
    host = target.strip().lower().partition(":")[0].rstrip(".")
    suffix = next((s for s in _PARTITIONS if host.endswith(f".{s}")), None)
    labels = host.split(".")
    return suffix is not None and "rds" in labels[1:] and all(labels)


def parse_host_name(text: str, *, port: int | None = None, region: str | None = None) -> Endpoint:
    """Parse an RDS host name, `HOST` or `HOST:PORT`.

    Args:
        text: The host name as shown in the AWS console; case and surrounding white space do not matter.
        port: Overrides the port in `text`; 3306 if neither is given.
        region: Overrides the region in the name; needed for global endpoints, whose writer moves between regions.

    Raises:
        TargetError: It is not an RDS endpoint's host name, or the port is not valid.
    """
    host, written_port = split_host_port(text.strip().lower())
    host = host.rstrip(".")
    labels = host.split(".")
    suffix = next((s for s in _PARTITIONS if host.endswith(f".{s}")), None)
    if suffix is None or not is_rds_name(host):
        shown = host if host and host.isprintable() else repr(host)
        raise TargetError(
            f"{shown} is not the host name of an RDS endpoint (NAME.ID.REGION.rds.amazonaws.com).",
            cause="not-rds-host",
        )
    body = labels[: len(labels) - suffix.count(".") - 1]
    kind = _kind(body)
    known_region = region or _region(body)
    if known_region is None:
        raise TargetError(
            f"The host name {host} does not contain a region.",
            cause="target-without-region",
        )
    partition = "aws-us-gov" if known_region.startswith("us-gov-") else _PARTITIONS[suffix]
    return Endpoint(host, known_region, port or written_port or DEFAULT_PORT, kind, partition)


def split_host_port(text: str) -> tuple[str, int | None]:
    """`HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT` → host and port (None if not written).

    Raises:
        TargetError: The port is not a number from 1 to 65535, or the host is empty.
    """
    if is_login(text) or "@" in text:
        raise login_refused(TargetError)
    match = re.fullmatch(r"\[(?P<v6>[^\]]+)\](?::(?P<p6>.*))?|(?P<host>[^:\s/@]+)(?::(?P<port>.*))?", text)
    if match is None:
        raise TargetError(f"{text!r} is not a host name or HOST:PORT.", cause="address-invalid")
    port = match["p6"] if match["v6"] else match["port"]
    return match["v6"] or match["host"], None if port is None else checked_port(port)


def checked_port(text: str) -> int:
    """A port number from text.

    Raises:
        TargetError: Not a number from 1 to 65535.
    """
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise TargetError(f"{text!r} is not a port.", cause="port-invalid")


def is_region(text: str) -> bool:
    """Whether a text has the form of a region's name."""
    return _REGION.fullmatch(text) is not None


def partition_of(region: str) -> str:
    """The partition that a region is in, by its name."""
    return next((name for prefix, name in _PARTITIONS_OF_REGIONS.items() if region.startswith(prefix)), "aws")


def region_in_name(host: str) -> str:
    """The region in an RDS host name; "" if it has none, as a global database's."""
    return _region(host.split(".")) or ""


def _kind(body: list[str]) -> Kind:
    for label in body[1:]:
        for prefix, kind in _KIND_BY_PREFIX:
            if label.startswith(prefix):
                return kind
    return Kind.INSTANCE


def _region(body: list[str]) -> str | None:
    # The region precedes `rds`, or follows it in the newer names in China.
    return next((label for label in body[1:] if _REGION.fullmatch(label)), None)
