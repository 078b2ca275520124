"""Statements that look as if they allowed connecting and do not: what is wrong in them, and what is right.

Three mistakes are common: the action `rds:connect`, which does not exist; the database's identifier instead of its
resource id; and the `db-` id of an instance that is in an Aurora cluster, whose policies name the cluster's.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.aws.policies.document import CONNECT, Document, is_pattern, listed

WRONG_ACTION = "rds:connect"
DBUSER = re.compile(
    r"arn:(?P<partition>[^:]*):(?P<service>rds|rds-db):(?P<region>[^:]*):(?P<account>[^:]*):dbuser:"
    r"(?P<id>[^/]*)/(?P<user>.+)",
    re.DOTALL,
)
"""The ARN of a database user, or what is meant to be one."""

# As AWS makes them; identifiers such as `db-orders` have a form like that, too.
MADE_BY_AWS = re.compile(r"(?:cluster|db)-[A-Z0-9]{16,}|prx-[0-9a-z]{17}")

Known = Mapping[str, Mapping[str, str]]
"""By region: what a database is called → the resource id that policies name (`databases.names_in`)."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A part of a statement that does not do what it says.

    Attributes:
        policy: The policy's name.
        statement: The statement's place in the document, from 0.
        element: `Action` or `Resource`.
        wrong: The value as written.
        right: The value to write instead; None if that is not known, or would allow more than what is written.
        why: What is wrong, as a clause.
    """

    policy: str
    statement: int
    element: str
    wrong: str
    right: str | None
    why: str


def review(document: Document, policy: str, known: Known, account: str | None = None) -> list[Mistake]:
    """The mistakes in a policy's statements.

    Args:
        document: The document.
        policy: The policy's name.
        known: What databases are called, as far as that may be looked up.
        account: The account whose databases those are: another one's may be called the same. None for any.
    """
    of = Databases(known, account)
    statements = enumerate(listed(document.get("Statement")))
    found = (_in_statement(at, statement, policy, of) for at, statement in statements if isinstance(statement, dict))
    return [mistake for mistakes in found for mistake in mistakes]


@dataclass(frozen=True, slots=True)
class Databases:
    """What the databases of an account are called."""

    known: Known
    account: str | None

    def names(self, region: str, account: str) -> Mapping[str, str]:
        """The names in a region; in a pattern of regions, those that are the same in all that are known."""
        if self.account not in (None, account) and not is_pattern(account):
            return {}
        if not is_pattern(region):
            return self.known.get(region, {})
        merged: dict[str, set[str]] = {}
        for names in self.known.values():
            for name, right in names.items():
                merged.setdefault(name, set()).add(right)
        return {name: rights.pop() for name, rights in merged.items() if len(rights) == 1}


def _in_statement(at: int, statement: dict[str, Any], policy: str, of: Databases) -> Iterator[Mistake]:
    resources = [text for text in listed(statement.get("Resource")) if isinstance(text, str)]
    actions = [text for text in listed(statement.get("Action")) if isinstance(text, str)]
    # A statement that is to deny and does not: what it would deny if it were right is not for a program to decide.
    may_mend = statement.get("Effect") == "Allow"
    for action in actions:
        if action.lower() == WRONG_ACTION:
            narrow = bool(resources) and all(map(_is_narrow, resources))
            why = f"the action {action} does not exist, {CONNECT} does"
            yield Mistake(policy, at, "Action", action, CONNECT if may_mend and narrow else None, why)
    is_for_connect = any(action.lower() in (WRONG_ACTION, CONNECT, "rds-db:*") for action in actions)
    for resource in resources:
        right, why = _wrong_resource(resource, of, is_for_connect=is_for_connect)
        if why:
            yield Mistake(policy, at, "Resource", resource, right if may_mend else None, printable(why))


def _is_narrow(resource: str) -> bool:
    """Whether a resource is some database users, not every user of every database."""
    match = DBUSER.fullmatch(resource)
    return match is not None and not (set(match["id"]) <= {"*"} and set(match["user"]) <= {"*"})


def _wrong_resource(resource: str, of: Databases, *, is_for_connect: bool) -> tuple[str | None, str]:
    """What is right instead, and what is wrong; "" if nothing is."""
    match = DBUSER.fullmatch(resource)
    if match is None:
        if is_for_connect and re.match(r"arn:[^:]*:rds:", resource):
            return None, f"{resource} is another kind of ARN; {CONNECT} applies to …:dbuser:RESOURCE_ID/USER"
        return None, ""
    written = match["id"]
    names = of.names(match["region"], match["account"])
    right, why = (written, "") if is_pattern(written) else wrong_id(written, names)
    if match["service"] == "rds":
        why = why or "the ARN's service is rds instead of rds-db"
    if not why or right is None:
        return None, why
    start = f"arn:{match['partition']}:rds-db:{match['region']}:{match['account']}"
    return f"{start}:dbuser:{right}/{match['user']}", why


def wrong_id(written: str, names: Mapping[str, str]) -> tuple[str | None, str]:
    """The resource id that is meant, None if that is not known; and what is wrong, "" if nothing is known to be."""
    right = names.get(written) or names.get(written.lower())  # identifiers are in lower case
    if right == written:
        return written, ""
    if right is None:
        return (written, "") if MADE_BY_AWS.fullmatch(written) else (None, f"{written} is not a resource id")
    if MADE_BY_AWS.fullmatch(written):
        return right, f"{written} is the id of an instance in an Aurora cluster, whose own id is {right}"
    return right, f"{written} is an identifier; the resource id is {right}"


def printable(text: str) -> str:
    """A text on one line."""
    return "".join(character if character.isprintable() else "?" for character in text)


def regions_in_doubt(documents: Iterable[Document], sure: Iterable[str]) -> set[str]:
    """The regions whose databases tell whether the ids in some policies are right; `sure` are ids that are."""
    right = set(sure)
    statements = (statement for document in documents for statement in listed(document.get("Statement")))
    resources = (text for each in statements if isinstance(each, dict) for text in listed(each.get("Resource")))
    matches = filter(None, (DBUSER.fullmatch(text) for text in resources if isinstance(text, str)))
    doubtful = (match for match in matches if match["id"] not in right and not is_pattern(match["id"]))
    return {match["region"] for match in doubtful if match["region"] and not is_pattern(match["region"])}


def mend(document: Document, mistakes: Iterable[Mistake]) -> Document:
    """The document with what is right in place of each mistake whose `right` is known.

    Args:
        document: The document that `review` has read; it stays as it is.
        mistakes: What `review` found in it.
    """
    mended = copy.deepcopy(document)
    statements = listed(mended.get("Statement"))
    for mistake in mistakes:
        if mistake.right is not None:
            statement = statements[mistake.statement]
            statement[mistake.element] = _replaced(statement[mistake.element], mistake.wrong, mistake.right)
    return mended


def _replaced(value: Any, wrong: str, right: str) -> Any:
    if not isinstance(value, list):
        return right if value == wrong else value
    return list(dict.fromkeys(right if item == wrong else item for item in value))
