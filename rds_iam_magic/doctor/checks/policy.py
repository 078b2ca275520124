"""What IAM says to the login: by its simulator; else by the policies' documents, evaluated here.

The simulator tells *whether*; the documents tell *what is wrong* in them. Where these may not be read, what the usual
mistakes would allow is simulated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from rds_iam_magic.aws.policies.databases import names_in
from rds_iam_magic.aws.policies.document import CONNECT, Resource
from rds_iam_magic.aws.policies.evaluate import Decision, Verdict, evaluate, is_never_there
from rds_iam_magic.aws.policies.held import Held, read_held
from rds_iam_magic.aws.policies.misses import Login, Miss, misses
from rds_iam_magic.aws.policies.principal import parse_principal
from rds_iam_magic.aws.policies.probes import probe
from rds_iam_magic.aws.policies.simulate import PERMISSION, Simulation, simulate
from rds_iam_magic.doctor.checks.check import Check, Tools
from rds_iam_magic.doctor.evidence import (
    Described,
    Evidence,
    Failed,
    Identity,
    Mistake,
    NotLooked,
    NotPermitted,
    Permission,
    Target,
    Unknown,
    known,
)
from rds_iam_magic.errors import AwsError, OptionError

LIMIT = 8.0
"""Seconds: the documents of many policies take a call for each."""

FOR_DOCUMENTS = 4.0
"""Seconds for the documents, so that what the simulator has said is kept where there are too many."""

_NO = (Verdict.NOT_ALLOWED, Verdict.DENIED)


def look(tools: Tools, evidence: Evidence) -> Evidence:
    """The evidence with what IAM says.

    Raises:
        AwsError: IAM fails, throttles, or something else answers.
    """
    question = _question(evidence)
    if not isinstance(question, _Question):
        return replace(evidence, permission=question)
    return replace(evidence, permission=_Asking(tools.session, question).permission())


@dataclass(frozen=True, slots=True)
class _Question:
    """Who is to be let in where.

    Attributes:
        login: The database user and its database.
        principal: The ARN of the user or role.
        guessed: Whether the ARN is a role's without its path, which it may have.
        own: Whether the database is in the principal's account.
    """

    login: Login
    principal: str
    guessed: bool
    own: bool


def _question(evidence: Evidence) -> _Question | Unknown:
    identity, target, database = known(evidence.identity), known(evidence.target), known(evidence.database)
    if not isinstance(identity, Identity):
        return NotLooked("identity")
    if not isinstance(target, Target):
        return NotLooked("target")
    if not isinstance(database, Described):
        return NotLooked("database")
    if database.resource_id is None:
        return NotPermitted("rds:DescribeDBClusters")
    principal, guessed = _principal(identity)
    if isinstance(principal, str):
        endpoint = target.endpoint
        resource = Resource(endpoint.partition, endpoint.region, database.account, database.resource_id)
        login = Login(resource, evidence.asked.user, database.name)
        return _Question(login, principal, guessed, identity.account == database.account)
    return principal


def _principal(identity: Identity) -> tuple[str | Unknown, bool]:
    """The ARN of the user or role, and whether it is guessed."""
    if identity.arn.endswith(":root"):
        return Failed("These are the credentials of the account's root user, which has no policies to look at."), False
    if isinstance(identity.principal, str):
        return identity.principal, False
    try:
        role = parse_principal(identity.arn)
    except OptionError:  # a federated user
        return identity.principal, False
    partition = identity.arn.split(":")[1]
    return f"arn:{partition}:iam::{identity.account}:{role.kind.word}{role.path or '/'}{role.name}", True


class _Saving:
    """A session that makes each client once: that takes longer than most calls."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, *, region_name: str) -> Any:
        """The client for a service in a region."""
        made = self._clients.get((service, region_name))
        if made is None:
            made = self._clients[service, region_name] = self._session.client(service, region_name=region_name)
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class _Asking:
    """Asks IAM about one login."""

    def __init__(self, session: Any, question: _Question) -> None:
        self._session = _Saving(session)
        self._question = question
        self._login = question.login
        self._region = question.login.resource.region
        self._names: dict[str, str] | None = None

    def permission(self) -> Permission | Unknown:
        """What IAM says."""
        simulation = self._simulated()
        if isinstance(simulation, Failed):
            return simulation
        if isinstance(simulation, Simulation) and simulation.verdict is Verdict.ALLOWED and not _doubts(simulation):
            return Permission(Verdict.ALLOWED, self._login.arn, self._question.principal, _policy(simulation))
        held = self._held()
        if isinstance(simulation, Simulation):
            return self._merged(simulation, held)
        if not held.tells:
            if held.failure is not None:
                raise held.failure
            return simulation
        return self._evaluated(held)

    def _simulated(self) -> Simulation | NotPermitted | Failed:
        principal, arn = self._question.principal, self._login.arn
        try:
            found = simulate(self._session, self._region, principal, CONNECT, [arn])
        except AwsError as error:
            if error.cause != "aws-denied":
                raise
            return NotPermitted(PERMISSION)
        if found is not None:
            return found[arn]
        return NotPermitted("iam:GetRole") if self._question.guessed else Failed(f"IAM knows no {principal}.")

    def _held(self) -> Held:
        principal = parse_principal(self._question.principal)
        if self._question.guessed:
            principal = replace(principal, path=None)
        return read_held(self._session, self._region, principal, seconds=FOR_DOCUMENTS)

    def _evaluated(self, held: Held) -> Permission:
        """By the documents alone."""
        decision = self._decision(held)
        limited = decision.verdict in _NO and self._alone(held).verdict is not decision.verdict
        return Permission(
            verdict=decision.verdict,
            arn=self._login.arn,
            principal=self._question.principal,
            by=decision.by,
            why=decision.why,
            boundary=limited,
            mistakes=_mistakes(self._misses(held)),
            read=_read(held),
            simulated=False,
        )

    def _merged(self, simulation: Simulation, held: Held) -> Permission:
        """By the simulator; what depends on a condition by the documents, too."""
        verdict, by, why = self._settled(simulation, held)
        limits = _limits(simulation) if verdict in _NO else ()
        if limits and verdict is self._alone(held).verdict is Verdict.NOT_ALLOWED and held.complete:
            by, why, limits = "", f"{' and '.join(limits)} would not allow it either", ()
        if _BOUNDARY in limits and held.boundary is not None:
            by = by or held.boundary.name
        found, probed = ([], False) if limits or verdict is Verdict.DENIED else (self._misses(held), False)
        if verdict is Verdict.NOT_ALLOWED and not limits and not held.complete and not found:
            found, probed = self._probed(simulation)
        return Permission(
            verdict=verdict,
            arn=self._login.arn,
            principal=self._question.principal,
            by=by,
            why=why,
            boundary=_BOUNDARY in limits,
            organization=_ORGANIZATION in limits,
            mistakes=_mistakes(found),
            read=_read(held),
            probed=probed,
        )

    def _settled(self, simulation: Simulation, held: Held) -> tuple[Verdict, str, str]:
        """The verdict, the policy that decides, and what else to know of it."""
        decision, doubts = self._decision(held), _doubts(simulation)
        if held.tells and decision.verdict is simulation.verdict:
            return decision.verdict, decision.by, decision.why
        if doubts and not simulation.organization:
            why = f"it depends on {doubts[0]}, which is known at connect only"
            return Verdict.UNKNOWN, *((decision.by, decision.why or why) if held.complete else ("", why))
        return simulation.verdict, _policy(simulation) if simulation.verdict is Verdict.DENIED else "", ""

    def _decision(self, held: Held) -> Decision:
        return evaluate(held.policies, CONNECT, self._login.arn, boundary=held.boundary, variables=held.variables)

    def _alone(self, held: Held) -> Decision:
        """What the policies come to without the boundary."""
        return evaluate(held.policies, CONNECT, self._login.arn, variables=held.variables)

    def _misses(self, held: Held) -> list[Miss]:
        """What is wrong in the documents, if none of them allows it."""
        read = [policy for policy in held.policies if policy.document is not None]
        if evaluate(read, CONNECT, self._login.arn, variables=held.variables).verdict is not Verdict.NOT_ALLOWED:
            return []
        found = misses(read, self._login, {}, held.variables)
        if not any(miss.kind in _OF_IDS for miss in found):
            return found
        return misses(read, self._login, {self._region: self._databases()}, held.variables)

    def _databases(self) -> dict[str, str]:
        """What the databases of the region are called; empty where that may not be looked up."""
        if self._names is None:
            self._names = (names_in(self._session, self._region) if self._question.own else None) or {}
        return self._names

    def _probed(self, simulation: Simulation) -> tuple[list[Miss], bool]:
        """Mistakes of policies that may not be read, and whether those that can be guessed were looked for."""
        try:
            found = probe(self._session, self._question.principal, self._login, self._databases())
        except AwsError:  # what the simulator has said already stays
            return [], False
        never = [key for key in simulation.missing if is_never_there(key)]
        conditions = [
            Miss("condition", _UNNAMED, key, f"a condition is on {key}, which no RDS login has") for key in never
        ]
        return found or conditions, True


