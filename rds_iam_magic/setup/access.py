"""`who_may_connect`: the accounts of a server that log in with IAM, against the users and roles that IAM lets do so.

What an account's own policies say: service control policies and the policies of a session can take more away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from rds_iam_magic.aws.policies.databases import find_for_policy
from rds_iam_magic.aws.policies.document import CONNECT, Resource
from rds_iam_magic.aws.policies.evaluate import Decision, Verdict, about, evaluate, glob, named_users
from rds_iam_magic.aws.policies.holders import Holder, read_holders
from rds_iam_magic.aws.policies.principal import PrincipalKind, permission_set
from rds_iam_magic.errors import AwsError
from rds_iam_magic.setup.accounts import PLUGIN, Account, Accounts, read_accounts

if TYPE_CHECKING:
    import pandas as pd

    from rds_iam_magic.aws.endpoint import Endpoint
    from rds_iam_magic.connection.connection import Connection


@dataclass(frozen=True, slots=True)
class Access:
    """One row: an account of the database and a principal of IAM. The columns are named as these, in upper case first.

    Attributes:
        user: The database user; a pattern, where a policy has one that fits no account.
        host: The account's host pattern; "" if there is no such account.
        principal: The ARN of the user or role; "" if nobody may connect as that account.
        connect: `yes`, `no`, `denied`, or `unknown`: what depends on the login.
        by: The policy and the statement that decide.
        note: What else to know.
    """

    user: str
    host: str
    principal: str
    connect: str
    by: str
    note: str


def who_may_connect(
    master: Connection, session: Any, *, user: str | None = None, everybody: bool = False
) -> pd.DataFrame:
    """Who may connect as whom: `User`, `Host`, `Principal`, `Connect`, `By`, `Note`.

    There are rows for accounts and principals where a policy says something about them; for accounts that nobody may
    use, without a principal; and for policies that name a database user without an account, without a host. Who may
    connect as any user, as administrators may, does not count as somebody who may use an account.

    Args:
        master: A connection as the master user.
        session: A boto3 session of the database's account.
        user: Only this database user.
        everybody: Also the principals that no policy lets connect, for each account.

    Raises:
        UserSetupError: The accounts cannot be read.
        AwsError: IAM or RDS does not permit looking; or the credentials are of another account than the database.
        TargetError: RDS has no database with the connection's endpoint.
    """
    there = read_accounts(master)
    resource = _resource_at(session, master.login.endpoint)
    holders = read_holders(session, resource.region)
    _check_account(holders, resource)
    return frame_of(rows_of(there, holders, resource, user=user, everybody=everybody))


def rows_of(
    there: Accounts, holders: Sequence[Holder], resource: Resource, *, user: str | None = None, everybody: bool = False
) -> list[Access]:
    """The rows of `who_may_connect`, from what was read."""
    accounts = [account for account in there.all if account.has_plugin and not account.is_role]
    holders = [replace(holder, policies=about(holder.policies, CONNECT)) for holder in holders]
    rows: list[Access] = []
    for account in accounts:
        if user in (None, account.user):
            rows += _of_account(account, holders, resource, everybody=everybody)
    for row in _without_account(there, accounts, holders, resource):
        if user is None or glob(row.user, user):
            rows.append(row)
    return rows


def frame_of(rows: Iterable[Access]) -> pd.DataFrame:
    """Rows as a DataFrame."""
    import pandas as pd

    columns = [field.name.capitalize() for field in fields(Access)]
    return pd.DataFrame([astuple(row) for row in rows], columns=columns).astype("str")


def _resource_at(session: Any, endpoint: Endpoint) -> Resource:
    try:
        return find_for_policy(session, endpoint)
    except AwsError as error:
        if error.cause != "policy-lookup-denied":
            raise
        denial = error
    # Ids in its place, as a policy takes them, are no option here.
    hint = "Ask for rds:DescribeDBClusters and rds:DescribeDBInstances (for a proxy, rds:DescribeDBProxies)."
    raise AwsError(denial.message, hint, detail=denial.detail, cause="policy-lookup-denied")


def _check_account(holders: Sequence[Holder], resource: Resource) -> None:
    other = next((holder.principal.account for holder in holders), resource.account)
    if other != resource.account:
        raise AwsError(
            f"The credentials are of account {other}, the database is in account {resource.account}: RDS lets "
            "principals of its own account in.",
            cause="principal-in-other-account",
        )


_ORDER = tuple(Verdict)


def _of_account(
    account: Account, holders: Sequence[Holder], resource: Resource, *, everybody: bool
) -> Iterator[Access]:
    if not account.user:
        why = "an account for any user: whoever a policy allows under a name that has no account of its own"
        yield Access(account.user, account.host, "", "unknown", "", why)
        return
    decided = [_Decided.of(holder, resource, account.user) for holder in holders]
    decided.sort(key=lambda each: (_ORDER.index(each.decision.verdict), each.is_for_any, each.holder.arn))
    state = _joined(*_about_account(account))
    let_in = [each for each in decided if each.decision.verdict in (Verdict.ALLOWED, Verdict.UNKNOWN)]
    if all(each.is_for_any for each in let_in):
        nobody = "only administrators, who may connect as any user" if let_in else "nobody may connect as this account"
        yield Access(account.user, account.host, "", "no", "", _joined(state, nobody))
    for each in decided:
        if everybody or _is_telling(each.decision):
            note = _joined(state, _about(each.holder), _why(each))
            verdict, by = each.decision.verdict.value, each.decision.by
            yield Access(account.user, account.host, each.holder.arn, verdict, by, note)


@dataclass(frozen=True, slots=True)
class _Decided:
    """What IAM says to a principal and a database user; and whether it says the same of any other user."""

    holder: Holder
    decision: Decision
    is_for_any: bool

    @classmethod
    def of(cls, holder: Holder, resource: Resource, user: str) -> _Decided:
        decision, other = (
            evaluate(holder.policies, CONNECT, resource.arn(name), boundary=holder.boundary, variables=holder.variables)
            for name in (user, _NO_USER)
        )
        return cls(holder, decision, decision == other)


_NO_USER = "\0" * 99  # no server has a user of that name, nor of that length


def _about_account(account: Account) -> Iterator[str]:
    if account.locked:
        yield "the account is locked"
    others = [plugin for plugin in account.plugins if plugin.lower() != PLUGIN.lower()]
    if others:
        yield f"the account may log in with {' or '.join(others)}, too, without IAM"


def _is_telling(decision: Decision) -> bool:
    """Whether a policy says anything that the rest does not say, too."""
    if decision.verdict is Verdict.DENIED:
        return bool(decision.despite)
    return decision.verdict is not Verdict.NOT_ALLOWED or bool(decision.policy)


def _why(decided: _Decided) -> str:
    decision = decided.decision
    for_any = "as any user" if decided.is_for_any and decision.verdict is Verdict.ALLOWED else ""
    return _joined(for_any, decision.why, f"overrides {decision.despite}" if decision.despite else "")


def _about(holder: Holder) -> str:
    """What kind of role it is, if it is not one that the account's administrators made."""
    principal = holder.principal
    if principal.kind is not PrincipalKind.ROLE:
        return ""
    if (principal.path or "").startswith("/aws-reserved/"):
        named = permission_set(principal)
        return f"IAM Identity Center{f', permission set {named}' if named else ''}"
    return "an AWS service's role" if (principal.path or "").startswith("/aws-service-role/") else ""


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _without_account(
    there: Accounts, accounts: Sequence[Account], holders: Sequence[Holder], resource: Resource
) -> Iterator[Access]:
    """Statements for database users that no account with the plugin has."""
    database = resource.arn("").removesuffix("/")
    names = {account.user for account in accounts}
    for holder in holders:
        named = named_users(holder.policies, CONNECT, database, variables=holder.variables)
        for each in dict.fromkeys(named):
            if not any(glob(each.user, name) for name in names):
                by = Decision(Verdict.ALLOWED, each.policy, each.statement).by
                note = _joined(_about(holder), _instead(each.user, there))
                yield Access(each.user, "", holder.arn, "no", by, note)


def _instead(user: str, there: Accounts) -> str:
    """Why an account that a policy names cannot be used, and what there is instead."""
    others = [account for account in there.all if account.user.casefold() == user.casefold() and not account.is_role]
    same = [account for account in others if account.user == user]
    if same:
        return f"{same[0]} logs in with {same[0].login}, not with IAM"
    if others:
        return f"there is no such account; {others[0]} is written in another case"
    near = there.near(user)
    return "there is no such account" + (f"; similar: {', '.join(near)}" if near else "")
