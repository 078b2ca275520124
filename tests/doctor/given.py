"""A diagnosis made by hand, for the tests of how one is shown; nothing was looked at for it."""

from rds_iam_magic.doctor.findings import AttachPolicy, Certainty, CreateUser, Diagnosis, Finding, Verdict
from rds_iam_magic.hints import Interface

ROLE = "arn:aws:iam::123456789012:role/team/analysts"
HOST = "my-cluster.cluster-c1abcdefgh12.eu-west-1.rds.amazonaws.com"
DATABASE_USER = "arn:aws:rds-db:eu-west-1:123456789012:dbuser:cluster-ABCDEFGHIJ1234/analyst"
COMMAND = (
    "aws iam put-role-policy --role-name analysts --policy-name reports "
    """--policy-document '{"Version": "2012-10-17", "Statement": [{"Action": "rds-db:connect"}]}'"""
)
FINDINGS = (
    Finding(1, "credentials", "ok", "They come from the profile prod (sso)."),
    Finding(2, "database", "ok", "my-cluster is available, and IAM authentication is on."),
    Finding(
        3,
        "server",
        "problem",
        "The server rejected the token.",
        "Access denied for user 'analyst'@'10.0.3.7' (using password: YES), from fe80::1 it was the same, at " + HOST,
    ),
    Finding(4, "proxy", "skipped", "It waits for network."),
    Finding(
        5,
        "IAM policy",
        "problem",
        f"The role analysts is not allowed rds-db:connect on {DATABASE_USER}.",
        "Statement 1 of the policy reports has rds:connect <b>.",
        f"Allow rds-db:connect in it:\n{COMMAND}",
        AttachPolicy(ROLE, DATABASE_USER),
    ),
    Finding(
        6,
        "database user",
        "unknown",
        "The accounts of the server were not looked at: that takes the master user's secret.",
        mend="%rds_iam_doctor my-cluster -u analyst --secret SECRET_ID",
    ),
    Finding(12, "privileges", "problem", "There is no such user.", fix=CreateUser("analyst")),
)
NAMES = (("user", "analyst"), ("host", "my-cluster"), ("profile", "prod"), ("role", "analysts"))


def diagnosis(certainty: Certainty = "certain", *, line: str = "my-cluster -u analyst --profile prod") -> Diagnosis:
    """A diagnosis with each state of a finding."""
    verdict = Verdict(
        certainty,
        ("iam-action",),
        "The policy reports allows rds:connect, which is no action, instead of rds-db:connect.",
        "IAM says no to rds-db:connect on the exact ARN, and there is a statement that is meant to allow it.",
        ("iam:SimulatePrincipalPolicy", "--secret"),
        ("the database user: it is missing; it is mistyped as analyst2", "the network: closed"),
    )
    return Diagnosis(verdict, FINDINGS, line, NAMES, Interface.NOTEBOOK)
