"""The lines of the magics that set up: text → frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from rds_iam_magic.aws.endpoint import check_target
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions, check_named
from rds_iam_magic.errors import OptionError
from rds_iam_magic.notebook.grammar import Line, near
from rds_iam_magic.notebook.grammars import ACCESS, POLICY, USER
from rds_iam_magic.notebook.options import connect_options_of, parse_line, where_of
from rds_iam_magic.option import options_of

if TYPE_CHECKING:
    from rds_iam_magic.setup.grants.grant import Grant, RoleGrant


UserAction = Literal["create", "grant", "revoke", "drop", "show", "list"]


@dataclass(frozen=True, slots=True)
class UserLine:
    """A parsed `%rds_iam_user` line: what to do with which user; `list` has none."""

    action: UserAction
    name: str
    secret: str | None
    grants: list[Grant | RoleGrant]
    like: str | None
    host: str
    dry_run: bool
    target: str | None
    options: ConnectOptions
    where: TargetOptions = TargetOptions()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class AccessLine:
    """A parsed `%rds_iam_access` line."""

    secret: str | None
    user: str | None
    everybody: bool
    target: str | None
    options: ConnectOptions
    where: TargetOptions = TargetOptions()  # noqa: RUF009 - frozen


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
    where: TargetOptions = TargetOptions()  # noqa: RUF009 - frozen


# The options that an action has beside those of how AWS and the database are reached.
_USER_OPTIONS: dict[str, frozenset[str]] = {
    "create": frozenset({"grant", "like", "host", "dry_run"}),
    "grant": frozenset({"grant", "like", "host", "dry_run"}),
    "revoke": frozenset({"grant", "host", "dry_run"}),
    "drop": frozenset({"host", "dry_run"}),
    "show": frozenset({"dry_run"}),
    "list": frozenset({"dry_run"}),
}


def parse_user(text: str) -> UserLine | None:
    """Read the line of `%rds_iam_user`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    from rds_iam_magic.setup.grants.grant import parse_grant

    line = parse_line(USER, text)
    if "help" in line.flags:
        return None
    action, name = _user_words(line)
    _check_user_options(line, action)
    return UserLine(
        action=action,
        name=name,
        secret=line.get("secret"),
        grants=[parse_grant(grant) for grant in line.lists.get("grant", [])],
        like=line.get("like"),
        host=line.get("host") or str(USER.info("host").default),
        dry_run="dry_run" in line.flags,
        target=line.get("target"),
        options=connect_options_of(line),
        where=_stack_of(line, line.get("target")),
    )


def _user_words(line: Line) -> tuple[UserAction, str]:
    """The action and the user's name; "" for `list`."""
    actions = get_args(UserAction)
    if not line.words or line.words[0] not in actions:
        came = f", not: {' '.join(line.words)}" if line.words else ""
        guess = near(line.words[0], actions, cutoff=0.6) if line.words else ""
        raise OptionError(
            f"%rds_iam_user needs one of {', '.join(actions)}{came}.",
            f"Did you mean {guess}?" if guess else USER.see_help,
        )
    action: UserAction = line.words[0]  # type: ignore[assignment] # it is one of them
    names = line.words[1:]
    if len(names) != (action != "list"):
        needs = "list" if action == "list" else f"{action} NAME"
        raise OptionError(f"%rds_iam_user needs: {needs}, not: {' '.join(line.words)}.", USER.see_help)
    if names and not names[0].strip():
        raise OptionError("The database user's name is empty.", "Name the user.")
    return action, names[0] if names else ""


def _check_user_options(line: Line, action: UserAction) -> None:
    """Refuse options that would be ignored, and an action that has nothing to do."""
    given = {*line.values, *line.flags, *line.lists}
    stray = sorted((given & _USER_OPTIONS["create"]) - _USER_OPTIONS[action])
    if stray:
        raise OptionError(f"--{stray[0].replace('_', '-')} has no effect with {action}.", "Omit it.")
    if action == "grant" and not given & {"grant", "like"}:
        raise OptionError("There is nothing to grant.", "Add --grant 'SELECT ON SCHEMA.*', or --like USER.")
    if action == "revoke" and "grant" not in given:
        raise OptionError("There is nothing to revoke.", "Add --grant with what to revoke: --grant 'ALL ON SCHEMA.*'.")


def parse_access(text: str) -> AccessLine | None:
    """Read the line of `%rds_iam_access`; None when help is asked for.

    Raises:
        OptionError: The line cannot be understood.
    """
    line = parse_line(ACCESS, text)
    if "help" in line.flags:
        return None
    targets = [*line.words, *filter(None, [line.get("target")])]
    if len(targets) > 1:
        raise OptionError(f"%rds_iam_access takes one TARGET; unexpected {targets[1]!r}.", ACCESS.see_help)
    for target in targets:
        check_target(target)
    return AccessLine(
        secret=line.get("secret"),
        user=line.get("user"),
        everybody="all" in line.flags,
        target=targets[0] if targets else None,
        options=connect_options_of(line),
        where=_stack_of(line, targets[0] if targets else None),
    )


def _stack_of(line: Line, target: str | None) -> TargetOptions:
    """The stack, where --secret is the master user's rather than a way to name the database."""
    where = TargetOptions(stack=line.get("stack"))
    check_named(target, where)
    return where


def options_beside(given: ConnectOptions, reached: ConnectOptions) -> ConnectOptions:
    """The options for another login to the current connection's database.

    Another AWS identity may be needed, over the same tunnel: the options of AWS are those of the line if it has any of
    them, each other one is the line's or the connection's.

    Args:
        given: The options on the line.
        reached: Those that the connection was opened with.
    """
    infos = options_of(ConnectOptions)
    on_line = {key for key, info in infos.items() if getattr(given, key) != info.default}
    if any(infos[key].for_aws for key in on_line):
        on_line |= {key for key, info in infos.items() if info.for_aws}
    return replace(reached, **{key: getattr(given, key) for key in on_line})


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
        where=where_of(line, targets[0] if targets else None),
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