_UNNAMED = "that IAM does not name"  # whose condition it is, only its document would tell
_BOUNDARY, _ORGANIZATION = "the permissions boundary", "a service control policy"
_OF_IDS = ("identifier", "instance-id", "other-id", "other-user", "other")


def _policy(simulation: Simulation) -> str:
    """The first policy that the simulator names."""
    return next(iter(simulation.policies), "")


def _doubts(simulation: Simulation) -> list[str]:
    """The condition keys that a login may have, and the simulation had not."""
    return [key for key in simulation.missing if not is_never_there(key)]


def _limits(simulation: Simulation) -> tuple[str, ...]:
    """What does not allow it, beside the principal's own policies."""
    named = ((simulation.boundary, _BOUNDARY), (simulation.organization, _ORGANIZATION))
    return tuple(name for forbids, name in named if forbids)


def _mistakes(found: Iterable[Miss]) -> tuple[Mistake, ...]:
    return tuple(Mistake(miss.kind, miss.policy, miss.wrong, miss.why) for miss in found)


def _read(held: Held) -> bool | NotPermitted:
    if held.complete:
        return True
    return NotPermitted(held.denied) if held.denied else False


POLICY = Check(
    name="IAM policy",
    fills=("permission",),
    look=look,
    needs=("identity", "target", "database"),
    limit=LIMIT,
)
