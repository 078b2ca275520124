"""`%rds_iam_user`: what its line says is done, and what came of it is shown."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rds_iam_magic.notebook.grammars import USER
from rds_iam_magic.notebook.showing import display
from rds_iam_magic.setup import users
from rds_iam_magic.setup.account_names import shown
from rds_iam_magic.setup.users import ShownUser, UserChange

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.connection.connection import Connection
    from rds_iam_magic.notebook.setup.lines import UserLine


def run(master: Connection, line: UserLine) -> UserChange | ShownUser | pd.DataFrame:
    """Do what the line says.

    Raises:
        RdsIamError: As the functions of `setup/users.py` do.
    """
    name, host, dry_run = line.name, line.host, line.dry_run
    if line.action == "create":
        return users.create_user(master, name, grants=line.grants, host=host, like=line.like, dry_run=dry_run)
    if line.action == "grant":
        return users.grant_to_user(master, name, line.grants, host=host, like=line.like, dry_run=dry_run)
    if line.action == "revoke":
        return users.revoke_from_user(master, name, line.grants, host=host, dry_run=dry_run)
    if line.action == "drop":
        return users.drop_user(master, name, host=host, dry_run=dry_run)
    return users.show_user(master, name) if line.action == "show" else users.list_users(master)


def show(outcome: UserChange | ShownUser | pd.DataFrame, line: UserLine) -> pd.DataFrame | None:
    """Show what came of it; the list of users is the cell's value."""
    if isinstance(outcome, UserChange):
        _show_change(outcome, line)
        return None
    if line.dry_run:
        display.say(f"{line.action} only reads: there is no SQL that would change anything.")
    if isinstance(outcome, ShownUser):
        _show_user(outcome)
        return None
    if outcome.empty:
        display.say("No user logs in with IAM here. Create one with %rds_iam_user create NAME.")
    return outcome


def _show_user(outcome: ShownUser) -> None:
    display.show(outcome.accounts)
    for account, grants in outcome.grants.items():
        display.say(f"{account} holds{':' if grants else ' nothing: it can log in but sees no data.'}")
        for grant in grants:
            display.say(f"  {grant}")


def _show_change(change: UserChange, line: UserLine) -> None:
    for note in change.notes:
        display.note(note)
    if change.dry_run:
        display.statements(list(change.statements))
        nothing = "There is nothing to change" if not change.statements else "This is what would run"
        display.say(f"{nothing}; --dry-run has changed nothing.")
    else:
        _show_done(change, line)
    if line.action == "create" and not change.others.empty:
        display.say("Other accounts that may be taken for it, by another host or case:")
        display.show(change.others)


def _show_done(change: UserChange, line: UserLine) -> None:
    display.say(_done(change, line))
    if line.action != "drop":
        if not change.privileged:
            display.say(
                f"{shown(line.name)} has no privileges: it can log in but sees no data. Grant some: {_granting(line)}."
            )
        display.show(change.row)


def _granting(line: UserLine) -> str:
    """The line that grants something to the same account; a name that would not be one line is left to the user."""
    host = "" if line.host == USER.info("host").default else line.host
    places = {"host": host, "secret": line.secret, "target": line.target, "stack": line.where.stack}
    given = "".join(f" --{key} {shlex.quote(value)}" for key, value in places.items() if value)
    name = shlex.quote(line.name) if line.name.isprintable() else "NAME"
    return f"%rds_iam_user grant {name} --grant 'SELECT ON …'{given}"


def _done(change: UserChange, line: UserLine) -> str:
    name = shown(line.name)
    if change.created:
        return f"Created {name}."
    if not change.granted and line.action == "create":
        return f"{name} already existed{', with these grants' if change.asked else ''}; nothing was changed."
    if not change.granted:
        return "Nothing was changed."
    is_granted = any(statement.startswith("GRANT") for statement in change.statements)
    return {
        "create": f"{name} already existed; {'the grants are new' if is_granted else 'it was changed'}.",
        "grant": f"Granted to {change.account}.",
        "revoke": f"Revoked from {change.account}.",
        "drop": f"Dropped {change.account}. Sessions that it has open go on until they end.",
    }[line.action]
