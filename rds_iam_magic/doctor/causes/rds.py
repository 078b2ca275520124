"""The causes in RDS: IAM authentication at the database and at a proxy, a proxy's secrets, throttling."""

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
    likely,
    magic_to_run,
    of_token,
    refusal_logged,
    unless_logged,
)
from rds_iam_magic.doctor.evidence import Described, Evidence, LogClass, known
from rds_iam_magic.doctor.findings import EnableIam
from rds_iam_magic.wording import count_of

# IAM authentication at the database


def _iam_off(evidence: Evidence) -> Suspicion:
    database = known(evidence.database)
    if is_let_in(evidence) or is_proxy(evidence):
        return RULED_OUT
    if isinstance(database, Described) and database.iam_enabled is not None:
        if database.iam_enabled or known(database.supports_iam) is False:
            return RULED_OUT
        if not database.iam_pending and known(database.supports_iam) is None:
            return likely(f"IAM authentication is off on {database.name}.", "RDS describes it so.", _enable(database))
        if database.iam_pending:
            return certain(
                f"IAM authentication is off on {database.name}; switching it on is a pending change.",
                "RDS shows it among the changes that wait for the maintenance window.",
                _enable(database),
                EnableIam(database.name, database.arn),
            )
        return certain(
            f"IAM authentication is off on {database.name}.",
            "RDS describes it so.",
            _enable(database),
            EnableIam(database.name, database.arn),
        )
    return _of_plugin(evidence)


def _enable(database: Described) -> str:
    return magic_to_run("enable-iam", target=database.name)


def _unsupported(evidence: Evidence) -> Suspicion:
    database = known(evidence.database)
    if is_let_in(evidence) or is_proxy(evidence):
        return RULED_OUT
    if isinstance(database, Described):
        supports = known(database.supports_iam)
        if supports or (database.iam_enabled and supports is None):
            return RULED_OUT
        if supports is False:
            engine = f"{database.engine} {database.version}".rstrip()
            return certain(
                f"{database.name} is {engine}, which has no IAM authentication.",
                "RDS describes it so.",
                "Upgrade it to a version that has it: "
                "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html",
            )
    return _of_plugin(evidence)


def _of_plugin(evidence: Evidence) -> Suspicion:
    """Without IAM authentication, the server lacks the plugin: it says that, or refuses as it does an unknown user."""
    answer = known(evidence.answer)
    if answer is None:
        return UNSEEN
    return POSSIBLE if answer.code in (1045, 1524) else RULED_OUT


# Proxies


def _proxy_secret(evidence: Evidence) -> Suspicion:
    proxy, suspicion = known(evidence.proxy), _at_proxy(evidence)
    if suspicion is not POSSIBLE or proxy is None:
        return suspicion
    user = evidence.asked.user
    if proxy.has_user is False:
        return certain(
            f"The RDS Proxy {proxy.name} has no secret for {user}.",
            "None of the proxy's entries is for this user.",
            f"Keep user and password of {user} in Secrets Manager, and add that secret to the proxy, with IAM "
            "authentication required.",
        )
    refused = [words or reason for _, reason, words in known(proxy.health) or () if reason == "AUTH_FAILURE"]
    if refused:
        return certain(
            f"The RDS Proxy {proxy.name} cannot log in to its database: a secret is outdated.",
            f"RDS says of its target: AUTH_FAILURE ({refused[0]}).",
            f"Set the password in the proxy's secret for {user} to the database user's.",
        )
    return POSSIBLE


def _proxy_iam(evidence: Evidence) -> Suspicion:
    proxy, suspicion = known(evidence.proxy), _at_proxy(evidence)
    if suspicion is not POSSIBLE or proxy is None:
        return suspicion
    if proxy.iam is None:
        return POSSIBLE
    if proxy.iam or proxy.has_user is False:
        return RULED_OUT
    return certain(
        f"The RDS Proxy {proxy.name} takes no token for {evidence.asked.user}: IAM authentication is off there.",
        "The proxy's entry for this user says so.",
        f"Modify the proxy {proxy.name}: set IAM authentication to Required for that secret.",
    )


def _at_proxy(evidence: Evidence) -> Suspicion:
    answer, at_proxy = known(evidence.answer), is_proxy(evidence)
    if is_let_in(evidence) or at_proxy is False:
        return RULED_OUT
    if answer is None:
        return UNSEEN
    return POSSIBLE if answer.code == 1045 else RULED_OUT


# Throttling, and the log


def _throttle(evidence: Evidence) -> Suspicion:
    suspicion = of_token(evidence)
    if suspicion is not POSSIBLE:
        return suspicion
    entry, metrics = refusal_logged(evidence), known(evidence.metrics)
    mend = "Wait a minute, and keep connections open instead of opening many: RDS limits the logins per second."
    if entry is not None and entry.of == "throttling":
        return certain("RDS throttles logins with IAM at this database.", f"Its log says: {entry.words}", mend)
    if metrics is not None and metrics.get("throttling") and not any(metrics.get(of) for of in _OTHERS):
        logins = count_of(metrics["throttling"], "login")
        return likely(
            "RDS throttles logins with IAM at this database.",
            f"CloudWatch counts {logins} refused by throttling in the last minutes, and none for another reason.",
            mend,
        )
    return unless_logged(evidence, suspicion, "throttling")


_OTHERS: tuple[LogClass, ...] = ("token", "permission", "server")

_DESCRIBE = ("rds:DescribeDBClusters", "rds:DescribeDBInstances")
_PROXIES = ("rds:DescribeDBProxies", "rds:DescribeDBProxyTargets")

CAUSES = {
    "iam-off": Cause((17,), "database", "IAM authentication that is off", _iam_off, _DESCRIBE, "{command:enable-iam}"),
    "unsupported": Cause(
        (18,), "database", "an engine or version without IAM authentication", _unsupported, _DESCRIBE, "Upgrade it."
    ),
    "proxy-secret": Cause(
        (27,),
        "proxy",
        "an RDS Proxy without a valid secret for the user",
        _proxy_secret,
        _PROXIES,
        "Mend the secret; the proxy reads it again.",
    ),
    "proxy-iam": Cause(
        (28,), "proxy", "an RDS Proxy without IAM authentication", _proxy_iam, _PROXIES, "Require IAM at the proxy."
    ),
    "throttle": Cause(
        (30,),
        "log",
        "throttling of logins",
        _throttle,
        ("logs:FilterLogEvents or cloudwatch:GetMetricData",),
        "Keep connections open.",
    ),
}
