"""The causes in the database's accounts: none of that name, by password, another host, locked."""

from __future__ import annotations

from rds_iam_magic.doctor.causes.cause import (
    POSSIBLE,
    RULED_OUT,
    UNSEEN,
    Cause,
    Suspicion,
    certain,
    is_let_in,
    is_proxy,
    listed,
    of_user,
    to_run,
)
from rds_iam_magic.doctor.evidence import Evidence, ServerAccounts, known
from rds_iam_magic.doctor.findings import CreateUser
from rds_iam_magic.setup.accounts import PLUGIN, Account


def _accounts(evidence: Evidence) -> tuple[Suspicion, ServerAccounts | None]:
    """What is to be said before the accounts are looked at; the accounts, if they are known."""
    if is_let_in(evidence):
        return RULED_OUT, None
    accounts = known(evidence.accounts)
    if not isinstance(accounts, ServerAccounts) or is_proxy(evidence) is not False:
        return of_user(evidence), None
    return UNSEEN, accounts


def _case(evidence: Evidence) -> Suspicion:
    suspicion, accounts = _accounts(evidence)
    if accounts is None:
        return suspicion
    other = _in_other_case(evidence, accounts)
    if accounts.named or other is None:
        return RULED_OUT
    return certain(
        f"There is no database user {evidence.asked.user}; {other} is written in another case.",
        "User names are case-sensitive.",
        f"Connect as {other.user}.",
    )


def _in_other_case(evidence: Evidence, accounts: ServerAccounts) -> Account | None:
    same = evidence.asked.user.casefold()
    return next((account for account in accounts.near if account.user.casefold() == same), None)


def _missing(evidence: Evidence) -> Suspicion:
    suspicion, accounts = _accounts(evidence)
    if accounts is None:
        return suspicion
    if accounts.named or _in_other_case(evidence, accounts) is not None:
        return RULED_OUT
    user = evidence.asked.user
    near = f" Similar: {listed(accounts.near)}." if accounts.near else ""
    return certain(
        f"There is no database user {user}.",
        f"The server's accounts were read.{near}",
        to_run("The master user creates it", _create(user)),
        CreateUser(user),
    )


def _create(user: str) -> str:
    return f"CREATE USER {Account(user, '%').sql} IDENTIFIED WITH {PLUGIN} AS 'RDS' REQUIRE SSL"


def _password(evidence: Evidence) -> Suspicion:
    suspicion, accounts = _accounts(evidence)
    if accounts is None:
        return suspicion
    account = accounts.match
    if account is None and not accounts.certain and accounts.named:
        account = accounts.named[0]
        if any(each.has_plugin for each in accounts.named):
            return POSSIBLE
    if account is None or account.has_plugin or account.user != evidence.asked.user:
        return RULED_OUT
    return certain(
        f"{account} logs in with {account.login}, not with IAM.",
        "The server's accounts were read.",
        to_run(
            "The master user changes that; the password is then no longer valid",
            f"ALTER USER {account.sql} IDENTIFIED WITH {PLUGIN} AS 'RDS' REQUIRE SSL",
        ),
    )


def _host(evidence: Evidence) -> Suspicion:
    suspicion, accounts = _accounts(evidence)
    if accounts is None:
        return suspicion
    if not accounts.named:
        return RULED_OUT
    answer, account, user = known(evidence.answer), accounts.match, evidence.asked.user
    there = listed(accounts.named)
    address = answer.address if answer is not None and answer.address else "this client's address"
    if account is not None and account.user != user:
        return certain(
            f"The server takes this client for the account {account}, before {there}.",
            f"The account without a name has the host pattern that fits {address} more closely.",
            to_run("The master user drops it", f"DROP USER {account.sql}"),
        )
    if account is not None:
        return RULED_OUT
    if not accounts.certain:
        return POSSIBLE
    return certain(
        f"No account of {user} may connect from {address}; there is only {there}.",
        "The host patterns were compared with the address in the server's words.",
        to_run("The master user adds one that may", _create(user)),
        CreateUser(user),
    )


def _locked(evidence: Evidence) -> Suspicion:
    answer, user = known(evidence.answer), evidence.asked.user
    suspicion, accounts = _accounts(evidence)
    account = accounts.match if accounts is not None else None
    if answer is not None and answer.code in _LOCKED:
        locked = account or Account(user, "%")
        unlock = to_run("The master user unlocks it", f"ALTER USER {locked.sql} ACCOUNT UNLOCK")
        return certain(f"The account of {user} is locked.", f"{answer.code}: {answer.message}", unlock)
    if accounts is None:
        return suspicion if suspicion is not POSSIBLE else RULED_OUT  # the server says so, with a number of its own
    return RULED_OUT


_LOCKED = (3118, 4151)  # MySQL's ER_ACCOUNT_HAS_BEEN_LOCKED, MariaDB's


def _client_certificate(evidence: Evidence) -> Suspicion:
    suspicion, accounts = _accounts(evidence)
    if accounts is None:
        return suspicion
    account = accounts.match
    if account is None or account.user != evidence.asked.user or account.tls not in ("X509", "SPECIFIED"):
        return RULED_OUT if account is not None or accounts.certain else POSSIBLE
    return certain(
        f"{account} requires a client certificate.",
        f"It is defined with REQUIRE {account.tls}.",
        to_run("The master user changes that", f"ALTER USER {account.sql} REQUIRE SSL"),
    )


_MASTER = ("the master user's secret ({option:secret})",)

CAUSES = {
    "user-case": Cause((9,), "database user", "a user name in another case", _case, _MASTER, "Take the exact case."),
    "user-missing": Cause(
        (19,),
        "database user",
        "a database user that does not exist",
        _missing,
        _MASTER,
        "{command:create-user}",
    ),
    "user-password": Cause(
        (20,), "database user", "a database user with a password", _password, _MASTER, "ALTER USER, or a new user."
    ),
    "user-host": Cause(
        (21,), "database user", "a host pattern that this client does not match", _host, _MASTER, "A user at '%'."
    ),
    "user-locked": Cause((37,), "database user", "a locked account", _locked, _MASTER, "ALTER USER … ACCOUNT UNLOCK"),
    "user-certificate": Cause(
        (44,),
        "database user",
        "an account that requires a client certificate",
        _client_certificate,
        _MASTER,
        "ALTER USER … REQUIRE SSL",
    ),
}
