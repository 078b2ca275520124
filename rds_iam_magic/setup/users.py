"""Database users that log in with IAM: the plugin, `REQUIRE SSL`, grants. All are changed by the master user.

What runs is planned first, from what is there already: a second time there is nothing to run, and with `dry_run` the
statements are only told.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rds_iam_magic.aws.session import require_text
from rds_iam_magic.errors import StatementError, UserSetupError
from rds_iam_magic.hints import HINTS, Note
from rds_iam_magic.setup.account_names import check_host, check_user, host_notes, shown
from rds_iam_magic.setup.accounts import PLUGIN, Account, Accounts, defined_by, frame_of, read_accounts, read_held
from rds_iam_magic.setup.grants.grant import Grant, RoleGrant
from rds_iam_magic.setup.grants.held import Held
from rds_iam_magic.setup.grants.plan import GrantPlan, plan_grants, plan_revokes, written
from rds_iam_magic.wording import count_of

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.connection.connection import Connection

Grants = Sequence[Grant | RoleGrant]


@dataclass(frozen=True, slots=True)
class UserChange:
    """What was done to an account, or would be.

    Attributes:
        account: As `user@host`.
        statements: The statements that ran, in order; with `dry_run`, those that would. What only reads is left out.
        dry_run: Whether they were only told.
        created: Whether the account is new.
        granted: Whether anything else changed.
        asked: Whether grants were requested.
        privileged: Whether the account has any privilege or role afterwards.
        row: The account afterwards, as in `list_users`; without rows if there is none.
        others: Accounts that may be taken for it: of another host or case.
        notes: What to know besides.
    """

    account: str
    statements: tuple[str, ...]
    dry_run: bool
    created: bool
    granted: bool
    asked: bool
    privileged: bool
    row: pd.DataFrame
    others: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownUser:
    """What there is of a user.

    Attributes:
        accounts: The accounts of that name, and others that may be taken for them, as in `list_users`.
        grants: What each account of that name holds, by `user@host`: what stands between GRANT and TO.
    """

    accounts: pd.DataFrame
    grants: dict[str, list[str]]


def create_user(
    master: Connection,
    name: str,
    *,
    grants: Grants = (),
    host: str = "%",
    like: str | None = None,
    dry_run: bool = False,
) -> UserChange:
    """Create a user that logs in with IAM, and grant privileges; running it again changes nothing.

    Args:
        master: A connection as a user who may create users and grant privileges.
        name: The user name; case-sensitive, and the same in the IAM policy.
        grants: The privileges and roles to grant.
        host: The host pattern that the user connects from.
        like: Another user, whose grants are copied.
        dry_run: Tell the statements, and run none that writes.

    Raises:
        OptionError: The name or the host pattern cannot be used.
        UserSetupError: The user exists with another authentication plugin, and is left as it is; or a grant cannot be
            given, and the message says what was already done.
        StatementError: The server refused another statement.
    """
    check_user(name)
    check_host(host)
    there, account = _named(master, name, host)
    if account is None:
        check_host(host, is_mariadb=there.is_mariadb)
    statements: list[str] = []
    notes: list[str] = []
    held = Held()
    if account is None:
        notes += host_notes(host, resolves_names=there.resolves_names)
        statements.append(f"CREATE USER {Account(name, host).sql} IDENTIFIED WITH {PLUGIN} AS 'RDS' REQUIRE SSL")
    else:
        if not account.has_plugin:
            raise UserSetupError(_unchanged(account), cause="user-exists")
        held = read_held(master, there.known, account)
        if account.tls == "none":
            statements.append(f"ALTER USER {account.sql} REQUIRE SSL")
            notes.append(f"{account} exists without REQUIRE SSL, which is added.")
    account = account or Account(name, host)
    plan = _granting(master, there, account, held, grants, like, host)
    return _outcome(master, there, account, plan.behind(statements, notes), dry_run=dry_run)


def grant_to_user(
    master: Connection,
    name: str,
    grants: Grants = (),
    *,
    host: str = "%",
    like: str | None = None,
    dry_run: bool = False,
) -> UserChange:
    """Grant privileges and roles to a user that logs in with IAM; the arguments are those of `create_user`.

    Raises:
        RdsIamError: As `create_user` does; and UserSetupError if there is no such account.
    """
    there, account = _existing(master, name, host)
    held = read_held(master, there.known, account)
    plan = _granting(master, there, account, held, grants, like, host)
    return _outcome(master, there, account, plan, dry_run=dry_run)


def revoke_from_user(
    master: Connection, name: str, grants: Grants, *, host: str = "%", dry_run: bool = False
) -> UserChange:
    """Revoke what a user that logs in with IAM holds of these; the arguments are those of `create_user`.

    Raises:
        RdsIamError: As `grant_to_user` does.
    """
    there, account = _existing(master, name, host)
    plan = plan_revokes(there, account, read_held(master, there.known, account), grants)
    return _outcome(master, there, account, plan, dry_run=dry_run)


def drop_user(master: Connection, name: str, *, host: str = "%", dry_run: bool = False) -> UserChange:
    """Drop a user that logs in with IAM; without it, nothing is done. The arguments are those of `create_user`.

    Raises:
        OptionError: The name or the host pattern cannot be used.
        UserSetupError: The account logs in another way, and is left as it is.
        StatementError: The server refused.
    """
    there, account = _named(master, name, host)
    if account is None:
        check_user(name)
        plan = GrantPlan((), (_missing(there, name, host).message,))
        return _outcome(master, there, Account(name, host), plan, dry_run=dry_run)
    if not account.has_plugin:
        raise UserSetupError(_unchanged(account), cause="user-without-plugin")
    defined = defined_by(master, account)
    note = f"{account} is the DEFINER of {defined}: what runs with its rights fails without it."
    plan = GrantPlan((f"DROP USER {account.sql}",), (note,) if defined else ())
    return _outcome(master, there, account, plan, dry_run=dry_run)


def list_users(master: Connection) -> pd.DataFrame:
    """Every account that may log in with IAM: `User`, `Host`, `Plugin`, `TLS`, `Locked`, `Roles`.

    Raises:
        StatementError: The master user may not read the accounts.
    """
    return frame_of(account for account in read_accounts(master).all if account.has_plugin)


def show_user(master: Connection, name: str) -> ShownUser:
    """The accounts of a name, and what they hold.

    Raises:
        OptionError: The name cannot be used.
        UserSetupError: There is none.
    """
    require_text(name, "The user's name")
    there = read_accounts(master)
    named = there.named(name)
    if not named:
        check_user(name)
        raise _missing(there, name, "")
    alike = [account for account in there.others(name, named[0].host) if account not in named]
    return ShownUser(
        frame_of([*named, *alike]),
        {str(account): written(read_held(master, there.known, account)) for account in named},
    )


def _named(master: Connection, name: str, host: str) -> tuple[Accounts, Account | None]:
    """The accounts, and the one that is meant: whatever its name, since somebody may have made it."""
    require_text(name, "The user's name")
    require_text(host, "The host pattern")
    there = read_accounts(master)
    return there, there.find(name, host)


def _existing(master: Connection, name: str, host: str) -> tuple[Accounts, Account]:
    there, account = _named(master, name, host)
    if account is None:
        check_user(name)
        raise _missing(there, name, host)
    if not account.has_plugin:
        raise UserSetupError(_unchanged(account), cause="user-without-plugin")
    return there, account


def _unchanged(account: Account) -> str:
    return f"{account} exists and logs in with {account.login}; nothing was changed."


def _missing(there: Accounts, name: str, host: str) -> UserSetupError:
    """The error for an account that does not exist; it names what is near."""
    near = [str(account) for account in there.others(name, host) if account.user] or [
        shown(near) for near in there.near(name)
    ]
    but = f"; there is {' and '.join(near[:3])}" if near else ""
    return UserSetupError(
        f"There is no user {shown(name)}{f'@{shown(host)}' if host else ''}{but}.", cause="user-missing-there"
    )


def _granting(
    master: Connection, there: Accounts, account: Account, held: Held, grants: Grants, like: str | None, host: str
) -> GrantPlan:
    model = None if like is None else _model(master, there, like, host)
    notes = tuple(_about(account))
    if not grants and model is None:
        return GrantPlan((), notes, asked=False)
    return plan_grants(there, account, held, read_held(master, there.known), grants, model).behind((), notes)


def _about(account: Account) -> Iterator[str]:
    """What to know of an account that is given rights."""
    if account.locked:
        yield f"{account} is locked (ACCOUNT LOCK): it cannot log in."
    others = [plugin for plugin in account.plugins if plugin.lower() != PLUGIN.lower()]
    if others:
        yield f"{account} may log in with {' or '.join(others)}, too, without IAM."


def _model(master: Connection, there: Accounts, like: str, host: str) -> Held:
    """What the user holds whose grants are copied: of the same host, else its only account."""
    named = there.named(like)
    account = there.find(like, host) or (named[0] if len(named) == 1 else None)
    if account is None and not named:
        check_user(like)
        raise _missing(there, like, "")
    if account is None:
        raise UserSetupError(
            f"There are several users {shown(like)}: {', '.join(map(str, named))}.", cause="user-ambiguous"
        )
    return read_held(master, there.known, account)


def _outcome(master: Connection, there: Accounts, account: Account, plan: GrantPlan, *, dry_run: bool) -> UserChange:
    """Run what is planned, unless it is only to be told, and look at what is there afterwards."""
    created = bool(plan.statements) and there.find(account.user, account.host) is None
    if not dry_run and plan.statements:
        _run(master, account, plan.statements)
        there = read_accounts(master)
    after = there.find(account.user, account.host)
    held = read_held(master, there.known, after) if after is not None else Held()
    return UserChange(
        account=str(account),
        statements=(*there.first, *plan.statements) if plan.statements else (),
        dry_run=dry_run,
        created=created,
        granted=len(plan.statements) > created,
        asked=plan.asked,
        privileged=bool(held.privileges or held.roles),
        row=frame_of([] if after is None else [after]),
        others=frame_of(there.others(account.user, account.host)),
        notes=(*plan.notes, *(plan.doubts if dry_run else ())),
    )


def _run(master: Connection, account: Account, statements: Sequence[str]) -> None:
    done = ""
    for number, statement in enumerate(statements):
        try:
            master.execute(statement)
        except StatementError as error:
            verb = statement.partition(" ")[0]
            if verb not in ("GRANT", "REVOKE", "SET") or error.cause == "server-read-only":
                raise
            what = statement.removesuffix(f" TO {account.sql}").removesuffix(f" FROM {account.sql}")
            before = done or (f"{count_of(number, 'statement')} ran, but " if number else "")
            is_unknown = error.cause in ("unknown-table", "unknown-column", "unknown-routine")
            refused = UserSetupError(
                f"{before}{what} was refused: {error.server_message} ({error.code}).",
                "What was done stays." if is_unknown else "",
                cause="revoke-refused" if verb == "REVOKE" else "grant-refused",
            )
            if is_unknown:
                lists = Note(HINTS[error.cause], **error.facts)  # as the interface spells it
                refused.put_before_hint(error.hint.removesuffix(lists).rstrip(), lists)
            raise refused from None
        if statement.startswith("CREATE USER"):
            done = f"{shown(account.user)} was created, but "
