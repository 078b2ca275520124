"""`GrantPlan`: the statements that lead from what an account holds to what it shall hold. Pure: nothing runs here."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rds_iam_magic.errors import UserSetupError
from rds_iam_magic.setup.accounts import Account, Accounts
from rds_iam_magic.setup.grants.grant import (
    Grant,
    Level,
    Privilege,
    RoleGrant,
    has_wildcards,
    privileges_sql,
    unescaped,
)
from rds_iam_magic.setup.grants.held import Held, all_on
from rds_iam_magic.setup.grants.privileges import ALL, NONE, STATIC

_GRANT_OPTION = Privilege("GRANT OPTION")


@dataclass(frozen=True, slots=True)
class GrantPlan:
    """What to run.

    Attributes:
        statements: In order.
        notes: What to know besides.
        doubts: What the server will refuse, as far as that can be told; only worth telling if nothing runs.
        asked: Whether grants were requested.
    """

    statements: tuple[str, ...]
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    asked: bool = True

    def behind(self, statements: Sequence[str], notes: Sequence[str]) -> GrantPlan:
        """The same with statements and notes in front."""
        return replace(self, statements=(*statements, *self.statements), notes=(*notes, *self.notes))


def plan_grants(
    there: Accounts,
    account: Account,
    held: Held,
    master: Held,
    grants: Sequence[Grant | RoleGrant],
    model: Held | None = None,
) -> GrantPlan:
    """Plan what an account lacks.

    Args:
        there: The server's accounts.
        account: The account; it need not be there yet.
        held: What it holds.
        master: What the master user holds.
        grants: What it shall hold, too.
        model: What another account holds, to be copied.

    Raises:
        UserSetupError: A privilege or a role does not exist, the master user may grant nothing on a level, or the model
            has partial revokes, without which its grants are more than it has.
    """
    notes: list[str] = []
    wanted: dict[Level, dict[Privilege, None]] = {}  # a dict, for its order
    roles = [_known_role(there, role) for role in grants if isinstance(role, RoleGrant)]
    for grant in grants:
        if isinstance(grant, Grant):
            _check_known(grant, there.known)
            grant = _as_known(grant, there.known)
            level = grant.level(wildcards=there.wildcards, lower=there.lower)
            _check_schema(grant, there, notes)
            privileges = _with_all(grant, level, there.known, master, notes)
            wanted.setdefault(level, {}).update(dict.fromkeys(privileges))
    if model is not None:
        _copy(model, master, wanted, notes)
        roles += sorted(model.roles)
    statements, doubts = [], []
    for level, privileges in wanted.items():
        missing = _without(privileges, held.privileges.get(level, frozenset()))
        if not missing:
            continue
        statements.append(f"GRANT {privileges_sql(missing)} ON {level.sql} TO {account.sql}")
        refused = {p.name for p in missing} - master.may_grant(level)
        if refused:
            doubts.append(f"the master user may not grant {_listed(refused)} ON {level.sql}: that would be refused.")
        if level in held.grant_options:
            notes.append(f"{account} may grant on what it holds ON {level.sql}, by an earlier GRANT OPTION.")
    statements += _role_grants(there, account, roles, notes)
    return GrantPlan(tuple(statements), tuple(notes), tuple(doubts))


def plan_revokes(there: Accounts, account: Account, held: Held, grants: Sequence[Grant | RoleGrant]) -> GrantPlan:
    """Plan to take what an account holds of some grants.

    Args:
        there: The server's accounts.
        account: The account.
        held: What it holds.
        grants: What it shall not hold.
    """
    statements: list[str] = []
    notes: list[str] = []
    for grant in grants:
        if isinstance(grant, RoleGrant):
            statements += _role_revokes(there, account, grant, notes)
            continue
        _check_known(grant, there.known)
        grant = _as_known(grant, there.known)
        level = grant.level(wildcards=there.wildcards, lower=there.lower)
        unescaped_level = grant.level(wildcards=False, lower=there.lower)  # as most grants by hand are
        revokes = [
            f"REVOKE {privileges_sql(taken)} ON {on.sql} FROM {account.sql}"
            for on in dict.fromkeys([level, unescaped_level])
            if (taken := _of_these(grant, on, held))
        ]
        if not revokes:
            notes.append(f"{account} does not hold {privileges_sql(grant.privileges)} ON {level.sql}.")
        statements += revokes
        notes += _still_held(grant, level, unescaped_level, held, account)
    return GrantPlan(tuple(dict.fromkeys(statements)), tuple(dict.fromkeys(notes)))


def written(held: Held) -> list[str]:
    """What an account holds, each as it stands between GRANT and TO, and is understood here."""
    lines = [role.sql for role in sorted(held.roles)]
    for level in sorted(held.privileges, key=lambda level: level.sql):
        option = " WITH GRANT OPTION" if level in held.grant_options else ""
        lines.append(f"{privileges_sql(sorted(held.privileges[level], key=_by_name))} ON {level.sql}{option}")
    for level, privileges in held.restricted.items():
        lines.append(f"not {privileges_sql(sorted(privileges, key=_by_name))} ON {level.sql}")
    return [*lines, *(f"{start} …" for start in held.left_out)]


def _by_name(privilege: Privilege) -> tuple[str, str]:
    return privilege.name, privilege.column or ""


def _check_known(grant: Grant, known: frozenset[str]) -> None:
    """Refuse a misspelt privilege; of one that is like none, the server decides."""
    names = known | STATIC
    for name in dict.fromkeys(p.name for p in grant.privileges):
        near = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.7)
        if name not in names | {ALL, NONE} and near:
            raise UserSetupError(
                f"There is no privilege {name}; nothing was changed.",
                f"Did you mean {near[0]}?",
                cause="privilege-unknown",
            )


def _as_known(grant: Grant, known: frozenset[str]) -> Grant:
    """A grant with the names that the server has in SHOW GRANTS: MariaDB renamed REPLICATION CLIENT, and takes both."""
    if "BINLOG MONITOR" not in known:
        return grant
    renamed = {"REPLICATION CLIENT": "BINLOG MONITOR"}
    privileges = (Privilege(renamed.get(p.name, p.name), p.column) for p in grant.privileges)
    return replace(grant, privileges=tuple(dict.fromkeys(privileges)))


def _check_schema(grant: Grant, there: Accounts, notes: list[str]) -> None:
    schema = grant.on.schema
    if grant.on.kind != "schema" or (grant.is_pattern and has_wildcards(schema)):
        return
    name = unescaped(schema) if grant.is_pattern else schema
    if name.lower() not in {known.lower() for known in there.schemas}:
        near = difflib.get_close_matches(name, sorted(there.schemas), n=1)
        guess = f" Did you mean {near[0]}?" if near else ""
        notes.append(f"there is no schema {name} on the server; the grant is for one that is still to come.{guess}")


def _with_all(grant: Grant, level: Level, known: frozenset[str], master: Held, notes: list[str]) -> Iterable[Privilege]:
    """The privileges of a grant; ALL as what the master user may grant."""
    if Privilege(ALL) not in grant.privileges:
        return [privilege for privilege in grant.privileges if privilege.name != NONE]
    names = master.may_grant(level)
    if not names:
        raise UserSetupError(
            f"The master user may grant nothing ON {level.sql}; nothing was changed.", cause="grant-refused"
        )
    left_out = all_on(level, known) - names
    if left_out:
        notes.append(f"ALL ON {level.sql} leaves out what the master user may not grant: {_listed(left_out)}.")
    return map(Privilege, sorted(names))


def _copy(model: Held, master: Held, wanted: dict[Level, dict[Privilege, None]], notes: list[str]) -> None:
    """Add what a model holds and the master user may grant."""
    if model.restricted:
        raise UserSetupError(
            "Some of its global privileges are revoked for single schemas, which is not copied; nothing was changed.",
            cause="model-restricted",
        )
    for level in sorted(model.privileges, key=lambda level: level.sql):
        may = master.may_grant(level)
        privileges = sorted(model.privileges[level], key=_by_name)
        wanted.setdefault(level, {}).update(dict.fromkeys(p for p in privileges if p.name in may))
        left_out = {p.name for p in privileges} - may
        if left_out:
            notes.append(f"{_listed(left_out)} ON {level.sql} is not copied: the master user may not grant it.")
    if model.grant_options:
        notes.append("the right to grant on (GRANT OPTION) is not copied.")
    notes.extend(f"{start} … is not copied." for start in model.left_out)


def _without(wanted: Iterable[Privilege], held: Iterable[Privilege]) -> list[Privilege]:
    there = {_folded(privilege) for privilege in held}
    return [privilege for privilege in wanted if _folded(privilege) not in there]


def _folded(privilege: Privilege) -> tuple[str, str]:
    """To compare by: names of columns have no case."""
    return privilege.name, (privilege.column or "").casefold()


def _of_these(grant: Grant, level: Level, held: Held) -> list[Privilege]:
    """What is held on a level of what a grant says; a privilege without columns means those on columns, too."""
    here = sorted(held.privileges.get(level, ()), key=_by_name)
    if Privilege(ALL) in grant.privileges:
        return [*here, *([_GRANT_OPTION] if level in held.grant_options else [])]
    whole = {p.name for p in grant.privileges if p.column is None}
    columns = {_folded(p) for p in grant.privileges if p.column is not None}
    return [p for p in here if p.name in whole or (p.column is not None and _folded(p) in columns)]


def _still_held(grant: Grant, level: Level, revoked_too: Level, held: Held, account: Account) -> Iterator[str]:
    """Where else the account holds it, so that it goes on holding here."""
    for privilege in grant.privileges:
        places = [place for place in held.above(level, privilege.name) if place != revoked_too]
        if privilege.column is not None and Privilege(privilege.name) in held.privileges.get(level, ()):
            places = [level, *places]
        if places:
            where = " and ".join(f"ON {place.sql}" for place in places)
            yield f"{account} holds {privilege.name} {where}, too, which goes on."


def _known_role(there: Accounts, role: RoleGrant) -> RoleGrant:
    known = there.role(role)
    if known is not None:
        return known
    names = [account.user for account in there.all if account.is_role or not there.is_mariadb]
    near = difflib.get_close_matches(role.name, names, n=1) or difflib.get_close_matches(
        role.name.upper(), sorted(STATIC), n=1
    )
    raise UserSetupError(
        f"There is no role {role}; nothing was changed.",
        f"Did you mean {near[0]}?" if near else "",
        cause="role-unknown",
    )


def _role_grants(there: Accounts, account: Account, roles: list[RoleGrant], notes: list[str]) -> Iterator[str]:
    """Grant roles, and make them active after login: else the user had to run SET ROLE each time."""
    new = [role for role in dict.fromkeys(roles) if role not in account.roles]
    if there.is_mariadb:
        yield from (f"GRANT {role.sql} TO {account.sql}" for role in new)
        asked = [*dict.fromkeys(roles)]
        if asked and not account.default_roles:
            yield f"SET DEFAULT ROLE {asked[0].sql} FOR {account.sql}"
        active = account.default_roles or tuple(asked[:1])
        idle = [role for role in new if role not in active]
        if idle:
            notes.append(
                f"MariaDB activates one role at login: {active[0]}. The user activates another one with SET ROLE: "
                f"{', '.join(map(str, idle))}."
            )
        return
    if new:
        yield f"GRANT {', '.join(role.sql for role in new)} TO {account.sql}"
    idle = [role for role in dict.fromkeys(roles) if role not in account.default_roles]
    if idle:
        yield f"SET DEFAULT ROLE {', '.join(r.sql for r in (*account.default_roles, *idle))} TO {account.sql}"


def _role_revokes(there: Accounts, account: Account, role: RoleGrant, notes: list[str]) -> Iterator[str]:
    known = there.role(role)
    if known is None or known not in account.roles:
        notes.append(f"{account} does not have the role {role}.")
        return
    if there.is_mariadb and known in account.default_roles:  # MariaDB leaves it there
        yield f"SET DEFAULT ROLE NONE FOR {account.sql}"
    yield f"REVOKE {known.sql} FROM {account.sql}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
