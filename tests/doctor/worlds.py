"""One world for each cause: the whole evidence if everything may be looked at, with exactly that wrong."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from rds_iam_magic.aws.endpoint import Endpoint, Kind
from rds_iam_magic.aws.policies.evaluate import Verdict
from rds_iam_magic.doctor.evidence import (
    Answer,
    Asked,
    Described,
    Evidence,
    Failed,
    Grants,
    Identity,
    Keys,
    LogEntry,
    Mistake,
    Network,
    NoSuch,
    NotLooked,
    Permission,
    Problem,
    Proxy,
    ServerAccounts,
    Target,
    Tls,
    Writer,
)
from rds_iam_magic.setup.accounts import Account

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)
HOST = "sandbox.cluster-c1a2b3.eu-west-1.rds.amazonaws.com"
PROXY_HOST = "front.proxy-c1a2b3.eu-west-1.rds.amazonaws.com"
PRINCIPAL = "arn:aws:iam::123456789012:user/me"
ID = "cluster-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ARN = f"arn:aws:rds-db:eu-west-1:123456789012:dbuser:{ID}/analyst"
WAITS = NotLooked("credentials")

HEALTHY = Evidence(
    asked=Asked("analyst", HOST, "shop", line=f"{HOST} -u analyst -d shop"),
    keys=Keys("env", temporary=False),
    identity=Identity(PRINCIPAL, "123456789012", PRINCIPAL),
    clock=0.4,
    known_in=NotLooked(),
    target=Target(Endpoint(HOST, "eu-west-1", 3306, Kind.CLUSTER), "a host name", "eu-west-1"),
    database=Described(
        "sandbox", "DB cluster", "123456789012", ID, 3306, "available", True, engine="aurora-mysql", supports_iam=True
    ),
    proxy=None,
    writer=None,
    network=Network("open", f"{HOST}:3306"),
    tls=Tls("verified", "RDS's bundle"),
    answer=Answer(accepted=True, at=NOW),
    permission=Permission(Verdict.ALLOWED, ARN, PRINCIPAL, "connect, statement 1"),
    accounts=ServerAccounts((Account("analyst", "%"),), match=Account("analyst", "%")),
    grants=Grants(("GRANT SELECT ON `shop`.* TO `analyst`@`%`",)),
    log=(),
    metrics={},
)

_WORDS = "Access denied for user 'analyst'@'10.0.3.7' (using password: YES)"
MARIADB = Answer(False, 1045, _WORDS, token_asked=True, is_mariadb=True, address="10.0.3.7", at=NOW)
MYSQL = replace(MARIADB, is_mariadb=False)
NOT_ASKED = replace(MARIADB, token_asked=False)
NO_GRANTS = NotLooked("server")


def refused(answer: Answer = MARIADB, **fields: Any) -> Evidence:
    """The login was refused."""
    return replace(HEALTHY, answer=answer, grants=NO_GRANTS, **fields)


def said(code: int, words: str, **fields: Any) -> Evidence:
    """The server said something else than 1045."""
    return refused(Answer(False, code, words, at=NOW), **fields)


def not_reached(outcome: Any, **fields: Any) -> Evidence:
    """Nothing of the server was seen."""
    waits = NotLooked("network")
    network = Network(outcome, f"{HOST}:3306", f"{HOST}:3306 is {outcome}.")
    return replace(HEALTHY, network=network, tls=waits, answer=waits, grants=waits, **fields)


def bad_tls(outcome: Any, **fields: Any) -> Evidence:
    """TLS failed."""
    waits = NotLooked("TLS")
    return replace(HEALTHY, tls=Tls(outcome, "a file", f"It is {outcome}."), answer=waits, grants=waits, **fields)


def no_keys(cause: str, message: str) -> Evidence:
    """There are no credentials that can be used."""
    return replace(
        HEALTHY,
        keys=Problem(cause, message, "Do this."),
        identity=WAITS,
        clock=WAITS,
        database=WAITS,
        permission=WAITS,
        answer=WAITS,
        grants=WAITS,
        log=WAITS,
        metrics=WAITS,
    )


def strange_keys(cause: str, **fields: Any) -> Evidence:
    """STS refuses the credentials."""
    denied = Failed("AWS does not know the key.")
    no = {"database": denied, "permission": NotLooked("identity"), "log": denied, "metrics": denied}
    return refused(MYSQL, **{"identity": Problem(cause, "They are refused.", "Do this."), **no, **fields})


def not_allowed(*mistakes: Mistake, **fields: Any) -> Evidence:
    """IAM does not allow it."""
    of = Permission(Verdict.NOT_ALLOWED, ARN, PRINCIPAL, mistakes=mistakes)
    return refused(permission=replace(of, **fields), log=(LogEntry(NOW, "permission", "no permission"),))


def mistake(kind: Any) -> Mistake:
    """A statement that does not let the user in."""
    return Mistake(kind, "connect", "a value", f"a value is wrong ({kind})")


def at_proxy(answer: Answer = MYSQL, **fields: Any) -> Evidence:
    """A proxy was asked."""
    target = Target(Endpoint(PROXY_HOST, "eu-west-1", 3306, Kind.PROXY), "a host name", "eu-west-1")
    database = Described("front", "RDS Proxy", "123456789012", "prx-0123456789abcdefg", 3306)
    proxy = Proxy("front", iam=True, has_user=True, health=(("AVAILABLE", "", ""),))
    return refused(answer, **{"target": target, "database": database, "proxy": proxy, "log": (), **fields})


def accounts(*named: Account, match: Account | None = None, near: tuple[Account, ...] = ()) -> dict[str, Any]:
    """What the server has."""
    return {"accounts": ServerAccounts(named, near, match)}


_OTHER_REGION = Target(Endpoint(HOST, "us-east-1", 3306, Kind.CLUSTER), "a host name", "eu-west-1")
_GLOBAL = Target(
    Endpoint("world.global-c1a2b3.global.rds.amazonaws.com", "eu-west-1", 3306, Kind.GLOBAL), "a host name", ""
)
_NOT_DESCRIBED = {"database": NoSuch("123456789012", "eu-west-1"), "permission": NotLooked("database")}
_BY_PASSWORD = Account("analyst", "%", ("mysql_native_password",))
_LOCKED = Account("analyst", "%", locked=True)
_PORT = {
    "asked": Asked("analyst", HOST, port=3307, way="127.0.0.1:3307"),
    "target": Target(Endpoint(HOST, "eu-west-1", 3307, Kind.CLUSTER), "a host name", "eu-west-1"),
}
_OFF = replace(HEALTHY.database, iam_enabled=False, supports_iam=True)  # type: ignore[type-var]

WORLDS: list[tuple[str, Evidence]] = [
    ("credentials", no_keys("credentials-missing", "No AWS credentials were found.")),
    ("sso-session", no_keys("sso-session-ended", "The session has ended.")),
    ("session-token", no_keys("session-token-missing", "The session token is missing.")),
    ("credentials-expired", strange_keys("credentials-expired")),
    ("credentials-expired", no_keys("credentials-expired", "They have expired.")),
    ("partition", strange_keys("access-key-refused", known_in="aws-us-gov")),
    ("access-key", strange_keys("access-key-refused", known_in="")),
    ("clock", strange_keys("access-key-refused", clock=-1200.0, known_in="")),
    ("clock", refused(MYSQL, clock=1200.0)),
    ("clock", replace(no_keys("access-key-refused", "They are refused."), clock=1200.0)),
    ("access-key", strange_keys("access-key-refused", known_in="aws")),
    ("clock", refused(MARIADB, clock=-1200.0)),
    (
        "region",
        refused(target=_OTHER_REGION, database=NoSuch("123456789012", "us-east-1"), permission=NotLooked("database")),
    ),
    ("failover", refused(target=_GLOBAL, writer=Writer("world", "us-east-1", "other"), **_NOT_DESCRIBED)),
    (
        "host",
        replace(
            no_keys("", ""),
            keys=HEALTHY.keys,
            target=Problem("not-rds-host", "It is no host of RDS."),
            network=NotLooked("target"),
            tls=NotLooked("target"),
        ),
    ),
    (
        "target",
        replace(
            no_keys("", ""),
            keys=HEALTHY.keys,
            target=Problem("target-unknown", "There is none."),
            network=NotLooked("target"),
            tls=NotLooked("target"),
        ),
    ),
    ("port", refused(**_PORT)),
    ("port", refused(MYSQL, **_PORT)),
    ("status", not_reached("silent", database=replace(HEALTHY.database, status="stopped"))),  # type: ignore[type-var]
    ("status", not_reached("refused", database=replace(HEALTHY.database, status="starting"))),  # type: ignore[type-var]
    ("status", not_reached("silent", database=replace(HEALTHY.database, pauses=True))),  # type: ignore[type-var]
    *(
        ("network", not_reached(outcome))
        for outcome in ("name", "name-slow", "refused", "silent", "unreachable", "closed", "mute")
    ),
    ("certificate", bad_tls("untrusted")),
    (
        "proxy-certificate",
        replace(
            at_proxy(), asked=Asked("analyst", ca=True), tls=Tls("untrusted", "a file", "No."), answer=NotLooked("TLS")
        ),
    ),
    ("certificate-name", bad_tls("name")),
    ("certificate-expired", bad_tls("expired")),
    ("tls", bad_tls("not-offered")),
    ("proxy-throttle", at_proxy(Answer(False, 1040, "IAM authentication rate limit exceeded"))),
    ("proxy-database", at_proxy(Answer(False, 9501, "Timed-out waiting to acquire database connection"))),
    *(("limits", said(code, "a limit")) for code in (1040, 1129, 1203, 1226)),
    ("iam-off", refused(NOT_ASKED, database=_OFF)),
    ("iam-off", said(1524, "Plugin 'AWSAuthenticationPlugin' is not loaded", database=_OFF)),
    ("iam-off", refused(MYSQL, database=replace(_OFF, iam_pending=True))),
    (
        "unsupported",
        said(1524, "Plugin 'AWSAuthenticationPlugin' is not loaded", database=replace(_OFF, supports_iam=False)),
    ),
    ("account", refused(**_NOT_DESCRIBED)),
    ("account", refused(MYSQL, **_NOT_DESCRIBED)),
    ("proxy-secret", at_proxy(NOT_ASKED, proxy=Proxy("front", iam=None, has_user=False))),
    (
        "proxy-secret",
        at_proxy(proxy=Proxy("front", iam=True, has_user=True, health=(("UNAVAILABLE", "AUTH_FAILURE", "no"),))),
    ),
    ("proxy-iam", at_proxy(NOT_ASKED, proxy=Proxy("front", iam=False, has_user=True))),
    (
        "policy-proxy",
        at_proxy(permission=Permission(Verdict.NOT_ALLOWED, ARN, PRINCIPAL, mistakes=(mistake("instance-id"),))),
    ),
    ("policy-missing", not_allowed()),
    ("policy-missing", not_allowed(mistake("other-user"))),
    ("policy-arn", not_allowed(mistake("action"))),
    ("policy-arn", not_allowed(mistake("identifier"))),
    ("policy-instance", not_allowed(mistake("instance-id"))),
    ("policy-restored", not_allowed(mistake("other-id"))),
    ("policy-condition", not_allowed(mistake("condition"))),
    ("policy-user", not_allowed(mistake("user-case"))),
    ("policy-denied", not_allowed(verdict=Verdict.DENIED, by="no, statement 1")),
    ("policy-denied", not_allowed(boundary=True)),
    ("policy-denied", not_allowed(organization=True)),
    (
        "session-policy",
        refused(
            identity=Identity("arn:aws:sts::123456789012:assumed-role/r/s", "123456789012", PRINCIPAL),
            log=(LogEntry(NOW, "permission", "no permission"),),
        ),
    ),
    ("throttle", refused(log=(LogEntry(NOW, "throttling", "too many"),))),
    ("throttle", refused(MYSQL, log=(), metrics={"throttling": 7})),
    ("user-case", refused(NOT_ASKED, **accounts(near=(Account("Analyst", "%"),)))),
    ("user-case", refused(**accounts(near=(Account("Analyst", "%"),)))),
    ("user-missing", refused(**accounts(near=(Account("analysts", "%"),)))),
    ("user-missing", refused(NOT_ASKED, **accounts())),
    ("user-password", refused(NOT_ASKED, **accounts(_BY_PASSWORD, match=_BY_PASSWORD))),
    ("user-host", refused(NOT_ASKED, **accounts(Account("analyst", "10.9.%")))),
    ("user-host", refused(NOT_ASKED, **accounts(Account("analyst", "%"), match=Account("", "10.0.3.7", ())))),
    ("user-locked", said(4151, "Access denied, this account is locked", **accounts(_LOCKED, match=_LOCKED))),
    ("user-locked", said(3118, "Access denied. Account is locked.", **accounts(_LOCKED, match=_LOCKED))),
    (
        "user-certificate",
        refused(**accounts(*(2 * [Account("analyst", "%", tls="X509")]), match=Account("analyst", "%", tls="X509"))),
    ),
    ("schema", said(1049, "Unknown database 'shop'")),
    ("schema", said(1044, "Access denied for user 'analyst'@'%' to database 'shop'")),
    ("refused", said(1862, "Your password has expired.")),
]
"""The cause, by its name in `CAUSES`, and the evidence."""
