"""The causes in IAM and RDS: policies, the account, IAM authentication, proxies, throttling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rds_iam_magic.aws.policies.evaluate import Verdict
from rds_iam_magic.connect_options import as_word
from rds_iam_magic.doctor.causes.cause import (
    POSSIBLE,
    RULED_OUT,
    UNSEEN,
    Cause,
    Level,
    Suspicion,
    certain,
    endpoint_of,
    is_let_in,
    is_proxy,
    likely,
    of_token,
    refusal_logged,
    to_run,
)
from rds_iam_magic.doctor.evidence import (
    Described,
    Evidence,
    Identity,
    LogClass,
    Mistake,
    MistakeKind,
    NoSuch,
    Permission,
    Target,
    known,
)
from rds_iam_magic.doctor.findings import AttachPolicy, EnableIam

# Policies


def _policies(evidence: Evidence) -> tuple[Suspicion, Permission | None]:
    """What is to be said of a policy before its documents are looked at; the permission if it is not allowed."""
    if is_let_in(evidence):
        return RULED_OUT, None
    permission = known(evidence.permission)
    if permission is None or permission.verdict is Verdict.UNKNOWN:
        return _unless_logged(evidence, of_token(evidence), "permission"), None
    if permission.verdict is Verdict.ALLOWED:
        return RULED_OUT, None
    return UNSEEN, permission


def _not_allowed(evidence: Evidence) -> Suspicion:
    suspicion, permission = _policies(evidence)
    if permission is None or _forbids(permission):
        return suspicion if permission is None else RULED_OUT
    if permission.mistakes and not _only(permission.mistakes, "other-user", "other"):
        return RULED_OUT
    others = f" {_said(permission.mistakes)}" if permission.mistakes else ""
    sentence = f"No policy of {_short(permission.principal)} allows {_CONNECT}.{others}"
    if permission.read is True:
        return _lacking(evidence, permission, sentence)
    return _weaker(_lacking(evidence, permission, sentence)) if permission.probed else POSSIBLE


def _wrong_arn(evidence: Evidence) -> Suspicion:
    return _by_mistake(evidence, "action", "identifier")


def _instance_id(evidence: Evidence) -> Suspicion:
    if is_proxy(evidence):
        return RULED_OUT
    return _by_mistake(evidence, "instance-id")


def _of_proxy(evidence: Evidence) -> Suspicion:
    if is_proxy(evidence) is False:
        return RULED_OUT
    return _by_mistake(evidence, "instance-id")


def _other_id(evidence: Evidence) -> Suspicion:
    return _weaker(_by_mistake(evidence, "other-id"))


def _condition(evidence: Evidence) -> Suspicion:
    permission = known(evidence.permission)
    suspicion = _by_mistake(evidence, "condition")
    # Of a simulation, the missing keys may be those of other statements.
    return suspicion if permission is None or permission.read is True else _weaker(suspicion)


def _user_case(evidence: Evidence) -> Suspicion:
    return _weaker(_by_mistake(evidence, "user-case"))


def _weaker(suspicion: Suspicion) -> Suspicion:
    return replace(suspicion, level=Level.LIKELY) if suspicion.level is Level.CERTAIN else suspicion


def _by_mistake(evidence: Evidence, *kinds: MistakeKind) -> Suspicion:
    """Certain if a statement has such a mistake; possible if the documents may not be read."""
    suspicion, permission = _policies(evidence)
    if permission is None or _forbids(permission):
        return suspicion if permission is None else RULED_OUT
    mistakes = [mistake for mistake in permission.mistakes if mistake.kind in kinds]
    if mistakes:
        # The id of an Aurora instance and a database's id at a proxy are one mistake; which it is, the endpoint tells.
        return POSSIBLE if is_proxy(evidence) is None else _lacking(evidence, permission, _said(mistakes))
    if permission.read is True or permission.mistakes or (permission.probed and set(kinds) <= _PROBED):
        return RULED_OUT
    return POSSIBLE


_PROBED: frozenset[MistakeKind] = frozenset({"action", "identifier", "instance-id", "user-case"})


def _only(mistakes: Sequence[Mistake], *kinds: MistakeKind) -> bool:
    return all(mistake.kind in kinds for mistake in mistakes)


def _said(mistakes: Sequence[Mistake]) -> str:
    said = [f"In the policy {mistake.policy}, {mistake.why}." for mistake in mistakes]
    others = [f"{len(said) - _FEW:,} other statements are wrong, too."] if len(said) > _FEW + 1 else []
    return " ".join((said[:_FEW] if others else said) + others)


_FEW = 5


_CONNECT = "rds-db:connect as this user"


def _lacking(evidence: Evidence, permission: Permission, sentence: str) -> Suspicion:
    by = "IAM's simulation says so" if permission.simulated else "The policies' documents say so"
    endpoint = endpoint_of(evidence)
    words = f"{as_word(evidence.asked.user)} {endpoint.host if endpoint else 'TARGET'}"
    return certain(
        sentence,
        f"{by}, of {permission.arn} and {permission.principal}.",
        to_run("Who may edit IAM runs this", f"%rds_iam_policy {words} --attach {permission.principal} --fix"),
        AttachPolicy(permission.principal, permission.arn),
    )


def _short(arn: str) -> str:
    return arn.rpartition(":")[2] or arn


def _forbids(permission: Permission) -> bool:
    """Whether something forbids it, rather than that nothing allows it."""
    return permission.verdict is Verdict.DENIED or permission.boundary or permission.organization


def _denied(evidence: Evidence) -> Suspicion:
    suspicion, permission = _policies(evidence)
    if permission is None:
        return _with_organization(evidence, suspicion)
    if not _forbids(permission):
        return RULED_OUT
    what = "a policy denies it explicitly"
    if permission.organization:
        what = "a service control policy of the organization does not allow it"
    elif permission.boundary:
        what = "the permissions boundary does not allow it"
    by = f" ({permission.by})" if permission.by else ""
    return certain(
        f"IAM forbids {_short(permission.principal)} {_CONNECT}: {what}{by}.",
        f"The ARN is {permission.arn}. No further policy can allow what is forbidden.",
        "Ask the account's administrators, with that ARN.",
    )


def _with_organization(evidence: Evidence, suspicion: Suspicion) -> Suspicion:
    """What was evaluated from documents does not cover the organization's service control policies."""
    permission = known(evidence.permission)
    if suspicion is RULED_OUT and permission is not None and not permission.simulated:
        return of_token(evidence)
    return suspicion


