"""`Request`: what to make, as the user wants it, checked before anybody is asked. No I/O."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal, get_args

from rds_iam_magic.connect_options import MAX_USER_NAME
from rds_iam_magic.errors import OptionError
from rds_iam_magic.option import option

Engine = Literal["aurora", "mysql"]
"""`aurora`: an Aurora MySQL cluster (Serverless v2); `mysql`: an instance of RDS for MySQL."""

MOST_ACU = 256.0
EVERYBODY = 8
"""Networks with a shorter prefix than this are taken for everybody."""

_MOST_NAME = 60  # of 63 characters that RDS allows; the writer's identifier has two more
_NAME = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])*")
_VPC = re.compile(r"vpc-[0-9a-f]{8,17}")
_SUBNET = re.compile(r"subnet-[0-9a-f]{8,17}")
_GROUP = re.compile(r"sg-[0-9a-f]{8,17}")
_VERSION = re.compile(r"[0-9][A-Za-z0-9._-]{0,63}")
_CLASS = re.compile(r"db\.[a-z0-9]+\.[a-z0-9-]+")
_USER = re.compile(r"[^\s/*?$\"'\\]+|\*")


@dataclass(frozen=True, slots=True)
class ProvisionOptions:
    """What to make; each field carries its own description."""

    engine: Engine = option(  # noqa: RUF009 - a dataclass field; ruff takes the alias for a mutable type
        "aurora",
        "Database to create: `aurora`, a cluster of Aurora MySQL Serverless v2, or `mysql`, an instance of RDS for "
        "MySQL.",
        metavar="ENGINE",
        choices=get_args(Engine),
    )
    engine_version: str | None = option(
        None,
        "Version of the engine.",
        metavar="VERSION",
        default_text="the template's, or AWS's own default where that one is not offered",
    )
    policy_user: str = option(
        "*", "Database user that the stack's policy lets connect; `*` is any that logs in with IAM.", metavar="USER"
    )
    vpc: str | None = option(None, "VPC of the database.", metavar="ID", default_text="the default VPC")
    subnets: str | None = option(
        None,
        "Subnets of the database, in two or more availability zones.",
        metavar="ID,ID",
        default_text="all of the VPC",
    )
    public: bool = option(False, "Give the database a public address, which only the network that is given can reach.")
    min_acu: str | None = option(
        None,
        "Minimum capacity of `aurora`; at 0 it pauses when nobody is connected.",
        metavar="ACU",
        default_text="`0`",
    )
    max_acu: str | None = option(None, "Maximum capacity of `aurora`.", metavar="ACU", default_text="`2`")
    instance_class: str | None = option(
        None, "Instance class of `mysql`.", metavar="CLASS", default_text="`db.t4g.micro`"
    )
    protect: bool = option(False, "Protect the database from deletion.")


@dataclass(frozen=True, slots=True)
class Source:
    """Who may reach the port: an IPv4 network, the members of a security group, or nobody."""

    cidr: str = ""
    group: str = ""

    @property
    def is_everybody(self) -> bool:
        """Whether the network is (nearly) the whole internet."""
        return bool(self.cidr) and ipaddress.ip_network(self.cidr).prefixlen < EVERYBODY

    @property
    def is_on_the_internet(self) -> bool:
        """Whether the network has public addresses."""
        return self.is_everybody or (bool(self.cidr) and ipaddress.ip_network(self.cidr).is_global)

    def __str__(self) -> str:
        return self.cidr or (f"members of {self.group}" if self.group else "nobody")


@dataclass(frozen=True, slots=True)
class Request:
    """What to make, checked.

    Attributes:
        stack: The stack's name, which is the database's identifier, too.
        engine: As in `ProvisionOptions`.
        engine_version: As given; None for the default.
        policy_user: As in `ProvisionOptions`.
        vpc: As given; None for the default VPC.
        subnets: As given; empty for all of the VPC.
        source: Who may reach the port.
        public: Whether there is a public address.
        acus: Least and most capacity; None for `mysql`.
        instance_class: None for `aurora`.
        protect: Whether to protect it from deletion.
    """

    stack: str
    engine: Engine
    engine_version: str | None
    policy_user: str
    vpc: str | None
    subnets: tuple[str, ...]
    source: Source
    public: bool
    acus: tuple[float, float] | None
    instance_class: str | None
    protect: bool

    def parameters(self) -> dict[str, str]:
        """The template's parameters that follow from the request alone."""
        return {
            **self._size(),
            "FromCidr": self.source.cidr,
            "FromSecurityGroup": self.source.group,
            "Public": str(self.public).lower(),
            "DatabaseUser": self.policy_user,
            "DeletionProtection": str(self.protect).lower(),
            **({"EngineVersion": self.engine_version} if self.engine_version else {}),
            **({"Vpc": self.vpc} if self.vpc else {}),
        }

    def _size(self) -> dict[str, str]:
        if self.acus is not None:
            low, high = self.acus
            return {"MinAcu": f"{low:g}", "MaxAcu": f"{high:g}"}
        return {"InstanceClass": str(self.instance_class)}


