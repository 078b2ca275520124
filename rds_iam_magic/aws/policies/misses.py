"""`misses`: statements that are for connecting, and do not let one user into one database: what is wrong in them.

`review.py` looks for what is wrong whoever asks; here, what is right for another user or database counts as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rds_iam_magic.aws.policies.document import CONNECT, Resource, is_pattern, listed
from rds_iam_magic.aws.policies.evaluate import Policy, Variables, Verdict, evaluate
from rds_iam_magic.aws.policies.review import DBUSER, MADE_BY_AWS, WRONG_ACTION, Databases, Known, printable, wrong_id

MissKind = Literal["action", "identifier", "instance-id", "other-id", "condition", "user-case", "other-user", "other"]


@dataclass(frozen=True, slots=True)
class Miss:
    """What is wrong in a statement.

    Attributes:
        kind: `action`: another action than `rds-db:connect`, or another service in the ARN; `identifier` instead of
            the resource id; `instance-id`: the id of an instance in a cluster, or of a database behind a proxy;
            `other-id`: of a database that there is not, or is not in use any more; `condition`: one that never holds;
            `user-case`: the user in another case; `other-user`: another user or database; `other`.
        policy: The policy.
        wrong: The value as written.
        why: What is wrong, as a clause.
    """

    kind: MissKind
    policy: str
    wrong: str
    why: str


@dataclass(frozen=True, slots=True)
class Login:
    """Who is to be let in where.

    Attributes:
        resource: What a policy for it names.
        user: The database user; case-sensitive.
        name: The database's identifier, or the proxy's name.
    """

    resource: Resource
    user: str
    name: str

    @property
    def arn(self) -> str:
        """The ARN of the database user."""
        return self.resource.arn(self.user)

    @property
    def is_proxy(self) -> bool:
        """Whether it is a proxy's login."""
        return self.resource.resource_id.startswith("prx-")


def misses(policies: Iterable[Policy], login: Login, known: Known, variables: Variables) -> list[Miss]:
    """What is wrong in the statements that are for connecting and do not let a user in, each once.

    Args:
        policies: The policies; those without a document are left out.
        login: Who is to be let in where.
        known: What databases are called, as far as that may be looked up.
        variables: The values of policy variables, as `evaluate` takes them.
    """
    found: list[Miss] = []
    for policy in policies:
        for statement in listed((policy.document or {}).get("Statement")):
            if isinstance(statement, dict) and statement.get("Effect") == "Allow":
                alone = Policy(policy.name, {**(policy.document or {}), "Statement": statement})
                found += _Looking(alone, statement, login, known, variables).misses()
    return list(dict.fromkeys(found))


