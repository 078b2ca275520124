"""`evaluate`: what a principal's policies say to an action on a resource, and which statement says so. No calls to AWS.

What is known at connect only is not guessed: such a decision is *unknown*. Service control policies and the policies of
a session are not among what is evaluated here; they can only take away.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rds_iam_magic.aws.policies.document import Document, listed


class Verdict(Enum):
    """What policies come to: an explicit Deny overrides any Allow."""

    ALLOWED = "yes"
    DENIED = "denied"
    UNKNOWN = "unknown"
    NOT_ALLOWED = "no"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that applies to a principal.

    Attributes:
        name: How it is told apart from the principal's others, such as `connect of group/analysts`.
        document: The document; None if it could not be read.
    """

    name: str
    document: Document | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What policies come to, and by what.

    Attributes:
        verdict: Whether the action is allowed.
        policy: The name of the policy that decides; "" if none says anything.
        statement: The statement in it: its Sid, else its place, from 1; "" if no single one decides.
        why: What else to know, as a clause; "" if the statement says it all.
        despite: For a denial, the policy and statement that would allow it; "" if none would.
    """

    verdict: Verdict
    policy: str = ""
    statement: str = ""
    why: str = ""
    despite: str = ""

    @property
    def by(self) -> str:
        """The policy and its statement, in words."""
        return f"{self.policy}, statement {self.statement}" if self.statement else self.policy


@dataclass(frozen=True, slots=True)
class Named:
    """A database user that a statement allows connecting as.

    Attributes:
        user: Its name, or a pattern.
        policy, statement: As in `Decision`.
    """

    user: str
    policy: str
    statement: str


Variables = Mapping[str, "str | None"]
"""The values of policy variables, by their keys in lower case; None for a key that this principal never has."""

_NO_VARIABLES: Variables = {}


def evaluate(
    policies: Iterable[Policy],
    action: str,
    resource: str,
    *,
    boundary: Policy | None = None,
    variables: Variables = _NO_VARIABLES,
) -> Decision:
    """Evaluate the policies of one principal.

    Args:
        policies: All that apply to it: inline, attached, its groups'.
        action: Such as `rds-db:connect`; case-insensitive, as in IAM.
        resource: An ARN; case-sensitive.
        boundary: Its permissions boundary, if it has one.
        variables: The values of `${aws:username}` and the like; those that are not in it are not known.
    """
    request = _Request(action.lower(), resource, variables)
    own = [claim for policy in policies for claim in _claims(policy, request)]
    limits = None if boundary is None else list(_claims(boundary, request))
    allows = _first(own)
    denial = next((claim for claim in (*own, *(limits or ())) if claim.effect == "Deny" and claim.matches), None)
    if denial is not None:
        despite = allows.decision(Verdict.ALLOWED).by if allows is not None and allows.matches is not False else ""
        return Decision(Verdict.DENIED, denial.policy, denial.statement, denial.why, despite)
    if allows is None or allows.matches is False:
        return Decision(Verdict.NOT_ALLOWED) if allows is None else allows.decision(Verdict.NOT_ALLOWED)
    within = None if limits is None else _first(limits)
    if boundary is not None and (within is None or within.matches is False):
        why = "the permissions boundary does not allow it" + (f": {within.why}" if within is not None else "")
        return Decision(Verdict.NOT_ALLOWED, boundary.name, within.statement if within is not None else "", why)
    doubts = [claim for claim in (*own, *(limits or ())) if claim.effect != "Allow" and claim.matches is None]
    doubts += [claim for claim in (allows, within) if claim is not None and claim.matches is None]
    return doubts[0].decision(Verdict.UNKNOWN) if doubts else allows.decision(Verdict.ALLOWED)


def about(policies: Iterable[Policy], action: str) -> tuple[Policy, ...]:
    """The policies with their statements about one action only, to evaluate that for many resources."""
    return tuple(_about(policy, action.lower()) for policy in policies)


def _about(policy: Policy, action: str) -> Policy:
    if policy.document is None:
        return policy
    statements = [
        each if isinstance(each, dict) and _concerns_action(each, action) else None  # the others keep their places
        for each in listed(policy.document.get("Statement"))
    ]
    return Policy(policy.name, {**policy.document, "Statement": statements})


def named_users(
    policies: Iterable[Policy], action: str, database: str, *, variables: Variables = _NO_VARIABLES
) -> Iterator[Named]:
    """The users that statements allow by name or pattern on a database; those for any user are left out.

    Args:
        policies: As in `evaluate`.
        action: As in `evaluate`.
        database: The ARN's part in front of `/USER`.
        variables: As in `evaluate`; a user that depends on others is left out.
    """
    for policy, label, statement in _statements(policies):
        if statement["Effect"] != "Allow" or not _concerns_action(statement, action.lower()):
            continue
        for pattern in map(str, listed(statement.get("Resource"))):
            of, slash, user = pattern.partition("/")
            tokens, missing = _read(user, _known(policy, variables))
            if slash and glob(of, database) and tokens and not missing and set(tokens) != {_Wild.ANY}:
                yield Named("".join(t.value if isinstance(t, _Wild) else t for t in tokens), policy.name, label)


def glob(pattern: str, text: str) -> bool:
    """Whether a pattern with `*` (any characters, also none) and `?` (one character) fits the whole text."""
    start = _FIRST_WILD.split(pattern, maxsplit=1)[0]
    return text.startswith(start) and (len(start) < len(pattern) or start == text) and _fits(_tokens(pattern), text)


_FIRST_WILD = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class _Request:
    action: str
    resource: str
    variables: Variables


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one statement says to a request.

    Attributes:
        policy, statement: As in `Decision`.
        effect: `Allow` or `Deny`; "" for a document that is not known, which may say both.
        matches: Whether it applies; None if that is not known, False for one whose conditions never hold.
        why: The reason, unless it simply applies.
    """

    policy: str
    statement: str
    effect: str
    matches: bool | None
    why: str = ""

    def decision(self, verdict: Verdict) -> Decision:
        return Decision(verdict, self.policy, self.statement, self.why)