def read_request(stack: str, options: ProvisionOptions, source: str | None, *, yes: bool) -> Request:
    """Check what the user wants.

    Args:
        stack: The stack's name.
        options: The options.
        source: The network or security group that may reach the port; None for nobody.
        yes: Whether the user has confirmed; needed to let everybody in.

    Raises:
        OptionError: Something is not valid, or has no effect.
    """
    check_stack_name(stack)
    _refuse_idle(options)
    _check_user(options.policy_user)
    _check_ids(options)
    is_aurora = options.engine == "aurora"
    return Request(
        stack=stack,
        engine=options.engine,
        engine_version=options.engine_version,
        policy_user=options.policy_user,
        vpc=options.vpc,
        subnets=_subnets(options.subnets),
        source=read_source(source, yes=yes),
        public=options.public,
        acus=_acus(options.min_acu or "0", options.max_acu or "2") if is_aurora else None,
        instance_class=None if is_aurora else options.instance_class or "db.t4g.micro",
        protect=options.protect,
    )


def check_stack_name(name: str) -> None:
    """Refuse a name that cannot be both a stack's and a database's.

    Raises:
        OptionError: It cannot.
    """
    if _NAME.fullmatch(name) is None or len(name) > _MOST_NAME:
        raise OptionError(f"{name!r} cannot be the name of a stack and of its database.", cause="stack-name-invalid")


def read_source(text: str | None, *, yes: bool) -> Source:
    """Who may reach the port, by a network such as `10.0.0.0/8`, an address, or the id of a security group.

    Raises:
        OptionError: It is none of these, or is everybody, which has not been confirmed.
    """
    if text is None:
        return Source()
    if _GROUP.fullmatch(text.strip()):
        return Source(group=text.strip())
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError as error:
        host_bits = "has host bits set" in str(error)
        near = ipaddress.ip_network(text.strip(), strict=False) if host_bits else None
        raise OptionError(
            f"{text!r} is not a network" + (f"; {near} is one." if near else "."), cause="network-invalid"
        ) from None
    if network.version == 6:
        raise OptionError(f"{network} is an IPv6 network; the database has IPv4 addresses.", cause="network-invalid")
    source = Source(cidr=str(network))
    if source.is_everybody and not yes:
        raise OptionError(f"{network} opens the database's port to everybody.", cause="network-everybody")
    return source


def _refuse_idle(options: ProvisionOptions) -> None:
    """Refuse what has no effect on that engine, rather than ignore it."""
    if options.engine == "mysql" and (options.min_acu is not None or options.max_acu is not None):
        raise OptionError(
            "Capacity in ACU is for aurora; an instance of mysql has a class.", cause="capacity-of-other-engine"
        )
    if options.engine == "aurora" and options.instance_class is not None:
        raise OptionError(
            "An instance class is for mysql; aurora has a capacity in ACU.", cause="capacity-of-other-engine"
        )


def _check_user(name: str) -> None:
    from rds_iam_magic.aws.session import require_text  # late: the extension's loading imports this module

    require_text(name, "The policy's database user")
    if len(name) > MAX_USER_NAME or _USER.fullmatch(name) is None:
        raise OptionError(f"{name!r} cannot be the database user of a policy.", cause="policy-user-invalid")


def _check_ids(options: ProvisionOptions) -> None:
    """Refuse what AWS never calls a version, a class or a VPC."""
    if options.engine_version is not None and _VERSION.fullmatch(options.engine_version) is None:
        raise OptionError(f"{options.engine_version!r} is not a version.", cause="engine-version-invalid")
    if options.instance_class is not None and _CLASS.fullmatch(options.instance_class) is None:
        raise OptionError(f"{options.instance_class!r} is not an instance class.", cause="instance-class-invalid")
    if options.vpc is not None and _VPC.fullmatch(options.vpc) is None:
        raise OptionError(f"{options.vpc!r} is not a VPC's id.", cause="network-id-invalid")


def _subnets(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    ids = tuple(part.strip() for part in text.split(","))
    for part in ids:
        if _SUBNET.fullmatch(part) is None:
            raise OptionError(f"{part!r} is not a subnet's id.", cause="network-id-invalid")
    if len(set(ids)) < 2:
        raise OptionError("A database needs two or more subnets.", cause="subnets-too-few")
    return tuple(dict.fromkeys(ids))


def _acus(least: str, most: str) -> tuple[float, float]:
    low, high = _acu(least), _acu(most)
    if high < 1:
        raise OptionError(f"{most} ACU at most are too few; AWS's least is 1.", cause="capacity-invalid")
    if low > high:
        raise OptionError(f"{least} ACU at least are more than {most} at most.", cause="capacity-invalid")
    return low, high


def _acu(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,3}(\.[05])?", text) is None or float(text) > MOST_ACU:
        raise OptionError(f"{text!r} is not a capacity in ACU.", cause="capacity-invalid")
    return float(text)
