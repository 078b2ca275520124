"""Checks, each by itself: what one makes of the evidence before it."""

from dataclasses import replace

import pytest

from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.doctor.checks.check import Tools
from rds_iam_magic.doctor.checks.credentials import CREDENTIALS
from rds_iam_magic.doctor.checks.target import TARGET
from rds_iam_magic.doctor.evidence import Asked, Evidence

CODES = [
    ((200, b"<!DOCTYPE html><html><body>Log in<br></body></html>"), "aws-response-invalid"),
    ((200, b"<html><body><p>Log in</p></body></html>"), "aws-response-invalid"),
    ((403, b"<html><body><p>Log in</p></body></html>"), "aws-response-invalid"),
    ((400, b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>"), "aws-throttled"),
    ((500, b"<ErrorResponse><Error><Code>InternalFailure</Code></Error></ErrorResponse>"), "aws-fault"),
]
"""Answers that say nothing, and the causes of their errors."""


class Looking:
    """Runs checks one after the other, as the doctor does when they need each other."""

    def __call__(self, *checks, target="", port=None, before=None, where=None, user="reader", **options):
        asked = Asked(user=user, target=target, port=port, region=options.get("region"))
        tools = Tools(ConnectOptions(**options), where or TargetOptions())
        evidence = before or Evidence(asked)
        for check in checks:
            filled = check.look(tools, evidence)
            others = {name: getattr(evidence, name) for name in Evidence.__slots__ if name not in check.fills}
            assert replace(filled, **others) == filled, "it fills what it says, and nothing else"
            evidence = filled
        return evidence

    def first(self, *checks, **options):
        """The credentials and the target, then those."""
        return self(CREDENTIALS, TARGET, *checks, **options)


@pytest.fixture
def look():
    return Looking()
