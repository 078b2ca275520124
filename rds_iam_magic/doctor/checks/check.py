"""`Check`: a question, what it waits for, and the function that answers it; `Tools`: what it is answered with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rds_iam_magic.aws.session import HastySession
from rds_iam_magic.connect_options import ConnectOptions, TargetOptions
from rds_iam_magic.connecting import session_of

if TYPE_CHECKING:
    from rds_iam_magic.doctor.evidence import Evidence

LIMIT = 3.0
"""Seconds for a check, and for each of its calls."""

NO_ANSWER = frozenset(
    {
        "aws-failed",
        "aws-fault",
        "aws-proxy-unreachable",
        "aws-response-invalid",
        "aws-throttled",
        "aws-tls-failed",
        "aws-unreachable",
    }
)
"""Causes of errors by which AWS has said nothing of what it was asked: they make a field unknown, not a problem."""


class Tools:
    """How AWS and the database are reached. All checks may use it at once.

    Args:
        options: The options of AWS and of the network.
        where: The options that name the database instead of the target.
        secret: The master user's secret, or None.
    """

    def __init__(self, options: ConnectOptions, where: TargetOptions, secret: str | None = None) -> None:
        self.options = options
        self.where = where
        self.secret = secret
        self._session: Any = None
        self._lock = threading.Lock()

    @property
    def patience(self) -> float:
        """By how much more than usual everything may take: `--connect-timeout` gives more time to all checks."""
        return max(1.0, (self.options.connect_timeout or 0.0) / LIMIT)

    @property
    def seconds(self) -> float:
        """Seconds for one call."""
        return LIMIT * self.patience

    @property
    def session(self) -> Any:
        """The boto3 session, whose clients give up within seconds.

        Raises:
            CredentialsError: The profile does not exist.
            OptionError: An option cannot be understood.
        """
        with self._lock:
            if self._session is None:
                self._session = HastySession(session_of(self.options), self.seconds)
            return self._session


@dataclass(frozen=True, slots=True)
class Check:
    """A question.

    Attributes:
        name: Its name, one of `findings.CHECKS`.
        fills: The fields of `Evidence` that it fills.
        look: Answers it: the evidence with those fields filled. What it raises makes them `Failed`, a denial by AWS
            `NotPermitted`.
        needs: The fields that must have a value; else this is skipped, and waits for the check that fills them.
        after: The fields that must have been looked at before, whatever came of it.
        limit: Seconds, after which the fields are `Failed`.
    """

    name: str
    fills: tuple[str, ...]
    look: Callable[[Tools, Evidence], Evidence]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    limit: float = LIMIT
