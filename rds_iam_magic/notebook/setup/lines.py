"""The lines of the magics that set up: text → frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.connect_options import ConnectOptions, TargetOptions, check_named
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import Line
from rds_iam_magic.notebook.grammars import POLICY, USER
from rds_iam_magic.notebook.options import at_most, connect_options_of, parse_line, where_of

if TYPE_CHECKING:
    from rds_iam_magic.setup.users import Grant


@dataclass(frozen=True, slots=True)
class UserLine:
    """A parsed `%rds_iam_user` line: the user to create."""

    name: str
    secret: str | None
    grants: list[Grant]
    host: str
    target: str | None
    options: ConnectOptions
    where: TargetOptions = TargetOptions()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A parsed `%rds_iam_policy` line: the user, and the database by its target or by its ids."""

    user: str
    target: str | None
    options: ConnectOptions
    resource_id: str | None = None
    account: str | None = None
    wildcard: bool = False
    where: TargetOptions = TargetOptions()  # noqa: RUF009 - frozen


def parse_user(text: str) -> UserLine | None:
    """Read the line of `%rds_iam_user`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    from rds_iam_magic.setup.users import parse_grant

    line = parse_line(USER, text)
    if "help" in line.flags:
        return None
    if len(line.words) != 2 or line.words[0] != "create":
        came = f", not: {' '.join(line.words)}" if line.words else ""
        raise OptionError(f"%rds_iam_user needs: create NAME --secret SECRET_ID{came}.", "See %rds_iam_user --help.")
    secret, where = line.get("secret"), TargetOptions(stack=line.get("stack"))
    check_named(line.get("target"), where)
    if not secret and not where.names_database:
        raise OptionError("The master user's secret is missing.", cause="master-secret-missing")
    _check_user(line.words[1])
    return UserLine(
        name=line.words[1],
        secret=secret,
        grants=[parse_grant(grant) for grant in line.lists.get("grant", [])],
        host=line.get("host") or str(USER.info("host").default),
        target=line.get("target"),
        options=connect_options_of(line),
        where=where,
    )


def parse_policy(text: str) -> PolicyLine | None:
    """Read the line of `%rds_iam_policy`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    from rds_iam_magic.aws.policy import check_policy_user

    line = parse_line(POLICY, text)
    if "help" in line.flags:
        return None
    at_most(line, 1, POLICY, "user")
    if not line.words:
        raise OptionError("The database user is missing.", "Write %rds_iam_policy USER.", cause="user-missing")
    wildcard = "wildcard" in line.flags
    check_policy_user(line.words[0], wildcard=wildcard)
    _check_ids(line)
    return PolicyLine(
        user=line.words[0],
        target=line.get("target"),
        options=connect_options_of(line),
        resource_id=line.get("resource_id"),
        account=line.get("account"),
        wildcard=wildcard,
        where=where_of(line, line.get("target")),
    )


def _check_ids(line: Line) -> None:
    """Refuse some of a database's ids without the others, and beside another way to name it."""
    ids = ("resource_id", "account", "region")
    if not {"resource_id", "account"} & line.values.keys():
        return
    missing = [f"--{key.replace('_', '-')}" for key in ids if key not in line.values]
    if missing:
        raise OptionError(
            f"--resource-id, --account and --region name the database together; {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing.",
            "Give all three, or --target TARGET, which is looked up.",
        )
    others = sorted(f"--{key.replace('_', '-')}" for key in line.values.keys() - set(ids))
    if others:
        raise OptionError(
            f"{', '.join(others)} has no effect beside --resource-id, which needs no look-up.", "Omit it."
        )


def _check_user(name: str) -> None:
    if not name.strip():
        raise OptionError("The database user's name is empty.", "Name the user.")
