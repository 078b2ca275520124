"""What the target means, by the same ways as for connecting, whether it can be connected to or not."""

from __future__ import annotations

from dataclasses import replace

from rds_iam_magic.aws.endpoint import Destination, check_target, read_url, region_in_name
from rds_iam_magic.aws.targets.found import Found
from rds_iam_magic.aws.targets.resolve import locate
from rds_iam_magic.doctor.checks.check import NO_ANSWER, Check, Tools
from rds_iam_magic.doctor.evidence import Asked, Evidence, NotLooked, NotPermitted, Problem, Target, Unknown
from rds_iam_magic.errors import CredentialsError, RdsIamError


def _look(tools: Tools, evidence: Evidence) -> Evidence:
    try:
        found = _locate(tools, evidence.asked)
    except RdsIamError as error:
        if error.cause in NO_ANSWER:
            raise
        return replace(evidence, target=_without(error))
    endpoint = found.endpoint
    target = Target(endpoint, found.origin, region_in_name(endpoint.host), found.database)
    return replace(evidence, target=target)


def _locate(tools: Tools, asked: Asked) -> Found:
    to = read_url(Destination(asked.target, port=asked.port))
    if not tools.where.names_database:
        check_target(to.target)
    region = tools.options.region
    return locate(tools.session, to.target or None, where=tools.where, port=to.port, region=region)


def _without(error: RdsIamError) -> Problem | Unknown:
    if isinstance(error, CredentialsError):
        return NotLooked(waits_for="credentials")
    return NotPermitted.of(error) or Problem.of(error)


TARGET = Check(name="target", fills=("target",), look=_look, limit=7.0)
"""A host name's CNAMEs are looked up for at most 5 s."""
