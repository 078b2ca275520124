"""What moto's IAM lacks: the policy simulator, and permissions boundaries of users.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from rds_iam_magic.sandbox.iam import Source, boundary_of, control_policies, sources_of
from rds_iam_magic.sandbox.moto.changes import add_actions, after, fault, result
from rds_iam_magic.sandbox.policies import Document, Verdict, condition_keys, decide_within, effects_of

_ARN = re.compile(r"arn:[^:]+:iam::\d+:(user|group|role)/.+")
_WORDS = {Verdict.ALLOWED: "allowed", Verdict.SILENT: "implicitDeny", Verdict.DENIED: "explicitDeny"}


def amend() -> None:
    """Change moto's IAM; once for the process."""
    from moto.core.serialize import never_return
    from moto.iam import models
    from moto.iam.responses import IamResponse

    of: Any = models  # what is changed is not what mypy knows
    of.User.permissions_boundary = property(_told_boundary)
    IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER["ListUsersResponse.Users.User.PermissionsBoundary"] = never_return
    after(IamResponse, "create_user", _keep_boundary)
    add_actions(IamResponse, _ACTIONS)


# Permissions boundaries of users


def _told_boundary(user: Any) -> dict[str, str] | None:
    arn = getattr(user, "permissions_boundary_arn", None)
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn} if arn else None


def _keep_boundary(response: Any) -> None:
    if response.params.get("PermissionsBoundary"):
        put_user_permissions_boundary(response)


def put_user_permissions_boundary(self: Any) -> Any:  # noqa: D103 - an action of IAM
    arn = self.params["PermissionsBoundary"]
    if arn not in self.backend.managed_policies:
        raise fault("iam", "NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")
    self.backend.get_user(self.params["UserName"]).permissions_boundary_arn = arn
    return result()


def delete_user_permissions_boundary(self: Any) -> Any:  # noqa: D103
    self.backend.get_user(self.params["UserName"]).permissions_boundary_arn = None
    return result()


# The policy simulator


def simulate_principal_policy(self: Any) -> Any:  # noqa: D103
    simulation = _Simulation(self.backend, self.params)
    return result(EvaluationResults=[simulation.action(name) for name in self.params["ActionNames"]], IsTruncated=False)


class _Simulation:
    """One request: its principal's policies, the limits to them, and the resources asked for."""

    def __init__(self, backend: Any, asked: Any) -> None:
        self._resources = list(asked.get("ResourceArns") or [])
        for resource in self._resources:
            if resource != "*" and not resource.startswith("arn:"):
                raise fault("iam", "InvalidInput", f"ResourceNames are not in a valid ARN format: {resource}.")
        principal = _principal(backend, asked["PolicySourceArn"])
        self._sources = sources_of(backend, principal) + [
            Source(f"PolicyInputList.{number}", "none", json.loads(text))
            for number, text in enumerate(asked.get("PolicyInputList") or [], 1)
        ]
        given = asked.get("PermissionsBoundaryPolicyInputList") or []
        boundary = json.loads(given[0]) if given else boundary_of(backend, principal)
        self._boundary = [boundary] if boundary is not None else []
        self._controls = list(control_policies(backend))
        known = {entry["ContextKeyName"].lower() for entry in asked.get("ContextEntries") or []}
        keys = condition_keys([*self._documents, *self._boundary])
        self._missing = [key for key in keys if key.lower() not in known]

    @property
    def _documents(self) -> list[Document]:
        return [source.document for source in self._sources]

    def action(self, name: str) -> dict[str, Any]:
        """One result for an action: the strictest of its resources', with theirs, as botocore describes it."""
        rows = [self._row(name, resource) for resource in self._resources or ["*"]]
        strictest = max(rows, key=lambda row: list(_WORDS.values()).index(row["Decision"]))
        whole = {key: value for key, value in strictest.items() if key not in ("Decision", "Name")}
        told = {
            "EvalActionName": name,
            "EvalResourceName": strictest["Name"],
            "EvalDecision": strictest["Decision"],
            **whole,
        }
        if self._resources:
            told["ResourceSpecificResults"] = [_of_resource(row) for row in rows]
        return told

    def _row(self, action: str, resource: str) -> dict[str, Any]:
        verdict, within = decide_within(self._documents, [*self._boundary, *self._controls], action, resource)
        row: dict[str, Any] = {
            "Name": resource,
            "Decision": _WORDS[verdict],
            "MatchedStatements": self._matched(action, resource, deny=verdict is Verdict.DENIED),
            "MissingContextValues": self._missing,
        }
        if self._boundary:
            row["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within[0] is Verdict.ALLOWED}
        if self._controls:
            allowed = all(each is Verdict.ALLOWED for each in within[len(self._boundary) :])
            row["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
        return row

    def _matched(self, action: str, resource: str, *, deny: bool) -> list[dict[str, str]]:
        """A statement that denies stands for itself, whatever allows."""
        effects = (
            (source, effect) for source in self._sources for effect in effects_of(source.document, action, resource)
        )
        return [
            {"SourcePolicyId": source.identifier, "SourcePolicyType": source.kind}
            for source, effect in effects
            if (effect == "Deny") is deny
        ]


def _of_resource(row: dict[str, Any]) -> dict[str, Any]:
    renamed = {"Name": "EvalResourceName", "Decision": "EvalResourceDecision"}
    return {renamed.get(key, key): value for key, value in row.items() if key != "OrganizationsDecisionDetail"}


def _principal(backend: Any, arn: str) -> Any:
    """The principal with exactly that ARN, its path included."""
    matched = _ARN.fullmatch(arn)
    if matched is None:  # in AWS's words
        raise fault("iam", "InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    kinds: dict[str, Iterable[Any]] = {
        "user": backend.users.values(),
        "group": backend.groups.values(),
        "role": backend.roles.values(),
    }
    for principal in kinds[matched[1]]:
        if principal.arn == arn:
            return principal
    raise fault("iam", "NoSuchEntity", f"The {matched[1]} with name {arn.rpartition('/')[2]} cannot be found.")


_ACTIONS = (put_user_permissions_boundary, delete_user_permissions_boundary, simulate_principal_policy)
