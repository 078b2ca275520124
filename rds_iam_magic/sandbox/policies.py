"""IAM policy evaluation, as far as `rds-db:connect` needs it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any


class Verdict(Enum):
    """The decision of a set of policies: an explicit Deny overrides any Allow."""

    ALLOWED = 1
    DENIED = 2
    SILENT = 3


def decide(policies: Iterable[dict[str, Any]], action: str, resource: str) -> Verdict:
    """Evaluate policies.

    `rds-db` has no condition keys, so an Allow with a condition allows nothing, and a Deny with one denies.

    Args:
        policies: Parsed documents.
        action: Such as `rds-db:connect`; case-insensitive, as in IAM.
        resource: An ARN; case-sensitive.
    """
    verdict = Verdict.SILENT
    for policy in policies:
        for statement in _listed(policy.get("Statement")):
            if not (_concerns(statement, "Action", action.lower()) and _concerns(statement, "Resource", resource)):
                continue
            if statement.get("Effect") == "Deny":
                return Verdict.DENIED
            if statement.get("Effect") == "Allow" and not statement.get("Condition"):
                verdict = Verdict.ALLOWED
    return verdict


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
