"""The causes in AWS: credentials, the clock, the region, the target."""

from __future__ import annotations

from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.aws.identity import CLOCK_TOLERANCE
from rds_iam_magic.doctor.causes.cause import (
    POSSIBLE,
    RULED_OUT,
    UNSEEN,
    Cause,
    Suspicion,
    certain,
    endpoint_of,
    is_let_in,
    likely,
    of_token,
    problem_in,
)
from rds_iam_magic.doctor.evidence import Described, Evidence, Identity, Keys, Problem, Target, known
from rds_iam_magic.hints import Note
from rds_iam_magic.wording import duration_text

_EXPIRED = "credentials-expired"
_SSO = "sso-session-ended"
_TOKEN_MISSING = "session-token-missing"  # noqa: S105 - the name of a cause
_REFUSED = "access-key-refused"
_NOT_RDS = ("not-rds-host", "address-invalid")


def _clock_is_off(evidence: Evidence) -> bool:
    """Whether the clock is known to be wrong: then AWS refuses keys that are right, in any words."""
    ahead = known(evidence.clock)
    return ahead is not None and abs(ahead) > CLOCK_TOLERANCE


def _of(problem: Problem) -> Suspicion:
    return certain(problem.message, mend=problem.hint)


def _credentials(evidence: Evidence) -> Suspicion:
    problem = problem_in(evidence.keys)
    if problem is not None and problem.cause not in (_EXPIRED, _SSO, _TOKEN_MISSING):
        if problem.cause != _REFUSED:
            return _of(problem)
        if known(evidence.clock) is None:
            return likely(problem.message, mend=problem.hint)
        return RULED_OUT if _clock_is_off(evidence) else _of(problem)
    return UNSEEN if known(evidence.keys) is None and not is_let_in(evidence) else RULED_OUT


def _sso(evidence: Evidence) -> Suspicion:
    return _by_cause(evidence, _SSO)


def _session_token(evidence: Evidence) -> Suspicion:
    problem, keys, partition = problem_in(evidence.identity), known(evidence.keys), known(evidence.known_in)
    if problem is not None and problem.cause == _REFUSED and not (isinstance(keys, Keys) and not keys.temporary):
        return POSSIBLE if not partition and not _clock_is_off(evidence) else RULED_OUT
    return _by_cause(evidence, _TOKEN_MISSING)


def _by_cause(evidence: Evidence, cause: str) -> Suspicion:
    """A problem of the credentials that this machine or STS tells."""
    for fact in (evidence.keys, evidence.identity):
        problem = problem_in(fact)
        if problem is not None and problem.cause == cause:
            return _of(problem)
    return UNSEEN if known(evidence.keys) is None and not is_let_in(evidence) else RULED_OUT


def _expired(evidence: Evidence) -> Suspicion:
    if isinstance(known(evidence.identity), Identity) or is_let_in(evidence):
        return RULED_OUT
    for fact in (evidence.keys, evidence.identity):
        problem = problem_in(fact)
        if problem is not None:
            return RULED_OUT if problem.cause != _EXPIRED or _clock_is_off(evidence) else _of(problem)
    return of_token(evidence)


def _partition(evidence: Evidence) -> Suspicion:
    return _refused_key(evidence, is_elsewhere=True)


def _access_key(evidence: Evidence) -> Suspicion:
    return _refused_key(evidence, is_elsewhere=False)


def _refused_key(evidence: Evidence, *, is_elsewhere: bool) -> Suspicion:
    """Keys that STS does not know: they are of another partition, or deleted, or do not belong together."""
    if isinstance(known(evidence.identity), Identity) or is_let_in(evidence):
        return RULED_OUT
    problem = problem_in(evidence.identity)
    if problem is None:
        return of_token(evidence)
    if problem.cause != _REFUSED or _clock_is_off(evidence):
        return RULED_OUT
    partition, endpoint = known(evidence.known_in), endpoint_of(evidence)
    if partition is None or (partition and endpoint is None):
        return POSSIBLE
    own = endpoint.partition if endpoint is not None else ""
    if (partition not in ("", own)) is not is_elsewhere:
        return RULED_OUT
    if not is_elsewhere and partition:
        return likely(
            problem.message,
            "AWS knows the access key; the secret key does not belong to it.",
            problem.hint,
        )
    if not is_elsewhere:
        return likely(problem.message, "No other partition of AWS knows the access key either.", problem.hint)
    return certain(
        f"The AWS access key belongs to the partition {partition}; the database is in {own}.",
        f"STS of {partition} knows it.",
        Note("Use credentials of the database's account: {option:profile}."),
    )


def _clock(evidence: Evidence) -> Suspicion:
    ahead = known(evidence.clock)
    if is_let_in(evidence):
        return RULED_OUT
    problem = problem_in(evidence.identity) or problem_in(evidence.keys)
    if ahead is None:
        return POSSIBLE if problem is not None and problem.cause == _REFUSED else of_token(evidence)
    if abs(ahead) <= CLOCK_TOLERANCE:
        return RULED_OUT
    return certain(
        f"This machine's clock is {duration_text(abs(ahead))} {'ahead' if ahead > 0 else 'behind'}.",
        "That is by the date of AWS's answer. A token is valid for 15 minutes from the moment it is signed.",
        "Set the clock (over NTP), then connect again.",
    )


