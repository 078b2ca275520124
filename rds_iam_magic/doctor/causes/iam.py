"""The causes in IAM: policies, and the account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rds_iam_magic.aws.policies.evaluate import Verdict
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
    magic_to_run,
    of_token,
    unless_logged,
)
from rds_iam_magic.doctor.evidence import (
    Described,
    Evidence,
    Identity,
    Mistake,
    MistakeKind,
    NoSuch,
    Permission,
    Target,
    known,
)
from rds_iam_magic.doctor.findings import AttachPolicy
from rds_iam_magic.hints import Note

# Policies


def _policies(evidence: Evidence) -> tuple[Suspicion, Permission | None]:
    """What is to be said of a policy before its documents are looked at; the permission if it is not allowed."""
    if is_let_in(evidence):
        return RULED_OUT, None
    permission = known(evidence.permission)
    if permission is None or permission.verdict is Verdict.UNKNOWN:
        return unless_logged(evidence, of_token(evidence), "permission"), None
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
    return certain(
        sentence,
        f"{by}, for {permission.principal} on {permission.arn}.",
        magic_to_run(
            "attach-policy",
            user=evidence.asked.user,
            target=endpoint.host if endpoint is not None else "TARGET",
            principal=permission.principal,
        ),
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
    return unless_logged(evidence, of_token(evidence), "permission")


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
        return unless_logged(evidence, of_token(evidence), "permission")
    account = database.account or (identity.account if isinstance(identity, Identity) else "")
    if known(evidence.answer) is None:
        return UNSEEN
    tls = known(evidence.tls)
    if tls is None or tls.outcome != "verified":  # what answers may be something else
        return unless_logged(evidence, of_token(evidence), "permission")
    return _other_account(account, f"It answers, and that account has no such endpoint in {database.region}.")


def _other_account(account: str, why: str) -> Suspicion:
    return certain(
        f"The credentials belong to {f'account {account}' if account else 'one account'}; the database is in another "
        "one.",
        why,
        Note("Use credentials of the database's account: {option:profile}. Or assume a role there: {option:role-arn}."),
    )


_SIMULATE = ("iam:SimulatePrincipalPolicy on the own role or user", "rds:DescribeDBClusters", "rds:DescribeDBInstances")
_READ = ("iam:Get… and iam:List… of the own policies",)
_DESCRIBE = ("rds:DescribeDBClusters", "rds:DescribeDBInstances")
_POLICY = "{command:attach-policy}"

CAUSES = {
    "account": Cause(
        (16,),
        "identity",
        "credentials of another account",
        _account,
        _DESCRIBE,
        "{option:profile}, or {option:role-arn}.",
    ),
    "policy-missing": Cause(
        (10,), "IAM policy", "no policy that allows rds-db:connect", _not_allowed, _SIMULATE, _POLICY
    ),
    "policy-arn": Cause(
        (11,), "IAM policy", "a policy with rds:connect, or with an identifier", _wrong_arn, _SIMULATE, _POLICY
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
}