class _Looking:
    """At one statement."""

    def __init__(
        self, alone: Policy, statement: dict[str, Any], login: Login, known: Known, variables: Variables
    ) -> None:
        self._alone = alone
        self._statement = statement
        self._login = login
        self._known = known
        self._variables = variables
        self._actions = [str(text) for text in listed(statement.get("Action"))]
        self._resources = [str(text) for text in listed(statement.get("Resource"))]

    def misses(self) -> Iterator[Miss]:
        """What is wrong; nothing if it is not for connecting, or lets the user in."""
        if not self._is_for_connecting():
            return
        decision = evaluate([self._alone], CONNECT, self._login.arn, variables=self._variables)
        if decision.verdict is not Verdict.NOT_ALLOWED:  # what depends on a condition may let in
            return
        if decision.why:
            key = decision.why.rpartition(" ")[2]
            yield self._miss("condition", key, decision.why)
            return
        yield from self._wrong_actions()
        if not any(self._fits(resource, self._login.arn) for resource in self._resources):
            for resource in self._resources:
                yield from self._wrong_resource(resource)

    def _miss(self, kind: MissKind, wrong: str, why: str) -> Miss:
        return Miss(kind, self._alone.name, printable(wrong), printable(why))

    def _is_for_connecting(self) -> bool:
        named = (action.lower() for action in self._actions)
        return any(each.startswith("rds-db:") or each == WRONG_ACTION for each in named) or any(
            DBUSER.fullmatch(resource) for resource in self._resources
        )

    def _fits(self, pattern: str, text: str) -> bool:
        """Whether an element's pattern stands for a text, or may, with the values of its variables."""
        document = {
            **(self._alone.document or {}),
            "Statement": {"Effect": "Allow", "Action": "*", "Resource": pattern},
        }
        verdict = evaluate([Policy("", document)], "any", text, variables=self._variables).verdict
        return verdict is not Verdict.NOT_ALLOWED

    def _wrong_actions(self) -> Iterator[Miss]:
        if "Action" not in self._statement or any(self._fits(action.lower(), CONNECT) for action in self._actions):
            return
        for action in self._actions:
            if action.lower() == WRONG_ACTION or action.lower().startswith("rds-db:"):
                yield self._miss("action", action, f"the action {action} does not exist, {CONNECT} does")

    def _wrong_resource(self, resource: str) -> Iterator[Miss]:
        match = DBUSER.fullmatch(resource)
        if match is None:
            yield from self._no_user(resource)
            return
        asked = self._login.resource
        place = (match["partition"], match["region"], match["account"])
        for written, right, word in zip(
            place, (asked.partition, asked.region, asked.account), ("partition", "region", "account"), strict=True
        ):
            if not self._fits(written, right):
                why = f"it is for the {word} {written or '(none)'}; the database is in {right}"
                yield self._miss("other-user", resource, why)
                return
        if (of_user := self._wrong_user(resource, match["user"])) is not None and of_user.kind == "other-user":
            yield of_user
            return
        if not self._fits(match["id"], asked.resource_id):
            kind, why = self._wrong_id(match["id"], match["region"], match["account"])
            yield self._miss(kind, resource, why)
        if match["service"] == "rds":
            yield self._miss("action", resource, "the ARN's service is rds instead of rds-db")
        if of_user is not None:
            yield of_user

    def _no_user(self, resource: str) -> Iterator[Miss]:
        """A resource that is no database user's ARN."""
        named = re.fullmatch(r"arn:[^:]*:rds:[^:]*:[^:]*:(?:db|cluster|db-proxy):(.+)", resource)
        shape = f"{CONNECT} applies to …:dbuser:RESOURCE_ID/USER"
        if named is not None:
            kind: MissKind = "identifier" if self._fits(named[1], self._login.name) else "other-user"
            yield self._miss(kind, resource, f"it is another kind of ARN; {shape}")
        elif re.match(r"arn:[^:]*:rds(-db)?:", resource):
            yield self._miss("other", resource, f"it is no ARN of a database user; {shape}")

    def _wrong_user(self, resource: str, written: str) -> Miss | None:
        user = self._login.user
        if self._fits(written, user):
            return None
        if self._fits(written.lower(), user.lower()):
            return self._miss("user-case", resource, f"it names the user {written}, not {user}: the case counts")
        return self._miss("other-user", resource, f"it names the user {written}, not {user}")

    def _wrong_id(self, written: str, region: str, account: str) -> tuple[MissKind, str]:
        asked, ours = self._login, self._login.resource.resource_id
        if is_pattern(written):
            return "other-user", f"{written} does not stand for {ours}"
        names = Databases(self._known, asked.resource.account).names(region, account)
        meant, why = wrong_id(written, names)
        if why and meant == ours:
            return ("instance-id" if MADE_BY_AWS.fullmatch(written) else "identifier"), why
        if written.lower() == asked.name.lower():
            return "identifier", f"{written} is an identifier; the resource id is {ours}"
        is_id = MADE_BY_AWS.fullmatch(written) is not None
        if asked.is_proxy and not written.startswith("prx-") and (is_id or meant is not None):
            return "instance-id", f"{written} is a database's; what is dialled is an RDS Proxy, whose own id is {ours}"
        if meant is not None and written in names:
            return self._another(written, meant, names)
        if not is_id:
            return "identifier", f"{written} is not a resource id; the database's is {ours}"
        if names and not written.startswith("prx-"):
            return "other-id", f"no database has the id {written}; this one's is {ours}"
        return "other", f"{written} is not the database's id, which is {ours}"

    def _another(self, written: str, meant: str, names: Mapping[str, str]) -> tuple[MissKind, str]:
        """The id, or the identifier, of another database that there is."""
        ours = self._login.resource.resource_id
        # A blue/green deployment leaves the database that it has replaced, under another identifier.
        old = re.compile(re.escape(self._login.name.lower()) + r"-old[0-9]+")
        if any(of == meant and old.fullmatch(name.lower()) for name, of in names.items()):
            return "other-id", f"{written} is the database that a blue/green deployment has replaced; the id is {ours}"
        return "other-user", f"{written} is another database; this one's id is {ours}"