def _session_policy(evidence: Evidence) -> Suspicion:
    identity = known(evidence.identity)
    if isinstance(identity, Identity) and not identity.is_session:
        return RULED_OUT
    return _unless_logged(evidence, of_token(evidence), "permission")


def _account(evidence: Evidence) -> Suspicion:
    if is_let_in(evidence):
        return RULED_OUT
    database, identity, endpoint = known(evidence.database), known(evidence.identity), endpoint_of(evidence)
    if isinstance(database, Described):
        if not isinstance(identity, Identity) or identity.account == database.account:
            return RULED_OUT
        return _other_account(identity.account, f"It is in account {database.account}.")
    if endpoint is None:
        return of_token(evidence)
    target = known(evidence.target)
    region = target.region_of_name if isinstance(target, Target) else ""
    if not isinstance(database, NoSuch) or database.region != region:  # looked for elsewhere, or it is not described
        return _unless_logged(evidence, of_token(evidence), "permission")
    account = database.account or (identity.account if isinstance(identity, Identity) else "")
    if known(evidence.answer) is None:
        return UNSEEN
    tls = known(evidence.tls)
    if tls is None or tls.outcome != "verified":  # what answers may be something else
        return _unless_logged(evidence, of_token(evidence), "permission")
    return _other_account(account, f"It answers, and none of that account has this endpoint in {database.region}.")


def _other_account(account: str, why: str) -> Suspicion:
    return certain(
        f"The credentials are of {f'account {account}' if account else 'one account'}; the database is in another one.",
        why,
        "Use credentials of the database's account: --profile NAME, or assume a role there: --role-arn ARN.",
    )


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
    return to_run("Switch it on at once; it needs no restart", f"%rds_iam_enable {as_word(database.name)} --now")


