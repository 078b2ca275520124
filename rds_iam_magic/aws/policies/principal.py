"""`Principal`: the role, user or group that a policy is attached to, as the user names it; what IAM lets it hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from rds_iam_magic.errors import AwsError, OptionError


class _Calls(NamedTuple):
    """What differs between the kinds in IAM's API, beside the word in the names of its calls."""

    word: str
    plural: str
    characters: int


class PrincipalKind(Enum):
    """A kind of principal.

    The characters are those that IAM allows all of its inline policies together:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """

    USER = _Calls("user", "users", 2_048)
    GROUP = _Calls("group", "groups", 5_120)
    ROLE = _Calls("role", "roles", 10_240)

    @property
    def word(self) -> str:
        """`user`, `group` or `role`."""
        return self.value.word

    @property
    def characters(self) -> int:
        """How many characters all inline policies may have, white space aside."""
        return self.value.characters


@dataclass(frozen=True, slots=True)
class Principal:
    """A principal.

    Attributes:
        kind: The kind.
        name: The name, without a path.
        path: The path, such as `/teams/`; None if it was not given.
        account: The account in its ARN; None if only a name was given.
    """

    kind: PrincipalKind
    name: str
    path: str | None = None
    account: str | None = None

    def __str__(self) -> str:
        return f"{self.kind.word}{self.path or '/'}{self.name}"


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
_NAME = r"(?P<name>[\w+=,.@-]{1,128})"
_PATH = r"(?P<path>(?:/[!-.0-~]+)*/)"
_PLAIN = re.compile(rf"(?P<kind>role|user|group){_PATH}{_NAME}", re.ASCII)
_ARN = re.compile(rf"arn:aws[a-z-]*:iam::(?P<account>[0-9]{{12}}):(?P<kind>role|user|group){_PATH}{_NAME}", re.ASCII)
_SESSION = re.compile(rf"arn:aws[a-z-]*:sts::(?P<account>[0-9]{{12}}):assumed-role/{_NAME}/[\w+=,.@-]+", re.ASCII)


def parse_principal(text: str) -> Principal:
    """Read `role/NAME`, `user/PATH/NAME`, an ARN of IAM, or the ARN of an assumed role, as STS shows it.

    Raises:
        OptionError: It is something else.
    """
    text = text.strip()
    session = _SESSION.fullmatch(text)
    if session is not None:  # without the role's path, which STS does not tell
        return Principal(PrincipalKind.ROLE, session["name"], account=session["account"])
    match = _ARN.fullmatch(text) or _PLAIN.fullmatch(text)
    if match is None:
        raise OptionError(f"{text!r} is not a role, user or group of IAM.", cause="principal-invalid")
    parts = match.groupdict()
    path = parts["path"] if parts["path"] != "/" or parts.get("account") else None
    return Principal(PrincipalKind[parts["kind"].upper()], parts["name"], path, parts.get("account"))


_RESERVED = re.compile(r"AWSReservedSSO_(?P<set>.+)_[0-9a-f]{16}")


def permission_set(principal: Principal) -> str:
    """The permission set of a role of IAM Identity Center, by the role's name; "" if the name is none of those."""
    match = _RESERVED.fullmatch(principal.name)
    return "" if match is None else str(match["set"])


def check_editable(principal: Principal) -> None:
    """Refuse roles that IAM lets nobody edit.

    Raises:
        AwsError: It belongs to IAM Identity Center or to an AWS service.
    """
    if principal.kind is not PrincipalKind.ROLE:
        return
    named = permission_set(principal)
    path = principal.path or "/"
    if path.startswith("/aws-reserved/") or (named and principal.path is None):
        named = f" {named}" if named else ""
        raise AwsError(
            f"The role {principal.name} belongs to IAM Identity Center; only its permission set{named} can be edited.",
            cause="role-reserved",
        )
    if path.startswith("/aws-service-role/"):
        raise AwsError(f"The role {principal.name} belongs to an AWS service.", cause="role-of-service")


_POLICY_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)


def check_policy_name(name: str) -> None:
    """Refuse a name that no inline policy has.

    Raises:
        OptionError: It is such a name.
    """
    if _POLICY_NAME.fullmatch(name) is None:
        raise OptionError(f"{name!r} is not a name for a policy.", cause="policy-name-invalid")
