"""The accounts of the server with the user's name, and which one the server takes for this client; as the master user.

It is done only where the master user's secret was given: nobody else may read the accounts.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.connecting import connect_by_secret
from rds_iam_magic.doctor.checks.check import LIMIT, Check, Tools
from rds_iam_magic.doctor.checks.server import TUNNEL, quick_options, trust_within_limit
from rds_iam_magic.doctor.evidence import (
    Answer,
    Evidence,
    Network,
    NotLooked,
    NotPermitted,
    Problem,
    ServerAccounts,
    Target,
    Tls,
    Unknown,
    known,
)
from rds_iam_magic.errors import ConnectError, OptionError, RdsIamError, TargetError, TrustStoreError, UserSetupError
from rds_iam_magic.setup.account_order import account_for, in_order
from rds_iam_magic.setup.accounts import Accounts, read_accounts

if TYPE_CHECKING:
    from rds_iam_magic.connection.connection import Connection

_FOUND_WRONG = (ConnectError, OptionError, TargetError, TrustStoreError, UserSetupError)
_DENIED = ("aws-denied", "aws-lookup-denied")


def look(tools: Tools, evidence: Evidence) -> Evidence:
    """Fill `accounts`."""
    skipped = _not_looked(tools, evidence)
    return replace(evidence, accounts=skipped or _read(tools, evidence))


def _not_looked(tools: Tools, evidence: Evidence) -> NotLooked | None:
    """Why there is nothing to look at; None if there is."""
    if tools.secret is None:
        return NotLooked(why="with the master user's secret ({option:secret})")
    if isinstance(evidence.keys, Problem):
        return NotLooked("credentials")
    if isinstance(evidence.network, Network) and evidence.network.outcome != "open":
        return NotLooked("network")
    if isinstance(evidence.tls, Tls) and evidence.tls.outcome != "verified":
        return NotLooked("TLS")
    return None


def _read(tools: Tools, evidence: Evidence) -> ServerAccounts | Problem | Unknown:
    assert isinstance(evidence.target, Target)  # noqa: S101 - it is needed
    assert tools.secret is not None  # noqa: S101 - looked at before
    endpoint, options = evidence.target.endpoint, quick_options(tools)
    trust = trust_within_limit(tools, endpoint)
    try:
        if isinstance(trust, TrustStoreError):
            raise trust
        with connect_by_secret(
            options, tools.session, endpoint, tools.secret, trust=trust, notify=lambda _: None
        ) as master:
            client = "" if endpoint.kind is Kind.PROXY else _client(evidence, master)  # the database sees the proxy's
            return accounts_of(read_accounts(master), evidence.asked.user, client)
    except _FOUND_WRONG as error:
        return Problem.of(error)
    except RdsIamError as error:
        if error.cause in _DENIED:
            return NotPermitted("secretsmanager:GetSecretValue")
        raise


def _client(evidence: Evidence, master: Connection) -> str:
    """The client's address as the server sees it: in its answer to the user, else in the master user's session."""
    answer = known(evidence.answer)
    if isinstance(answer, Answer) and answer.address:
        return answer.address
    return str(master.query("SELECT USER() AS client").loc[0, "client"]).rpartition("@")[2]


def accounts_of(accounts: Accounts, user: str, client: str) -> ServerAccounts:
    """What the accounts of a server mean for a user.

    Args:
        accounts: All of them.
        user: The user that was asked for.
        client: The client's address or name, as the server sees it; "" if it is not known.
    """
    order = in_order(accounts.all, user, is_mariadb=accounts.is_mariadb)
    match, certain = account_for(
        order, user, client, is_mariadb=accounts.is_mariadb, resolves_names=accounts.resolves_names
    )
    others = {a.user for a in accounts.all if not a.is_role and a.user not in ("", user)}
    folded = {name for name in others if name.casefold() == user.casefold()}
    alike = folded.union(difflib.get_close_matches(user, sorted(others), n=3, cutoff=0.7))
    return ServerAccounts(
        named=tuple(account for account in order if account.user == user),
        near=tuple(account for account in accounts.all if account.user in alike and not account.is_role),
        match=match,
        certain=certain,
    )


ACCOUNTS = Check(
    name="database user",
    fills=("accounts",),
    look=look,
    needs=("target",),
    after=("keys", "answer"),
    limit=2 * LIMIT + TUNNEL,
)