def _unsupported(evidence: Evidence) -> Suspicion:
    database = known(evidence.database)
    if is_let_in(evidence) or is_proxy(evidence):
        return RULED_OUT
    if isinstance(database, Described):
        supports = known(database.supports_iam)
        if supports or (database.iam_enabled and supports is None):
            return RULED_OUT
        if supports is False:
            return certain(
                f"{database.name} is {database.engine} {database.version}, which has no IAM authentication.",
                "RDS describes it so.",
                "Upgrade it to a version that has: "
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
            "None of its entries is for this user.",
            f"Keep user and password of {user} in Secrets Manager, and add that secret to the proxy, with IAM "
            "authentication required.",
        )
    refused = [words or reason for _, reason, words in known(proxy.health) or () if reason == "AUTH_FAILURE"]
    if refused:
        return certain(
            f"The RDS Proxy {proxy.name} cannot log in to its database: a secret is outdated.",
            f"RDS says of its target: AUTH_FAILURE ({refused[0]}).",
            f"Set the password in the proxy's secret for {user} to that of the database user.",
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
        "Its entry for the user says so.",
        f"Modify the proxy {proxy.name}: IAM authentication Required for that secret.",
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
    mend = "Wait a minute, and hold connections instead of opening many: RDS limits how many log in a second."
    if entry is not None and entry.of == "throttling":
        return certain("RDS throttles logins with IAM at this database.", f"Its log says: {entry.words}", mend)
    if metrics is not None and metrics.get("throttling") and not any(metrics.get(of) for of in _OTHERS):
        count = metrics["throttling"]
        return likely(
            "RDS throttles logins with IAM at this database.",
            f"CloudWatch counts {count} logins refused by throttling in the last minutes, and none for another reason.",
            mend,
        )
    return _unless_logged(evidence, suspicion, "throttling")


_OTHERS: tuple[LogClass, ...] = ("token", "permission", "server")


def _unless_logged(evidence: Evidence, suspicion: Suspicion, of: LogClass) -> Suspicion:
    """Ruled out, if the database's log gives another reason for this refusal."""
    entry = refusal_logged(evidence)
    if suspicion is POSSIBLE and entry is not None and entry.of not in (None, of):
        return RULED_OUT
    return suspicion


_SIMULATE = ("iam:SimulatePrincipalPolicy on the own role or user", "rds:DescribeDBClusters", "rds:DescribeDBInstances")
_READ = ("iam:Get… and iam:List… of the own policies",)
_DESCRIBE = ("rds:DescribeDBClusters", "rds:DescribeDBInstances")
_PROXIES = ("rds:DescribeDBProxies", "rds:DescribeDBProxyTargets")
_POLICY = "%rds_iam_policy USER TARGET --attach role/NAME writes the right one."

CAUSES = {
    "iam-off": Cause(
        (17,), "database", "IAM authentication that is off", _iam_off, _DESCRIBE, "%rds_iam_enable TARGET --now"
    ),
    "unsupported": Cause(
        (18,), "database", "an engine or version without IAM authentication", _unsupported, _DESCRIBE, "Upgrade it."
    ),
    "account": Cause(
        (16,), "identity", "credentials of another account or role", _account, _DESCRIBE, "--profile, or --role-arn."
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
    "policy-missing": Cause(
        (10,), "IAM policy", "no policy that allows rds-db:connect", _not_allowed, _SIMULATE, _POLICY
    ),
    "policy-arn": Cause(
        (11,), "IAM policy", "a policy with rds:connect or with an identifier", _wrong_arn, _SIMULATE, _POLICY
    ),
    "policy-instance": Cause(
        (12,), "IAM policy", "a policy with the id of an Aurora instance", _instance_id, _SIMULATE, _POLICY
    ),
    "policy-restored": Cause(
        (13,),
        "IAM policy",
        "a policy with the id of a database from before a restore",
        _other_id,
        (*_SIMULATE, *_READ),
        "List both ids.",
    ),
    "policy-denied": Cause(
        (14,),
        "IAM policy",
        "an explicit deny, a permissions boundary or a service control policy",
        _denied,
        _SIMULATE,
        "Ask the account's administrators.",
    ),
    "session-policy": Cause(
        (14,),
        "IAM policy",
        "the policy of a session, which cannot be read",
        _session_policy,
        mend="Get the credentials again without a session policy.",
    ),
    "policy-condition": Cause(
        (15,), "IAM policy", "a policy with a condition that never holds", _condition, _SIMULATE, "Drop the condition."
    ),
    "policy-proxy": Cause(
        (26,), "IAM policy", "a policy with the database's id, at a proxy", _of_proxy, _SIMULATE, _POLICY
    ),
    "policy-user": Cause(
        (9,), "IAM policy", "a policy for the user in another case", _user_case, _SIMULATE, "Take the exact case."
    ),
    "throttle": Cause(
        (30,),
        "log",
        "throttling of logins",
        _throttle,
        ("logs:FilterLogEvents or cloudwatch:GetMetricData",),
        "Hold connections.",
    ),
}
