"""The document of the IAM policy that lets a principal connect as a database user; sizes, differences, updates.

https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
"""

from __future__ import annotations

import copy
import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rds_iam_magic.aws.endpoint import is_region, partition_of
from rds_iam_magic.aws.session import require_text
from rds_iam_magic.connect_options import MAX_USER_NAME
from rds_iam_magic.errors import OptionError, RegionError

Document = dict[str, Any]
"""A policy document as IAM has it: `Version` and `Statement`."""

CONNECT = "rds-db:connect"

_RESOURCE_ID = re.compile(r"(?:cluster|db)-[A-Z0-9]+|prx-[A-Za-z0-9]+")  # identifiers are in lower case
_ACCOUNT = re.compile(r"[0-9]{12}")
_PATTERN = re.compile(
    r"[*?]|\$\{"
)  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
_QUOTES = "'\"`"
_HOST = re.compile(rf"@[{_QUOTES}]?(?:[\w.:/-]*%[\w.%:/-]*|localhost)[{_QUOTES}]?\Z")  # behind an account's name


@dataclass(frozen=True, slots=True)
class Resource:
    """What a policy allows connecting to.

    Attributes:
        partition: Such as `aws`.
        region: The database's.
        account: The 12 digits of the database's account.
        resource_id: `cluster-…`, `db-…` or `prx-…`; never the identifier.
    """

    partition: str
    region: str
    account: str
    resource_id: str

    def arn(self, user: str) -> str:
        """The ARN for one database user."""
        return f"arn:{self.partition}:rds-db:{self.region}:{self.account}:dbuser:{self.resource_id}/{user}"


def connect_policy(resources: Sequence[Resource], user: str, *, wildcard: bool = False) -> Document:
    """A policy document that allows `rds-db:connect` as `user` on one or several databases.

    Args:
        resources: The databases or proxies.
        user: The database user; case-sensitive.
        wildcard: Whether `user` may be a pattern, for several users.

    Raises:
        OptionError: As `check_policy_user` does.
    """
    check_policy_user(user, wildcard=wildcard)
    arns = list(dict.fromkeys(resource.arn(user) for resource in resources))
    statement = {"Effect": "Allow", "Action": CONNECT, "Resource": arns[0] if len(arns) == 1 else arns}
    return {"Version": "2012-10-17", "Statement": [statement]}


def resource_from_ids(*, resource_id: str, account: str, region: str) -> Resource:
    """A resource by its ids alone, without a call to AWS.

    Args:
        resource_id: `cluster-…`, `db-…` or `prx-…`, as the RDS console shows it.
        account: The 12 digits of the database's account.
        region: The database's region; it tells the partition.

    Raises:
        OptionError: An id has another form.
        RegionError: The region has another form.
    """
    if not is_resource_id(resource_id):
        raise OptionError(f"{resource_id!r} is not a resource id.", cause="resource-id-invalid")
    if _ACCOUNT.fullmatch(account) is None:
        raise OptionError(f"{account!r} is not an AWS account: those have 12 digits.", cause="account-invalid")
    if not is_region(region):
        raise RegionError(f"{region} is not an AWS region.", cause="region-unknown")
    return Resource(partition_of(region), region, account, resource_id)


def check_policy_user(user: str, *, wildcard: bool = False) -> None:
    """Refuse what would make a policy for nobody, or for more than one user without being asked to.

    Args:
        user: The database user; case-sensitive.
        wildcard: Whether it may contain `*` and `?`, which stand for any characters, and `${`, which begins a variable.

    Raises:
        OptionError: It is empty, not valid text, too long, a pattern, or an account's name with its host.
    """
    require_text(user, "The database user's name")
    if is_pattern(user):
        if not wildcard:
            raise OptionError(
                f"In a policy, {user!r} stands for more than one database user: * and ? for any characters, "
                "${ for a variable.",
                cause="policy-user-pattern",
            )
    elif len(user) > MAX_USER_NAME:
        raise OptionError(f"A user name has 1 to {MAX_USER_NAME} characters.", cause="user-name-invalid")
    if user.endswith(" "):
        raise OptionError(
            f"The user's name {user!r} ends with a space, which no database user's does.", cause="user-name-invalid"
        )
    if _HOST.search(user) is not None:
        raise OptionError(
            f"The name {user!r} holds a host pattern, too.",
            f"A policy names the user alone: {_HOST.sub('', user).strip(_QUOTES)}.",
            cause="user-with-host",
        )


def is_resource_id(text: str) -> bool:
    """Whether a text has the form of a resource id; some identifiers have it, too."""
    return _RESOURCE_ID.fullmatch(text) is not None


def is_pattern(text: str) -> bool:
    """Whether a policy takes a text for a pattern or a variable."""
    return _PATTERN.search(text) is not None


def listed(value: Any) -> list[Any]:
    """An element of a document that may be one value or a list of them, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def with_statements_of(existing: Document | None, wanted: Document) -> Document:
    """A document that allows what `wanted` allows and all that `existing` does; the same again if that does already.

    Nothing is taken out. Resources go into the first statement that allows `rds-db:connect` and nothing else, if there
    is one, so that a policy for many users and databases stays one statement.

    Args:
        existing: The policy as it is; None if there is none.
        wanted: A document of `connect_policy`.
    """
    if existing is None:
        return wanted
    merged = copy.deepcopy(existing)
    statements = listed(merged.get("Statement"))
    plain = [statement for statement in statements if _is_plain(statement)]
    known = {arn for statement in plain for arn in listed(statement["Resource"])}
    missing = [arn for arn in listed(wanted["Statement"][0]["Resource"]) if arn not in known]
    if not missing:
        return merged
    if plain:
        plain[0]["Resource"] = [*listed(plain[0]["Resource"]), *missing]
        return merged
    added = {**wanted["Statement"][0], "Resource": missing[0] if len(missing) == 1 else missing}
    return {**merged, "Statement": [*statements, added]}


def _is_plain(statement: Any) -> bool:
    """Whether a statement allows `rds-db:connect` on some resources, and says nothing else."""
    return (
        isinstance(statement, dict)
        and set(statement) <= {"Sid", "Effect", "Action", "Resource"}
        and statement.get("Effect") == "Allow"
        and listed(statement.get("Action")) == [CONNECT]
        and bool(listed(statement.get("Resource")))
    )


_BEYOND_LATIN_1 = re.compile(r"[^\x00-\xff]")


def compact(document: Document) -> str:
    """A document as it is sent: without white space; what IAM takes in no other way (beyond U+00FF) is escaped."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return _BEYOND_LATIN_1.sub(lambda match: json.dumps(match[0])[1:-1], text)


def size_of(document: Document) -> int:
    """The characters that IAM counts: all but white space between them."""
    return len(compact(document))


def difference(before: Document | None, after: Document, name: str) -> str:
    """A unified diff of two documents as indented JSON; empty if they are the same."""
    old, new = ([] if document is None else _lines(document) for document in (before, after))
    said = f"{name} (before)" if before is not None else f"{name} (none)"
    return "\n".join(difflib.unified_diff(old, new, said, f"{name} (after)", n=3, lineterm=""))


_CHARACTER = re.compile(r"[^\x20-\x7e\n]")


def _lines(document: Document) -> list[str]:
    """The document's lines; what would move or hide some of one is escaped, as JSON may have it."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    shown = _CHARACTER.sub(lambda match: match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1], text)
    return shown.split("\n")
