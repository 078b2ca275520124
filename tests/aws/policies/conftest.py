"""Principals of a test's own in the sandbox's account."""

import json

import pytest

from rds_iam_magic.sandbox.seed import _TRUST


class Account:
    """The sandbox's IAM: makes principals, and reads what they hold."""

    def __init__(self, sandbox):
        self.iam = sandbox.client("iam")
        self.made = []

    def role(self, name, path="/"):
        self.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(_TRUST))
        self.made.append(("role", name))
        return f"role/{name}"

    def user(self, name):
        self.iam.create_user(UserName=name)
        self.made.append(("user", name))
        return f"user/{name}"

    def group(self, name):
        self.iam.create_group(GroupName=name)
        self.made.append(("group", name))
        return f"group/{name}"

    def put(self, principal, policy, document):
        kind, _, name = principal.partition("/")
        put = getattr(self.iam, f"put_{kind}_policy")
        put(PolicyName=policy, PolicyDocument=json.dumps(document), **{f"{kind.title()}Name": name})

    def held(self, principal):
        """Its inline policies by name."""
        kind, _, name = principal.rpartition("/")[0].partition("/")[0], "", principal.rpartition("/")[2]
        named = {f"{kind.title()}Name": name}
        names = getattr(self.iam, f"list_{kind}_policies")(**named)["PolicyNames"]
        get = getattr(self.iam, f"get_{kind}_policy")
        return {policy: get(PolicyName=policy, **named)["PolicyDocument"] for policy in names}

    def clean(self):
        for kind, name in self.made:
            named = {f"{kind.title()}Name": name}
            for policy in self.held(f"{kind}/{name}"):
                getattr(self.iam, f"delete_{kind}_policy")(PolicyName=policy, **named)
            for row in getattr(self.iam, f"list_attached_{kind}_policies")(**named)["AttachedPolicies"]:
                getattr(self.iam, f"detach_{kind}_policy")(PolicyArn=row["PolicyArn"], **named)
                self.iam.delete_policy(PolicyArn=row["PolicyArn"])
            getattr(self.iam, f"delete_{kind}")(**named)


@pytest.fixture
def account(inside):
    """The sandbox's IAM; what a test makes in it goes with the test."""
    made = Account(inside)
    yield made
    made.clean()
