"""The lines of the magics that set up: text → frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import check_target
from rds_iam_magic.connect_options import ConnectOptions
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import Line
from rds_iam_magic.notebook.grammars import POLICY, USER
from rds_iam_magic.notebook.options import connect_options_of, parse_line

if TYPE_CHECKING:
    from rds_iam_magic.setup.users import Grant


@dataclass(frozen=True, slots=True)
class UserLine:
    """A parsed `%rds_iam_user` line: the user to create."""

    name: str
    secret: str
    grants: list[Grant]
    host: str
    target: str | None
    options: ConnectOptions


_POLICY_NAME = str(POLICY.info("name").default)


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """A parsed `%rds_iam_policy` line: the user, the databases by targets or by ids, and whom to attach it to."""

    user: str
    targets: tuple[str, ...]
    options: ConnectOptions
    resource_id: str | None = None
    account: str | None = None
    wildcard: bool = False
    attach: str | None = None
    name: str = _POLICY_NAME
    dry_run: bool = False
    fix: bool = False


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
    secret = line.get("secret")
    if not secret:
        raise OptionError("The master user's secret is missing.", "Add --secret with its name or ARN.")
    _check_user(line.words[1])
    return UserLine(
        name=line.words[1],
        secret=secret,
        grants=[parse_grant(grant) for grant in line.lists.get("grant", [])],
        host=line.get("host") or str(USER.info("host").default),
        target=line.get("target"),
        options=connect_options_of(line),
    )


def parse_policy(text: str) -> PolicyLine | None:
    """Read the line of `%rds_iam_policy`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    from rds_iam_magic.aws.policies.document import check_policy_user
    from rds_iam_magic.aws.policies.principal import check_policy_name, parse_principal

    line = parse_line(POLICY, text)
    if "help" in line.flags:
        return None
    if not line.words:
        raise OptionError("The database user is missing.", "Write %rds_iam_policy USER.", cause="user-missing")
    wildcard = "wildcard" in line.flags
    check_policy_user(line.words[0], wildcard=wildcard)
    targets = (*line.words[1:], *line.lists.get("target", []))
    for target in targets:
        check_target(target)
    attach, name = line.get("attach"), line.get("name") or _POLICY_NAME
    _check_ids(line, targets)
    _check_attach(line)
    if attach is not None:
        parse_principal(attach)
        check_policy_name(name)
    return PolicyLine(
        user=line.words[0],
        targets=targets,
        options=connect_options_of(line),
        resource_id=line.get("resource_id"),
        account=line.get("account"),
        wildcard=wildcard,
        attach=attach,
        name=name,
        dry_run="dry_run" in line.flags,
        fix="fix" in line.flags,
    )


def _check_attach(line: Line) -> None:
    """Refuse what has an effect with --attach only, rather than ignore it."""
    given = sorted({"name", "dry_run", "fix"} & {*line.values, *line.flags})
    if given and "attach" not in line.values:
        names = ", ".join(f"--{key.replace('_', '-')}" for key in given)
        raise OptionError(f"{names} has no effect without --attach.", "Add --attach role/NAME, or omit it.")


def _check_ids(line: Line, targets: tuple[str, ...]) -> None:
    """Refuse some of a database's ids without the others, and beside another way to name it."""
    ids = ("resource_id", "account", "region")
    if not {"resource_id", "account"} & line.values.keys():
        return
    missing = [f"--{key.replace('_', '-')}" for key in ids if key not in line.values]
    if missing:
        raise OptionError(
            f"--resource-id, --account and --region name the database together; {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing.",
            "Give all three, or a TARGET, which is looked up.",
        )
    if targets:
        raise OptionError(f"The database is named twice: by --resource-id, and as {targets[0]!r}.", "Keep one of them.")
    with_attach = {"attach", "name", "profile", "role_arn", "external_id"} if "attach" in line.values else set()
    others = sorted(f"--{key.replace('_', '-')}" for key in line.values.keys() - set(ids) - with_attach)
    if others:
        raise OptionError(
            f"{', '.join(others)} has no effect beside --resource-id, which needs no look-up.", "Omit it."
        )


def _check_user(name: str) -> None:
    if not name.strip():
        raise OptionError("The database user's name is empty.", "Name the user.")
