"""`seen`: what a check has seen, in a sentence, where no cause is found in it."""

from __future__ import annotations

from collections.abc import Callable

from rds_iam_magic.aws.identity import CLOCK_TOLERANCE
from rds_iam_magic.aws.policies.evaluate import Verdict
from rds_iam_magic.doctor.causes.cause import is_in, is_let_in, is_of_login, listed
from rds_iam_magic.doctor.evidence import (
    Described,
    Evidence,
    Failed,
    Identity,
    Keys,
    NoSuch,
    NotLooked,
    NotPermitted,
    Problem,
    ServerAccounts,
    Target,
    is_known,
    known,
)
from rds_iam_magic.doctor.findings import State
from rds_iam_magic.hints import Interface, spell
from rds_iam_magic.wording import count_of, duration_text

Seen = tuple[State, str, str]
"""The state, the sentence, and what that is concluded from."""

FIELDS = {
    "credentials": "keys",
    "identity": "identity",
    "clock": "clock",
    "region": "target",
    "target": "target",
    "database": "database",
    "network": "network",
    "TLS": "tls",
    "server": "answer",
    "proxy": "proxy",
    "IAM policy": "permission",
    "database user": "accounts",
    "privileges": "grants",
    "log": "log",
}
"""The field of `Evidence` that each check is about."""


def seen(check: str, evidence: Evidence) -> tuple[State, str, str, str]:
    """The state of a check, the sentence, what that is concluded from, and what would let it be looked at."""
    fact = getattr(evidence, FIELDS[check])
    if check in _ONCE_IN and is_let_in(evidence) and not is_known(fact):
        return "ok", _ONCE_IN[check], "", ""
    if not is_known(fact):
        return _unknown(fact, evidence.asked.interface)
    if isinstance(fact, Problem):
        if check == "region":  # the target's own
            return "skipped", "It waits for: target.", "", ""
        return "problem", fact.message, "", ""
    return *_SEEN[check](evidence), ""


_ONCE_IN = {
    "database user": "The server knows the user, and lets it in with IAM.",
    "IAM policy": "IAM lets it in: the server has accepted the token.",
    "log": "There is nothing to look for: the server has let the user in.",
}
"""What being let in shows, whether it could be looked at or not."""


def _unknown(fact: object, interface: Interface) -> tuple[State, str, str, str]:
    if isinstance(fact, NotPermitted):
        return "unknown", f"It may not be looked at: that takes {fact.permission}.", "", ""
    if isinstance(fact, Failed):
        return "unknown", f"It could not be looked at: {fact.what}", "", fact.mend
    if isinstance(fact, NotLooked) and fact.waits_for:
        return "skipped", f"It waits for: {fact.waits_for}.", "", ""
    why = spell(fact.why, interface, {}) if isinstance(fact, NotLooked) else ""
    return "skipped", f"It is looked at only {why}." if why else "It was not looked at.", "", ""


def _keys(evidence: Evidence) -> Seen:
    keys = known(evidence.keys)
    assert isinstance(keys, Keys)  # noqa: S101 - `seen` has looked
    of = f", profile {keys.profile}" if keys.profile else ""
    found = "Temporary credentials were found" if keys.temporary else "An access key was found"
    return "ok", f"{found} ({keys.source}{of}).", ""


def _identity(evidence: Evidence) -> Seen:
    identity = known(evidence.identity)
    assert isinstance(identity, Identity)  # noqa: S101
    return "ok", f"The credentials are those of {identity.arn}.", "STS says so."


def _clock(evidence: Evidence) -> Seen:
    off = abs(known(evidence.clock) or 0)
    if off > CLOCK_TOLERANCE:  # the server has let the user in all the same
        return "ok", f"The clock is {duration_text(off)} off; that does not keep the user from logging in yet.", ""
    return "ok", f"The clock agrees with AWS's within {max(1, round(off))} s.", ""


def _region(evidence: Evidence) -> Seen:
    target = known(evidence.target)
    assert isinstance(target, Target)  # noqa: S101
    of_name = ", the region in the host name" if target.region_of_name else ""
    return (
        "ok",
        f"The token is signed for {target.endpoint.region}{of_name} (partition {target.endpoint.partition}).",
        "",
    )


def _target(evidence: Evidence) -> Seen:
    target = known(evidence.target)
    assert isinstance(target, Target)  # noqa: S101
    return "ok", f"The endpoint is {target.endpoint}.", target.origin