def _first(claims: Sequence[_Claim]) -> _Claim | None:
    """The claim that allows most surely; a document that is not known may allow."""
    allowing = [claim for claim in claims if claim.effect != "Deny"]
    order = (True, None, False)
    return min(allowing, key=lambda claim: order.index(claim.matches), default=None)


def _claims(policy: Policy, request: _Request) -> Iterator[_Claim]:
    """The statements that concern a request, or would if their conditions held."""
    if policy.document is None:
        yield _Claim(policy.name, "", "", None, "its document could not be read")
    for _, label, statement in _statements([policy]):
        if not _concerns_action(statement, request.action):
            continue
        concerned, why = _concerns_resource(statement, request.resource, _known(policy, request.variables))
        if concerned is False:
            continue
        holds, condition = _condition(statement)
        matches = holds if concerned or holds is False else None
        yield _Claim(policy.name, label, statement["Effect"], matches, condition or why)


def _statements(policies: Iterable[Policy]) -> Iterator[tuple[Policy, str, dict[str, Any]]]:
    """The statements that policies have, each with its label."""
    for policy in policies:
        for place, statement in enumerate(listed((policy.document or {}).get("Statement")), 1):
            if isinstance(statement, dict) and statement.get("Effect") in ("Allow", "Deny"):
                yield policy, str(statement.get("Sid") or place), statement


def _known(policy: Policy, variables: Variables) -> Variables | None:
    """The variables for a policy; None if it is of a version that has none.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
    """
    return variables if (policy.document or {}).get("Version") == "2012-10-17" else None


def _concerns_action(statement: dict[str, Any], action: str) -> bool:
    if "Action" in statement:
        return any(glob(str(pattern).lower(), action) for pattern in listed(statement["Action"]))
    if "NotAction" in statement:
        return not any(glob(str(pattern).lower(), action) for pattern in listed(statement["NotAction"]))
    return False


