"""An IAM of a test's own over HTTP: its policy simulator and what reads policies, of one user or role.

It decides as the sandbox does, denies what a test says it denies, and words its answers as AWS does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

from botocore import xform_name

from rds_iam_magic.sandbox.policies import Verdict, decide
from tests.support.fake_aws import Answer

WORDS = {Verdict.ALLOWED: "allowed", Verdict.SILENT: "implicitDeny", Verdict.DENIED: "explicitDeny"}
ACCOUNT = "123456789012"


def policy(resource: Any, action: Any = "rds-db:connect", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """A document with one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


@dataclass
class FakeIam:
    """What the principal holds.

    Attributes:
        arn: The principal's; a role's with its path.
        inline: Its inline policies by name.
        managed: Its managed policies by name.
        groups: The inline policies of a user's groups, by the group's name.
        boundary, control: Its permissions boundary and its organization's service control policy; None for none.
        missing: The condition keys that the simulator says are missing.
        denied: The actions that are not permitted.
        codes: The code of a refusal for other reasons, by action.
        actions: Which actions were asked for, in order.
    """

    arn: str = f"arn:aws:iam::{ACCOUNT}:role/analyst"
    inline: dict[str, Any] = field(default_factory=dict)
    managed: dict[str, Any] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    boundary: Any = None
    control: Any = None
    missing: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    codes: dict[str, str] = field(default_factory=dict)
    actions: list[str] = field(default_factory=list)

    def __call__(self, action: str, body: bytes) -> Answer:
        self.actions.append(action)
        asked = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if action in self.denied:
            words = f"User: {self.arn} is not authorized to perform: iam:{action} on resource: *"
            return 403, _error("AccessDenied", words)
        if action in self.codes:
            return 400, _error(self.codes[action], "Words.")
        inner = getattr(self, f"_{xform_name(action)}")(asked)
        if inner is None:
            return 404, _error("NoSuchEntity", "There is none.")
        xmlns = 'xmlns="https://iam.amazonaws.com/doc/2010-05-08/"'
        return 200, f"<{action}Response {xmlns}><{action}Result>{inner}</{action}Result></{action}Response>".encode()

    # The simulator

    def _simulate_principal_policy(self, asked: dict[str, str]) -> str | None:
        if asked["PolicySourceArn"] != self.arn:
            return None
        arns = [asked[name] for name in sorted(asked) if name.startswith("ResourceArns.member.")]
        of_groups = [(f"group_{group}_{n}", d) for group, own in self.groups.items() for n, d in own.items()]
        kind, _, name = self.arn.rpartition(":")[2].partition("/")
        named = [(f"{kind}_{name.rpartition('/')[2]}_{n}", d) for n, d in self.inline.items()]
        named += [*self.managed.items(), *of_groups]
        rows = "".join(self._simulated(asked["ActionNames.member.1"], arn, named) for arn in arns)
        return f"<EvaluationResults>{rows}</EvaluationResults><IsTruncated>false</IsTruncated>"

    def _simulated(self, action: str, arn: str, named: list[tuple[str, Any]]) -> str:
        own = decide([document for _, document in named], action, arn)
        limits = [decide([each], action, arn) for each in (self.boundary, self.control) if each is not None]
        verdict = next((word for word in (Verdict.DENIED, Verdict.SILENT) if word in (own, *limits)), Verdict.ALLOWED)
        wanted = Verdict.DENIED if verdict is Verdict.DENIED else Verdict.ALLOWED
        matched = [name for name, document in named if decide([document], action, arn) is wanted]
        statements = "".join(f"<member><SourcePolicyId>{name}</SourcePolicyId></member>" for name in matched)
        keys = "".join(f"<member>{key}</member>" for key in self.missing)
        details = ""
        for name, limit, word in (
            ("PermissionsBoundary", self.boundary, "PermissionsBoundary"),
            ("Organizations", self.control, "Organizations"),
        ):
            if limit is not None:
                said = str(decide([limit], action, arn) is Verdict.ALLOWED).lower()
                details += f"<{name}DecisionDetail><AllowedBy{word}>{said}</AllowedBy{word}></{name}DecisionDetail>"
        return (
            f"<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{escape(arn)}</EvalResourceName>"
            f"<EvalDecision>{WORDS[verdict]}</EvalDecision><MatchedStatements>{statements}</MatchedStatements>"
            f"<MissingContextValues>{keys}</MissingContextValues>{details}</member>"
        )

    # What reads policies

    def _described(self, kind: str) -> str:
        name, of = self.arn.rpartition("/")[2], kind.capitalize()
        path = "/" + "".join(f"{part}/" for part in self.arn.split("/")[1:-1])
        arn = f"arn:aws:iam::{ACCOUNT}:policy/bound"
        bound = (
            f"<PermissionsBoundary><PermissionsBoundaryArn>{arn}</PermissionsBoundaryArn></PermissionsBoundary>"
            if self.boundary is not None
            else ""
        )
        told = f"<{of}Name>{name}</{of}Name><{of}Id>A1</{of}Id><Arn>{self.arn}</Arn><Path>{path}</Path>{bound}"
        return f"<{of}>{told}</{of}>"

    def _get_role(self, _: dict[str, str]) -> str:
        return self._described("role")

    def _get_user(self, _: dict[str, str]) -> str:
        return self._described("user")

    def _listed(self, names: Any) -> str:
        return f"<PolicyNames>{''.join(f'<member>{name}</member>' for name in names)}</PolicyNames>"

    def _list_role_policies(self, _: dict[str, str]) -> str:
        return self._listed(self.inline)

    _list_user_policies = _list_role_policies

    def _list_group_policies(self, asked: dict[str, str]) -> str:
        return self._listed(self.groups[asked["GroupName"]])

    def _get_role_policy(self, asked: dict[str, str]) -> str:
        document = self.groups[asked["GroupName"]] if "GroupName" in asked else self.inline
        text = quote(json.dumps(document[asked["PolicyName"]]), safe="")
        return f"<PolicyName>{asked['PolicyName']}</PolicyName><PolicyDocument>{text}</PolicyDocument>"

    _get_user_policy = _get_group_policy = _get_role_policy

    def _list_attached_role_policies(self, _: dict[str, str]) -> str:
        arn = f"arn:aws:iam::{ACCOUNT}:policy/"
        rows = "".join(
            f"<member><PolicyName>{name}</PolicyName><PolicyArn>{arn}{name}</PolicyArn></member>"
            for name in self.managed
        )
        return f"<AttachedPolicies>{rows}</AttachedPolicies>"

    _list_attached_user_policies = _list_attached_role_policies

    def _list_attached_group_policies(self, _: dict[str, str]) -> str:
        return "<AttachedPolicies></AttachedPolicies>"

    def _list_groups_for_user(self, _: dict[str, str]) -> str:
        rows = "".join(
            f"<member><GroupName>{name}</GroupName><Path>/</Path><GroupId>G</GroupId><Arn>arn:aws:iam::{ACCOUNT}:"
            f"group/{name}</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate></member>"
            for name in self.groups
        )
        return f"<Groups>{rows}</Groups>"

    def _get_policy(self, _: dict[str, str]) -> str:
        return "<Policy><DefaultVersionId>v1</DefaultVersionId></Policy>"

    def _get_policy_version(self, asked: dict[str, str]) -> str:
        name = asked["PolicyArn"].rpartition("/")[2]
        document = self.boundary if name == "bound" else self.managed[name]
        return f"<PolicyVersion><Document>{quote(json.dumps(document), safe='')}</Document></PolicyVersion>"


def _error(code: str, message: str) -> bytes:
    return (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{escape(message)}</Message></Error></ErrorResponse>"
    ).encode()