def _region(evidence: Evidence) -> Suspicion:
    target = known(evidence.target)
    if is_let_in(evidence) or isinstance(target, Problem):
        return RULED_OUT
    if not isinstance(target, Target):
        return of_token(evidence)
    if not target.region_of_name or target.endpoint.region == target.region_of_name:
        return RULED_OUT
    return certain(
        f"The token is signed for {target.endpoint.region}; {target.endpoint.host} is in {target.region_of_name}.",
        "A token is valid only in the database's region, which the host name tells.",
        f"Omit the region: the host name tells it ({target.region_of_name}).",
    )


def _failover(evidence: Evidence) -> Suspicion:
    if is_let_in(evidence):
        return RULED_OUT
    endpoint, writer = endpoint_of(evidence), known(evidence.writer)
    if endpoint is None:
        return of_token(evidence)
    if endpoint.kind is not Kind.GLOBAL:
        return RULED_OUT
    if writer is None:
        return of_token(evidence) if evidence.writer is not None else RULED_OUT
    if writer.region == endpoint.region:
        return RULED_OUT
    return certain(
        f"The writer of the global database {writer.name} is in {writer.region} now; the token is signed for "
        f"{endpoint.region}.",
        "A token is valid only in the writer's region; a failover or switchover moves the writer.",
        f"Omit the region: then the writer is looked up for each login. Or connect to {writer.host}.",
    )


def _host(evidence: Evidence) -> Suspicion:
    problem = problem_in(evidence.target)
    if problem is None or problem.cause not in _NOT_RDS:
        return UNSEEN if known(evidence.target) is None and not is_let_in(evidence) else RULED_OUT
    return certain(
        problem.message,
        "A token is signed for the endpoint's own name and port, not for an address or another name.",
        problem.hint,
    )


def _target(evidence: Evidence) -> Suspicion:
    problem = problem_in(evidence.target)
    if problem is None or problem.cause in _NOT_RDS:
        return UNSEEN if known(evidence.target) is None and not is_let_in(evidence) else RULED_OUT
    return _of(problem)


def _port(evidence: Evidence) -> Suspicion:
    endpoint, database = endpoint_of(evidence), known(evidence.database)
    if is_let_in(evidence):
        return RULED_OUT
    if endpoint is None:
        return of_token(evidence)
    if isinstance(database, Described):
        if database.port == endpoint.port:
            return RULED_OUT
        return certain(
            f"The token is signed for port {endpoint.port}; {database.name} listens on {database.port}.",
            "RDS describes that port. A tunnel's own port belongs to the tunnel, not to the endpoint.",
            Note("Give the port {port}, or none; a tunnel's port goes to {option:via}.", port=database.port),
        )
    if not evidence.asked.way:  # what is dialled is what is signed for: where it answers, the port is right
        return RULED_OUT if known(evidence.answer) is not None else UNSEEN
    suspicion = of_token(evidence)
    if suspicion is POSSIBLE and evidence.asked.port not in (None, 3306):
        return likely(
            f"The token is signed for port {endpoint.port}, which was given, while {evidence.asked.way} is dialled: "
            "that port may be the tunnel's.",
            "The token must be signed for the port that the database listens on, mostly 3306.",
            Note("Omit the port, or give the database's own; the tunnel's goes to {option:via}."),
        )
    return suspicion


_CREDENTIALS_MEND = "Run aws configure or aws sso login, set AWS_PROFILE, or add {option:profile}."
_DESCRIBE = ("rds:DescribeDBClusters", "rds:DescribeDBInstances")

CAUSES = {
    "credentials": Cause(
        (1,), "credentials", "no usable AWS credentials, profile or region", _credentials, mend=_CREDENTIALS_MEND
    ),
    "sso-session": Cause((2,), "credentials", "an SSO session that has ended", _sso, mend="Run aws sso login."),
    "session-token": Cause(
        (35,),
        "credentials",
        "a session token that is missing, or belongs to another key",
        _session_token,
        mend="Copy the access key, the secret key and the session token again, all three at once.",
    ),
    "credentials-expired": Cause(
        (3,), "identity", "expired AWS credentials", _expired, decides=("STS's answer",), mend="Get fresh credentials."
    ),
    "partition": Cause(
        (39,),
        "identity",
        "an access key of another partition of AWS",
        _partition,
        decides=("STS of the other partitions",),
        mend="Use credentials of the database's account.",
    ),
    "access-key": Cause(
        (40,),
        "identity",
        "an access key that is deleted or inactive, or another one than the secret key's",
        _access_key,
        decides=("STS of the other partitions",),
        mend="Check the profile and the AWS_* variables; create a new key.",
    ),
    "clock": Cause(
        (4, 5), "clock", "this machine's clock", _clock, decides=("the date of AWS's answer",), mend="Set it over NTP."
    ),
    "region": Cause((6,), "region", "a token for another region", _region, mend="Omit the region."),
    "failover": Cause(
        (32,),
        "region",
        "a global database whose writer has moved to another region",
        _failover,
        decides=("rds:DescribeGlobalClusters",),
        mend="Connect again without a region: then the writer is looked up.",
    ),
    "host": Cause(
        (7,),
        "target",
        "an address, or a name that is not one of RDS",
        _host,
        mend="Name the database or its endpoint; the address to dial goes to {option:via}.",
    ),
    "target": Cause((41,), "target", "a target that cannot be resolved", _target, mend="Name the database."),
    "port": Cause(
        (8,),
        "target",
        "a token for another port",
        _port,
        decides=_DESCRIBE,
        mend="The tunnel's port goes to {option:via}.",
    ),
}