def _database(evidence: Evidence) -> Seen:
    database = known(evidence.database)
    if isinstance(database, NoSuch):
        of = f"account {database.account}" if database.account else "this account"
        return "unknown", f"No database of {of} has this endpoint in {database.region}.", ""
    assert isinstance(database, Described)  # noqa: S101
    engine = f" ({database.engine} {database.version})".replace(" )", ")") if database.engine else ""
    parts = [f"The {database.kind} {database.name}{engine} is {database.status}"]
    if database.kind != "RDS Proxy":
        if database.iam_enabled is None:
            parts.append("whether IAM authentication is on may not be described")
        else:
            parts.append("IAM authentication is on" if database.iam_enabled else "IAM authentication is off")
    if database.resource_id:
        parts.append(f"its resource id is {database.resource_id}")
    return (
        ("ok" if database.iam_enabled is not None or database.kind == "RDS Proxy" else "unknown"),
        ("; ".join(parts) + "."),
        "",
    )


def _network(evidence: Evidence) -> Seen:
    network = known(evidence.network)
    assert network is not None  # noqa: S101
    if network.outcome == "open":
        return "ok", f"{network.address} accepts connections.", ""
    return "problem", network.message, ""


def _tls(evidence: Evidence) -> Seen:
    tls = known(evidence.tls)
    assert tls is not None  # noqa: S101
    if tls.outcome == "verified":
        return "ok", f"The certificate is the endpoint's, verified with {tls.source}.", ""
    return "problem", tls.message, ""


def _server(evidence: Evidence) -> Seen:
    answer = known(evidence.answer)
    assert answer is not None  # noqa: S101
    if is_in(answer):
        return "ok", f"The server let {evidence.asked.user} in with a token.", ""
    asked = "It asked for a token" if answer.token_asked else "It did not ask for a token"
    if answer.code != 1045:
        asked = ""
    elif answer.token_asked and answer.is_mariadb:
        asked += ", as MariaDB may also do for a user that it does not know"
    return "problem", f"The server refused the login ({answer.code}): {answer.message}", f"{asked}." if asked else ""


def _proxy(evidence: Evidence) -> Seen:
    proxy = known(evidence.proxy)
    assert proxy is not None  # noqa: S101
    takes = {
        True: "it takes tokens",
        False: "it takes no tokens for this user",
        None: "whether it takes tokens for this user is not described",
    }[proxy.iam]
    health = known(proxy.health)
    states = f"; its targets are {listed(state for state, _, _ in health)}" if health else ""
    return "ok" if proxy.iam else "unknown", f"The RDS Proxy {proxy.name} is there; {takes}{states}.", ""


def _permission(evidence: Evidence) -> Seen:
    permission = known(evidence.permission)
    assert permission is not None  # noqa: S101
    by = f" (by {permission.by})" if permission.by else ""
    how = "IAM's simulation says so." if permission.simulated else "The policies' documents say so."
    if permission.verdict is Verdict.ALLOWED:
        return "ok", f"IAM allows rds-db:connect on {permission.arn} for {permission.principal}{by}.", how
    if permission.verdict is Verdict.UNKNOWN:
        return "unknown", f"Whether IAM allows it shows only at the login: {permission.why}.", how
    return "unknown", "IAM's policies do not seem to allow it.", how


def _accounts(evidence: Evidence) -> Seen:
    accounts = known(evidence.accounts)
    assert isinstance(accounts, ServerAccounts)  # noqa: S101
    if accounts.match is not None:
        return "ok", f"The account {accounts.match} logs in with {accounts.match.login}.", "The accounts were read."
    named = listed(accounts.named) or "none"
    return "unknown", f"Accounts of {evidence.asked.user}: {named}. Which one the server takes is not known.", ""


def _grants(evidence: Evidence) -> Seen:
    grants = known(evidence.grants)
    assert grants is not None  # noqa: S101
    if grants.nothing:
        user = evidence.asked.user
        return "problem", f"{user} may log in, and has no privilege on any table.", "SHOW GRANTS lists none."
    return "ok", f"{evidence.asked.user} has {count_of(len(grants.lines), 'grant')}.", ""


def _log(evidence: Evidence) -> Seen:
    log = known(evidence.log)
    if log and is_let_in(evidence):
        return "ok", "The refusals in the log iam-db-auth-error are earlier ones.", f"The latest: {log[0].words}"
    if not log:
        return "ok", "The log iam-db-auth-error has nothing about this user in the last minutes.", ""
    time = f"{log[0].at:%H:%M:%S} UTC"
    if is_of_login(log[0], evidence) is False:
        return (
            "ok",
            "The log iam-db-auth-error has nothing about this login yet.",
            f"The latest refusal, of {time}: {log[0].words}",
        )
    return "problem", f"The latest refusal in the log iam-db-auth-error: {log[0].words}", f"It is of {time}."


_SEEN: dict[str, Callable[[Evidence], Seen]] = {
    "credentials": _keys,
    "identity": _identity,
    "clock": _clock,
    "region": _region,
    "target": _target,
    "database": _database,
    "network": _network,
    "TLS": _tls,
    "server": _server,
    "proxy": _proxy,
    "IAM policy": _permission,
    "database user": _accounts,
    "privileges": _grants,
    "log": _log,
}
