"""The AWS credentials: whether there are any that can be used, and where they come from."""

from __future__ import annotations

from dataclasses import replace

from rds_iam_magic.aws.session import source_of
from rds_iam_magic.doctor.checks.check import NO_ANSWER, Check, Tools
from rds_iam_magic.doctor.evidence import Evidence, Keys, Problem
from rds_iam_magic.errors import RdsIamError


def _look(tools: Tools, evidence: Evidence) -> Evidence:
    """A role that may not be assumed is a problem, too: without it no token can be signed."""
    try:
        source = source_of(tools.session)
    except RdsIamError as error:
        if error.cause in NO_ANSWER:
            raise
        return replace(evidence, keys=Problem.of(error))
    profile = tools.options.profile or source.profile
    return replace(evidence, keys=Keys(source.method, source.temporary, profile))


CREDENTIALS = Check(name="credentials", fills=("keys",), look=_look, limit=5.0)
"""For a role, or an SSO session, it may take two calls to have them."""
