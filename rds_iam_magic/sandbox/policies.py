"""IAM policy evaluation, as far as `rds-db:connect` needs it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any

Document = dict[str, Any]
"""A parsed policy."""


class Verdict(Enum):
    """The decision of a set of policies: an explicit Deny overrides any Allow."""

    ALLOWED = 1
    DENIED = 2
    SILENT = 3


def decide(policies: Iterable[Document], action: str, resource: str) -> Verdict:
    """Evaluate policies.

    `rds-db` has no condition keys, so an Allow with a condition allows nothing, and a Deny with one denies.

    Args:
        policies: Parsed documents.
        action: Such as `rds-db:connect`; case-insensitive, as in IAM.
        resource: An ARN; case-sensitive.
    """
    effects = {effect for policy in policies for effect in effects_of(policy, action, resource)}
    if "Deny" in effects:
        return Verdict.DENIED
    return Verdict.ALLOWED if "Allow" in effects else Verdict.SILENT


def decide_within(
    policies: Iterable[Document], limits: Iterable[Document], action: str, resource: str
) -> tuple[Verdict, list[Verdict]]:
    """Evaluate policies, and documents that must each allow as well: boundaries, session and service control policies.

    Returns:
        The decision, and what each limit says by itself.
    """
    own = decide(policies, action, resource)
    within = [decide((limit,), action, resource) for limit in limits]
    if Verdict.DENIED in (own, *within):
        return Verdict.DENIED, within
    return (Verdict.SILENT if Verdict.SILENT in (own, *within) else Verdict.ALLOWED), within


def effects_of(policy: Document, action: str, resource: str) -> list[str]:
    """The effects, `Allow` or `Deny`, that a policy's statements have on an action, one for each such statement."""
    return [
        statement["Effect"]
        for statement in _listed(policy.get("Statement"))
        if _concerns(statement, "Action", action.lower())
        and _concerns(statement, "Resource", resource)
        and (
            statement.get("Effect") == "Deny" or (statement.get("Effect") == "Allow" and not statement.get("Condition"))
        )
    ]


def condition_keys(policies: Iterable[Document]) -> list[str]:
    """The condition keys that policies use, in their order, each once."""
    conditions = (
        statement.get("Condition") or {} for policy in policies for statement in _listed(policy.get("Statement"))
    )
    return list(dict.fromkeys(key for condition in conditions for block in condition.values() for key in block))


def _concerns(statement: dict[str, Any], element: str, value: str) -> bool:
    if element in statement:
        return any(_matches(pattern, value, element) for pattern in _listed(statement[element]))
    excluded = f"Not{element}"
    if excluded in statement:
        return not any(_matches(pattern, value, element) for pattern in _listed(statement[excluded]))
    return False


def _matches(pattern: str, value: str, element: str) -> bool:
    pattern = pattern.lower() if element == "Action" else pattern
    translated = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(translated, value, re.DOTALL) is not None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
