"""What AWS says of an endpoint where nothing answers: a host name does not tell its port, nor whether it is stopped."""

from __future__ import annotations

from typing import Any

from rds_iam_magic.aws.availability import status_problem
from rds_iam_magic.aws.endpoint import Kind
from rds_iam_magic.aws.session import HastySession
from rds_iam_magic.aws.targets.find import by_endpoint
from rds_iam_magic.aws.targets.found import Found
from rds_iam_magic.errors import RdsIamError, TargetError

_NOT_DESCRIBED = (Kind.GLOBAL, Kind.SHARD_GROUP)
"""Endpoints that are in no description of a cluster, an instance or a proxy."""


class Silence:
    """Called when nothing answers: a sentence for the error, or "". AWS is asked at most once, and for seconds only.

    Args:
        session: A boto3 session.
        found: What is dialled; of what AWS has described, nothing more is asked.
    """

    def __init__(self, session: Any, found: Found) -> None:
        self._session = session
        self._found = found
        self._is_over = found.database is not None

    def __call__(self) -> str:
        """The sentence; empty if there is nothing to say."""
        if self._is_over:
            return ""
        self._is_over = True
        endpoint = self._found.endpoint
        try:
            database = by_endpoint(HastySession(self._session), endpoint)
        except TargetError as error:
            is_gone = error.cause == "endpoint-unknown" and endpoint.kind not in _NOT_DESCRIBED
            return f"No database of this account has that endpoint in {endpoint.region}." if is_gone else ""
        except RdsIamError:  # it may not be looked up
            return ""
        problem = status_problem(endpoint.identifier, database.status)
        if problem is not None:
            return problem.message
        described = database.endpoint.port
        return f"RDS says that its port is {described}, not {endpoint.port}." if described != endpoint.port else ""