def _concerns_resource(
    statement: dict[str, Any], resource: str, variables: Variables | None
) -> tuple[bool | None, str]:
    """Whether a statement is about a resource; None, and why, if that depends on a variable that is not known."""
    element = "Resource" if "Resource" in statement else "NotResource"
    if element not in statement:
        return False, ""
    doubt = ""
    for pattern in map(str, listed(statement[element])):
        if variables is None or "$" not in pattern:
            fits, missing = glob(pattern, resource), ""
        else:
            tokens, missing = _read(pattern, variables)
            fits = tokens is not None and _fits(tokens, resource)
            if tokens is None and element == "NotResource":  # IAM may drop the whole statement
                fits = True
        if fits and not missing:
            return element == "Resource", ""
        if fits:
            doubt = f"it depends on ${{{missing}}}, which is known at connect only"
    return (None, doubt) if doubt else (element != "Resource", "")


# What RDS names as unsupported: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
_NEVER_THERE = re.compile(r"aws:(referer|sourceip|sourcevpc|sourcevpce|useragent|vpcsourceip)|rds(-db)?:.*")


def is_never_there(key: str) -> bool:
    """Whether a condition key has no value at any login to RDS."""
    return _NEVER_THERE.fullmatch(key.lower()) is not None


# Operators that do not hold without their key; negated ones, …IfExists, ForAllValues: and Null may.
_NEEDS_ITS_KEY = re.compile(
    r"(ForAnyValue:)?(?!\w*Not)(String|Numeric|Date|Bool|Binary|IpAddress|Arn)\w*(?<!IfExists)", re.IGNORECASE
)


def _condition(statement: dict[str, Any]) -> tuple[bool | None, str]:
    """Whether a statement's conditions hold; None if that is known at connect only. Why, unless there are none."""
    conditions = statement.get("Condition")
    if not conditions:
        return True, ""
    tests = [
        (str(operator), str(key))
        for operator, keys in (conditions.items() if isinstance(conditions, dict) else ())
        for key in (keys if isinstance(keys, dict) else ())
    ]
    never = [key for operator, key in tests if is_never_there(key) and _NEEDS_ITS_KEY.fullmatch(operator)]
    if never and statement["Effect"] == "Allow":
        return False, f"its condition never holds: RDS logins have no {never[0]}"
    keys = ", ".join(dict.fromkeys(key for _, key in tests)) or "its conditions"
    return None, f"it has a condition on {keys}, which is known at connect only"


class _Wild(Enum):
    ANY = "*"
    ONE = "?"


_Tokens = list["str | _Wild"]
_WILDS = {wild.value: wild for wild in _Wild}
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
_VARIABLE = re.compile(r"\$\{\s*(?P<key>[^{},\s]+)\s*(?:,\s*'(?P<default>[^']*)'\s*)?\}")


def _tokens(pattern: str) -> _Tokens:
    """A pattern without variables: its characters, and its wildcards."""
    return [_WILDS.get(character, character) for character in pattern]


def _read(pattern: str, variables: Variables | None) -> tuple[_Tokens | None, str]:
    """A pattern with the values of its variables, which are no patterns themselves.

    Returns:
        The tokens, None if a variable has no value; and the first variable that is not known, for which any text is
        taken, or "".
    """
    if variables is None:
        return _tokens(pattern), ""
    tokens: _Tokens = []
    missing, at = "", 0
    for match in _VARIABLE.finditer(pattern):
        tokens += _tokens(pattern[at : match.start()])
        at = match.end()
        key, default = match["key"], match["default"]
        if key in ("*", "?", "$"):
            tokens.append(key)
        elif key.lower() not in variables:
            tokens.append(_Wild.ANY)
            missing = missing or key
        elif (value := variables[key.lower()]) is not None or default is not None:
            tokens += list(value if value is not None else str(default))
        else:
            return None, key
    return [*tokens, *_tokens(pattern[at:])], missing


def _fits(tokens: _Tokens, text: str) -> bool:
    """Whether a pattern fits a whole text; no pattern makes it slow, as one of `re` could.

    A `*` takes colons, too: IAM has it so at the end of an ARN's part, where almost all are.
    """
    at = place = 0
    star, resumed = -1, 0
    while at < len(text):
        token = tokens[place] if place < len(tokens) else None
        if token is _Wild.ANY:
            star, resumed = place, at
            place += 1
        elif token is _Wild.ONE or (token is not None and token == text[at]):
            place, at = place + 1, at + 1
        elif star >= 0:
            resumed += 1
            place, at = star + 1, resumed
        else:
            return False
    return all(token is _Wild.ANY for token in tokens[place:])
